"""How storing and reading fail.

KumobashiError
└── StorageFailed
    ├── StoreUnreachable      the database does not answer; try again later
    │   └── FolderUnreachable a folder of files is not there, or may not be used
    ├── OwnStoreFailed        the state or the spool of this gateway, for a reason not foreseen
    ├── OutcomeUnknown        whether a commit went through; ask what is there
    ├── RoleTooStrong         the database's role could see other municipalities' rows
    ├── StoreNotDurable       the database may forget what it has committed
    ├── SchemaOld             the role may not bring the tables up to this version
    ├── StoreForeign          the state of another site
    ├── StoreBusy             another process holds the file; try again soon
    ├── TableMissing
    ├── ColumnMissing
    ├── LoadSuperseded        a newer transfer has been applied already
    ├── BaseMissing           a difference on something that was not applied last
    ├── LoadIncomplete        fewer or more rows arrived than announced
    ├── FileAwaited           the drop folder holds no new file for the day
    ├── FileUnsettled         a file is still being written
    ├── CharactersUnheld      a file in cp932 cannot hold what it should
    ├── SpoolFull
    ├── DiskFailed            errors of the disk itself; try again later
    ├── PartUnlike            bytes that are not those of their digest
    ├── NeverApplied          the target does not know the transfer that is to be deleted
    ├── RowsRemain            rows are there after they were deleted
    ├── BackupUnreadable      no backup of this site's keys
    ├── BackupEnded           a backup that should have been destroyed
    ├── SecretErased          a key that was destroyed for good may not come back
    └── AlreadyRunning        two processes on one store
"""

import errno
import os

from kumobashi.kernel import KumobashiError


class StorageFailed(KumobashiError):
    """The store could not do it."""

    code = "storage.failed"
    status = 500
    ja = "保存先で失敗しました（{reason}）。"
    en = "The store failed: {reason}."
    remedy_ja = "ゲートウェイのログを担当の事業者に見せてください。"
    remedy_en = "Show the gateway's log to the vendor in charge."


class OwnStoreFailed(StorageFailed):
    """The state or the spool of this gateway could not do it, for a reason that was not foreseen.

    Whatever it is, it says nothing of the data: nobody may be told that they are refused.
    """

    code = "storage.own_failed"
    retryable = True
    status = 503
    ja = "ゲートウェイ自身の記録を読み書きできません（{reason}）。"
    en = "This gateway's own records cannot be read or written: {reason}."
    remedy_ja = "ゲートウェイのログを担当の事業者に見せてください。間をおいて自動でやり直します。"
    remedy_en = "Show the gateway's log to the vendor in charge; it is tried again by itself."


class StoreUnreachable(StorageFailed):
    """The database does not answer."""

    code = "storage.unreachable"
    retryable = True
    status = 503
    ja = "{name}のデータベースに接続できません（{reason_ja}）。"
    en = "The database of {system} does not answer ({reason})."
    remedy_ja = "データベースの稼働を担当に確かめてください。復旧すると自動で再開します。"
    remedy_en = "Ask who runs {system} whether its database is up; work resumes by itself."


_REASONS = {  # what libraries call it: in words
    "ConnectionRefusedError": ("接続を断られました", "connection refused"),
    "TimeoutError": ("応答がありません", "no answer in time"),
    "InvalidPasswordError": ("認証に失敗しました", "authentication failed"),
    "InvalidAuthorizationSpecificationError": ("認証に失敗しました", "authentication failed"),
    "InvalidCatalogNameError": ("データベースがありません", "no such database"),
    "FileNotFoundError": ("ファイルがありません", "no such file"),
    "ConnectionDoesNotExistError": ("接続が切れました", "the connection was lost"),
    "CannotConnectNowError": ("起動または停止の途中です", "it is starting or stopping"),
    "AdminShutdownError": ("停止しました", "it was shut down"),
    "TooManyConnectionsError": ("接続の数が上限です", "too many connections"),
}


