"""The abstraction error table: whom each campaign means, and whom coarsened data would reach.

    people (exact, in the hall) ⟕ released (the rule's columns) ⟕ consents → one scan, all campaigns

Judged are all people of the rule, whether they consented or not: how far a condition is off must
not hang on who happened to consent. How many of those who consented would really be reached
wrongly or missed stands beside it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType

import duckdb

from kumobashi.release.campaigns import Campaign
from kumobashi.release.columns import Keep
from kumobashi.release.compiling_conditions import Compiling, Values
from kumobashi.release.conditions import columns_of, places
from kumobashi.release.ladders import at_level, steps
from kumobashi.release.people import PEOPLE, People, alike, forget, readings
from kumobashi.release.releasing import Source, extract, read_stages, release
from kumobashi.release.rules import ReleaseRule
from kumobashi.release.staging import CONSENTS, TIED, stages
from kumobashi.release.verdicts import Counts, Error, Verdict, error_of, judge
from kumobashi.storage.tables import quoted

_KEY = "key_of_the_hall"
SIDE_BY_SIDE = "side_by_side"
_HEAD = "'02'"  # 続柄
_CONSENTS = "consents_of_the_hall"
_TIED = "tied_of_the_hall"
_BASE, _UNKNOWN = 3, 2  # an answer is 0, 1 or unknown
_AT_ONCE = 8  # campaigns: seventeen answers of base three, far below 64 bits


@dataclass(frozen=True, slots=True, kw_only=True)
class AbstractionError:
    """One line of the table."""

    campaign: Campaign
    rule: str
    counts: Counts
    consenting: Counts  # the same, of those who consented
    unknown_exact: int  # persons of whom the exact condition cannot be answered: never a match
    unknown_coarsened: int
    climbed: Counts | None = None  # whom the best condition on climbed columns would reach
    climbed_consenting: Counts | None = None

    @property
    def error(self) -> Error:
        """How far off, in the words of the report."""
        return error_of(self.counts, **self._minima())

    @property
    def verdict(self) -> Verdict:
        """What may be sent from coarsened data."""
        return judge(self.counts, **self._minima())

    def _minima(self) -> dict[str, float]:
        limits = self.campaign
        return {"min_precision": limits.min_precision, "min_recall": limits.min_recall}


def error_table(
    rule: ReleaseRule,
    campaigns: Sequence[Campaign],
    sources: Mapping[str, Source],
    hall: Mapping[str, Source],
    work: duckdb.DuckDBPyConnection,
    *,
    purpose: str,
    on: date,
) -> list[AbstractionError]:
    """Return a line for each campaign, in the order given, as if ``rule`` served it.

    ``sources`` are those of the rule, ``hall`` those of the campaigns by ``"system.dataset"``.
    ``work`` is an empty working database; nothing leaves it. A campaign whose coarsened condition
    is of another rule, or which has none, reaches nobody by this one.

    Raises:
        TableMissing, ColumnMissing: a source is not as its layout says.
    """
    found: dict[str, AbstractionError] = {}
    groups = alike(campaigns)
    for people in side_by_side(
        rule, groups, sources, hall, work, purpose=purpose, on=on, is_whole=False
    ):
        found |= {line.campaign.campaign: line for line in count(rule.release, people, work)}
    return [found[campaign.campaign] for campaign in campaigns]


def side_by_side(  # noqa: PLR0913 - what is read, and how much of it is told
    rule: ReleaseRule,
    groups: Sequence[tuple[Campaign, ...]],
    sources: Mapping[str, Source],
    hall: Mapping[str, Source],
    work: duckdb.DuckDBPyConnection,
    *,
    purpose: str,
    on: date,
    is_whole: bool,
    levels: Mapping[str, int] = MappingProxyType({}),
) -> Iterator[People]:
    """Make table ``side_by_side`` for each group of :func:`alike` campaigns, and drop it after use.

    With ``is_whole`` all columns of the rule stand in it, else those that the campaigns ask for;
    columns that climb to one of ``levels`` stand in it a second time, as they leave then.
    """
    everyone = [campaign for group in groups for campaign in group]
    told = _told(rule, everyone, is_whole=is_whole, levels=levels)
    read = extract(told, sources, work, purpose=purpose, on=on)
    release(told, work, read, on=on, pads=None, on_findings="go_on")
    _read_consents(rule, sources, work, purpose=purpose, on=on)
    for group in groups:
        people = _people(rule, group, hall, work, on=on)
        _join(rule, people, told, work)
        yield people
        work.execute(f"drop table {SIDE_BY_SIDE}")
        forget(work)


def count(rule: str, people: People, work: duckdb.DuckDBPyConnection) -> Iterator[AbstractionError]:
    """Count all campaigns of a group; one scan of ``side_by_side`` for every eight of them.

    Each person becomes one number that holds both answers to all campaigns; people with the same
    answers are counted together, and taken apart here.
    """
    for campaigns in _by(_AT_ONCE, people.campaigns):
        values = Values()
        answers = [f"{_digit('has_consent')} * {_BASE ** (2 * len(campaigns))}"]
        for n, campaign in enumerate(campaigns):
            exact = people.sql(campaign, values)
            coarsened = coarsened_sql(rule, campaign, people.on, values)
            released = f"case when is_released then {coarsened} else false end"
            answers.append(f"{_digit(exact)} * {_BASE ** (2 * n + 1)}")
            answers.append(f"{_digit(released)} * {_BASE ** (2 * n)}")
        rows = work.execute(
            f"select {' + '.join(answers)} as answers, count(*) as n from {SIDE_BY_SIDE}"
            " group by answers",
            values.bound,
        ).fetchall()
        for n, campaign in enumerate(campaigns):
            yield _line(rule, campaign, n, len(campaigns), rows)


def _digit(answer: str) -> str:
    return f"coalesce(({answer})::tinyint, {_UNKNOWN}::tinyint)::bigint"


def _line(
    rule: str, campaign: Campaign, place: int, campaigns: int, rows: Sequence[tuple[int, int]]
) -> AbstractionError:
    """Take the answers to one campaign out of those to all."""
    found: dict[tuple[int, int, bool], int] = {}
    for answers, people in rows:
        told = answers // _BASE ** (2 * place) % _BASE
        meant = answers // _BASE ** (2 * place + 1) % _BASE
        consented = answers // _BASE ** (2 * campaigns) == 1
        key = (meant, told, consented)
        found[key] = found.get(key, 0) + people

    def number(meant: int | None = None, told: int | None = None, *, agreed: bool = False) -> int:
        return sum(
            people
            for (m, t, c), people in found.items()
            if meant in {None, m} and told in {None, t} and (c or not agreed)
        )

    def counts(*, agreed: bool) -> Counts:
        return Counts(
            people=number(agreed=agreed),
            exact=number(1, agreed=agreed),
            coarsened=number(told=1, agreed=agreed),
            both=number(1, 1, agreed=agreed),
        )

    return AbstractionError(
        campaign=campaign,
        rule=rule,
        counts=counts(agreed=False),
        consenting=counts(agreed=True),
        unknown_exact=number(_UNKNOWN),
        unknown_coarsened=number(told=_UNKNOWN),
    )


def _by(size: int, campaigns: Sequence[Campaign]) -> Iterator[Sequence[Campaign]]:
    for start in range(0, len(campaigns), size):
        yield campaigns[start : start + size]


def coarsened_sql(rule: str, campaign: Campaign, on: date, values: Values) -> str:
    """Return the coarsened condition over ``side_by_side``: true, false or NULL."""
    if campaign.coarsened is None or campaign.coarsened.rule != rule:
        return "false"
    compiling = Compiling(
        on=on, values=values, fact=lambda _: "null", column=lambda name: quoted(f"told_{name}")
    )
    return compiling.sql(campaign.coarsened.when)


def columns_asked(campaign: Campaign, rule: str) -> set[str]:
    """Return the released columns that a campaign's coarsened condition asks for."""
    if campaign.coarsened is None or campaign.coarsened.rule != rule:
        return set()
    return {
        column for place in places(campaign.coarsened.when) for column in columns_of(place.leaf)
    }


