"""``kumobashi bench policy``: how many questions the rules decide in a second."""

from typing import Any

from rich.console import Group as Blocks

from kumobashi.cli.bench_drawing import figures_table
from kumobashi.cli.bench_options import ROUNDS, number
from kumobashi.cli.command import command
from kumobashi.cli.exits import Exit
from kumobashi.cli.terminal import Terminal

_WAYS = {
    "floor": ("辞書だけ（理由なし）", "a bare dict, no reason"),
    "known": ("雲橋: 聞いたことのある問い", "kumobashi: asked before"),
    "by_day": ("雲橋: 日も毎回わたす", "kumobashi: the day given each time"),
    "first": ("雲橋: 初めての問い", "kumobashi: asked for the first time"),
    "in_words": ("雲橋: 理由の文も毎回作る", "kumobashi: words in both languages each time"),
}


@command(
    "policy",
    ja="規則の表（555行）が毎秒いくつの問いに、決めた行と理由つきで答えるかを測ります。\n"
    "pycasbin と cedarpy は、入っていれば同じ問いで比べます。",
    en="Count decisions a second with the rows that decided, on a table of 555 rows.\n"
    "pycasbin and cedarpy decide the same questions where they are installed.",
    example="kumobashi bench policy --json",
)
@number("--questions", 2_000, least=100, most=100_000, ja="問いの数", en="Questions")
@ROUNDS
@number(
    "--decisions",
    1_000_000,
    least=1_000,
    most=100_000_000,
    ja="1回に答える数（方法ごと）",
    en="Decisions of each way in a round",
)
@number("--peer-questions", 500, least=10, most=100_000, ja="比べる相手の問い", en="For the others")
def policy(terminal: Terminal, **wished: Any) -> Exit:  # noqa: ANN401 - the options above
    """Run the benchmark."""
    from kumobashi.testing.bench.policy import PolicyWish, bench_policy

    with terminal.err.status(terminal.t("測っています", "measuring")) as shown:
        found = bench_policy(
            PolicyWish(**wished),
            lambda what: shown.update(f"{terminal.t('測っています', 'measuring')}: {what}"),
        )
    if terminal.as_json:
        terminal.emit(found)
        return Exit.OK
    busy = f"{found['load_before']:.1f}–{found['load_after']:.1f}"
    title = terminal.t(
        f"表 {found['rows']} 行、問い {found['questions']:,}（許可 {found['permitted']:,}）、"
        f"1コアの処理時間、負荷 {busy}",
        f"{found['rows']} rows, {found['questions']:,} questions ({found['permitted']:,}"
        f" permitted), processor time of one core, load {busy}",
    )
    table = figures_table(
        terminal,
        ("方法", "Way"),
        ("件/秒", "per second"),
        ("ナノ秒/件", "ns each"),
        ("辞書との比", "dict to it"),
    )
    for way, one in found["ways"].items():
        table.add_row(
            terminal.t(*_WAYS[way]),
            f"{one['per_second']:,}",
            f"{one['nanoseconds']:,}",
            f"{one['floor_to_this']:.2f}",
        )
    for peer, one in found["peers"].items():
        absent = terminal.t("[dim]入っていません[/]", "[dim]not installed[/]")
        table.add_row(peer, absent if "absent" in one else f"{one['per_second']:,}", "", "")
    agreed = terminal.t("答えはすべて一致しました。", "All answers agree.")
    terminal.out.print(Blocks(title, "", table, "", agreed))
    return Exit.OK
