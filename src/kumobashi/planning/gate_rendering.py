"""The gate in the story of a plan, at a terminal: limits before and after, and the ladders."""

from collections.abc import Iterator

from rich.text import Text

from kumobashi.kernel import Language
from kumobashi.planning.columns import hung, row_of
from kumobashi.release.gate_learning import SIGNS, lessons
from kumobashi.release.gate_report import Climb, GateReport, Outcome
from kumobashi.release.gate_words import headline, limit_lines, neighbour

_VALUE, _LIMIT, _GAPS = 12, 14, 2
_HEADS = {
    "ja": ("危険度の物差し", "しきい値", "書いたまま", "出るもの"),
    "en": ("Measure", "limit", "as written", "what leaves"),
}


def gate_lines(report: GateReport, *, width: int, lang: Language) -> Iterator[Text]:
    """Give what the gate measured and did."""
    is_ja = lang == "ja"
    place = 0 if is_ja else 1
    yield Text()
    yield Text("  " + ("危険度の確認（出す前）" if is_ja else "The gate"), "bold")
    is_refused = report.outcome is Outcome.REFUSED
    sign, style = ("× ", "bold red") if is_refused else ("✓ ", "green")
    yield from hung(Text(f"  {sign}", style), headline(report)[place], width, style)
    name = width - 2 - _LIMIT - 2 * _VALUE - 4 * _GAPS
    widths = (name, _LIMIT, _VALUE, _VALUE)
    yield row_of(_HEADS[lang], widths, "dim")[0]
    for line in limit_lines(report):
        before = line.before[place] + ("" if line.is_kept_before else " ×")
        yield from row_of((line.name[place], line.limit[place], before, line.after[place]), widths)
    for climb in report.climbs:
        title = report.names[climb.column] if is_ja else climb.column
        yield from hung(Text(f"  {title}: "), ladder(climb, lang), width)
    yield from hung(Text("  "), neighbour(report)[place], width, "dim")
    for lesson in lessons(report):
        yield from hung(Text(f"  {SIGNS[lesson.learning]} "), lesson.said[place], width, "dim")


def ladder(climb: Climb, lang: Language) -> str:
    """Return a ladder in one line, the step it stands on marked.

    >>> from kumobashi.release.gate_report import Step
    >>> ladder(
    ...     Climb(column="b", level=1, steps=(Step(ja="年月", en="m"), Step(ja="年", en="y"))), "ja"
    ... )
    '年月 → [年]'
    """
    said = [step.ja if lang == "ja" else step.en for step in climb.steps]
    return " → ".join(
        f"[{step}]" if number == climb.level else step for number, step in enumerate(said)
    )
