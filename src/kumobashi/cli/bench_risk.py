"""``kumobashi bench risk``: how fast risk is measured, beside plain DuckDB and pyCANON."""

from typing import Any

from rich.console import Group as Blocks

from kumobashi.cli.bench_drawing import figures_table, machine_line
from kumobashi.cli.bench_options import ROUNDS, number
from kumobashi.cli.command import command
from kumobashi.cli.exits import Exit
from kumobashi.cli.terminal import Terminal

_TABLES = {
    "fine": ("細かい（ほぼ全員がひとり）", "fine: most are alone"),
    "coarse": ("粗い", "coarse"),
}


@command(
    "risk",
    ja="再識別の見込みの測定と粗さの探索の速さを、DuckDB だけの場合や pyCANON と比べます。",
    en="Measure risk and search levels; compare with plain DuckDB and pyCANON.",
    example="kumobashi bench risk --rows 400000 --json",
)
@number("--rows", 400_000, least=1_000, most=10_000_000, ja="行の数", en="Rows")
@ROUNDS
@number("--pycanon-rows", 4_000, least=100, most=1_000_000, ja="pyCANON が測る行", en="For pyCANON")
def risk(terminal: Terminal, **wished: Any) -> Exit:  # noqa: ANN401 - the options above
    """Run the benchmark."""
    from kumobashi.testing.bench.risk import RiskWish, bench_risk

    with terminal.err.status(terminal.t("測っています", "measuring")) as shown:
        found = bench_risk(
            RiskWish(**wished),
            lambda what: shown.update(f"{terminal.t('測っています', 'measuring')}: {what}"),
        )
    if terminal.as_json:
        terminal.emit(found)
        return Exit.OK
    title = machine_line(terminal, found, f"{found['rows']:,} 行", f"{found['rows']:,} rows")
    table = figures_table(
        terminal,
        ("何を", "What"),
        ("組の数", "classes"),
        ("雲橋 秒", "kumobashi s"),
        ("比べる相手 秒", "the other s"),
    )
    table.add_column("")
    for name, one in found["tables"].items():
        table.add_row(
            terminal.t(*_TABLES[name]),
            f"{one['classes']:,}",
            f"{one['seconds']:.2f}",
            f"{one['floor_seconds']:.2f}",
            "[dim]DuckDB[/]",
        )
    searched = found["search"]
    table.add_row(
        terminal.t(f"粗さの探索 {searched['nodes']} 通り", f"levels, {searched['nodes']} nodes"),
        "",
        f"{searched['seconds']:.2f}",
        f"{searched['every_node_seconds']:.2f}",
        terminal.t("[dim]DuckDB で全部を数える[/]", "[dim]every node in DuckDB[/]"),
    )
    if "pycanon" in found:
        one = found["pycanon"]
        table.add_row(
            terminal.t(f"はじめの {one['rows']:,} 行", f"the first {one['rows']:,} rows"),
            f"{one['classes']:,}",
            f"{one['seconds']:.2f}",
            f"{one['pycanon_seconds']:.2f}",
            "[dim]pyCANON[/]",
        )
    agreed = terminal.t("値はすべて一致しました。", "All values agree.")
    terminal.out.print(Blocks(title, "", table, "", agreed))
    return Exit.OK
