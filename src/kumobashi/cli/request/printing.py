"""``kumobashi request print`` and ``templates``: papers on A4, and their templates."""

import json
import sys
from pathlib import Path

import click

from kumobashi.cli.command import command, option
from kumobashi.cli.errors import Usage
from kumobashi.cli.plain_tables import plain_table
from kumobashi.cli.request.asking import REQUEST, SITE, ask
from kumobashi.cli.terminal import Terminal


@command(
    "print",
    ja="通知書を A4 の HTML にします。--answer は、決定に添えた記録を別紙にします。\n"
    "住所・氏名・文書番号は手で書き入れます。",
    en="Write a notice as HTML for A4; --answer adds the record that was decided on as an annex.\n"
    "Address, name and number of the document are written in by hand.",
    example=(
        "kumobashi request print 019aa8d1-5b7c-7000-8000-0123456789ab --answer kaitou.json"
        " --output tsuuchi.html"
    ),
)
@REQUEST
@option(
    "--paper",
    type=click.Choice(
        [
            "ask-more",
            "extension",
            "disclosure",
            "partial",
            "refusal",
            "correction",
            "suspension",
            "transfer",
            "receivers",
        ]
    ),
    ja="どの紙か（既定: いちばん新しい手続のもの）",
    en="Which paper (default: of the newest act)",
)
@option(
    "--answer",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    ja="request answer が書いた記録",
    en="The record that request answer wrote",
)
@option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    ja="書き出すファイル（既定: 標準出力）",
    en="The file to write (default: standard output)",
)
@SITE
def print_(
    terminal: Terminal,
    *,
    request: str,
    paper: str | None,
    answer: Path | None,
    output: Path | None,
    site: str | None,
) -> None:
    """Print a paper."""
    said: dict[str, object] = {"request": request, "paper": paper}
    if answer is not None:
        try:
            said["answer"] = json.loads(answer.read_text("utf-8"))
        except (OSError, ValueError):
            raise Usage(
                what=f"{answer} は読める記録のファイルではありません。",
                what_en=f"{answer} is not a record that can be read.",
                command="kumobashi request print",
            ) from None
    found = ask(terminal, site, "paper", said)
    if terminal.as_json:
        terminal.emit(found)
    elif output is None:
        sys.stdout.write(found["html"])
    else:
        output.write_text(found["html"], encoding="utf-8", newline="\n")
        words = terminal.t(f"書き出しました: {output}", f"Written: {output}")
        terminal.out.print(words, soft_wrap=True)


@command(
    "templates",
    ja="様式の差込項目を示します。--write で、様式を templates/requests に写します（直せます）。",
    en="Show the placeholders of the papers; --write copies the templates for editing.",
    example="kumobashi request templates --write",
)
@option(
    "--write",
    "is_written",
    is_flag=True,
    ja="様式を写す（すでにあるものは、そのまま）",
    en="Copy the templates; those that are there stay",
)
def templates(terminal: Terminal, *, is_written: bool) -> None:
    """Show placeholders, or copy templates."""
    from kumobashi.requests.placeholders import MEANINGS
    from kumobashi.requests.printing import SHEETS

    if is_written:
        places = [
            Path("templates") / "requests" / path.name
            for path in SHEETS.write(terminal.folder / "templates" / "requests")
        ]
        names = [place.as_posix() for place in places]
        if terminal.as_json:
            terminal.emit({"written": names})
            return
        for name in names:
            terminal.out.print(
                terminal.t(f"書き出しました: {name}", f"Written: {name}"), soft_wrap=True
            )
        if not names:
            terminal.out.print(
                terminal.t("様式は、すでにすべてあります。", "All templates are there already.")
            )
        return
    if terminal.as_json:
        terminal.emit({"placeholders": dict(MEANINGS)})
        return
    table = plain_table()
    table.add_column(terminal.t("差込項目", "Placeholder"), no_wrap=True)
    table.add_column(terminal.t("意味", "Meaning"), overflow="fold")
    for name, meaning in MEANINGS.items():
        table.add_row("{{ " + name + " }}", meaning)
    terminal.out.print(table)
