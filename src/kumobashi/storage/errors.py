"""How storing and reading fail.

KumobashiError
└── StorageFailed
    ├── StoreUnreachable      the database does not answer; try again later
    ├── StoreBusy             another process holds the file; try again soon
    ├── TableMissing
    ├── ColumnMissing
    ├── LoadSuperseded        a newer transfer has been applied already
    ├── BaseMissing           a difference on something that was not applied last
    ├── LoadIncomplete        fewer or more rows arrived than announced
    ├── SpoolFull
    ├── PartUnlike            bytes that are not those of their digest
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
}


def unreachable(system: str, name: str, error: BaseException) -> StoreUnreachable:
    """Return the failure of a store in words; the library's own message may hold an address."""
    kind = type(error).__name__
    reason_ja, reason = _REASONS.get(kind, ("つながりません", "no connection"))
    return StoreUnreachable(system=system, name=name, reason_ja=reason_ja, reason=reason)


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


class SpoolFull(StorageFailed):
    """No space is left."""

    code = "storage.full"
    retryable = True
    status = 507
    ja = "保存領域に空きがありません（{place}）。"
    en = "No space is left at {place}."
    remedy_ja = "空きを作ってください。自動で再開します。"
    remedy_en = "Free some space; work resumes by itself."


class PartUnlike(StorageFailed):
    """The bytes that came are not those of the digest they came under."""

    code = "storage.part_unlike"
    ja = "部分データが途中で変わりました（{digest}）。受け取っていません。"
    en = "The part's bytes do not have the digest {digest}; it was not taken."
    remedy_ja = "自動で送り直します。続くときは回線の担当に連絡してください。"
    remedy_en = "It is sent again by itself; if it stays, call whoever runs the line."


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


class ArchiveUnfit(StorageFailed):
    """A container that is refused before anything in it is used."""

    code = "storage.archive_unfit"
    ja = "ファイルの入れ物の形が正しくありません（{reason}）。何も取り出していません。"
    en = "The container has another form ({reason}). Nothing was taken from it."
    remedy_ja = "書き出した側から、もう一度受け取ってください。"
    remedy_en = "Get the file again from whoever wrote it."


class ArchiveDamaged(ArchiveUnfit):
    """A header that is none, or a file that ends too early or too late."""

    code = "storage.archive_damaged"
    ja = "ファイルが壊れているか、途中で切れています（{reason}）。"
    en = "The file is damaged or cut off ({reason})."


class ArchiveName(ArchiveUnfit):
    """A name that climbs, is absolute, or holds what no name of ours holds."""

    code = "storage.archive_name"
    ja = "入れ物の {number} 番目の名前は許されていません（上の階層・絶対パス・制御文字など）。"
    en = "The name of member {number} is not allowed (climbs, is absolute, has other characters)."


class ArchiveKind(ArchiveUnfit):
    """A link, a device, a folder: anything but a plain file."""

    code = "storage.archive_kind"
    ja = "入れ物の {number} 番目は、ふつうのファイルではありません（リンク・デバイスなど）。"
    en = "Member {number} is no plain file (a link, a device, a folder)."


class ArchiveTwice(ArchiveUnfit):
    """Two members of one name."""

    code = "storage.archive_twice"
    ja = "入れ物に同じ名前が2つあります（{number} 番目）。"
    en = "Member {number} has the name of another."


class ArchiveTooMany(ArchiveUnfit):
    """More members than such a container ever has."""

    code = "storage.archive_too_many"
    status = 413
    ja = "入れ物の中のファイルが多すぎます（{limit} 個まで）。"
    en = "The container has more than {limit} members."


class ArchiveTooLarge(ArchiveUnfit):
    """A member that says it is larger than it may be."""

    code = "storage.archive_too_large"
    status = 413
    ja = "入れ物の {number} 番目が大きすぎます（{bytes} バイト、{limit} バイトまで）。"
    en = "Member {number} says it has {bytes} bytes; at most {limit} are allowed."
