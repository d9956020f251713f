"""``kumobashi bench``: how fast the link is, beside what people would use instead."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click
from rich.console import Group as Blocks
from rich.table import Table

from kumobashi.cli.bench_bulk import bulk
from kumobashi.cli.bench_calls import calls
from kumobashi.cli.bench_consent import consent
from kumobashi.cli.bench_drawing import figures_table, machine_line
from kumobashi.cli.bench_methods import methods
from kumobashi.cli.bench_options import ROUNDS, number, refuse_missing
from kumobashi.cli.bench_policy import policy
from kumobashi.cli.bench_risk import risk
from kumobashi.cli.bench_watch import watch
from kumobashi.cli.command import Group, command, option
from kumobashi.cli.exits import Exit
from kumobashi.cli.plain_tables import plain_table
from kumobashi.cli.progress import bar
from kumobashi.cli.terminal import Terminal

if TYPE_CHECKING:
    from kumobashi.testing.bench.running import Wish

_WAYS = {
    "ours": ("雲橋", "kumobashi"),
    "same_work": ("同じ処理のシェル", "shell, same work"),
    "same_work_measured": ("同じ処理と測定のシェル", "shell, same work and measuring"),
    "moving": ("移すだけのシェル", "shell, moving only"),
    "soap_row": ("SOAP 1件ずつ", "SOAP, a row a call"),
    "soap_200": ("SOAP 200件ずつ", "SOAP, 200 rows a call"),
    "soap_row_four_at_once": ("SOAP 1件ずつ、4並行", "SOAP, a row a call, four at once"),
    "soap_200_four_at_once": ("SOAP 200件ずつ、4並行", "SOAP, 200 rows a call, four at once"),
    "dlt": ("dlt", "dlt"),
}
_STAGES = {
    "extract": ("抽出", "extract"),
    "release": ("抽象化", "release"),
    "seal": ("封緘", "seal"),
    "carry": ("送付", "carry"),
    "delivered": ("到達", "delivered"),
    "opened": ("復号", "opened"),
    "validated": ("検証", "validated"),
    "applied": ("取込", "applied"),
}
_SETTING_UP = {
    "fsync": ("ディスクを測っています", "measuring the disk"),
    "city": ("架空の市を作っています", "building the fictional city"),
    "gateways": ("ゲートウェイを起動しています", "starting the gateways"),
}


bench = Group(
    "bench",
    ja="ほかの方法と速さを比べます。",
    en="Compare speed with other ways.",
    example="kumobashi bench link --residents 400000",
)


@command(
    "link",
    ja="千葉の連携を PostgreSQL から PostgreSQL へ流し、同じデータで他の方法と比べます。",
    en="Run the Chiba link from PostgreSQL to PostgreSQL and compare, on the same data.",
    example="kumobashi bench link --residents 400000 --json",
)
@number(
    "--residents",
    400_000,
    least=1_000,
    most=4_000_000,
    ja="架空の市の人口",
    en="Residents of the fictional city",
)
@ROUNDS
@option("--seed", type=int, default=1, show_default=True, ja="乱数の種", en="Seed of the city")
@option(
    "--peers",
    type=click.Choice(["all", "floors", "none"]),
    default="all",
    show_default=True,
    ja="比べる相手",
    en="What to compare with",
)
@option("--keep", is_flag=True, ja="作業フォルダを残す", en="Keep the working folder")
def link(terminal: Terminal, **wished: Any) -> Exit:  # noqa: ANN401 - the options above
    """Run the benchmark."""
    refuse_missing(terminal, wished["peers"])
    from kumobashi.testing.bench.running import Wish

    found = _watched(terminal, Wish(**wished))
    if terminal.as_json:
        terminal.emit(found)
    else:
        terminal.out.print(Blocks(*_tables(terminal, found)))
    return Exit.OK


_STORES = {
    "sqlite": ("SQLite", "SQLite"),
    "sqlite_slow": ("SQLite、flush に 5 ミリ秒を加える", "SQLite, 5 ms added to each flush"),
    "postgresql": ("PostgreSQL", "PostgreSQL"),
}


@command(
    "state",
    ja="ゲートウェイの状態の変更が毎秒いくつ確定するかを、まとめる場合と1つずつの場合で比べます。",
    en="Count durable changes of a gateway's state a second, committed together and one by one.",
    example="kumobashi bench state --json",
)
@number(
    "--submitters", 200, most=1_000, ja="同時に変更を求める数", en="How many ask at the same time"
)
@number("--changes", 5, most=1_000, ja="それぞれが求める変更の数", en="Changes that each asks for")
@option(
    "--evidence",
    is_flag=True,
    ja="どの変更も状態を移し、証跡に記録する",
    en="Each change moves the state too, and is written into the evidence log",
)
@ROUNDS
def state(terminal: Terminal, **wished: Any) -> Exit:  # noqa: ANN401 - the options above
    """Run the benchmark of the state."""
    from kumobashi.testing.bench.state import StateWish, bench_state

    with terminal.err.status(terminal.t("測っています", "measuring")) as shown:
        found = bench_state(
            StateWish(**wished), lambda store: shown.update(terminal.t(*_STORES[store]))
        )
    if terminal.as_json:
        terminal.emit(found)
        return Exit.OK
    many = found["submitters"]
    title = machine_line(terminal, found, f"同時 {many}", f"{many} submitters")
    table = figures_table(
        terminal,
        ("保存先", "Store"),
        ("まとめて /秒", "grouped /s"),
        ("1つずつ /秒", "one each /s"),
        ("比", "ratio"),
        ("CPU まとめて", "processor, grouped"),
        ("1つずつ", "one each"),
    )
    for store, rates in found["stores"].items():
        table.add_row(
            terminal.t(*_STORES[store]),
            f"{rates['grouped_per_second']:,}",
            f"{rates['one_each_per_second']:,}",
            f"{rates['ratio']:.2f}",
            f"{rates['grouped_processor_us']:,} µs",
            f"{rates['one_each_processor_us']:,} µs",
        )
    terminal.out.print(Blocks(title, "", table))
    return Exit.OK


bench.add_command(link)
bench.add_command(state)
bench.add_command(bulk)
bench.add_command(risk)
bench.add_command(policy)
bench.add_command(consent)
bench.add_command(calls)
bench.add_command(methods)
bench.add_command(watch)


def _watched(terminal: Terminal, wish: "Wish") -> dict[str, Any]:
    """Run, with a progress bar on a terminal's error stream."""
    from kumobashi.testing.bench.running import bench_link

    with bar(terminal, "準備", "preparing") as told:
        return bench_link(wish, lambda what, done: told(done, wish.steps, _words(terminal, what)))


