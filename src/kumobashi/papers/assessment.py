"""Facts for 特定個人情報保護評価: what the platform knows of a link, in the form's order. Pure.

The platform has no individual numbers (個人番号). A section that uses them fills in the rest; these
are the facts about what leaves, to whom, on which basis, how coarse, for how long, and how it is
guarded.
"""

from datetime import datetime

from kumobashi.kernel import business_date
from kumobashi.papers import assessment_sections as of
from kumobashi.papers.assessed import Assessed, individual_numbers, receiver_of
from kumobashi.papers.rules import size_row
from kumobashi.papers.sheet import Paper
from kumobashi.papers.wording import local_time


def assessment_paper(known: Assessed, *, now: datetime) -> Paper:
    """Return the paper; raise ``PaperRulesMissing``."""
    made, persons = known.plan, known.persons
    size = size_row("assessment", persons, on=business_date(now)) if persons is not None else None
    return Paper(
        kind="assessment",
        title="特定個人情報保護評価のための事実（下書き）",
        about=f"{made.link.name}（{made.link.link}）",
        town=known.workspace.municipality.municipality.name,
        made=local_time(now),
        sections=(
            of.affair(known),
            of.size(persons, size),
            of.file(known),
            of.obtaining(known),
            of.use(known),
            of.entrusting(known.processors),
            of.providing(known),
            of.keeping(known),
            of.guarding(known),
        ),
        facts={
            "link": made.link.link,
            "plan_hash": made.hash,
            "is_permitted": made.is_permitted,
            "individual_numbers": [field.ja for field in individual_numbers(known)],
            "persons": persons,
            "size": size.code if size else None,
            "items": [
                {"name": one.name, "ja": one.ja, "form": one.form, "sensitivity": one.sensitivity}
                for one in made.items
            ],
            "legal_basis": made.basis.code if made.basis else None,
            "retention_days": made.retention.days if made.retention else None,
            "receiver": {"system": made.link.to.system, "site": receiver_of(known)},
            "route": [
                {"from": hop.from_site, "to": hop.to_site, "by": hop.by} for hop in made.hops
            ],
            "processors": None
            if known.processors is None
            else [one.name for one in known.processors],
        },
    )
