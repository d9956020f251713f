"""The sentences of what is wrong: cause and side in plain words, in both languages."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from kumobashi.exchange.views import Words
from kumobashi.kernel import JST
from kumobashi.monitoring.points import PATTERNS, Pattern

_MOST_NAMES = 3

CALL_THEM = Words(
    ja="相手の担当に連絡してください。復旧すると続きから自動で再開します。",
    en="Call whoever runs it; work resumes by itself where it stopped.",
)
START_GATEWAY = Words(
    ja="ゲートウェイを動かしてください（kumobashi serve）。途中のものは続きから再開します。",
    en="Start the gateway (kumobashi serve); what is under way goes on where it stopped.",
)
LOOK_INTO_LOG = Words(
    ja="そのサイトの担当に、記録（ログ）にこのコードがあることを伝えてください。",
    en="Tell whoever runs the site that its log has this code.",
)
LOOK_AT_LINK = Words(
    ja="連携のページで、実行されたか、どこで待っているかを見てください。",
    en="Look at the link's page: has it run, where does it wait?",
)
SET_CLOCK = Words(
    ja="時計を合わせてください（chrony などの NTP）。1秒以内なら支障はありません。",
    en="Set the clock (chrony or another NTP); within a second nothing suffers.",
)
SEVERAL_PARTS = Words(
    ja="止まっている機器・回線の担当に、順に連絡してください。",
    en="Call those who run the parts that have stopped, one after another.",
)


def broken(far: str, near: str, since: datetime) -> Words:
    """Say where a way ends."""
    return Words(
        ja=f"{far}が{_clock(since)}から応答していません。{near}までは届いています。",
        en=f"{far} has not answered since {_clock(since)}; {near} is reached.",
    )


def gateway(name: str) -> Words:
    """Say that the gateway beside the watch is silent."""
    return Words(
        ja=f"{name}のゲートウェイが応答していません。ここから送るものはすべて止まっています。",
        en=f"The gateway of {name} does not answer; nothing leaves from here.",
    )


def silent(name: str, last: datetime) -> Words:
    """Say that a site that always asked does not."""
    return Words(
        ja=f"{name}からの生存確認が{_clock(last)}から来ていません。",
        en=f"No pulse has come from {name} since {_clock(last)}.",
    )


def network(names: Sequence[str], pattern: Pattern | None) -> Words:
    """Say which parts have failed."""
    parts_ja, parts_en = _listed(names, "、", "ほか"), _listed(names, ", ", "and more")
    if pattern is None:
        return Words(ja=f"{parts_ja}が止まっています。", en=f"{parts_en} do not answer.")
    words = PATTERNS[pattern]
    return Words(
        ja=f"{words.ja}（パターン{pattern.value}）：{parts_ja}が止まっています。",
        en=f"Pattern {pattern.value}, {words.en}: {parts_en} do not answer.",
    )


def complaint(name: str, code: str, count: int, *, is_log: bool) -> Words:
    """Say what a site says is wrong with it."""
    if is_log:
        return Words(
            ja=f"{name}のプログラムの記録に異常があります：{code}（{count:,}回）。",
            en=f"The program log of {name} has {code} ({count:,} times).",
        )
    return Words(
        ja=f"{name}が自分の異常を知らせています：{code}（{count:,}件）。",
        en=f"{name} says that something is wrong with it: {code} ({count:,}).",
    )


def clock(name: str, ahead: timedelta, within: timedelta) -> Words:
    """Say how far a clock is off."""
    seconds, bound = abs(ahead.total_seconds()), within.total_seconds()
    way_ja, way_en = ("進んで", "ahead") if ahead > timedelta() else ("遅れて", "behind")
    return Words(
        ja=f"{name}の時計が {seconds:,.1f} 秒{way_ja}います（±{bound:.1f} 秒）。",
        en=f"The clock of {name} is {seconds:,.1f} s {way_en} (±{bound:.1f} s).",
    )


def overdue(names: Sequence[str], day: date, at: str) -> Words:
    """Say what is not in by its deadline."""
    due = f"{day.month}月{day.day}日 {at}"
    return Words(
        ja=f"{due} の期限までに取り込まれていません：{_listed(names, '、', 'ほか')}。",
        en=f"Not in by {at} of {day.isoformat()}: {_listed(names, ', ', 'and more')}.",
    )


def tried(tries: int, next_try: datetime | None) -> Words | None:
    """Say what was tried; nothing, if nothing was."""
    if not tries:
        return None
    then_ja = f"、次は {_clock(next_try)}" if next_try else ""
    then_en = f", next at {_clock(next_try)}" if next_try else ""
    return Words(ja=f"再送 {tries:,}回{then_ja}。", en=f"Tried {tries:,} times{then_en}.")


def _clock(at: datetime) -> str:
    here = at.astimezone(JST)
    return f"{here.hour}:{here.minute:02}"


def _listed(names: Sequence[str], comma: str, more: str) -> str:
    shown = comma.join(names[:_MOST_NAMES])
    return f"{shown} {more} {len(names) - _MOST_NAMES}" if len(names) > _MOST_NAMES else shown
