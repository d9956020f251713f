"""Rows of a table and sentences at a terminal, folded as Japanese is set."""

from collections.abc import Iterator, Sequence

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


def hung(head: Text, text: str, width: int, style: str = "") -> Iterator[Text]:
    """Give a sentence behind its head, further lines below its first word."""
    first, *more = cut(text, max(width - head.cell_len, 20))
    yield Text.assemble(head, (first, style))
    for line in more:
        yield Text(" " * head.cell_len + line, style=style)
