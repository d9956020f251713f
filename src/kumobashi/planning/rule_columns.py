"""Which columns of which datasets a release rule reads, with their places in the file."""

from collections.abc import Iterator
from datetime import date

from kumobashi.release.columns import (
    AnyColumn,
    Area,
    BaseDate,
    CampaignCode,
    Constant,
    Drop,
    Flag,
    Suppress,
)
from kumobashi.release.rules import ReleaseRule
from kumobashi.release.staging import POPULATION, stages
from kumobashi.storage.mistakes import Path

Used = tuple[str, Path, str]  # key under ``datasets``, place in the file, column


def source_of(rule: ReleaseRule, column: AnyColumn) -> tuple[str, str] | None:
    """Return dataset key and column that a released column is made from, if from any."""
    if isinstance(column, BaseDate | Constant | CampaignCode | Suppress | Drop):
        return None
    if isinstance(column, Flag):
        return column.dataset, column.of
    if column.of == "household_head":
        return rule.subject.dataset, rule.subject.key
    return rule.subject.dataset, column.of


def columns_used(rule: ReleaseRule) -> Iterator[Used]:
    """Give every column that must exist at the source."""
    yield from _of_subject(rule)
    key = rule.subject.key
    if without := rule.subject.without:
        yield without.dataset, ("subject", "without", "dataset"), key
        for name in without.where:
            yield without.dataset, ("subject", "without", "where", name), name
    if rule.consent and rule.consent.dataset:
        for name in (key, "purpose", "granted_on", "withdrawn_on"):
            yield rule.consent.dataset, ("consent", "dataset"), name
    for number, column in enumerate(rule.columns):
        yield from _of_column(rule, number, column)
    yield from _of_population(rule)


def _of_column(rule: ReleaseRule, number: int, column: AnyColumn) -> Iterator[Used]:
    if source := source_of(rule, column):
        yield source[0], ("columns", number, "of"), source[1]
    elif isinstance(column, Suppress | Drop) and column.of:
        yield rule.subject.dataset, ("columns", number, "of"), column.of
    if isinstance(column, Area) and (mapping := column.mapping):
        yield mapping.dataset, ("columns", number, "mapping", "key"), mapping.key
        for level, name in mapping.to.items():
            yield mapping.dataset, ("columns", number, "mapping", "to", level), name
    if isinstance(column, Flag):
        yield column.dataset, ("columns", number, "dataset"), rule.subject.key
        for name in column.only:
            yield column.dataset, ("columns", number, "only", name), name


def _of_population(rule: ReleaseRule) -> Iterator[Used]:
    """Give what the dataset of everybody must hold: all that is read of the subjects."""
    for stage in stages(rule, purpose="", on=date.min):
        if stage.name == POPULATION:
            yield from ((stage.dataset, ("gate", "population"), name) for name in stage.columns)


def _of_subject(rule: ReleaseRule) -> Iterator[Used]:
    subject = rule.subject
    yield subject.dataset, ("subject", "key"), subject.key
    for name in subject.only:
        yield subject.dataset, ("subject", "only", name), name
    if subject.household:
        yield subject.dataset, ("subject", "household"), subject.household
        if rule.needs_household:
            yield subject.dataset, ("subject", "relationship"), subject.relationship
    if subject.age:
        yield subject.dataset, ("subject", "birth_date"), subject.birth_date
