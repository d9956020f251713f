"""The labels of closed sets, by their enum or name, so that a test can find a gap."""

from kumobashi.console.reading import Mark
from kumobashi.console.reconciling import Verdict
from kumobashi.console.wording import both, pick
from kumobashi.exchange.views import Light, Progress
from kumobashi.kernel import Language, Zone

LIGHTS = {
    Light.APPLIED: both("取込済み", "applied"),
    Light.RUNNING: both("実行中", "running"),
    Light.WAITING: both("待機中", "waiting"),
    Light.HELD: both("承認待ち", "held for approval"),
    Light.STOPPED: both("停止", "stopped"),
    Light.REFUSED: both("拒否", "refused"),
    Light.BLOCKED: both("送れません", "blocked by plan"),
    Light.NEVER: both("未実行", "never run"),
}
"""The one word of each light; drawn with the sign of :data:`SIGNS`, never by colour alone."""

SIGNS = {
    Light.APPLIED: "✓",
    Light.RUNNING: "▶",
    Light.WAITING: "…",
    Light.HELD: "？",
    Light.STOPPED: "!",
    Light.REFUSED: "×",
    Light.BLOCKED: "⊘",
    Light.NEVER: "−",
}

PROGRESS = {
    Progress.DONE: both("完了", "done"),
    Progress.RUNNING: both("実行中", "running"),
    Progress.WAITING: both("待機中", "waiting"),
    Progress.FAILED: both("失敗", "failed"),
    Progress.AHEAD: both("まだ", "not yet"),
}

MARKS = {
    Mark.DONE: both("済み", "done"),
    Mark.NOW: both("いまここ", "here now"),
    Mark.STUCK: both("ここで止まっています", "stuck here"),
    Mark.AHEAD: both("まだ", "not yet"),
}

VERDICTS = {
    Verdict.AGREES: both("合っています", "agrees"),
    Verdict.DIFFERS: both("合いません", "differs"),
    Verdict.OPEN: both("まだ揃っていません", "not complete yet"),
}

ZONES = {
    Zone.MYNUMBER: both("マイナンバー利用事務系", "My Number zone"),
    Zone.LGWAN: both("LGWAN接続系", "LGWAN zone"),
    Zone.INTERNET: both("インターネット接続系", "internet zone"),
}

STAGES = {
    "extract": both("抽出", "extract"),
    "convert": both("変換", "convert"),
    "release": both("抽象化・提供", "release"),
    "seal": both("封緘", "seal"),
    "carry": both("送達", "carry"),
    "delivered": both("到達", "delivered"),
    "opened": both("復号", "opened"),
    "validated": both("検証", "validated"),
    "applied": both("取込", "applied"),
    "refused": both("拒否", "refused"),
    "deleted": both("消去", "deleted"),
}
"""Stages of a transfer and of its receipts; an unknown one is shown as it is."""

MODES = {"full": both("全件", "full"), "difference": both("差分", "difference")}

FORMS = {
    "kept": both("そのまま", "as it is"),
    "coarsened": both("抽象化", "coarsened"),
    "flag": both("有無", "flag"),
    "token": both("符号化", "token"),
    "derived": both("計算", "computed"),
    "dropped": both("出さない", "not sent"),
}
"""What becomes of an item; an unknown one is shown as it is."""

COUNTS = {
    "extracted": both("抽出", "extracted"),
    "released": both("提供", "released"),
    "without_consent": both("同意なし", "without consent"),
    "quarantined": both("隔離", "quarantined"),
    "left_out": both("目立つので除外", "left out, would stand out"),
    "deleted": both("削除", "deleted"),
    "sent": both("封緘", "sealed"),
    "opened": both("復号", "opened"),
    "applied": both("取込", "applied"),
    "cut_into": both("分割", "cut into"),
}

FINDINGS = {
    "column_missing": both("項目がありません", "missing column"),
    "column_unexpected": both("余分な項目です", "unexpected column"),
    "wrong_type": both("型が違います", "wrong type"),
    "too_long": both("桁数を超えています", "too long"),
    "unknown_code": both("コード表にない値です", "unknown code"),
    "required_missing": both("必須の値がありません", "missing required value"),
    "key_repeated": both("同じキーの行がほかにもあります", "more rows have the same key"),
    "required_together": both("ほかの項目があるのに値がありません", "missing beside another value"),
    "wrong_characters": both("半角・全角が違います", "half or full width is wrong"),
    "wrong_length": both("決まった桁数と違います", "not the fixed number of digits"),
    "character_unmappable": both(
        "送り先の文字コードにない文字です", "character not in the target charset"
    ),
    "character_changed": both("別の文字に変わります", "comes back as another character"),
    "character_own": both("外字です", "a private character"),
    "column_count": both("項目の数が見出しと違います", "not as many items as the header"),
    "undecodable": both("読めないバイトがあります", "bytes that mean nothing"),
    "formula": both("表計算ソフトが式として実行します", "a spreadsheet would run it"),
}
"""By the last word of the code; an unknown one is shown as its code."""


def stage(name: str, lang: Language) -> str:
    """Return the label of a stage, or its name when it is new to this console."""
    return pick(STAGES[name], lang) if name in STAGES else name


def finding(code: str, lang: Language) -> str:
    """Return what a finding's code says, or the code itself."""
    words = FINDINGS.get(code.rsplit(".", 1)[-1])
    return pick(words, lang) if words else code