def unreachable(system: str, name: str, error: BaseException) -> StoreUnreachable:
    """Return the failure of a store in words; the library's own message may hold an address."""
    kind = type(error).__name__
    reason_ja, reason = _REASONS.get(kind, ("つながりません", "no connection"))
    return StoreUnreachable(system=system, name=name, reason_ja=reason_ja, reason=reason)


class OutcomeUnknown(StorageFailed):
    """The connection broke during a commit, and the database cannot be asked how it ended."""

    code = "storage.outcome_unknown"
    retryable = True
    status = 503
    ja = "記録が確定したかどうかを、まだ確かめられません（{name}）。"
    en = "Whether the last change is committed cannot be asked yet ({system})."
    remedy_ja = "データベースが復旧すると、いまの記録を読み直して自動で続けます。"
    remedy_en = "Work goes on by itself from what is there once the database is back."


class RoleTooStrong(StorageFailed):
    """Row-level security does not hold this role back."""

    code = "storage.role_too_strong"
    ja = "状態のデータベースのロール「{role}」は、行レベルの制限を受けません。起動しません。"
    en = "The role {role} of the state's database bypasses row-level security. Not started."
    remedy_ja = (
        "SUPERUSER と BYPASSRLS のないロールでつないでください（alter role … nobypassrls）。"
    )
    remedy_en = "Connect as a role with neither SUPERUSER nor BYPASSRLS."


class StoreNotDurable(StorageFailed):
    """The server's settings let an acknowledged commit be lost."""

    code = "storage.not_durable"
    ja = "状態のデータベースは、確定した記録を失うことのある設定です（{setting} = {value}）。"
    en = "The state's database may lose what it has committed ({setting} = {value})."
    remedy_ja = "データベースの {setting} を on にしてください。"
    remedy_en = "Set {setting} to on at the server."


class SchemaOld(StorageFailed):
    """The tables are older than this program, and its role may not change them."""

    code = "storage.schema_old"
    status = 409
    ja = "状態のデータベースの表が古く（{found}）、このロールでは更新できません（必要: {needed}）。"
    en = "The state's tables are at {found}, {needed} is needed, and this role may not change them."
    remedy_ja = "表の所有者の接続文字列で kumobashi state migrate を実行してください。"
    remedy_en = "Run kumobashi state migrate with the connection string of the tables' owner."


class StoreForeign(StorageFailed):
    """The state belongs to another site."""

    code = "storage.foreign"
    status = 409
    ja = "この状態の保存先は {owner} のものです。{site} では使えません。"
    en = "This state belongs to {owner}; {site} cannot use it."
    remedy_ja = "サイトごとに別のデータベースかスキーマを指定してください（--state）。"
    remedy_en = "Give each site a database or a schema of its own (--state)."


class StoreBusy(StorageFailed):
    """Another process holds the file."""

    code = "storage.busy"
    retryable = True
    status = 503
    ja = "{system} のデータは別の処理が使用中です。"
    en = "Another process holds the data of {system}."
    remedy_ja = "少し待つと自動で再開します。"
    remedy_en = "Work resumes by itself."


class TableMissing(StorageFailed):
    """No such table."""

    code = "storage.table_missing"
    ja = "{system} に表「{table}」がありません。"
    en = "{system} has no table {table!r}."
    remedy_ja = "systems/{system}.yaml の table を確かめてください。"
    remedy_en = "Check table in systems/{system}.yaml."


class ColumnMissing(StorageFailed):
    """No such column."""

    code = "storage.column_missing"
    ja = "{system} の表「{table}」に項目「{column}」がありません。"
    en = "Table {table!r} of {system} has no column {column!r}."
    remedy_ja = "提供ルールの項目名か、元のシステムの表を確かめてください。"
    remedy_en = "Check the column in the release rule, or the table at the source."


