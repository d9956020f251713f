"""Show a paper at the terminal, or write it as a page for A4. Papers are in Japanese."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from kumobashi.cli.command import option
from kumobashi.cli.terminal import Terminal

HTML = option(
    "--html",
    "page",
    type=click.Path(path_type=Path, dir_okay=False, writable=True),
    metavar="FILE",
    ja="印刷するページ（A4）に書き出す",
    en="Write a page for printing (A4)",
)


def tell_paper(
    terminal: Terminal, paper: Mapping[str, Any], page_text: str, page: Path | None
) -> None:
    """Show one paper, or write its page."""
    tell_papers(terminal, [paper], page_text, page, as_one=True)


def tell_papers(
    terminal: Terminal,
    papers: Sequence[Mapping[str, Any]],
    page_text: str,
    page: Path | None,
    *,
    as_one: bool = False,
) -> None:
    """Show papers, or write them into one page."""
    if page:
        page.write_text(page_text, encoding="utf-8", newline="\n")
    if terminal.as_json:
        terminal.emit(papers[0] if as_one else {"papers": list(papers)})
    elif page:
        count = sum(len(paper["blanks"]) for paper in papers)
        said = terminal.t(
            f"書き出しました: {page}（空欄 {count} か所）", f"Written: {page} ({count} blanks)"
        )
        terminal.out.print(said, soft_wrap=True, markup=False, highlight=False)
    else:
        for paper in papers:
            _shown(terminal, paper)


def _shown(terminal: Terminal, paper: Mapping[str, Any]) -> None:
    def say(text: str, style: str = "") -> None:
        terminal.out.print(Text(text, style), soft_wrap=True)

    say(f"{paper['title']}　{paper['about']}", "bold")
    for section in paper["sections"]:
        say(f"\n{section['title']}", "bold")
        for line in section["lines"]:
            say(f"  {line['label']}: {line['text']}")
        if table := section["table"]:
            for row in table["rows"]:
                cells = zip(table["heads"], row, strict=True)
                say("  - " + " / ".join(f"{head} {cell}" for head, cell in cells))
        for note in section["notes"]:
            say(f"  ※ {note}", "dim")
    say("\n" + terminal.t(f"空欄 {len(paper['blanks'])} か所", f"{len(paper['blanks'])} blanks"))
    for number, one in enumerate(paper["blanks"], 1):
        say(f"  {number}. {one['what']}（{one['where']}）")
    say("")
