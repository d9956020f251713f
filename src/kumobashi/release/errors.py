"""How releasing fails.

KumobashiError
└── ReleaseFailed
    ├── NothingToRelease
    ├── FindingsRefused
    └── CountsDisagree
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