class LoadSuperseded(StorageFailed):
    """Something newer has been applied."""

    code = "storage.superseded"
    ja = "この連携ではより新しい転送（{newer}）が取り込み済みです。古いデータは取り込みません。"
    en = "A newer transfer ({newer}) has been applied; older data are not."
    remedy_ja = "対応は要りません。必要なら今日の分を改めて実行してください。"
    remedy_en = "Nothing needs doing; run today's transfer again if you want it."


class BaseMissing(StorageFailed):
    """A difference needs the state that it was computed against."""

    code = "storage.base_missing"
    ja = "差分の元になる転送が最後の取込と一致しません。"
    en = "The difference was not computed against what was applied last."
    remedy_ja = "全件で送り直してください: kumobashi link run {link} --full"
    remedy_en = "Send everything again: kumobashi link run {link} --full"


class LoadIncomplete(StorageFailed):
    """The rows that arrived are not as many as announced."""

    code = "storage.load_incomplete"
    ja = "件数が合いません（{expected} 件のはずが {got} 件）。取り込んでいません。"
    en = "Counts disagree: expected {expected}, got {got}. Nothing was applied."
    remedy_ja = "もう一度送ってください。続くときは双方の担当に連絡してください。"
    remedy_en = "Send again; if it stays, call both sides."


class FileAwaited(StorageFailed):
    """No file that nobody has taken yet."""

    code = "storage.file_awaited"
    retryable = True
    status = 503
    ja = "{name}の受け渡しフォルダに、{day} の分のファイル（{pattern}）がまだありません。"
    en = "The drop folder of {system} has no new file {pattern!r} for {day} yet."
    remedy_ja = "ファイルを置いてください（{folder}）。置かれると自動で再開します。"
    remedy_en = "Put the file into {folder}; work resumes by itself."


class FileUnsettled(StorageFailed):
    """Somebody still writes to it, or has it open."""

    code = "storage.file_unsettled"
    retryable = True
    status = 503
    ja = "ファイル「{file}」は書き込みの途中です（{reason_ja}）。何も取り込んでいません。"
    en = "The file {file!r} is still being written ({reason}). Nothing was taken in."
    remedy_ja = "保存や転送が終わると自動で再開します。Excel で開いていれば閉じてください。"
    remedy_en = "Work resumes by itself when saving is over; close it in Excel."


class FolderUnreachable(StoreUnreachable):
    """A folder of files is not there, or may not be used."""

    code = "storage.folder_unreachable"
    retryable = True
    status = 503
    ja = "{name}の受け渡しフォルダ（{folder}）を使えません（{reason}）。"
    en = "The drop folder of {system} ({folder}) cannot be used: {reason}."
    remedy_ja = "フォルダの有無、接続、権限を確かめてください。直ると自動で再開します。"
    remedy_en = "Check that it exists, is mounted and permitted; work resumes by itself."


class CharactersUnheld(StorageFailed):
    """A file in cp932 cannot hold what it should."""

    code = "storage.characters_unheld"
    ja = "{rows} 行の {item} に {charset} で表せない字（{code_point}、{line} 件目の"
    ja += " {position} 文字目から）があるため、ファイルを書いていません。"
    en = "No file was written: {rows} rows hold {code_point} in {item}, which {charset} lacks"
    en += " (first in row {line}, character {position})."
    remedy_ja = "連携を format: csv、characters.charset: cp932 にして置き換えを決めるか、"
    remedy_ja += "フォルダの charset を utf-8-bom にしてください。"
    remedy_en = "Let the link say format: csv and characters.charset: cp932 with substitutes,"
    remedy_en += " or give the folder charset: utf-8-bom."


class SpoolFull(StorageFailed):
    """No space is left."""

    code = "storage.full"
    retryable = True
    status = 507
    ja = "保存領域に空きがありません（{place}）。"
    en = "No space is left at {place}."
    remedy_ja = "空きを作ってください。自動で再開します。"
    remedy_en = "Free some space; work resumes by itself."


