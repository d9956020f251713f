"""``kumobashi bench consent``: how fast a release asks whose consent counts, beside DuckDB."""

from typing import Any

from rich.console import Group as Blocks

from kumobashi.cli.bench_drawing import figures_table, machine_line
from kumobashi.cli.bench_options import ROUNDS, number
from kumobashi.cli.command import command
from kumobashi.cli.exits import Exit
from kumobashi.cli.terminal import Terminal


@command(
    "consent",
    ja="同意の照合の速さを、列2つだけの DuckDB の結合と比べます。",
    en="Ask the ledger of consents for all residents; compare with a bare join in DuckDB.",
    example="kumobashi bench consent --residents 400000 --json",
)
@number("--residents", 400_000, least=1_000, most=10_000_000, ja="住民の数", en="Residents")
@ROUNDS
def consent(terminal: Terminal, **wished: Any) -> Exit:  # noqa: ANN401 - the options above
    """Run the benchmark."""
    from kumobashi.testing.bench.consent import ConsentWish, bench_consent

    with terminal.err.status(terminal.t("測っています", "measuring")) as shown:
        found = bench_consent(
            ConsentWish(**wished),
            lambda what: shown.update(f"{terminal.t('測っています', 'measuring')}: {what}"),
        )
    if terminal.as_json:
        terminal.emit(found)
        return Exit.OK
    many = f"{found['residents']:,}"
    title = machine_line(terminal, found, f"住民 {many} 人", f"{many} residents")
    table = figures_table(terminal, ("何を", "What"), ("秒", "s"))
    for ja, en, seconds in (
        ("台帳との照合", "asking the ledger", found["seconds"]),
        ("列2つの結合（下限）", "a bare join (the floor)", found["floor_seconds"]),
        ("撤回の直後の照合", "right after a withdrawal", found["after_withdrawal_seconds"]),
        ("起動後の最初の読み込み", "the first reading", found["cold_seconds"]),
        ("一括取込", "the import", found["import"]["seconds"]),
    ):
        table.add_row(terminal.t(ja, en), f"{seconds:.3f}")
    agreed = terminal.t("人数はすべて一致しました。", "All counts agree.")
    terminal.out.print(Blocks(title, "", table, "", agreed))
    return Exit.OK
