"""Cut a sentence into lines as Japanese is set: by columns, and never against 禁則.

A Japanese letter takes two columns of a terminal and may stand at the end of any line; a word of
ASCII stays whole; a full stop never begins a line and an opening bracket never ends one.
"""

import re

from rich.cells import cell_len

_PIECES = re.compile(
    r"[!-~]+|.", re.DOTALL
)  # a word of ASCII stays whole; Japanese breaks anywhere
_NEVER_FIRST = frozenset("、。）」』］〉》〕・ー…！？：；～っゃゅょッャュョ々")
_NEVER_LAST = frozenset("（「『［〈《〔")


def fold(text: str, width: int) -> list[str]:
    """Cut a sentence into lines of so many columns.

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


def cut(text: str, width: int) -> list[str]:
    """Fold a text, and cut what has no place to break, such as a long number.

    >>> cut("0123456789ab", 6)
    ['012345', '6789ab']
    """
    lines = []
    for line in fold(text, width):
        rest = line
        while cell_len(rest) > width:
            end = next(n for n in range(len(rest), 0, -1) if cell_len(rest[:n]) <= width or n == 1)
            lines.append(rest[:end])
            rest = rest[end:]
        lines.append(rest)
    return lines


def padded(text: str, width: int) -> str:
    """Return ``text`` filled with spaces to so many columns."""
    return text + " " * max(0, width - cell_len(text))