class DiskFailed(StorageFailed):
    """The disk does not do its work: it reads or writes with errors, or is read-only."""

    code = "storage.disk_failed"
    retryable = True
    status = 507
    ja = "ディスクに読み書きできません（{place}）。"
    en = "The disk cannot be read or written at {place}."
    remedy_ja = "ディスクの状態を担当の事業者に確かめてもらってください。直ると自動で再開します。"
    remedy_en = "Ask the vendor in charge to look at the disk; work resumes by itself."


class PartUnlike(StorageFailed):
    """The bytes that came are not those of the digest they came under."""

    code = "storage.part_unlike"
    ja = "部分データが途中で変わりました（{digest}）。受け取っていません。"
    en = "The part's bytes do not have the digest {digest}; it was not taken."
    remedy_ja = "自動で送り直します。続くときは回線の担当に連絡してください。"
    remedy_en = "It is sent again by itself; if it stays, call whoever runs the line."


BROKEN_DISK = frozenset({errno.EIO, errno.EROFS})
"""What the operating system says of a disk that errs, or that it has made read-only since."""


def is_disk_full(error: BaseException) -> bool:
    """Whether the disk, not the data, made a library fail; DuckDB tells it in words only."""
    if isinstance(error, OSError):
        return error.errno in {errno.ENOSPC, errno.EDQUOT}
    return os.strerror(errno.ENOSPC).lower() in str(error).lower()


class AlreadyRunning(StorageFailed):
    """Two processes on one store."""

    code = "storage.already_running"
    status = 409
    ja = "{site} のゲートウェイはすでに動いています。"
    en = "A gateway of {site} is running already."
    remedy_ja = "動いているほうを止めてから始めてください。"
    remedy_en = "Stop the other one first."


class SecretErased(StorageFailed):
    """A key that was destroyed for good."""

    code = "storage.secret_erased"
    status = 409
    ja = "鍵「{name}」は消去済みです。もう一度置くことはできません。"
    en = "The key {name} was destroyed for good and may not come back."
    remedy_ja = "データがもう一度必要なら、送り側で連携を新しく実行してください。"
    remedy_en = "If the data are needed again, run the link anew at the sender."


class NeverApplied(StorageFailed):
    """The target's own list of applied transfers does not have it."""

    code = "storage.never_applied"
    status = 409
    ja = "取込先の表に、転送 {transfer} を取り込んだ記録がありません。何も消していません。"
    en = "The target has no record that {transfer} was applied; nothing was deleted."
    remedy_ja = "取込先を古い控えから戻していないか、担当に確かめてください。"
    remedy_en = "Ask who runs the target whether an older state of it was restored."


class RowsRemain(StorageFailed):
    """Rows are there although they were deleted."""

    code = "storage.rows_remain"
    retryable = True
    status = 409
    ja = "消去したはずの表に {rows} 件あります。消去済みとはしません。"
    en = "{rows} rows are in the table after they were deleted; it is not called deleted."
    remedy_ja = "取込先のシステムが同じ表に書いていないか、担当に確かめてください。"
    remedy_en = "Ask who runs the target whether something else writes into this table."


class BackupUnreadable(StorageFailed):
    """No backup of keys, or another site's."""

    code = "storage.backup_unreadable"
    status = 422
    ja = "{file} は、このサイトの鍵の控えとして読めません。何も戻していません。"
    en = "{file} is no backup of this site's keys; nothing was restored."
    remedy_ja = "kumobashi keys backup が作ったファイルと --site を確かめてください。"
    remedy_en = "Check --site and that kumobashi keys backup made the file."


class BackupEnded(StorageFailed):
    """Its end was promised."""

    code = "storage.backup_ended"
    status = 409
    ja = "{file} の期限（{until}）は過ぎています。戻しません。"
    en = "{file} ended at {until}; it is not restored."
    remedy_ja = "期限の過ぎた控えは消してください。途中の転送は送り直してもらえます。"
    remedy_en = "Destroy ended backups; what was under way can be sent again."
