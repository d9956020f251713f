"""``kumobashi bench watch``: what watching costs, and false alerts of a quiet month."""

from typing import Any

from rich.console import Group as Blocks

from kumobashi.cli.bench_drawing import figures_table, machine_line
from kumobashi.cli.bench_options import number
from kumobashi.cli.command import command, option
from kumobashi.cli.exits import Exit
from kumobashi.cli.terminal import Terminal


@command(
    "watch",
    ja="静かな1か月の誤報の数と、たくさんの連携を見張る重さを測ります。",
    en="Count the false alerts of a quiet month, and measure what watching many links takes.",
    example="kumobashi bench watch --links 5000 --json",
)
@number("--links", 5_000, least=1, most=100_000, ja="連携の数", en="Links")
@number("--seconds", 60, least=5, most=3_600, ja="見張る秒数", en="Seconds to watch")
@number("--days", 30, least=1, most=366, ja="静かな期間（日）", en="Days of quiet")
@option("--seed", type=int, default=1, show_default=True, ja="乱数の種", en="Seed of the month")
def watch(terminal: Terminal, **wished: Any) -> Exit:  # noqa: ANN401 - the options above
    """Run the benchmark."""
    from kumobashi.testing.bench.watch import WatchWish, bench_watch

    with terminal.err.status(terminal.t("静かな期間", "a quiet month")) as shown:
        found = bench_watch(
            WatchWish(**wished),
            lambda part: shown.update(terminal.t("静かな期間", "a quiet month") + f" {part:.0%}"),
        )
    if terminal.as_json:
        terminal.emit(found)
        return Exit.OK
    month, process = found["month"], found["process"]
    links = f"{process['links']:,}"
    title = machine_line(terminal, found, f"{links} 連携", f"{links} links")
    table = figures_table(
        terminal,
        ("静かな日数", "Quiet days"),
        ("見た回数", "looks"),
        ("誤報", "false alerts"),
        ("1コアの", "of a core"),
        ("メモリ MiB", "peak MiB"),
    )
    table.add_row(
        f"{month['days']:,}",
        f"{month['looks']:,}",
        f"{month['false_alerts']:,}",
        f"{process['core_share']:.1%}",
        f"{process['peak_mib']:,}",
    )
    terminal.out.print(Blocks(title, table))
    return Exit.OK
