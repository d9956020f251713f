r"""What a letter says: as a mail, as a short message, spoken, and as JSON. Pure.

Whatever an alert holds, nothing of it ends a header, turns the direction of writing or hides: each
line is cleaned here, once, for all channels.

>>> clean("【発生】回線断\r\nBcc: x@example.jp")
'【発生】回線断 Bcc: x@example.jp'
"""

import unicodedata
from typing import Any

from kumobashi.consent.channels.sms import fits
from kumobashi.kernel import to_wire
from kumobashi.monitoring.alerts import Alert
from kumobashi.monitoring.channels.ports import Letter
from kumobashi.monitoring.wording import URGENCIES
from kumobashi.monitoring.wording import moment as said_at

LONGEST_LINE = 300
LONGEST_TITLE = 120
_LONGEST_SPOKEN = 200
_MOST_LINES = 20
_ASKED = "対応する方は、1を押してください。"
_OMITTED = "…"
_SPOKEN = str.maketrans({"【": "", "】": "。", "（": "、", "）": "。", "・": "、", "/": "、"})


def clean(text: str, *, longest: int = LONGEST_LINE) -> str:
    """Return one line without control, format (bidi) or unpaired characters."""
    plain = "".join(
        char if not unicodedata.category(char).startswith(("C", "Zl", "Zp")) else _instead(char)
        for char in text[: longest * 2]
    )
    plain = " ".join(plain.split(" ")).strip()
    while "  " in plain:
        plain = plain.replace("  ", " ")
    return plain if len(plain) <= longest else plain[: longest - 1] + _OMITTED


def _instead(char: str) -> str:
    return "" if unicodedata.category(char) in {"Cf", "Cs"} else " "


def title_of(letter: Letter) -> str:
    """Return the one line of a letter."""
    if letter.word:
        return "【雲橋 便り】見張りは動いています"
    others = f" ほか{letter.count - 1:,}件" if letter.count > 1 else ""
    return clean(letter.first.title_ja, longest=LONGEST_TITLE - len(others)) + others


def mail_of(letter: Letter) -> str:
    """Return the text of a mail: Japanese, then English; one line each."""
    parts = [_daily(letter)] if letter.word else []
    parts += [_section(alert, is_first=not at) for at, alert in enumerate(letter.alerts)]
    if letter.more:
        parts.append([f"ほか {letter.more:,}件（and {letter.more:,} more）"])
    if not letter.word:
        parts.append([_how_to_take(letter)])
    return "\n\n".join("\n".join(lines) for lines in parts) + "\n"


def short_of(letter: Letter, *, longest: int = 70) -> str:
    """Return a short message of at most ``longest`` characters that handsets can show."""
    if letter.word:
        return f"{title_of(letter)} 合言葉 {letter.word}"
    others = f" ほか{letter.count - 1:,}件" if letter.count > 1 else ""
    tail = f"{others} {said_at(letter.first.at)} 障害票{_number(letter.first)}"
    title = "".join(
        char if fits(char, longest=2) else "〓" for char in clean(letter.first.title_ja)
    )
    while title and not fits(title + tail, longest=longest):
        title = title[:-1] if not title.endswith(_OMITTED) else title[:-2]
        title += _OMITTED if title else ""
    return (title + tail).strip()


def spoken_of(letter: Letter) -> str:
    """Return what a telephone reads out, short, with what to press."""
    if letter.word:
        return f"雲橋からの毎日の確認です。合言葉は、{'、'.join(letter.word)}、です。"
    title = clean(letter.first.title_ja).translate(_SPOKEN)
    others = f"ほか、{letter.count - 1}件。" if letter.count > 1 else ""
    said = f"雲橋からの障害の連絡です。{title}。".replace("。。", "。")
    room = _LONGEST_SPOKEN - len(others) - len(_ASKED)
    return said[:room] + others + _ASKED


def plain_of(letter: Letter) -> dict[str, Any]:
    """Return a letter as JSON."""
    return {
        "kumobashi": 1,
        "letter": letter.id,
        "at": to_wire(letter.at),
        "word": letter.word,
        "more": letter.more,
        "alerts": [
            {
                "alert": alert.id,
                "fault": alert.fault,
                "moment": alert.moment.value,
                "urgency": alert.urgency.value,
                "code": alert.code,
                "side": alert.side,
                "title": {"ja": clean(alert.title_ja), "en": clean(alert.title_en)},
                "lines": {
                    "ja": [clean(line) for line in alert.lines_ja[:_MOST_LINES]],
                    "en": [clean(line) for line in alert.lines_en[:_MOST_LINES]],
                },
                "links": list(alert.links),
                "more_links": alert.more_links,
                "since": to_wire(alert.at),
            }
            for alert in letter.alerts
        ],
    }


def _section(alert: Alert, *, is_first: bool) -> list[str]:
    urgency = URGENCIES[alert.urgency]
    lines = [f"{clean(alert.title_ja)}（{urgency.ja}）"]
    if is_first:
        lines += [f"  {clean(line)}" for line in alert.lines_ja[:_MOST_LINES]]
        lines += ["", f"{clean(alert.title_en)} ({urgency.en})"]
        lines += [f"  {clean(line)}" for line in alert.lines_en[:_MOST_LINES]]
    return lines


def _daily(letter: Letter) -> list[str]:
    return [
        "見張りが動いていること、この便りが届くことを確かめるための、毎日の便りです。",
        f"合言葉: {letter.word}",
        "届いたら、合言葉を入力してください。入力がないと、別の手段で担当者に連絡します。",
        "",
        "前の便りからの参考の連絡:" if letter.alerts else "前の便りから、参考の連絡はありません。",
    ]


def _how_to_take(letter: Letter) -> str:
    return (
        f"対応する方は、障害票 {_number(letter.first)} の「対応を始める」を押してください。"
        "どなたも対応を始めないと、次の人・次の手段に連絡します。"
        "このメールには返信できません。"
    )


def _number(alert: Alert) -> str:
    return clean(alert.fault)[-6:].upper()
