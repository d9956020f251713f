"""``kumobashi bench methods``: the report's comparison of REST with CSV, SOAP, and SwA."""

from typing import Any

from rich.console import Group as Blocks

from kumobashi.cli.bench_drawing import figures_table, machine_line
from kumobashi.cli.bench_options import number
from kumobashi.cli.command import command, option
from kumobashi.cli.exits import Exit
from kumobashi.cli.terminal import Terminal

_METHODS = {
    "rest_csv": ("非同期 REST（CSV）", "REST, asynchronous, CSV"),
    "soap": ("SOAP（電文の中の行）", "SOAP, rows in messages"),
    "swa": ("SwA（CSV を添付）", "SwA, CSV attached"),
}


@command(
    "methods",
    ja="同じ行を、非同期 REST と CSV、SOAP、添付つき SOAP（SwA）で送って比べます。",
    en="Bring the same rows by REST with CSV, by SOAP, and by SOAP with an attachment.",
    example="kumobashi bench methods --rows 400000 --json",
)
@number("--rows", 400_000, least=200, most=4_000_000, ja="行の数", en="Rows")
@option("--seed", type=int, default=1, show_default=True, ja="乱数の種", en="Seed of the rows")
def methods(terminal: Terminal, **wished: Any) -> Exit:  # noqa: ANN401 - the options above
    """Run the benchmark."""
    from kumobashi.testing.bench.methods import MethodsWish, bench_methods

    with terminal.err.status(terminal.t("測っています", "measuring")) as shown:
        found = bench_methods(
            MethodsWish(**wished), lambda method: shown.update(terminal.t(*_METHODS[method]))
        )
    if terminal.as_json:
        terminal.emit(found)
        return Exit.OK
    rows = f"{found['rows']:,}"
    title = machine_line(terminal, found, f"{rows} 行", f"{rows} rows")
    table = figures_table(
        terminal,
        ("方式", "Method"),
        ("秒", "seconds"),
        ("REST の", "of REST"),
        ("要求", "requests"),
        ("往復20ミリ秒なら", "20 ms away"),
        ("MiB", "MiB"),
        ("CPU 秒", "processor, s"),
        ("メモリ MiB", "peak MiB"),
    )
    for method, words in _METHODS.items():
        one = found[method]
        cpu, peak = one["cpu_seconds"], one["peak_mib"]
        table.add_row(
            terminal.t(*words),
            f"{one['seconds']:,}",
            terminal.t(f"{one['of_rest_csv']} 倍", f"{one['of_rest_csv']}"),
            f"{one['requests']:,}",
            terminal.t(f"{one['seconds_far']:,} 秒", f"{one['seconds_far']:,} s"),
            f"{one['body_bytes'] / (1 << 20):,.0f}",
            f"{cpu['client']} / {cpu['cloud']}",
            f"{peak['client']} / {peak['cloud']}",
        )
    note = terminal.t(
        "CPU とメモリは、送る側 / 受ける側です。", "Processor and memory: here / in the cloud."
    )
    terminal.out.print(Blocks(title, "", table, "", note))
    return Exit.OK
