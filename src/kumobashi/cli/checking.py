"""``kumobashi catalogue check``: hold a file against a layout before anything is linked."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table
from rich.text import Text

from kumobashi.cli.command import command, option
from kumobashi.cli.errors import FileUnreadable
from kumobashi.cli.exits import Exit
from kumobashi.cli.terminal import Terminal

if TYPE_CHECKING:
    import duckdb

    from kumobashi.catalogue import Layout
    from kumobashi.kernel import Finding

_ON_SCREEN = 1_000
_MEMORY = "512MB"  # of the engine; what does not fit is spilled beside the findings


@command(
    "check",
    ja="ファイルをレイアウトと照らし、指摘を行ごとに示します。全件はファイルに書き出せます。",
    en="Hold a file against a layout; findings line by line, all of them into a file if asked.",
    example="kumobashi catalogue check residents.csv --layout resident-registry --export all.csv",
)
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@option("--layout", "name", metavar="LAYOUT", required=True, ja="レイアウト", en="The layout")
@option("--version", metavar="VERSION", ja="版（既定: 今日使う版）", en="Default: today's")
@option(
    "--export",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    ja="指摘を全件書き出すファイル（.csv は Excel で開けます。.parquet も可）",
    en="Write all findings there: .csv, which Excel opens, or .parquet",
)
@option(
    "--limit",
    type=click.IntRange(0, _ON_SCREEN),
    default=_ON_SCREEN,
    show_default=True,
    ja="画面に出す件数",
    en="How many to show",
)
def check(
    terminal: Terminal,
    *,
    file: Path,
    name: str,
    version: str | None,
    export: Path | None,
    limit: int,
) -> Exit:
    """Check a file."""
    import duckdb

    from kumobashi.catalogue.checking import count_findings, each_finding, export_findings
    from kumobashi.cli.catalogue import layout_here, layouts_here

    layout = layout_here(layouts_here(terminal), name, version)
    try:
        with duckdb.connect() as connection:
            connection.execute(f"set memory_limit = '{_MEMORY}'")
            relation = _relation(connection, file, layout)
            first = each_finding(connection, relation, layout, limit)
            if export is None:
                total = count_findings(connection, relation, layout)
            else:
                total = export_findings(connection, relation, layout, export).findings
    except duckdb.Error as error:
        raise FileUnreadable(file=str(file)) from error
    if terminal.as_json:
        terminal.emit(
            {
                "layout": layout.layout,
                "version": layout.version,
                "findings": total,
                "export": str(export) if export else None,
                "first": [_plain(held, layout) for held in first],
            }
        )
    else:
        _draw(terminal, layout, first, total, export)
    return Exit.RED if total else Exit.OK


def _relation(connection: "duckdb.DuckDBPyConnection", file: Path, layout: "Layout") -> str:
    """Return the rows of a file as they are, under the names of the columns.

    A CSV is read in UTF-8, with or without BOM, all of it as text; its header is in Japanese or in
    the names of the columns.
    """
    from kumobashi.storage.tables import literal, quoted

    path = literal(str(file))
    if file.suffix == ".parquet":
        return f"read_parquet({path})"
    rows = f"read_csv({path}, header = true, all_varchar = true, delim = ',', quote = '\"')"
    known = {field.ja: field.name for field in layout.fields}
    headers = [str(row[0]) for row in connection.execute(f"describe from {rows}").fetchall()]
    named = (f"{quoted(h)} as {quoted(known.get(h.lstrip(chr(0xFEFF)), h))}" for h in headers)
    return f"(select {', '.join(named)} from {rows})"  # noqa: S608 - every name is quoted


def _plain(held: "Finding", layout: "Layout") -> dict[str, object]:
    from dataclasses import asdict

    from kumobashi.catalogue.standard_errors import standard_error

    standard = standard_error(held.code, layout, held.item)
    return {
        **asdict(held),
        "standard_code": standard.code if standard else None,
        "message": standard.message if standard else None,
    }


def _draw(
    terminal: Terminal,
    layout: "Layout",
    first: "list[Finding]",
    total: int,
    export: Path | None,
) -> None:
    from kumobashi.catalogue.standard_errors import standard_error
    from kumobashi.console.labels import finding

    t = terminal.t
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column(t("行", "Line"), justify="right", no_wrap=True)
    for title in (t("項目", "Item"), t("標準", "Standard"), t("実際", "Got")):
        table.add_column(title, overflow="fold")
    table.add_column(t("内容", "What"), overflow="fold")
    for held in first:
        standard = standard_error(held.code, layout, held.item)
        line = f"{held.line:,}" if held.line is not None else t("全体", "whole")
        said = finding(held.code, terminal.lang)
        if standard and terminal.lang == "ja":
            said = standard.message
        table.add_row(line, held.item, standard.code if standard else "", held.got, said)
    if first:
        terminal.out.print(table)
    name = f"{layout.layout} {layout.version}"
    if not total:
        terminal.out.print(Text(t(f"{name}: 指摘はありません。", f"{name}: no findings."), "green"))
        return
    shown = t(f"（はじめの {len(first):,} 件を表示）", f" (first {len(first):,} shown)")
    said = t(f"{name}: 指摘 {total:,} 件", f"{name}: {total:,} findings")
    terminal.out.print(Text(said + (shown if len(first) < total else ""), "bold red"))
    if export is not None:
        terminal.out.print(Text(t(f"全件: {export}", f"All of them: {export}")), soft_wrap=True)
