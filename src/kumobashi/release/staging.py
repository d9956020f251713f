"""What a rule needs of each dataset: columns, and conditions that stay in the source.

A row that cannot change the outcome is not read: a flag's rows whose code means 0 are left where
they are when an absent row means 0 too, so a list of all taxpayers does not travel for the sake of
the exempt ones. An unknown code is read, because it must be reported.
"""

from dataclasses import dataclass, field, replace
from datetime import date

from kumobashi.release.column_parts import Codes
from kumobashi.release.columns import (
    Area,
    BaseDate,
    CampaignCode,
    Constant,
    Drop,
    Flag,
    Suppress,
    Token,
)
from kumobashi.release.gates import Gate
from kumobashi.release.rules import TIES, ReleaseRule
from kumobashi.storage.tables import Condition

SUBJECTS = "subjects"
POPULATION = "population"
CONSENTS = "consents"
ENDED_CONSENTS = "ended_consents"  # of the ledger only: who is known and does not count, and why
TIED = "tied"  # whose tie lets the row leave, with the two halves of the tie's id
UNTIED = "untied"  # who has or had a tie that does not, and why


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One reading of one dataset into the working database."""

    name: str  # of the working table
    dataset: str  # key under ``datasets`` of the rule
    columns: tuple[str, ...]
    where: tuple[Condition, ...] = field(default=())


def stages(rule: ReleaseRule, *, purpose: str, on: date) -> tuple[Stage, ...]:
    """Return the readings that ``rule`` needs; the subject's dataset comes first."""
    return (
        _subject(rule),
        *_consents(rule, purpose, on),
        *tie_stages(rule),
        *_without(rule),
        *_flags(rule),
        *_areas(rule),
        *_population(rule),
    )


def population_stage(rule: ReleaseRule) -> str:
    """Return the working table of everybody whom the gate compares with."""
    named = rule.gate.population if isinstance(rule.gate, Gate) else None
    return SUBJECTS if named in {None, rule.subject.dataset} else POPULATION


def flag_stage(column: Flag) -> str:
    """Return the name of the working table of a flag."""
    return f"flag_{column.name}"


def area_stage(column: Area) -> str:
    """Return the name of the working table of an area's mapping."""
    return f"area_{column.name}"


def in_codes(column: str, codes: Codes) -> Condition:
    """Return the condition that a column has one of the codes."""
    return Condition(column, "in", tuple(codes))


def _subject(rule: ReleaseRule) -> Stage:
    subject = rule.subject
    columns = [subject.key]
    if subject.household and rule.needs_household:
        columns += [subject.household, subject.relationship]
    if subject.age:
        columns.append(subject.birth_date)
    for column in rule.columns:
        match column:
            case BaseDate() | Constant() | CampaignCode() | Suppress() | Drop() | Flag():
                pass
            case Token(of="household_head"):
                pass
            case _:
                columns.append(column.of)
    where = tuple(in_codes(name, codes) for name, codes in subject.only.items())
    return Stage(
        name=SUBJECTS,
        dataset=subject.dataset,
        columns=tuple(dict.fromkeys(columns)),
        where=where,
    )


def _population(rule: ReleaseRule) -> list[Stage]:
    """Read everybody where they are another dataset than that of the subjects."""
    if population_stage(rule) == SUBJECTS or not isinstance(rule.gate, Gate):
        return []
    return [replace(_subject(rule), name=POPULATION, dataset=rule.gate.population or "", where=())]


def _consents(rule: ReleaseRule, purpose: str, on: date) -> list[Stage]:
    if rule.consent is None:
        return []
    if rule.consent.ledger:  # bound to its terms when it is opened (``consent.source``)
        key = rule.subject.key
        return [
            Stage(name=CONSENTS, dataset=rule.consent.source, columns=(key,)),
            Stage(name=ENDED_CONSENTS, dataset=rule.consent.source, columns=(key, "reason")),
        ]
    where = (
        Condition("purpose", "in", (purpose,)),
        Condition("granted_on", "at_most", (on,)),
        Condition("withdrawn_on", "null_or_after", (on,)),
    )
    return [
        Stage(name=CONSENTS, dataset=rule.consent.source, columns=(rule.subject.key,), where=where)
    ]


def tie_stages(rule: ReleaseRule) -> tuple[Stage, ...]:
    """Return the readings of the registry of ties, bound to the rule when it is opened."""
    if rule.ties is None:
        return ()
    key = rule.subject.key
    return (
        Stage(name=TIED, dataset=TIES, columns=(key, "high", "low")),
        Stage(name=UNTIED, dataset=TIES, columns=(key, "reason")),
    )


def _without(rule: ReleaseRule) -> list[Stage]:
    without = rule.subject.without
    if without is None:
        return []
    where = tuple(in_codes(name, codes) for name, codes in without.where.items())
    return [
        Stage(
            name="without_these", dataset=without.dataset, columns=(rule.subject.key,), where=where
        )
    ]


def _flags(rule: ReleaseRule) -> list[Stage]:
    found = []
    for column in rule.columns:
        if not isinstance(column, Flag):
            continue
        where = [in_codes(name, codes) for name, codes in column.only.items()]
        if column.absent == 0 and column.zero:
            where.append(Condition(column.of, "not_in_or_null", tuple(column.zero)))
        found.append(
            Stage(
                name=flag_stage(column),
                dataset=column.dataset,
                columns=(rule.subject.key, column.of),
                where=tuple(where),
            )
        )
    return found


def _areas(rule: ReleaseRule) -> list[Stage]:
    return [
        Stage(
            name=area_stage(column),
            dataset=mapping.dataset,
            columns=tuple(dict.fromkeys((mapping.key, *mapping.to.values()))),
        )
        for column in rule.columns
        if isinstance(column, Area) and (mapping := column.mapping)
    ]
