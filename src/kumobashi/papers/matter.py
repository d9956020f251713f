"""An incident with what is known of its transfers, and the facts that follow from it. Pure."""

from dataclasses import dataclass
from datetime import datetime

from kumobashi.kernel import business_date
from kumobashi.papers.clocks import DueReport, clocks_of
from kumobashi.papers.exposure import (
    Exposed,
    Persons,
    is_open_text,
    meets,
    must_report,
    persons_in,
)
from kumobashi.papers.incidents import Doubt, Incident
from kumobashi.papers.rules import ThresholdRow, thresholds
from kumobashi.papers.sheet import blank
from kumobashi.policy.reading import Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """What is known of an incident when a paper is made."""

    incident: Incident
    exposed: tuple[Exposed, ...]
    link_name: str
    from_name: str
    to_name: str
    section: str | None  # that answers for the sending system
    has_household_items: bool
    town: str

    @property
    def persons(self) -> Persons:
        """The bounds of the number of persons."""
        return persons_in(self.exposed, self.incident.persons)

    @property
    def clocks(self) -> tuple[DueReport, DueReport]:
        """Both reports."""
        found = self.incident
        return clocks_of(found.noticed, improper=found.improper.value, filed=found.filed)

    def judged(self) -> list[tuple[ThresholdRow, Doubt]]:
        """Return every threshold with whether it is met."""
        rows = thresholds(business_date(self.incident.noticed))
        return [(row, meets(row, self.incident, self.persons, self.exposed)) for row in rows]


def check_rules(incident: Incident) -> None:
    """Raise ``PaperRulesMissing`` unless rows say what holds on the day of noticing.

    Asked before anything is kept: what no rule covers could not be listed afterwards.
    """
    clocks_of(incident.noticed, improper=incident.improper.value, filed=incident.filed)
    thresholds(business_date(incident.noticed))


def facts_of(matter: Matter, now: datetime) -> dict[str, object]:
    """Return what is known, for machines and for lists."""
    persons, judged = matter.persons, matter.judged()
    return {
        **matter.incident.plain(),
        "counted_persons": matter.incident.persons,
        "persons": {
            "at_least": persons.least,
            "at_most": persons.most,
            "is_exact": persons.is_exact,
            "is_counted": persons.is_counted,
        },
        "open_text": is_open_text(matter.incident),
        "must_report": must_report([met for _, met in judged]).value,
        "thresholds": [
            {"code": row.code, "met": met.value, "at_least": row.at_least, **_row(row.origin)}
            for row, met in judged
        ],
        "link_name": matter.link_name,
        "clocks": [
            {
                "report": one.report,
                "due_day": one.due_day.isoformat(),
                "level": one.level(now).name.lower(),
                "days_left": one.days_left(now),
                "filed": one.filed.isoformat() if one.filed else None,
                "was_late": one.was_late,
                **_row(one.row.origin),
            }
            for one in matter.clocks
        ],
        "transfers_exposed": [one.plain() for one in matter.exposed],
    }


def persons_text(persons: Persons) -> str:
    """Return the number of persons as a sentence.

    >>> persons_text(Persons(least=10, most=25))
    '多くとも 25 人、少なくとも 10 人'
    """
    if persons.most is None:
        least = f"少なくとも {persons.least:,} 人。" if persons.least else ""
        return least + blank("本人の数")
    if persons.is_exact:
        return f"{persons.most:,} 人"
    least = f"、少なくとも {persons.least:,} 人" if persons.least else ""
    return f"多くとも {persons.most:,} 人{least}"


def _row(origin: Origin) -> dict[str, object]:
    return {"rule": origin.place, "verified": origin.is_verified, "source": origin.source}