def _words(terminal: Terminal, what: str) -> str:
    if what in _SETTING_UP:
        return terminal.t(*_SETTING_UP[what])
    number, way = what.split()
    said = terminal.t("準備運転", "warming up")
    if number != "0":
        said = terminal.t(f"{number}回目", f"round {number}")
    return f"{said}: {terminal.t(*_WAYS[way])}"


def _tables(terminal: Terminal, found: Mapping[str, Any]) -> list[Any]:
    machine, load, fsyncs = found["machine"], found["load"], found["fsync_per_second"]
    on = f"{machine['memory_mib'] / 1024:.0f} GiB, PostgreSQL {machine['postgresql']}"
    busy = f"{load['lowest']:.1f}–{load['highest']:.1f}"
    title = terminal.t(
        f"住民 {found['residents']:,} 人、{found['rows']:,} 行。{machine['cores']} コア、"
        f"{on}、負荷 {busy}、fsync {fsyncs:,} 回/秒",
        f"{found['residents']:,} residents, {found['rows']:,} rows; {machine['cores']} cores, "
        f"{on}, load {busy}, {fsyncs:,} fsync/s",
    )
    settings = ", ".join(f"{name} {value}" for name, value in sorted(found["settings"].items()))
    blocks: list[Any] = [title, f"[dim]{settings}[/dim]", "", _ways(terminal, found), ""]
    blocks += [_stages(terminal, found), "", _processes(terminal, found)]
    if found["rows_equal"]:
        blocks += ["", terminal.t("取込先の表はすべて一致しました。", "All tables agree.")]
    if found["kept"]:
        blocks.append(found["kept"])
    return blocks


def _ways(terminal: Terminal, found: Mapping[str, Any]) -> Table:
    table = plain_table()
    table.add_column(terminal.t("方法", "Way"), no_wrap=True)
    for ja, en in (("中央値 秒", "median s"), ("最小 秒", "fastest s"), ("雲橋との比", "to ours")):
        table.add_column(terminal.t(ja, en), justify="right")
    table.add_column("")
    ours = found["median_seconds"]["ours"]
    for way, seconds in found["median_seconds"].items():
        note = terminal.t("比例計算", "extrapolated") if way in found["extrapolated"] else ""
        table.add_row(
            terminal.t(*_WAYS[way]),
            f"{seconds:,.2f}",
            f"{found['fastest_seconds'][way]:,.2f}",
            f"{seconds / ours:,.2f} ×",
            f"[dim]{note}[/dim]",
        )
    return table


def _stages(terminal: Terminal, found: Mapping[str, Any]) -> Table:
    table = plain_table()
    for stage in found["stages"]:
        table.add_column(terminal.t(*_STAGES.get(stage, (stage, stage))), justify="right")
    table.add_row(*(f"{seconds:.2f} s" for seconds in found["stages"].values()))
    return table


def _processes(terminal: Terminal, found: Mapping[str, Any]) -> Table:
    table = plain_table()
    table.add_column(terminal.t("プロセス", "Process"), no_wrap=True)
    table.add_column(terminal.t("最大メモリー MiB", "peak MiB"), justify="right")
    table.add_column(terminal.t("CPU 秒", "CPU s"), justify="right")
    for name, cpu in found["cpu_seconds"]["ours"].items():
        peak = found["peak_mib"].get(name)
        table.add_row(name, f"{peak:,.0f}" if peak else "", f"{cpu:.2f}")
    return table
