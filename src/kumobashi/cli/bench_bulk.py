"""``kumobashi bench bulk``: how fast one large file is carried, beside ``zstd | age | curl``."""

from typing import Any

from rich.console import Group as Blocks

from kumobashi.cli.bench_drawing import figures_table, machine_line
from kumobashi.cli.bench_options import ROUNDS, number, refuse_missing
from kumobashi.cli.command import command
from kumobashi.cli.exits import Exit
from kumobashi.cli.terminal import Terminal

_KINDS = {"csv": ("圧縮できる CSV", "CSV"), "random": ("圧縮できないバイト列", "random bytes")}
_WAYS = {"ours": ("雲橋", "kumobashi"), "pipeline": ("zstd | age | curl", "zstd | age | curl")}


@command(
    "bulk",
    ja="大きなファイル1つを2つのゲートウェイの間で運び、zstd | age | curl と比べます。",
    en="Carry one large file between two gateways and compare with zstd | age | curl.",
    example="kumobashi bench bulk --mib 2048 --json",
)
@number("--mib", 2_048, most=65_536, ja="ファイルの大きさ（MiB）", en="Size of the file in MiB")
@ROUNDS
def bulk(terminal: Terminal, **wished: Any) -> Exit:  # noqa: ANN401 - the options above
    """Run the benchmark."""
    from kumobashi.testing.bench.bulk import BulkWish, bench_bulk

    refuse_missing(terminal, "floors")
    with terminal.err.status(terminal.t("測っています", "measuring")) as shown:
        found = bench_bulk(BulkWish(**wished), lambda what: shown.update(_words(terminal, what)))
    if terminal.as_json:
        terminal.emit(found)
        return Exit.OK
    size = f"{found['mib']:,} MiB"
    title = machine_line(terminal, found, size, size)
    table = figures_table(
        terminal,
        ("中身", "Content"),
        ("雲橋 秒", "kumobashi s"),
        ("zstd | age | curl 秒", "zstd | age | curl s"),
        ("速さの比", "speed"),
        ("最大メモリー MiB", "peak MiB"),
    )
    for kind, figures in found["kinds"].items():
        table.add_row(
            terminal.t(*_KINDS[kind]),
            f"{figures['seconds']:.1f}",
            f"{figures['pipeline_seconds']:.1f}",
            f"{figures['speed_to_pipeline']:.2f} ×",
            str(max(figures["peak_mib"].values())),
        )
    terminal.out.print(Blocks(title, "", table))
    return Exit.OK


def _words(terminal: Terminal, what: str) -> str:
    if what == "files":
        return terminal.t("準備しています", "making ready")
    number, kind, way = what.split()
    said = terminal.t("準備運転", "warming up")
    if number != "0":
        said = terminal.t(f"{number}回目", f"round {number}")
    return f"{said}: {terminal.t(*_KINDS[kind])}, {terminal.t(*_WAYS[way])}"
