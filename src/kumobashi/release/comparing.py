"""Three ways to let a cloud send notices, side by side: raw, coarsened, predicate-only.

Raw means that the columns which the exact conditions ask for leave as they are, and the cloud
chooses. Coarsened means the columns of the release rule. Predicate-only means that the hall
chooses, and a token and the campaign's code are all that leaves. For each: who is reached wrongly
or missed, what the destination could learn, and what it costs. Only who consented is counted.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import duckdb

from kumobashi.release.abstraction import SIDE_BY_SIDE, AbstractionError
from kumobashi.release.compiling_conditions import Values
from kumobashi.release.ladders import plain
from kumobashi.release.people import People
from kumobashi.storage.tables import literal, quoted

Sizer = Callable[[duckdb.DuckDBPyConnection, str, Path], int]  # relation, file: bytes of a payload


class Kind(StrEnum):
    """生データ・抽象化・危険度の確認で粗くした抽象化・庁内判定."""

    RAW = "raw"
    COARSENED = "coarsened"
    CLIMBED = "climbed"  # as coarse as the gate makes it
    PREDICATE = "predicate_only"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One of the three ways, for some campaigns together."""

    kind: Kind
    columns: tuple[str, ...]  # what leaves beside the token: "residents.birth_date", "birth_ym"
    wrong: int  # of those who consented, over all campaigns
    missed: int
    rows: int
    bytes: int  # of the payload, compressed, before sealing
    people: int
    classes: int  # groups of people whom the destination cannot tell apart
    smallest: int | None  # people in the smallest; none: nobody leaves
    alone: int  # people who share what is told of them with nobody


def compare(
    people: People,
    lines: Sequence[AbstractionError],
    told: Sequence[str],
    work: duckdb.DuckDBPyConnection,
    *,
    size_of: Sizer,
    folder: Path,
    climbed: Sequence[str] | None = None,
) -> tuple[Way, ...]:
    """Return the three ways for the campaigns of ``people``, from table ``side_by_side``.

    ``told`` are the columns of the release rule, ``lines`` what :func:`count` gave; ``climbed`` the
    columns that the gate leaves, which is a way of its own.
    """
    key = quoted(people.campaigns[0].subject.key)
    token = f"left(sha256('{'0' * 32}' || p.{key}), 32) as token"  # of the size of a real one
    _raw(people, token, work)
    _released("way_coarsened", told, token, work)
    _pairs(people, token, work)
    raw = tuple(_columns(work, "way_raw"))
    ways = [
        (Kind.RAW, "way_raw", raw, 0, 0),
        (
            Kind.COARSENED,
            "way_coarsened",
            tuple(told),
            sum(line.consenting.wrong for line in lines),
            sum(line.consenting.missed for line in lines),
        ),
    ]
    if climbed is not None:
        _released("way_climbed", climbed, token, work)
        counted = [line.climbed_consenting or line.consenting for line in lines]
        wrong, missed = sum(one.wrong for one in counted), sum(one.missed for one in counted)
        names = tuple(map(plain, climbed))
        ways.append((Kind.CLIMBED, "way_climbed", names, wrong, missed))
    ways.append((Kind.PREDICATE, "way_pairs", ("campaign",), 0, 0))
    found = []
    for kind, relation, columns, wrong, missed in ways:
        rows, persons, classes, smallest, alone = _classes(work, relation, columns)
        size = size_of(work, relation, folder / kind.value) if rows else 0
        found.append(
            Way(
                kind=kind,
                columns=columns,
                wrong=wrong,
                missed=missed,
                rows=rows,
                bytes=size,
                people=persons,
                classes=classes,
                smallest=smallest,
                alone=alone,
            )
        )
        work.execute(f"drop table {relation}")
    return tuple(found)


def _released(table: str, told: Sequence[str], token: str, work: duckdb.DuckDBPyConnection) -> None:
    """Make the rows that a release of some columns would send."""
    listed = "".join(f", p.{quoted('told_' + name)} as {quoted(plain(name))}" for name in told)
    work.execute(
        f"create temp table {table} as select {token}{listed}"
        f" from {SIDE_BY_SIDE} p where has_consent and is_released"
    )


def _raw(people: People, token: str, work: duckdb.DuckDBPyConnection) -> None:
    """Make the rows that a cloud would need to evaluate the exact conditions by itself."""
    campaign = people.campaigns[0]
    whom, key = campaign.subject, quoted(campaign.subject.key)
    own = [
        f"p.{quoted(name)} as {quoted(f'{whom.dataset}.{name}')}"
        for name in people.columns
        if name != whom.key
    ]
    joins = ""
    for reference, table in people.tables.items():
        held = [name for name in _columns(work, table, but="") if name != whom.key]
        name = f"of_{table}"
        taken = "".join(f", min({quoted(c)}) as {quoted(c)}" for c in held)
        joins += (
            f" left join (select {key}, true as there{taken} from {table} group by {key}) {name}"
        )
        joins += f" on {name}.{key} = p.{key}"
        short = reference.partition(".")[2]
        own += [f"{name}.{quoted(c)} as {quoted(f'{short}.{c}')}" for c in held]
        own += [] if held else [f"{name}.there as {quoted(short)}"]
    listed = ", ".join([token, *own])
    work.execute(
        f"create temp table way_raw as select {listed} from {SIDE_BY_SIDE} p{joins}"
        " where has_consent"
    )


def _pairs(people: People, token: str, work: duckdb.DuckDBPyConnection) -> None:
    """Make the rows that a predicate-only link would send."""
    work.execute("create temp table way_pairs (token varchar, campaign varchar)")
    for campaign in people.campaigns:
        values = Values()
        exact = people.sql(campaign, values)
        work.execute(
            f"insert into way_pairs select {token}, {literal(campaign.campaign)}"
            f" from {SIDE_BY_SIDE} p where has_consent and {exact}",
            values.bound,
        )


def _classes(
    work: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[str]
) -> tuple[int, int, int, int | None, int]:
    """Return rows, people, classes, the smallest class and how many are alone.

    Who has several rows is known by all of them together.
    """
    listed = ", ".join(map(quoted, columns))
    what = (
        f"list_sort(list({listed}))"
        if relation == "way_pairs"
        else f"any_value(row({listed or 0}))"
    )
    known = f"select token, count(*) as r, {what} as known from {relation} group by token"
    sql = (
        "select coalesce(sum(rows), 0)::bigint, coalesce(sum(n), 0)::bigint, count(*), min(n),"
        " count(*) filter (n = 1)"
        f" from (select known, count(*) as n, sum(r) as rows from ({known}) group by known)"
    )
    rows, people, classes, smallest, alone = work.execute(sql).fetchall()[0]
    return int(rows), int(people), int(classes), smallest, int(alone)


def _columns(work: duckdb.DuckDBPyConnection, table: str, but: str = "token") -> list[str]:
    found = work.execute(f"select column_name from (describe {quoted(table)})").fetchall()
    return [name for (name,) in found if name != but]
