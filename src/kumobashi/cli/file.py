"""``kumobashi file``: hold a file of people's own making against a layout, and put it right."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from kumobashi.cli.command import Group, command, option
from kumobashi.cli.exits import Exit
from kumobashi.cli.plain_tables import plain_table
from kumobashi.cli.terminal import Terminal
from kumobashi.kernel import Finding

if TYPE_CHECKING:
    from kumobashi.catalogue import Layout
    from kumobashi.conversion.inspecting import Correction, FileChecked

_SHOWN_CODES = 8
_SHOWN = 20  # findings in the terminal; --json and --findings give all
_RULES = {
    "spaces": ("前後の空白", "spaces around"),
    "half_width": ("全角の数字と記号", "full-width figures"),
    "thousands": ("桁区切りのカンマ", "thousands separators"),
    "dates": ("日付の書き方（和暦など）", "ways of writing a date"),
    "zeros": ("先頭の 0 の欠け", "zeros lost in front"),
}

file = Group(
    "file",
    ja="CSV・タブ区切り・Excel のファイルを、レイアウトと照らして点検し、直します。",
    en="Check files (CSV, tab, Excel) against a layout, and put them right.",
    example="kumobashi file check recipients.csv --layout child-support-allowance",
)


@command(
    "check",
    ja="ファイルのどの行のどの項目が、どう違うかを示します。--fix で直した写しを書きます。",
    en="Say which line and item is wrong, and how; --fix writes a corrected copy.",
    example="kumobashi file check list.csv --layout child-support-allowance --fix fixed.xlsx",
)
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
@option("--layout", required=True, metavar="NAME", ja="レイアウトの名前", en="Name of the layout")
@option("--version", metavar="V", ja="版（既定: 今日使う版）", en="Default: today's")
@option(
    "--fix",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="OUT",
    ja="直した写しを書く（.xlsx か .csv）",
    en="Write a corrected copy (.xlsx or .csv)",
)
@option(
    "--findings",
    "export",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="OUT",
    ja="指摘を全件書く（.xlsx か .csv）",
    en="Write all findings (.xlsx or .csv)",
)
def check(
    terminal: Terminal,
    *,
    path: Path,
    layout: str,
    version: str | None,
    fix: Path | None,
    export: Path | None,
) -> Exit:
    """Check one file."""
    import duckdb

    from kumobashi.catalogue.faults import LINE
    from kumobashi.cli.catalogue import layout_here, layouts_here
    from kumobashi.conversion.copies import write_copy
    from kumobashi.conversion.inspecting import CORRECTED, check_file, every_finding

    held = layout_here(layouts_here(terminal), layout, version)
    reading = terminal.t(f"{path.name} を読んでいます…", f"Reading {path.name} …")
    with duckdb.connect() as work, terminal.err.status(reading):
        checked = check_file(path, held, work)
        if fix:
            there = [row[0] for row in work.execute(f"describe {CORRECTED}").fetchall()]
            headers = {item.name: item.ja for item in held.fields if item.name in there}
            headers |= {name: name for name in there if name not in {*headers, LINE}}
            write_copy(work, CORRECTED, headers, fix)
        if export:
            with TemporaryDirectory(prefix="kumobashi-") as folder:
                every = every_finding(work, held, checked, Path(folder))
                titles = [row[0] for row in work.execute(f"describe from {every}").fetchall()]
                write_copy(work, every, {title: title for title in titles}, export)
    if terminal.as_json:
        terminal.emit(_as_json(path, held, checked))
    else:
        _show(terminal, path, held, checked, fixed=fix is not None)
        for written in (fix, export):
            if written:
                terminal.out.print(terminal.t(f"書きました: {written}", f"Written: {written}"))
    return Exit.RED if (checked.left if fix else checked.findings) else Exit.OK


def _as_json(path: Path, layout: "Layout", checked: "FileChecked") -> dict[str, object]:
    form = checked.read.form
    return {
        "file": path.name,
        "layout": layout.layout,
        "layout_version": layout.version,
        "charset": form.charset if form else None,
        "delimiter": form.delimiter if form else None,
        "rows": checked.read.rows,
        "findings": [asdict(finding) for finding in checked.findings],
        "corrections": [asdict(correction) for correction in checked.corrections],
        "left": [asdict(finding) for finding in checked.left],
        "characters": [asdict(finding) for finding in checked.characters],
    }


def _show(
    terminal: Terminal, path: Path, layout: "Layout", checked: "FileChecked", *, fixed: bool
) -> None:
    out, read = terminal.out, checked.read
    kind = "Excel"
    if read.form:
        delimiter = {"\t": terminal.t("タブ", "tab")}.get(read.form.delimiter, read.form.delimiter)
        kind = terminal.t(
            f"{read.form.charset}、区切り「{delimiter}」",
            f"{read.form.charset}, delimiter {delimiter!r}",
        )
    out.print(f"[bold]{path.name}[/]  {kind}  {read.rows:,} {terminal.t('行', 'rows')}")
    out.print(
        f"{terminal.t('レイアウト', 'Layout')}  {layout.ja}（{layout.layout} {layout.version}）"
    )
    if checked.findings:
        out.print()
        _table(terminal, layout, checked.findings)
    if checked.corrections:
        out.print()
        out.print(
            terminal.t("[bold]直せるもの[/]（--fix）", "[bold]What can be put right[/] (--fix)")
        )
        for correction in checked.corrections:
            out.print(f"  {_said(terminal, layout, correction)}")
    _show_characters(terminal, layout, checked.characters)
    out.print()
    left = sum(finding.rows for finding in checked.left)
    if fixed and not left:
        out.print(
            terminal.t(
                "[green]✓[/] 直した写しに指摘はありません。元のファイルは変えていません。",
                "[green]✓[/] Nothing is left in the corrected copy; the source was not changed.",
            )
        )
    elif not checked.findings:
        out.print(terminal.t("[green]✓[/] 指摘はありません。", "[green]✓[/] Nothing was found."))
    elif left:
        out.print(
            terminal.t(
                f"[red]×[/] 直した写しにも {left:,} 件の指摘が残ります。元で直してください。",
                f"[red]×[/] {left:,} findings stay in a corrected copy: correct the source.",
            )
        )
        if read.broken:
            lines = ", ".join(str(one.line) for one in read.broken[:_SHOWN])
            out.print(
                terminal.t(
                    f"  項目の数が合わない行は、写しに入りません（{lines} 行目）。",
                    f"  Rows with another number of items are not in the copy (line {lines}).",
                )
            )
    else:
        out.print(
            terminal.t(
                "[yellow]![/] すべて直せます: --fix OUT.xlsx",
                "[yellow]![/] All of it can be put right: --fix OUT.xlsx",
            )
        )


def _show_characters(terminal: Terminal, layout: "Layout", characters: Sequence[Finding]) -> None:
    from kumobashi.conversion.own_characters import OWN

    out = terminal.out
    own = [found for found in characters if found.code == OWN]
    others = [found for found in characters if found.code != OWN]
    if own:
        out.print()
        out.print(
            terminal.t(
                "[bold]外字[/]（ほかの庁や事業者の端末では読めません。正しい字を決めてから渡してください）",
                "[bold]Private characters[/] (nobody else can read them: settle the real ones)",
            ),
            soft_wrap=True,
        )
        for found in own[:_SHOWN]:
            out.print(f"  {_ja(layout, found.item)}  {found.got}  {_place(terminal, found)}")
    if others:
        out.print()
        out.print(
            terminal.t(
                "[bold]Shift_JIS（cp932）へ渡すと失われるか変わる文字[/]",
                "[bold]Characters that cp932 loses or changes[/]",
            )
        )
        for found in others[:_SHOWN]:
            out.print(f"  {_ja(layout, found.item)}  {found.got}  {_place(terminal, found)}")


def _place(terminal: Terminal, found: Finding) -> str:
    return terminal.t(
        f"{found.line:,} 行目から {found.rows:,} 件", f"{found.rows:,} from line {found.line:,}"
    )


def _table(terminal: Terminal, layout: "Layout", found: Sequence[Finding]) -> None:
    from kumobashi.console.labels import finding as label

    table = plain_table()
    table.add_column(terminal.t("行", "Line"), justify="right")
    table.add_column(terminal.t("項目", "Item"), no_wrap=True)
    table.add_column(terminal.t("何が", "What"))
    table.add_column(terminal.t("正しくは", "Expected"))
    table.add_column(terminal.t("入っていた値", "Got"))
    table.add_column(terminal.t("件数", "Rows"), justify="right")
    for one in found[:_SHOWN]:
        table.add_row(
            "" if one.line is None else f"{one.line:,}",
            _ja(layout, one.item),
            label(one.code, terminal.lang),
            _expected(terminal, one),
            _got(terminal, one.got),
            f"{one.rows:,}",
        )
    terminal.out.print(table)
    if len(found) > _SHOWN:
        more = len(found) - _SHOWN
        terminal.out.print(
            terminal.t(f"ほか {more:,} 種類（--findings）", f"and {more:,} more kinds (--findings)")
        )


def _expected(terminal: Terminal, one: Finding) -> str:
    """Return what should stand there, as people say it."""
    from kumobashi.catalogue.code_lists import load_code_lists

    kind, _, name = one.expected.partition(":")
    if kind == "code_list":
        codes = load_code_lists()[name].values
        listed = " / ".join(codes[:_SHOWN_CODES])
        return listed + (" …" if len(codes) > _SHOWN_CODES else "")
    shapes = {
        "DATE": ("2026-04-01 の形", "like 2026-04-01"),
        "9": ("数字だけ", "figures only"),
        "S9": ("数字だけ（負は -）", "figures, - for less than 0"),
        "YEAR": ("4桁の年", "a year of four figures"),
        "unique": ("同じキーは1行だけ", "one row for each key"),
    }
    if one.code == "finding.too_long":
        return terminal.t(
            f"{one.expected.removeprefix('<= ')} 文字まで", f"{one.expected} characters"
        )
    return terminal.t(*shapes[one.expected]) if one.expected in shapes else one.expected


def _said(terminal: Terminal, layout: "Layout", correction: "Correction") -> str:
    ja, en = _RULES[correction.rule]
    item = _ja(layout, correction.item)
    return terminal.t(
        f"{item}  {ja}  {correction.rows:,} 件（{correction.line:,} 行目から）",
        f"{item}  {en}  {correction.rows:,} rows (from line {correction.line:,})",
    )


def _ja(layout: "Layout", item: str) -> str:
    return layout.field(item).ja if item in layout.names else item


def _got(terminal: Terminal, got: str) -> str:
    """Return what was found in words; a resident's value is never shown, only how long it is."""
    if got == "VARCHAR":
        return terminal.t("ほかの文字", "another text")
    length = got.removeprefix("length ")
    return terminal.t(f"ほかの {length}文字", got) if length != got else got


file.add_command(check)
