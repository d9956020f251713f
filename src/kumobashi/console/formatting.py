"""Dates, times, counts and sizes as people in a Japanese city hall read them.

>>> day(date(2026, 11, 22), "ja")
'令和8年11月22日（日）'
>>> day(date(2019, 5, 1), "ja")
'令和元年5月1日（水）'
>>> number(401877), size(6_100_000), seconds(3.14, "ja")
('401,877', '6.1 MB', '3.1秒')
"""

from datetime import date, datetime, timedelta

from kumobashi.console.reader import Calendar
from kumobashi.kernel import JST, Language

MISSING = "—"

# First day of each era (元号を改める政令).
_ERAS = (
    (date(2019, 5, 1), "令和", "Reiwa"),
    (date(1989, 1, 8), "平成", "Heisei"),
    (date(1926, 12, 25), "昭和", "Showa"),
    (date(1912, 7, 30), "大正", "Taisho"),
    (date(1868, 10, 23), "明治", "Meiji"),
)
_WEEKDAYS = {"ja": "月火水木金土日", "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_BYTE_UNITS = ("B", "kB", "MB", "GB", "TB")
_THOUSAND = 1000


def day(on: date, lang: Language, calendar: Calendar = "era") -> str:
    """Return the full date with the weekday: 和暦, or in the western calendar.

    >>> day(date(2026, 11, 22), "ja", "western"), day(date(2026, 11, 22), "en", "western")
    ('2026年11月22日（日）', 'Sun 22 Nov 2026')
    """
    weekday = _WEEKDAYS[lang][on.weekday()]
    if calendar == "western":
        plain = f"{on.day} {_MONTHS[on.month - 1]} {on.year}"
        if lang == "ja":
            return f"{on.year}年{on.month}月{on.day}日（{weekday}）"
        return f"{weekday} {plain}"
    for first, ja, en in _ERAS:
        if on >= first:
            year = on.year - first.year + 1
            if lang == "ja":
                return f"{ja}{'元' if year == 1 else year}年{on.month}月{on.day}日（{weekday}）"
            return f"{weekday} {on.day} {_MONTHS[on.month - 1]} {on.year} ({en} {year})"
    return on.isoformat()


def short_day(on: date, lang: Language) -> str:
    """Return month and day only, for places where the year is plain."""
    return f"{on.month}月{on.day}日" if lang == "ja" else f"{on.day} {_MONTHS[on.month - 1]}"


def clock(at: datetime) -> str:
    """Return hours and minutes in Japan."""
    here = at.astimezone(JST)
    return f"{here.hour}:{here.minute:02}"


def plain_time(text: str) -> str:
    """Return "01:20" of a schedule as people write it.

    >>> plain_time("01:20")
    '1:20'
    """
    hour, minute = text.split(":")
    return f"{int(hour)}:{minute}"


def moment(at: datetime, lang: Language, calendar: Calendar = "era") -> str:
    """Return date and time in Japan in full."""
    return (
        f"{day(at.astimezone(JST).date(), lang, calendar)}{'' if lang == 'ja' else ' '}{clock(at)}"
    )


def near(at: datetime, now: datetime, lang: Language) -> str:
    """Return the time, with the day only when it is another day than ``now``."""
    here = at.astimezone(JST)
    if here.date() == now.astimezone(JST).date():
        return clock(at)
    return f"{short_day(here.date(), lang)} {clock(at)}"


def number(count: int | None) -> str:
    """Return a count with thousands separated."""
    return MISSING if count is None else f"{count:,}"


def size(count: int | None) -> str:
    """Return bytes in decimal units with one figure after the point.

    >>> size(999), size(1234), size(999_960), size(None)
    ('999 B', '1.2 kB', '1.0 MB', '—')
    """
    if count is None:
        return MISSING
    if count < _THOUSAND:
        return f"{count} B"
    scaled = float(count)
    for unit in _BYTE_UNITS:
        if round(scaled, 1) < _THOUSAND or unit == _BYTE_UNITS[-1]:
            return f"{scaled:,.1f} {unit}"
        scaled /= _THOUSAND
    raise AssertionError("the last unit takes everything")


def seconds(span: float | None, lang: Language) -> str:
    """Return a span in the largest units that say enough.

    >>> seconds(0.004, "ja"), seconds(59.97, "ja"), seconds(125, "ja"), seconds(3720, "en")
    ('0.1秒未満', '1分00秒', '2分05秒', '1 h 02 min')
    """
    if span is None:
        return MISSING
    if span < 0.05:  # noqa: PLR2004 - would round to 0.0
        return "0.1秒未満" if lang == "ja" else "< 0.1 s"
    if round(span, 1) < 60:  # noqa: PLR2004 - seconds in a minute
        return f"{span:,.1f}秒" if lang == "ja" else f"{span:,.1f} s"
    minutes, rest = divmod(round(span), 60)
    if minutes < 60:  # noqa: PLR2004 - minutes in an hour
        return f"{minutes}分{rest:02}秒" if lang == "ja" else f"{minutes} min {rest:02} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,}時間{minutes:02}分" if lang == "ja" else f"{hours:,} h {minutes:02} min"


def span(length: timedelta, lang: Language) -> str:
    """Return a span of minutes and hours, as in "1時間42分".

    >>> span(timedelta(minutes=102), "ja"), span(timedelta(minutes=9), "en")
    ('1時間42分', '9 min')
    """
    hours, minutes = divmod(int(length.total_seconds()) // 60, 60)
    if lang == "ja":
        return f"{hours}時間{minutes:02}分" if hours else f"{minutes}分"
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"


def short_digest(digest: str) -> str:
    """Return the ends of a digest, enough to compare by eye; the whole goes into ``title``."""
    plain = digest.removeprefix("sha256:")
    return plain if len(plain) <= 12 else f"{plain[:6]}…{plain[-4:]}"  # noqa: PLR2004 - short already
