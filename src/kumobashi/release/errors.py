"""How releasing fails.

KumobashiError
└── ReleaseFailed
    ├── NothingToRelease
    ├── FindingsRefused
    ├── CountsDisagree
    ├── GateRefused           it tells more than the gate allows
    │   └── DifferencingRefused   beside what was sent before, it does
    ├── LedgerOutOfReach      the ledger of consents is another process's
    ├── TiesOutOfReach        likewise the registry of ties
    ├── LedgerNotPushed       consents of the ledger are no table of the source
    ├── DataTooOld            older than a campaign allows
    ├── DataTimeUnknown       nobody says of which moment the data are
    └── BaseDateBeforeData    the data are of later days than the base date
"""

from kumobashi.kernel import KumobashiError


class ReleaseFailed(KumobashiError):
    """The rows could not be released."""

    code = "release.failed"


class NothingToRelease(ReleaseFailed):
    """The extraction is empty; an empty list is more often a fault than a fact."""

    code = "release.nothing"
    ja = "送る人が 0 人でした（抽出 {extracted} 件、同意なし {without_consent} 件）。"
    en = "No one is left to send: {extracted} rows extracted, {without_consent} without consent."
    remedy_ja = "抽出と同意の登録を確かめてください。0件が正しいなら allow_empty: true と書きます。"
    remedy_en = (
        "Check the extraction and the consents; write allow_empty: true where none is right."
    )


class FindingsRefused(ReleaseFailed):
    """Rows with findings, and the link says on_findings: refuse."""

    code = "release.findings"
    ja = "{rows} 件に指摘があるため送りませんでした（{first}）。"
    en = "Not sent: {rows} rows have findings ({first})."
    remedy_ja = "元のシステムの値を直すか、連携の on_findings を quarantine にしてください。"
    remedy_en = "Correct the values at the source, or set on_findings: quarantine for this link."


class CountsDisagree(ReleaseFailed):
    """Rows went missing or came twice between two steps: a fault of ours or of the source."""

    code = "release.counts_disagree"
    ja = "件数が合いません（{step}: {expected} 件のはずが {got} 件）。何も送っていません。"
    en = "Counts disagree at {step}: expected {expected}, got {got}. Nothing was sent."
    remedy_ja = "抽出中に元のデータが変わった可能性があります。もう一度実行してください。"
    remedy_en = "The source may have changed while it was read; run the link again."


class GateRefused(ReleaseFailed):
    """What would leave tells more about people than the rule's gate allows."""

    code = "release.gate_refused"
    ja = (
        "だれのことかがわかりすぎるため、何も送りませんでした"
        "（{threshold} が {got}、しきい値 {limit}）。"
    )
    en = "Nothing was sent: it tells too much ({threshold} is {got}, the limit is {limit})."
    remedy_ja = (
        "提供ルールの項目に ladder（粗くする段）を足すか、項目を減らすか、庁内で判定して符号だけを"
        "出してください（predicate_only）。"
    )
    remedy_en = (
        "Add steps to the ladders of the release rule, send fewer columns, or answer the"
        " conditions in the hall and send tokens alone (predicate_only)."
    )


class DifferencingRefused(GateRefused):
    """Beside what the destination has from earlier releases, it tells people apart."""

    code = "release.differencing_refused"
    ja = (
        "これまでに送ったもの（{against}）と重ねると {rows} 件が{k}人未満の組になり、"
        "だれのことかがわかりすぎるため、何も送りませんでした（除いてよい割合 {limit}）。"
    )
    en = (
        "Nothing was sent: beside what was sent before ({against}), {rows} rows are in groups of"
        " fewer than {k} persons; a share of {limit} may be left out."
    )
    remedy_ja = (
        "提供ルールの項目を粗くするか減らす、送り先の鍵の期（coding.epoch）を新しくする、"
        "前に送ったものの消去を確認してから送る、のどれかにしてください。"
    )
    remedy_en = (
        "Make the columns of the release rule coarser or fewer, begin a new key epoch"
        " (coding.epoch), or send once the deletion of what was sent before is proved."
    )


