"""The report of an incident (漏えい等報告): nine matters, and the clocks. Pure.

Both reports have the same matters; the prompt one holds what is known when it is made.
"""

from datetime import datetime

from kumobashi.papers import breach_sections as of
from kumobashi.papers.breach_annexes import REPORTS_JA, clocks, sealing
from kumobashi.papers.matter import Matter, facts_of
from kumobashi.papers.sheet import Line, Paper, Section, blank
from kumobashi.papers.wording import local_time


def breach_report(matter: Matter, report: str, *, now: datetime) -> Paper:
    """Return the prompt or the final report.

    Raises:
        PaperRulesMissing: no row says what holds on the day of noticing.
    """
    name = REPORTS_JA[report]
    return Paper(
        kind="breach",
        title=f"漏えい等報告（{name}）下書き",
        about=f"{matter.link_name}（{matter.incident.link}）",
        town=matter.town,
        made=local_time(now),
        sections=(
            of.outline(matter, name),
            of.data(matter),
            of.number(matter),
            of.cause(matter),
            Section(
                title="5　二次被害またはそのおそれ",
                lines=(Line(label="有無と内容", text=blank("二次被害の有無と、その内容")),),
            ),
            of.towards_persons(),
            Section(
                title="7　公表の実施状況",
                lines=(Line(label="公表", text=blank("公表した日と方法、またはしない理由")),),
            ),
            Section(
                title="8　再発防止のための措置",
                lines=(
                    Line(label="実施した措置", text=blank("実施した再発防止策")),
                    Line(label="実施する予定の措置", text=blank("今後の再発防止策と時期")),
                ),
            ),
            of.others(matter),
            sealing(matter),
            clocks(matter, now),
        ),
        facts=facts_of(matter, now),
    )