def _told(
    rule: ReleaseRule,
    campaigns: Iterable[Campaign],
    *,
    is_whole: bool,
    levels: Mapping[str, int],
) -> ReleaseRule:
    """Return the rule with what is asked for alone, the hall's key for a token, and everybody."""
    wanted = {column for campaign in campaigns for column in columns_asked(campaign, rule.release)}
    columns = [
        column
        for column in rule.columns
        if column.op not in {"token", "campaign"} and (is_whole or column.name in wanted)
    ]
    columns += [
        climbed
        for column in columns
        if levels.get(column.name)
        and (climbed := at_level(steps(column), levels[column.name])) is not None
    ]
    key = Keep(name=_KEY, op="keep", of=rule.subject.key)
    return rule.model_copy(
        update={
            "columns": [key, *columns],
            "consent": None,
            "ties": None,
            "allow_empty": True,
            "predicate_only": False,
            "gate": None,  # nothing leaves here
            "coding": None,
        }
    )


def _people(
    rule: ReleaseRule,
    group: tuple[Campaign, ...],
    hall: Mapping[str, Source],
    work: duckdb.DuckDBPyConnection,
    *,
    on: date,
) -> People:
    by_head = rule.consent is not None and rule.consent.by == "household_head"
    also = [rule.subject.household or "", rule.subject.relationship] if by_head else []
    wanted = readings(group, also=also)
    read_stages(wanted.stages, hall, work)
    people = People(campaigns=group, on=on, tables=wanted.name, columns=wanted.stages[0].columns)
    people.make(work)
    return people