class NoSuchLevel(ReleaseFailed):
    """A column was to climb to a level that its ladder does not have."""

    code = "release.no_such_level"
    ja = "項目 {column} に {level} 段目はありません（0 から {highest} まで）。"
    en = "The column {column} has no level {level}; it has 0 to {highest}."
    remedy_ja = "提供ルールの ladder に段を足すか、段の番号を直してください。"
    remedy_en = "Add the step to the ladder in the release rule, or correct the level."


class MappingAmbiguous(ReleaseFailed):
    """An area lies in two areas of the next level: a hierarchy is a tree or it is wrong."""

    code = "release.mapping_ambiguous"
    ja = "対応表 {dataset} では、1つの {level} が2つの {above} に入っています（{areas} 件）。"
    en = "In the mapping {dataset}, {areas} areas of level {level} lie in two areas of {above}."
    remedy_ja = "対応表を直してください。直るまで何も送りません。"
    remedy_en = "Correct the mapping; nothing is sent until then."


class EpochOver(ReleaseFailed):
    """The key epoch of a rule has ended, or has not begun."""

    code = "release.epoch_over"
    ja = "鍵の期 {epoch} は {first} から {last} までです。{on} の分は送りません。"
    en = "The key epoch {epoch} runs from {first} to {last}; nothing leaves for {on}."
    remedy_ja = (
        "提供ルールの coding.epoch を次の期にし、コードブックを作り直して"
        "（kumobashi release codebook 連携 --make）、受け取り側の表も新しくしてください。"
    )
    remedy_en = (
        "Set coding.epoch in the release rule to the next one, make its codebook"
        " (kumobashi release codebook LINK --make) and a new table at the receiver."
    )


class CodesCollide(ReleaseFailed):
    """Two columns of one dataset have the same code: rare, and never let through."""

    code = "release.codes_collide"
    ja = "期 {epoch} では、{dataset} の2つの項目が同じ符号になります。"
    en = "In the epoch {epoch}, two columns of {dataset} have the same code."
    remedy_ja = "別の期にしてください。符号は期ごとに変わります。"
    remedy_en = "Take another epoch; codes change with it."


class CodebookFailed(ReleaseFailed):
    """The codebook of a destination is not what it must be."""

    code = "release.codebook_failed"


class CodebookMissing(CodebookFailed):
    """No codebook was made for this destination and epoch yet."""

    code = "release.codebook_missing"
    ja = "{system} の期 {epoch} のコードブックがまだありません。"
    en = "There is no codebook for {system} in the epoch {epoch} yet."
    remedy_ja = "作ってください: kumobashi release codebook 連携 --make"
    remedy_en = "Make it: kumobashi release codebook LINK --make"


class CodebookLost(CodebookFailed):
    """A codebook was made, and is gone or no longer what it was: nobody could read what leaves."""

    code = "release.codebook_lost"
    ja = "{system} の期 {epoch} のコードブックが失われたか、書き換えられています。何も送りません。"
    en = "The codebook of {system} for the epoch {epoch} is lost or was changed; nothing leaves."
    remedy_ja = "控えから戻すか、提供ルールの coding.epoch を新しい期にして作り直してください。"
    remedy_en = (
        "Restore it, or set coding.epoch to a new epoch in the release rule and make it anew."
    )


class CodebookUnreadable(CodebookFailed):
    """A file is no codebook."""

    code = "release.codebook_unreadable"
    ja = "コードブックとして読めないファイルです。"
    en = "The file is no codebook."
    remedy_ja = "控えから戻すか、新しい期で作り直してください。"
    remedy_en = "Restore it, or make it anew under a new epoch."


class CodedLayoutUnlike(CodebookFailed):
    """The receiver's layout does not have the codes of the codebook."""

    code = "release.coded_layout_unlike"
    ja = "受け取り側のレイアウト {layout} の項目が、期 {epoch} のコードブックと合いません。"
    en = "The columns of the receiver's layout {layout} are not those of the codebook for {epoch}."
    remedy_ja = (
        "kumobashi release codebook 連携 --make が書くレイアウトを、受け取り側のデータセットの"
        " layout にしてください。"
    )
    remedy_en = (
        "Give the receiver's dataset the layout that kumobashi release codebook LINK --make writes."
    )


