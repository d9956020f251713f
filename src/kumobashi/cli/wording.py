"""Numbers, short names and folded lines as the terminal shows them.

>>> short_id("0192f3b2-7c1e-7aaa-8bbb-0123456789ab")
'0192…89ab'
>>> spent(0.04), spent(2.34), spent(75.0), spent(None)
('< 0.1 s', '2.3 s', '75 s', '')
"""

import re

from rich.cells import cell_len
from rich.text import Text

_LONG_SECONDS = 60
_SHORT_SECONDS = 0.05
_PIECES = re.compile(
    r"[!-~]+|.", re.DOTALL
)  # a word of ASCII stays whole; Japanese breaks anywhere
_NEVER_FIRST = frozenset("、。）」』］〉》・ー…！？：；っゃゅょッャュョ")
_NEVER_LAST = frozenset("（「『［〈《")


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


def fold(text: str, width: int) -> list[str]:
    """Cut a sentence into lines of so many columns, as Japanese is set (禁則).

    >>> fold("復旧すると続きから自動で再開します。", 16)
    ['復旧すると続きか', 'ら自動で再開しま', 'す。']
    >>> fold("閉じ括弧（ここ）、次", 16)
    ['閉じ括弧（こ', 'こ）、次']
    """
    lines, line = [], ""
    for piece in _PIECES.findall(text):
        if line and cell_len(line + piece) > width:
            moved = ""
            while len(line) > 1 and (
                (moved or piece)[0] in _NEVER_FIRST or line[-1] in _NEVER_LAST
            ):
                line, moved = line[:-1], line[-1] + moved
            lines.append(line.rstrip())
            line = moved + piece.lstrip() if not moved else moved + piece
        else:
            line += piece
    return [*lines, line.rstrip()] if line.strip() or not lines else lines


def hung(head: Text, text: str, width: int) -> list[Text]:
    """Return a sentence behind a label, its further lines below its first word."""
    room = max(width - head.cell_len, 20)
    first, *more = fold(text, room)
    indent = " " * head.cell_len
    return [Text.assemble(head, first), *(Text(indent + line) for line in more)]
