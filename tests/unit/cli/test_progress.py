"""The bar of long work: drawn for people at a terminal, gone afterwards, silent for machines."""

from io import StringIO

import pytest
from rich.console import Console

from kumobashi.cli.progress import bar
from kumobashi.cli.terminal import Terminal


def drawn(terminal: Terminal, *, is_terminal: bool = True) -> str:
    """Return what two steps of some work leave on the error stream."""
    file = StringIO()
    terminal.err = Console(file=file, force_terminal=is_terminal, width=100)
    with bar(terminal, "読込み", "Reading") as told:
        told(1, 4)
        told(2, 4, "照合")
    return file.getvalue()


@pytest.mark.parametrize(("lang", "words"), [("ja", ("照合", "残り")), ("en", ("照合", "left"))])
def test_a_person_sees_how_far_it_is_and_what_comes(lang: str, words: tuple[str, str]) -> None:
    seen = drawn(Terminal(lang="ja" if lang == "ja" else "en"))

    assert all(word in seen for word in (*words, "50%"))
    assert seen.endswith("\x1b[2K"), "the line is wiped"


def test_neither_a_file_nor_json_gets_a_bar() -> None:
    assert drawn(Terminal(), is_terminal=False) == ""
    assert drawn(Terminal(as_json=True)) == ""
