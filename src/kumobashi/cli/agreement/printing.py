"""``kumobashi agreement print`` and ``templates``: papers on A4, and their templates."""

import sys
from pathlib import Path

import click

from kumobashi.cli.agreement.asking import SITE
from kumobashi.cli.agreement.gateway import holder_of
from kumobashi.cli.command import command, option
from kumobashi.cli.exits import Exit
from kumobashi.cli.plain_tables import plain_table
from kumobashi.cli.terminal import Terminal


@command(
    "print",
    ja="申請書（--notice なら決定通知書）を A4 の HTML にします。ブラウザーで開いて印刷します。",
    en="Write the application (--notice: the notice of decision) as HTML for A4.",
    example="kumobashi agreement print 8架総第1号 --notice --output 決定通知書.html",
)
@click.argument("agreement")
@option("--notice", is_flag=True, ja="決定通知書にする", en="The notice of decision")
@option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    ja="書き出すファイル（既定: 標準出力）",
    en="The file to write (default: standard output)",
)
@SITE
def print_(
    terminal: Terminal, *, agreement: str, notice: bool, output: Path | None, site: str | None
) -> Exit:
    """Print a paper."""
    paper = "notice" if notice else "application"
    html = holder_of(terminal.workspace(), agreement, site).paper(agreement, paper)
    if terminal.as_json:
        terminal.emit({"paper": paper, "html": html})
    elif output is None:
        sys.stdout.write(html)
    else:
        output.write_text(html, encoding="utf-8")
        words = terminal.t(f"書き出しました: {output}", f"Written: {output}")
        terminal.out.print(words, soft_wrap=True)
    return Exit.OK


@command(
    "templates",
    ja="様式の差込項目を示します。--write で、様式を templates/agreements に写します（直せます）。",
    en="Show the placeholders of the papers; --write copies the templates for editing.",
    example="kumobashi agreement templates --write",
)
@option(
    "--write",
    "is_written",
    is_flag=True,
    ja="様式を写す（すでにあるものは、そのまま）",
    en="Copy the templates; those that are there stay",
)
def templates(terminal: Terminal, *, is_written: bool) -> Exit:
    """Show placeholders, or copy templates."""
    from kumobashi.agreements.placeholders import MEANINGS
    from kumobashi.agreements.printing import SHEETS
    from kumobashi.service.agreement_desk import TEMPLATES

    if is_written:
        written = SHEETS.write(terminal.folder / TEMPLATES)
        names = [str(TEMPLATES / path.name) for path in written]
        if terminal.as_json:
            terminal.emit({"written": names})
            return Exit.OK
        for name in names:
            words = terminal.t(f"書き出しました: {name}", f"Written: {name}")
            terminal.out.print(words, soft_wrap=True)
        if not names:
            terminal.out.print(
                terminal.t("様式は、すでにすべてあります。", "All templates are there already.")
            )
        return Exit.OK
    if terminal.as_json:
        terminal.emit({"placeholders": dict(MEANINGS)})
        return Exit.OK
    table = plain_table()
    table.add_column(terminal.t("差込項目", "Placeholder"), no_wrap=True)
    table.add_column(terminal.t("意味", "Meaning"), overflow="fold")
    for name, meaning in MEANINGS.items():
        table.add_row("{{ " + name + " }}", meaning)
    terminal.out.print(table)
    return Exit.OK