def _read_consents(
    rule: ReleaseRule,
    sources: Mapping[str, Source],
    work: duckdb.DuckDBPyConnection,
    *,
    purpose: str,
    on: date,
) -> None:
    for stage in stages(rule, purpose=purpose, on=on):
        if here := {CONSENTS: _CONSENTS, TIED: _TIED}.get(stage.name):
            read_stages([replace(stage, name=here)], sources, work)


def _join(
    rule: ReleaseRule, people: People, told: ReleaseRule, work: duckdb.DuckDBPyConnection
) -> None:
    """Make table ``side_by_side``: what the hall knows of each person and what would leave."""
    key = quoted(people.campaigns[0].subject.key)
    columns = "".join(
        f", r.{quoted(column.name)} as {quoted('told_' + column.name)}"
        for column in told.columns
        if column.name != _KEY
    )
    work.execute(
        f"create temp table {SIDE_BY_SIDE} as select p.*, r.{_KEY} is not null as is_released,"
        f" {_consented(rule, key)}{_and_tied(rule, key)} as has_consent{columns}"
        f" from {PEOPLE} p left join released r on r.{_KEY} = p.{key}"
    )


def _consented(rule: ReleaseRule, key: str) -> str:
    if rule.consent is None:
        return "true"
    if rule.consent.by == "subject":
        return f"p.{key} in (select {quoted(rule.subject.key)} from {_CONSENTS})"
    household = quoted(rule.subject.household or "")
    head = (
        f"select {household} from {PEOPLE} where {quoted(rule.subject.relationship)} = {_HEAD}"
        f" and {key} in (select {quoted(rule.subject.key)} from {_CONSENTS})"
    )
    return f"coalesce(p.{household} in ({head}), false)"


def _and_tied(rule: ReleaseRule, key: str) -> str:
    if rule.ties is None:
        return ""
    return f" and p.{key} in (select {quoted(rule.subject.key)} from {_TIED})"
