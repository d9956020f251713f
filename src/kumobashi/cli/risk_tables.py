"""The answer of ``kumobashi risk`` for people."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from rich.text import Text

from kumobashi.cli.plain_tables import plain_table
from kumobashi.cli.wording import hung, pad, pad_left
from kumobashi.risk.explaining import Explained, explain, percent
from kumobashi.risk.searching import Found

if TYPE_CHECKING:
    from kumobashi.cli.risk import Answer, Asked
    from kumobashi.cli.terminal import Terminal
    from kumobashi.risk.measures import Measures
    from kumobashi.risk.searching import NothingFound

_BAR = 30  # columns
_FEW = 5  # the least class that statistics offices usually ask for
_LEAST: Mapping[str, tuple[str, str]] = {  # what a search made least
    "precomputed_entropy": ("細かさを残す", "least entropy lost"),
    "discernibility": ("見分けやすさを残す", "least discernibility"),
    "average_class_size": ("組を小さく保つ", "smallest classes"),
    "loss": ("列の偏りを避ける", "least loss"),
}
_COSTS: tuple[tuple[tuple[str, str], Callable[[Found], str]], ...] = (
    (("k", "k"), lambda found: f"{found.measures.k:,}"),
    (("伏せる行", "suppressed rows"), lambda found: f"{found.suppressed:,}"),
    (("組の数", "classes"), lambda found: f"{found.measures.classes:,}"),
    (
        ("失う細かさ（ビット）", "entropy lost (bits)"),
        lambda found: f"{found.losses.precomputed_entropy:,.2f}",
    ),
    (("見分けにくさ", "discernibility"), lambda found: f"{found.losses.discernibility:,}"),
    (
        ("組の平均の大きさ", "average class size"),
        lambda found: f"{found.losses.average_class_size:,.2f}",
    ),
)


def show(terminal: "Terminal", asked: "Asked", answer: "Answer") -> None:
    """Print the measures, each with its sentence, the histogram and the levels that were found."""
    out, found = terminal.out, answer.measures
    out.print(
        f"[bold]{asked.path.name}[/]  {found.rows:,} {terminal.t('行', 'rows')}"
        f"  {terminal.t('準識別子', 'quasi-identifiers')}: {', '.join(asked.columns)}",
        soft_wrap=True,
    )
    for said in _notes(terminal, found):
        out.print(said)
    out.print()
    explained = explain(found)
    width = max(Text(_title(terminal, one)).cell_len for one in explained)
    room = max(Text(one.value).cell_len for one in explained)
    for one in explained:
        head = Text.assemble(
            "  ",
            pad(_title(terminal, one), width),
            "  ",
            (pad_left(one.value, room), _style(one, found)),
            "  ",
        )
        for line in hung(head, terminal.t(one.ja, one.en), terminal.width):
            out.print(line)
    out.print()
    _histogram(terminal, found)
    if answer.searched:
        out.print()
        _levels(terminal, asked, answer)


def _title(terminal: "Terminal", one: Explained) -> str:
    return terminal.t(one.title_ja, one.title_en)


def _style(one: Explained, found: "Measures") -> str:
    """Colour what a person must look at: somebody alone, or a value given away."""
    is_bad = {
        "k": found.k == 1,
        "k_map": found.k_map == 1,
        "l": one.value == "1",
        "unique_share": found.unique_share > 0,
        "population_unique_share": bool(found.population_unique_share),
    }.get(one.name, False)
    return "bold red" if is_bad else "bold"


def _notes(terminal: "Terminal", found: "Measures") -> list[str]:
    notes = []
    if found.population is not None:
        notes.append(
            terminal.t(f"  母集団 {found.population:,} 人", f"  Population {found.population:,}")
        )
    if found.suppressed:
        notes.append(
            terminal.t(
                f"  伏せてある行 {found.suppressed:,} 行は、どの組にも数えていません。",
                f"  {found.suppressed:,} suppressed rows are in no class.",
            )
        )
    if found.rows_with_null or found.rows_with_empty:
        notes.append(
            terminal.t(
                f"  準識別子が空の行 {found.rows_with_empty or 0:,} 行、NULL の行"
                f" {found.rows_with_null or 0:,} 行。空も NULL も、それぞれ1つの値です。",
                f"  {found.rows_with_empty or 0:,} rows with an empty quasi-identifier,"
                f" {found.rows_with_null or 0:,} with NULL; each of the two counts as one value.",
            )
        )
    return notes


def _histogram(terminal: "Terminal", found: "Measures") -> None:
    out = terminal.out
    out.print(terminal.t("[bold]組の大きさ[/]（行の数）", "[bold]Class sizes[/] (rows)"))
    bars = [one for one in found.histogram() if one.rows]
    most = max(one.rows for one in bars)
    for one in bars:
        label = f"{one.least:,}"
        if one.most is None:
            label += terminal.t(" 人以上", " or more")
        elif one.most > one.least:
            label += f"–{one.most:,}" + terminal.t(" 人", "")
        else:
            label += terminal.t(" 人", "")
        bar = "█" * max(1, round(_BAR * one.rows / most))
        style = "red" if one.least < _FEW else "green"
        out.print(
            Text.assemble(
                "  ",
                pad_left(label, 14),
                "  ",
                (pad(bar, _BAR), style),
                pad_left(f"{one.rows:,}", 12),
                pad_left(percent(one.rows / found.rows), 10),
            )
        )
    few = found.rows_below(_FEW)
    out.print(
        terminal.t(
            f"  {_FEW} 人に満たない組の人: {few:,} 行（{percent(few / found.rows)}）",
            f"  In classes below {_FEW}: {few:,} rows ({percent(few / found.rows)})",
        )
    )


def _level(found: "Found | NothingFound", place: int) -> str:
    return str(list(found.levels.values())[place]) if isinstance(found, Found) else "×"


def _levels(terminal: "Terminal", asked: "Asked", answer: "Answer") -> None:
    out = terminal.out
    share = percent(asked.suppression)
    out.print(
        terminal.t(
            f"[bold]k = {asked.target_k} にする粗さ[/]（伏せるのは {share} まで。0 は元のまま）",
            f"[bold]Levels for k = {asked.target_k}[/] (suppressing at most {share}; 0: as it is)",
        )
    )
    table = plain_table()
    table.add_column("")
    for objective in answer.searched:
        table.add_column(terminal.t(*_LEAST[objective]), justify="right")
    for place, column in enumerate(asked.columns):
        levels = (_level(found, place) for found in answer.searched.values())
        table.add_row(f"  {column}", *levels, end_section=place + 1 == len(asked.columns))
    for (ja, en), cell in _COSTS:
        cells = (
            cell(found) if isinstance(found, Found) else "" for found in answer.searched.values()
        )
        table.add_row(f"  {terminal.t(ja, en)}", *cells)
    out.print(table)
    if not all(isinstance(found, Found) for found in answer.searched.values()):
        out.print(
            terminal.t(
                "  [red]×[/] どの粗さでも届きません。伏せてよい割合を増やすか、列を減らします。",
                "  [red]×[/] No levels reach it: allow more suppression, or leave a column out.",
            )
        )
    best = next(iter(answer.searched.values()))
    out.print(
        terminal.t(
            f"  {best.nodes:,} 通りのうち {best.looked_at:,} 通りを数え、残りは数えなくても"
            "劣ると分かりました。",
            f"  {best.looked_at:,} of {best.nodes:,} combinations were counted;"
            " the others are worse for certain.",
        )
    )
