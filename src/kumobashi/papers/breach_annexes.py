"""The annexes of the report of an incident: sealing and keys, thresholds and clocks. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from kumobashi.papers.clocks import Level
from kumobashi.papers.exposure import (
    Exposed,
    KeyState,
    ReceiverState,
    RecipientState,
    is_open_text,
    must_report,
)
from kumobashi.papers.incidents import Doubt
from kumobashi.papers.matter import Matter
from kumobashi.papers.sheet import Line, Section, Table, blank
from kumobashi.papers.wording import local_time
from kumobashi.policy.reading import Origin

_MOST_LINES: Final = 100  # transfers in the table
REPORTS_JA: Final = {"prompt": "速報", "final": "確報"}
_DOUBT_JA: Final[Mapping[Doubt, str]] = {
    Doubt.YES: "当たる",
    Doubt.NO: "当たらない",
    Doubt.UNKNOWN: "分からない",
}
_LEVELS_JA: Final[Mapping[Level, str]] = {
    Level.DONE: "報告済",
    Level.CALM: "期限内",
    Level.SOON: "期限が近い",
    Level.OVERDUE: "期限超過",
}
_RECIPIENT_JA: Final[Mapping[RecipientState, str]] = {
    RecipientState.IN_USE: "いまも使用中",
    RecipientState.LEAVING: "交替中（古い鍵）",
    RecipientState.OUT_OF_USE: "使用をやめた鍵",
    RecipientState.UNKNOWN: "不明",
}
_RECEIVER_JA: Final[Mapping[ReceiverState, str]] = {
    ReceiverState.NOT_APPLIED: "取り込まれていない",
    ReceiverState.HELD: "保持中（鍵あり）",
    ReceiverState.DELETED: "消去済（署名あり）",
    ReceiverState.LOST: "復元で消失",
    ReceiverState.UNKNOWN: "不明",
}


def sealing(matter: Matter) -> Section:
    """Return an annex: whether it was sealed, and what became of the keys."""
    lay_open = is_open_text(matter.incident)
    if lay_open is None:
        text = "起きた所による。" + blank("起きた所が表（平文）か、経路・媒体（封緘）か")
    elif lay_open:
        text = "表にあるものは封緘されていません（送るときだけ封緘）。"
    else:
        text = "封緘されていた（age X25519・ChaCha20-Poly1305、転送ごとの鍵）。"
    return Section(
        title="付1　暗号化と鍵の状態",
        lines=(
            Line(label="漏れたものは暗号化されていたか", text=text),
            Line(
                label="受け取り側の封緘の鍵",
                text=blank("受け取り側の秘密の鍵が漏れていないことを、だれがどう確かめたか"),
            ),
            Line(
                label="「高度な暗号化」に当たるか",
                text=blank("報告を要しない「高度な暗号化その他の措置」に当たるかの判断と理由"),
            ),
        ),
        table=Table(
            heads=("転送", "受け手の鍵", "鍵の状態", "送り側の鍵・分割片", "受け取り側", "証拠"),
            rows=tuple(
                (
                    one.transfer[-12:],
                    one.recipient or one.seal or blank("封緘した相手の鍵"),
                    _RECIPIENT_JA[one.recipient_state]
                    if one.recipient_state is not RecipientState.UNKNOWN
                    else blank("受け手の鍵の状態"),
                    f"鍵 {_held(one.key_at_sender)}\n分割片 {_held(one.parts_at_sender)}",
                    _RECEIVER_JA[one.receiver],
                    f"{local_time(one.deleted)}\n{(one.receipt or '')[:23]}"
                    if one.deleted
                    else "—",
                )
                for one in matter.exposed[:_MOST_LINES]
            ),
        )
        if matter.exposed
        else None,
        notes=(
            "送り側の鍵は受け手にしか開けない形でだけ残り、送り側では開けません。",
            "消去済の転送は、受け取り側の鍵も署名つきで消えています。",
            "中継の分割片は引き渡しのあと消えます（署名による証明はありません）。",
        ),
    )


def clocks(matter: Matter, now: datetime) -> Section:
    """Return an annex: whether it must be reported, and until when."""
    judged = matter.judged()
    verdict = must_report([met for _, met in judged])
    said = {
        Doubt.YES: "報告の対象に当たる。",
        Doubt.NO: "しきい値には当たらない。" + blank("報告しないことの判断と、判断した人"),
        Doubt.UNKNOWN: "まだ決まらない。おそれのあるときは当たるものとして扱う。"
        + blank("報告の対象に当たるかの判断"),
    }[verdict]
    return Section(
        title="付2　報告の要否と期限",
        lines=(
            Line(label="報告の要否", text=said),
            *(
                Line(
                    label=REPORTS_JA[one.report] + "の期限",
                    text=f"{one.due_day.isoformat()} まで（{one.row.days}日、"
                    f"{_LEVELS_JA[one.level(now)]}"
                    + ("、遅れて報告" if one.was_late else "")
                    + (f"、報告 {local_time(one.filed)}" if one.filed else "")
                    + "）",
                    source=_source(one.row.origin),
                )
                for one in matter.clocks
            ),
        ),
        table=Table(
            heads=("しきい値", "人数", "当たるか", "根拠"),
            rows=tuple(
                (row.ja, f"{row.at_least} 人から", _DOUBT_JA[met], _source(row.origin))
                for row, met in judged
            ),
        ),
        notes=(
            "期限は、知った日を1日目とし、休日も数える最も短い数え方です。",
            "不正の目的のおそれが分からない間は、確報の期限は短い方です。",
        ),
    )


def _proof(one: Exposed) -> str:
    if one.deleted is None:
        return "—"
    return f"{local_time(one.deleted)}\n{(one.receipt or '')[:23]}"


def _held(state: KeyState) -> str:
    return {KeyState.HELD: "残る", KeyState.GONE: "なし", KeyState.UNKNOWN: "不明"}[state]


def _source(origin: Origin) -> str:
    mark = "" if origin.is_verified else "【未確認】"
    return f"{mark}{origin.source}（{origin.place}）"
