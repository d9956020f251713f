"""``kumobashi bench calls``: signed and recorded calls a second through two gateways."""

from collections.abc import Iterator
from typing import Any

from rich.console import Group as Blocks

from kumobashi.cli.bench_drawing import figures_table, machine_line
from kumobashi.cli.bench_options import number
from kumobashi.cli.command import command
from kumobashi.cli.exits import Exit
from kumobashi.cli.terminal import Terminal


@command(
    "calls",
    ja="署名し記録する照会が毎秒いくつ通るかを、直接と中継経由で測ります。",
    en="Signed, recorded calls a second through two gateways, directly and through a relay.",
    example="kumobashi bench calls --json",
)
@number("--calls", 8_000, least=100, most=1_000_000, ja="照会の数", en="Calls")
@number("--at-once", 20, most=2_000, ja="同時に照会する数", en="How many ask at the same time")
@number("--per-second", 20, most=200, ja="静かなときの毎秒の数", en="A quiet line: calls a second")
@number("--seconds", 15, most=600, ja="その秒数", en="For how many seconds")
@number("--large-mib", 100, most=1_000, ja="大きな回答の大きさ（MiB）", en="MiB of a large answer")
def calls(terminal: Terminal, **wished: Any) -> Exit:  # noqa: ANN401 - the options above
    """Run the benchmark."""
    from kumobashi.testing.bench.calls import CallsWish, bench_calls

    ways = {"direct": ("直接", "directly"), "relay": ("中継と封緘", "relay, sealed")}
    with terminal.err.status(terminal.t("測っています", "measuring")) as shown:
        found = bench_calls(CallsWish(**wished), lambda way: shown.update(terminal.t(*ways[way])))
    if terminal.as_json:
        terminal.emit(found)
        return Exit.OK
    title = machine_line(terminal, found, f"照会 {found['calls']:,}", f"{found['calls']:,} calls")
    table = figures_table(
        terminal,
        ("経路", "Way"),
        ("毎秒", "a second"),
        ("p50 ms", "p50 ms"),
        ("p99 ms", "p99 ms"),
        ("静かなとき p50", "quiet p50"),
        ("p99", "p99"),
    )
    for way, words in ways.items():
        burst, paced = found[way]["burst"], found[way]["paced"]
        shown_ = (burst["per_second"], burst["p50_ms"], burst["p99_ms"])
        table.add_row(
            terminal.t(*words),
            *(f"{v:,}" for v in shown_),
            str(paced["p50_ms"]),
            str(paced["p99_ms"]),
        )
    floor = found["direct"]["floor"]
    table.add_row(
        terminal.t("業務システムへ直接（下限）", "the system itself (the floor)"),
        *(f"{floor[key]:,}" for key in ("per_second", "p50_ms", "p99_ms")),
        "",
        "",
    )
    nginx = found["direct"]["nginx"]
    if nginx:
        ratio = found["direct"]["of_nginx"]
        table.add_row(
            terminal.t(
                f"nginx 2段・相互TLS（直接はその {ratio:.2f} 倍）",
                f"two nginx with mutual TLS (directly: {ratio:.2f} of it)",
            ),
            *(f"{nginx[key]:,}" for key in ("per_second", "p50_ms", "p99_ms")),
            "",
            "",
        )
    terminal.out.print(Blocks(title, "", table, "", *_large(terminal, found, ways)))
    return Exit.OK


def _large(
    terminal: Terminal, found: dict[str, Any], ways: dict[str, tuple[str, str]]
) -> Iterator[str]:
    """Give what is said of the large answers."""
    for way, words in ways.items():
        large = found[way]["large"]
        more = max(large["more_mib"].values())
        rate = large["came_mib"] / large["seconds"]
        yield terminal.t(
            f"{words[0]}: {large['came_mib']:.0f} MiB の回答 {large['seconds']} 秒"
            f"（毎秒 {rate:.0f} MiB、最初は {large['first_seconds']} 秒後）、"
            f"ゲートウェイのメモリは最大 {more:.0f} MiB 増",
            f"{words[1]}: an answer of {large['came_mib']:.0f} MiB in {large['seconds']} s "
            f"({rate:.0f} MiB/s, the first of it after {large['first_seconds']} s), "
            f"at most {more:.0f} MiB more memory of a gateway",
        )
