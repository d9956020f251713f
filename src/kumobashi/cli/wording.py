"""Numbers, short names and folded lines as the terminal shows them.

>>> short_id("0192f3b2-7c1e-7aaa-8bbb-0123456789ab")
'0192…89ab'
>>> spent(0.04), spent(2.34), spent(75.0), spent(None)
('< 0.1 s', '2.3 s', '75 s', '')
"""

from rich.cells import cell_len
from rich.text import Text

from kumobashi.planning.folding import fold

__all__ = ["fold", "hung", "pad", "pad_left", "short_id", "spent"]

_LONG_SECONDS = 60
_SHORT_SECONDS = 0.05


def short_id(text: str) -> str:
    """Return the ends of an id or a digest."""
    plain = text.removeprefix("sha256:")
    return f"{plain[:4]}…{plain[-4:]}"


def spent(seconds: float | None) -> str:
    """Return a time as in the pictures."""
    if seconds is None:
        return ""
    if seconds < _SHORT_SECONDS:
        return "< 0.1 s"
    return f"{seconds:.1f} s" if seconds < _LONG_SECONDS else f"{seconds:.0f} s"


def pad(text: str, width: int) -> str:
    """Return ``text`` filled with spaces to so many columns; a Japanese letter takes two.

    >>> pad("封緘", 6) + "|"
    '封緘  |'
    """
    return text + " " * max(0, width - cell_len(text))


def pad_left(text: str, width: int) -> str:
    """Return ``text`` moved to the right of so many columns."""
    return " " * max(0, width - cell_len(text)) + text


def hung(head: Text, text: str, width: int) -> list[Text]:
    """Return a sentence behind a label, its further lines below its first word."""
    room = max(width - head.cell_len, 20)
    first, *more = fold(text, room)
    indent = " " * head.cell_len
    return [Text.assemble(head, first), *(Text(indent + line) for line in more)]