class CodingUndeclared(CodebookFailed):
    """A codebook was asked for, of a rule whose columns leave under their own names."""

    code = "release.coding_undeclared"
    ja = "連携 {link} の提供ルール {rule} には coding がありません。"
    en = "The release rule {rule} of the link {link} has no coding."
    remedy_ja = "項目名を符号にして出すなら、提供ルールに coding を書いてください。"
    remedy_en = "To send columns under codes, write coding into the release rule."


class PushDownMissing(ReleaseFailed):
    """A rule is to be computed at the source, and the packages for that are not installed."""

    code = "release.pushdown_missing"
    ja = "送り元のデータベースで計算するためのパッケージがありません。"
    en = "The packages for computing a rule at the source are not installed."
    remedy_ja = "kumobashi[pushdown] を入れてください。"
    remedy_en = "Install kumobashi[pushdown]."


class LedgerNotPushed(ReleaseFailed):
    """The ledger of consents stands in the hall; no source can join with it."""

    code = "release.ledger_not_pushed"
    ja = "同意の台帳を使う提供ルールは、送り元のデータベースでは計算できません。"
    en = "A rule that asks the ledger of consents cannot be computed at the source."
    remedy_ja = "送り元での計算（pushdown）を使わずに実行してください。"
    remedy_en = "Run it without computing at the source."


class LedgerOutOfReach(ReleaseFailed):
    """Consents are in the ledger of a gateway, and this is another process."""

    code = "release.ledger_out_of_reach"
    status = 409
    ja = "この提供ルールは同意の台帳を使いますが、ここからは台帳を読めません。"
    en = "The rule asks the ledger of consents, which cannot be read from here."
    remedy_ja = "ゲートウェイのコンソールで行うか、ゲートウェイを止めてから行ってください。"
    remedy_en = "Do it in the console of the gateway, or while the gateway is stopped."


class TiesOutOfReach(ReleaseFailed):
    """Ties are in the registry of a gateway, and this is another process."""

    code = "release.ties_out_of_reach"
    status = 409
    ja = "この提供ルールは住民との紐付けを使いますが、ここからは読めません。"
    en = "The rule asks the ties with residents, which cannot be read from here."
    remedy_ja = "ゲートウェイのコンソールで行うか、ゲートウェイを止めてから行ってください。"
    remedy_en = "Do it in the console of the gateway, or while the gateway is stopped."


class DataTooOld(ReleaseFailed):
    """Data are older than a campaign allows; it goes on when newer ones are there."""

    code = "release.data_too_old"
    retryable = True
    ja = (
        "「{campaign}」が使う {dataset} のデータが古すぎます（{as_of} 時点。上限は {limit}）。"
        "何も送っていません。"
    )
    en = "{campaign} uses {dataset}, of {as_of}: older than its {limit_en}. Nothing was sent."
    remedy_ja = "業務システムからの取込を確かめてください。新しいデータが入れば自動で再開します。"
    remedy_en = "See why no newer data came; it goes on by itself when they do."


class DataTimeUnknown(ReleaseFailed):
    """The source does not say of which moment its data are, or says it wrongly."""

    code = "release.data_time_unknown"
    retryable = True
    ja = (
        "「{campaign}」が使う {dataset} のデータがいつの時点のものかわかりません。"
        "何も送っていません。"
    )
    en = "Nobody says of which moment {dataset} is, which {campaign} uses. Nothing was sent."
    remedy_ja = "systems/ の as_of が指す表に、そのデータの core_at と taken_at を入れてください。"
    remedy_en = "Write core_at and taken_at of it into the table that as_of of the system names."


class BaseDateBeforeData(ReleaseFailed):
    """People of a later day would be held against an earlier one."""

    code = "release.base_date_before_data"
    ja = (
        "基準日 {on} は {dataset} のデータ（{as_of} 時点）より {limit} を超えて前です。"
        "「{campaign}」の対象者をその日で数えられません。"
    )
    en = (
        "The base date {on} lies more than {limit_en} before {dataset}, of {as_of};"
        " {campaign} cannot be counted for that day."
    )
    remedy_ja = "データの時点に近い基準日を指定してください。"
    remedy_en = "Name a base date near the time of the data."
