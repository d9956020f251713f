"""How releasing fails.

KumobashiError
└── ReleaseFailed
    ├── NothingToRelease
    ├── FindingsRefused
    ├── CountsDisagree
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
