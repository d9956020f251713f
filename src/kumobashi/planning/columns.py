"""Rows of a table at a terminal, whose cells are folded as Japanese is set."""

from collections.abc import Sequence

from rich.text import Text

from kumobashi.planning.folding import cut, padded


def row_of(
    cells: Sequence[str], widths: Sequence[int], style: str = "", *, second: str = ""
) -> list[Text]:
    """Return one row of a table, as many lines high as its longest cell."""
    folded = [cut(cell, width) for cell, width in zip(cells, widths, strict=True)]
    found = []
    for number in range(max(len(lines) for lines in folded)):
        line = Text("  ")
        for place, (lines, width) in enumerate(zip(folded, widths, strict=True)):
            text = lines[number] if number < len(lines) else ""
            line.append(padded(text, width + 2), style=second if place == 1 else style)
        line.rstrip()
        found.append(line)
    return found
