"""``kumobashi consent import | export``: consents that were recorded elsewhere, and all of ours."""

from pathlib import Path

import click

from kumobashi.cli.command import command, option
from kumobashi.cli.consent.asking import SITE, ask
from kumobashi.cli.exits import Exit
from kumobashi.cli.terminal import Terminal

_FILE = click.Path(path_type=Path, dir_okay=False)


@command(
    "import",
    ja="既存の同意を CSV か Parquet から取り込みます。指摘のある行は取り込まず、1 で終わります。",
    en="Take consents in from CSV or Parquet; rows with findings are left out, and it ends with 1.",
    example="kumobashi consent import consents.csv --dry-run",
)
@click.argument("file", type=_FILE)
@SITE
@option("--dry-run", is_flag=True, ja="確かめるだけ", en="Only judge the rows")
def import_(terminal: Terminal, *, file: Path, site: str | None, dry_run: bool) -> Exit:
    """Import a file."""
    said = {"path": str(file.resolve()), "dry_run": dry_run}
    found = ask(terminal, site, "import", said)
    judged, made = found["judged"], found["imported"]
    if terminal.as_json:
        terminal.emit(found)
    else:
        t = terminal.t
        terminal.out.print(
            t(
                f"{judged['rows']:,} 行のうち {judged['good']:,} 行に指摘はありません。",
                f"{judged['good']:,} of {judged['rows']:,} rows have no finding.",
            )
        )
        for one in judged["findings"]:
            line, rows, item = one["line"], one["rows"], one["item"]
            terminal.out.print(
                t(
                    f"  {line}行目から {rows:,} 行: {item} は{one['expected']}",
                    f"  from line {line}, {rows:,} rows: {item}, {one['code']}",
                ),
                soft_wrap=True,
            )
        if made:
            terminal.out.print(
                t(
                    f"取り込みました: 同意 {made['granted']:,}、撤回 {made['withdrawn']:,}、"
                    f"すでにあったもの {made['known']:,}",
                    f"Imported: {made['granted']:,} granted, {made['withdrawn']:,} withdrawn,"
                    f" {made['known']:,} known already",
                )
            )
    return Exit.RED if judged["findings"] else Exit.OK


@command(
    "export",
    ja="台帳を CSV に書き出します（宛名番号が入ります。所有者だけが読めるファイルになります）。",
    en="Write the ledger as CSV; it holds resident numbers, and only its owner may read it.",
    example="kumobashi consent export consents-out.csv",
)
@click.argument("file", type=_FILE)
@SITE
@option("--purpose", metavar="NAME", ja="この目的だけ", en="This purpose only")
def export(terminal: Terminal, *, file: Path, site: str | None, purpose: str | None) -> None:
    """Export the ledger."""
    found = ask(terminal, site, "export", {"path": str(file.resolve()), "purpose": purpose})
    if terminal.as_json:
        terminal.emit(found)
    else:
        count = found["written"]
        terminal.out.print(
            terminal.t(f"{count:,} 件を書き出しました: {file}", f"{count:,} written: {file}"),
            soft_wrap=True,
        )
