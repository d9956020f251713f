"""The people that campaigns choose from, one row each, with all that their conditions ask for.

What lies in other datasets or with other members of the household is brought to the person's row
first, once for all campaigns that ask the same. Then any number of conditions is one scan.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import duckdb

from kumobashi.release.campaigns import Campaign
from kumobashi.release.compiling_conditions import Compiling, Values
from kumobashi.release.conditions import (
    Condition,
    HasRow,
    HouseholdHas,
    columns_of,
    nodes,
    places,
)
from kumobashi.release.staging import Stage
from kumobashi.storage.tables import Condition as AtSource
from kumobashi.storage.tables import quoted

PEOPLE = "people"
_ROWS = "hall_people"


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """What must be read for some campaigns that choose from the same people."""

    stages: tuple[Stage, ...]  # a stage's dataset is "system.dataset"; the people come first
    name: Mapping[str, str]  # working table by "system.dataset"


def alike(campaigns: Sequence[Campaign]) -> list[tuple[Campaign, ...]]:
    """Return the campaigns in groups that choose from the same people.

    Who does not ask for households goes with those who do.
    """
    groups: dict[tuple[str, str | None], list[Campaign]] = {}
    for campaign in sorted(campaigns, key=lambda c: c.subject.household is None):
        whom = campaign.subject
        people = json.dumps([campaign.datasets[whom.dataset], whom.key, whom.only], sort_keys=True)
        same = (key for key in groups if key[0] == people)
        fits = next(same, None) if whom.household is None else (people, whom.household)
        groups.setdefault(fits or (people, None), []).append(campaign)
    return [tuple(group) for group in groups.values()]


def household_of(campaigns: Sequence[Campaign]) -> str | None:
    """Return the column that says who lives together, if one of a group's campaigns asks."""
    return next((c.subject.household for c in campaigns if c.subject.household), None)


def readings(campaigns: Sequence[Campaign], *, also: Sequence[str] = ()) -> Readings:
    """Return what to read for campaigns that are :func:`alike`; ``also`` more of the people."""
    whom = campaigns[0].subject
    household = household_of(campaigns)
    own = [whom.key, *([household] if household else []), *also]
    others: dict[str, list[str]] = {}
    for campaign in campaigns:
        for _, part in nodes(campaign.exact):
            if isinstance(part, HasRow):
                others.setdefault(campaign.datasets[part.dataset], [whom.key])
        for place in places(campaign.exact):
            columns = columns_of(place.leaf)
            if place.dataset is None:
                own += columns
            else:
                others[campaign.datasets[place.dataset]] += columns
    name = {reference: f"hall_{number}" for number, reference in enumerate(others)}
    people = Stage(
        name=_ROWS,
        dataset=campaigns[0].datasets[whom.dataset],
        columns=tuple(dict.fromkeys(own)),
        where=tuple(AtSource(c, "in", tuple(codes)) for c, codes in whom.only.items()),
    )
    rest = (
        Stage(name=name[reference], dataset=reference, columns=tuple(dict.fromkeys(columns)))
        for reference, columns in others.items()
    )
    return Readings(stages=(people, *rest), name=name)


@dataclass(slots=True, kw_only=True)
class People:
    """Table ``people`` of the working database, and what its columns are called."""

    campaigns: tuple[Campaign, ...]
    on: date
    tables: Mapping[str, str]
    columns: tuple[str, ...]  # of the people's own rows
    facts: dict[str, str] = field(default_factory=dict)  # column, by what was asked

    def sql(self, campaign: Campaign, values: Values) -> str:
        """Return the exact condition over ``people``: true, false or NULL."""
        return self._compiling(campaign, values).sql(campaign.exact)

    def make(self, work: duckdb.DuckDBPyConnection) -> None:
        """Make table ``people`` from what was read."""
        whom = self.campaigns[0].subject
        rows = self._with_facts(work, _ROWS, quoted(whom.key), self._rows_asked())
        if (household := household_of(self.campaigns)) is not None:
            asked = self._households_asked(rows)
            rows = self._with_facts(work, rows, quoted(household), asked)
        work.execute(f"alter table {rows} rename to {PEOPLE}")

    def _with_facts(
        self,
        work: duckdb.DuckDBPyConnection,
        rows: str,
        key: str,
        asked: Iterator[tuple[Campaign, HasRow | HouseholdHas, str, Condition | None]],
    ) -> str:
        """Answer questions about other rows, each in a column; return the relation that has them.

        True when some row meets the condition, unknown when none does but one might, else false.
        """
        joins, columns = [], []
        for campaign, question, table, where in asked:
            name = f"fact_{len(self.facts)}"
            values = Values()
            meets = self._compiling(campaign, values).sql(where) if where is not None else "true"
            work.execute(
                # Rows that do not meet it say as little as rows that are not there.
                f"create temp table {name} as select {key} as k, case when bool_or(p) then true"
                f" end as v from (select {key}, {meets} as p from {table} where {key} is not null)"
                f" where p is not false group by {key}",
                values.bound,
            )
            self.facts[_asked(campaign, question)] = name
            joins.append(f" left join {name} on {name}.k = r.{key}")
            columns.append(
                f", case when r.{key} is null then null when {name}.k is null then false"
                f" else {name}.v end as {name}"
            )
        if not joins:
            return rows
        made = f"{rows}_f"
        work.execute(
            f"create temp table {made} as select r.*{''.join(columns)} from {rows} r"
            + "".join(joins)
        )
        return made

    def _rows_asked(
        self,
    ) -> Iterator[tuple[Campaign, HasRow | HouseholdHas, str, Condition | None]]:
        for campaign in self.campaigns:
            for _, part in nodes(campaign.exact):
                if isinstance(part, HasRow) and _asked(campaign, part) not in self.facts:
                    table = self.tables[campaign.datasets[part.dataset]]
                    yield campaign, part, table, part.where

    def _households_asked(
        self, rows: str
    ) -> Iterator[tuple[Campaign, HasRow | HouseholdHas, str, Condition | None]]:
        for campaign in self.campaigns:
            for _, part in nodes(campaign.exact):
                if isinstance(part, HouseholdHas) and _asked(campaign, part) not in self.facts:
                    yield campaign, part, rows, part.where

    def _compiling(self, campaign: Campaign, values: Values) -> Compiling:
        return Compiling(
            on=self.on, values=values, fact=lambda part: self.facts[_asked(campaign, part)]
        )


def _asked(campaign: Campaign, part: HasRow | HouseholdHas) -> str:
    """Return what tells one question from another: datasets by their full names."""
    named = {asked.dataset for _, asked in nodes(part) if isinstance(asked, HasRow)}
    datasets = {name: campaign.datasets[name] for name in sorted(named)}
    return json.dumps([datasets, part.model_dump(mode="json", by_alias=True)], sort_keys=True)


def forget(work: duckdb.DuckDBPyConnection) -> None:
    """Drop the tables of one group before the next: what was read of the hall, and the facts."""
    named = work.execute(
        "select table_name from duckdb_tables() where table_name = ?"
        " or starts_with(table_name, 'hall_') or starts_with(table_name, 'fact_')",
        [PEOPLE],
    ).fetchall()
    for (name,) in named:
        work.execute(f"drop table {quoted(name)}")
