"""The abstraction error table, counted by hand on small tables, and against plain Python."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kumobashi.release.abstraction import AbstractionError, count, error_table, side_by_side
from kumobashi.release.campaigns import Campaign
from kumobashi.release.climbed_error import with_climbed
from kumobashi.release.releasing import Source
from kumobashi.release.rules import ReleaseRule
from kumobashi.release.verdicts import Counts, Error, Verdict, error_of, judge
from kumobashi.storage.duckdb_tables import DuckDBSnapshot
from kumobashi.storage.errors import ColumnMissing

ON = date(2026, 11, 22)
TABLES = {
    "residents": "resident_no varchar, household_no varchar, birth_date date,"
    " relationship varchar, town_code varchar, address_number varchar, resident_status varchar",
    "nhi": "resident_no varchar, kind varchar",
    "consents": "resident_no varchar, purpose varchar, granted_on date, withdrawn_on date",
}
Rows = dict[str, list[tuple[Any, ...]]]
RULE: dict[str, Any] = {
    "kumobashi": 1,
    "release": "r",
    "version": 1,
    "name": "例",
    "datasets": {name: f"s.{name}" for name in TABLES},
    "subject": {
        "dataset": "residents",
        "key": "resident_no",
        "household": "household_no",
        "only": {"resident_status": ["1"]},
    },
    "consent": {"dataset": "consents", "by": "subject"},
    "columns": [
        {"name": "token", "op": "token", "of": "resident_no"},
        {"name": "ym", "op": "truncate", "of": "birth_date", "to": "month"},
        {"name": "town", "op": "prefix", "of": "town_code", "length": 3},
        {"name": "yms", "op": "household_birth_months", "of": "birth_date", "under": 18},
        {
            "name": "insured",
            "op": "flag",
            "dataset": "nhi",
            "of": "kind",
            "one": ["1"],
            "zero": ["0"],
        },
    ],
}
CAMPAIGN: dict[str, Any] = {
    "kumobashi": 1,
    "campaign": "c",
    "version": 1,
    "name": "例",
    "purpose": "p",
    "datasets": {"residents": "s.residents", "nhi": "s.nhi"},
    "subject": {
        "dataset": "residents",
        "key": "resident_no",
        "household": "household_no",
        "only": {"resident_status": ["1"]},
    },
    "exact": {"op": "days", "column": "birth_date", "from": "2025-05-08", "to": "2025-05-23"},
    "coarsened": {"rule": "r", "when": {"op": "code", "column": "ym", "one_of": [202505]}},
    "min_precision": 0.95,
    "min_recall": 0.99,
    "max_age": {"residents": {"days": 1}, "nhi": {"days": 1}},
}


def campaign(**changes: Any) -> Campaign:
    return Campaign.model_validate({**CAMPAIGN, **changes})


@contextmanager
def loaded(rows: Rows) -> Iterator[tuple[dict[str, Source], duckdb.DuckDBPyConnection]]:
    """Give the tables as sources, and an empty working database."""
    source, work = duckdb.connect(), duckdb.connect()
    try:
        for name, types in TABLES.items():
            source.execute(f"create table {name} ({types})")
            if rows.get(name):
                marks = ", ".join("?" * (types.count(",") + 1))
                source.executemany(f"insert into {name} values ({marks})", rows[name])
        reader = DuckDBSnapshot("s", source)
        yield {name: Source(reader, name) for name in TABLES}, work
    finally:
        source.close()
        work.close()


def table(rows: Rows, *campaigns: Campaign, on: date = ON, **rule: Any) -> list[AbstractionError]:
    with loaded(rows) as (sources, work):
        hall = {f"s.{name}": found for name, found in sources.items()}
        made = ReleaseRule.model_validate({**RULE, **rule})
        return error_table(made, campaigns, sources, hall, work, purpose="p", on=on)


def behind_the_gate(rows: Rows, levels: Mapping[str, int], *columns: Any) -> AbstractionError:
    """Return the line of :data:`CAMPAIGN` where columns have climbed."""
    rule = ReleaseRule.model_validate({**RULE, "columns": [RULE["columns"][0], *columns]})
    with loaded(rows) as (sources, work):
        hall = {f"s.{name}": found for name, found in sources.items()}
        for people in side_by_side(
            rule,
            [(campaign(),)],
            sources,
            hall,
            work,
            purpose="p",
            on=ON,
            is_whole=False,
            levels=levels,
        ):
            (line,) = count(rule.release, people, work)
            return with_climbed(rule, line, people, levels, work)
        raise AssertionError("nobody to choose from")


def person(
    number: str,
    born: date | None,
    *,
    household: str | None = "h",
    town: str = "1010",
    at: str = "1番1号",
    status: str = "1",
) -> tuple[Any, ...]:
    return (number, household, born, "02", town, at, status)


def consent(*numbers: str) -> list[tuple[Any, ...]]:
    return [(number, "p", ON, None) for number in numbers]


def test_wrong_and_missed_are_counted_of_all_and_of_those_who_consented() -> None:
    rows: Rows = {
        "residents": [
            person("in", date(2025, 5, 8)),
            person("also", date(2025, 5, 23)),
            person("early", date(2025, 5, 7)),
            person("late", date(2025, 5, 24)),
            person("other", date(2025, 6, 1)),
            person("gone", date(2025, 5, 9), status="2"),
            person("unknown", None),
        ],
        "consents": consent("in", "early", "gone"),
    }

    (line,) = table(rows, campaign())

    assert line.counts == Counts(people=6, exact=2, coarsened=4, both=2)
    assert (line.counts.wrong, line.counts.missed) == (2, 0)
    assert (line.counts.precision, line.counts.recall) == (0.5, 1.0)
    assert line.consenting == Counts(people=2, exact=1, coarsened=2, both=1)
    assert (line.unknown_exact, line.unknown_coarsened) == (1, 1)
    assert (line.error, line.verdict) == (Error.UNACCEPTABLE, Verdict.GENERAL)


def test_unknown_is_no_match_even_behind_not() -> None:
    rows: Rows = {
        "residents": [person("a", ON), person("b", ON), person("c", ON), person("d", ON)],
        "nhi": [("a", "1"), ("b", "0"), ("c", None)],
    }
    insured = {"op": "has_row", "dataset": "nhi", "where": _kind()}
    said = campaign(
        exact={"op": "not", "of": insured},
        coarsened={"rule": "r", "when": {"op": "flag", "column": "insured", "is": 0}},
    )

    (line,) = table(rows, said)

    # b and d are surely not insured; of c nobody knows, on either side
    assert line.counts == Counts(people=4, exact=2, coarsened=2, both=2)
    assert (line.unknown_exact, line.unknown_coarsened) == (1, 1)


def _kind() -> dict[str, Any]:
    return {"op": "code", "column": "kind", "one_of": ["1"], "none_of": ["0"]}


def test_one_of_several_rows_is_enough_and_an_unclear_one_leaves_it_open() -> None:
    rows: Rows = {
        "residents": [person("a", ON), person("b", ON), person("c", ON)],
        "nhi": [("a", None), ("a", "1"), ("b", None), ("b", "0"), ("c", "0"), ("c", "0")],
    }

    (line,) = table(rows, campaign(exact={"op": "has_row", "dataset": "nhi", "where": _kind()}))

    assert (line.counts.exact, line.unknown_exact) == (1, 1)


def test_households_answer_for_all_their_members() -> None:
    rows: Rows = {
        "residents": [
            person("child", date(2017, 11, 30)),
            person("parent", date(1990, 1, 1)),
            person("neighbour", date(1990, 1, 1), household="g"),
            person("nowhere", date(2017, 11, 3), household=None),
            person("moved", date(2017, 11, 3), household="g", status="2"),
        ],
        "nhi": [("parent", "1")],
    }
    month = {"from": {"years": 9, "at": "month_start"}, "to": {"years": 9, "at": "month_end"}}
    child = {"op": "days", "column": "birth_date", **month}
    insured = {"op": "has_row", "dataset": "nhi", "where": _kind()}
    told = {"op": "has_month", "column": "yms", "from": {"years": 9}, "to": {"years": 9}}
    both = {"op": "household_has", "where": {"op": "any", "of": [child, insured]}}

    one, two = table(
        rows,
        campaign(
            exact={"op": "household_has", "where": child}, coarsened={"rule": "r", "when": told}
        ),
        campaign(campaign="d", exact={"op": "all", "of": [both, insured]}),
    )

    assert (one.counts.exact, one.unknown_exact) == (2, 1)  # nobody knows with whom "nowhere" lives
    assert one.counts.both == 2
    assert two.counts.exact == 1


def test_who_the_rule_leaves_out_is_missed() -> None:
    rows: Rows = {
        "residents": [person("young", date(2025, 5, 9)), person("old", date(1980, 5, 9))],
        "consents": consent("young", "old"),
    }
    everybody = {"op": "days", "column": "birth_date", "to": "2026-01-01"}
    when = {"op": "number", "column": "ym", "from": 190001}
    subject = {**RULE["subject"], "age": {"from": 0, "to": 17}}

    (line,) = table(
        rows, campaign(exact=everybody, coarsened={"rule": "r", "when": when}), subject=subject
    )

    assert line.counts == Counts(people=2, exact=2, coarsened=1, both=1)
    assert line.consenting.missed == 1


def test_the_heads_consent_counts_for_the_household_where_the_rule_says_so() -> None:
    rows: Rows = {
        "residents": [
            person("head", date(1980, 1, 1)),
            ("child", "h", date(2025, 5, 9), "20", "1010", "1番1号", "1"),
            person("other", date(2025, 5, 9), household="g"),
        ],
        "consents": consent("head"),
    }

    (line,) = table(rows, campaign(), consent={"dataset": "consents", "by": "household_head"})

    assert line.counts.exact == 2
    assert line.consenting == Counts(people=2, exact=1, coarsened=1, both=1)


def test_campaigns_over_different_people_are_counted_apart() -> None:
    rows: Rows = {
        "residents": [person("a", date(2025, 5, 9)), person("b", date(2025, 5, 9), status="2")]
    }
    gone = {**CAMPAIGN["subject"], "only": {"resident_status": ["2"]}}

    here, left = table(rows, campaign(), campaign(campaign="left", subject=gone))

    assert here.counts == Counts(people=1, exact=1, coarsened=1, both=1)
    assert left.counts == Counts(people=1, exact=1, coarsened=0, both=0)  # the rule releases none
    assert left.verdict is Verdict.UNFIT


def test_each_of_many_campaigns_gets_its_own_counts() -> None:
    rows: Rows = {
        "residents": [person(str(day), date(2025, 5, day)) for day in range(1, 20)],
        "consents": consent("1", "2", "3"),
    }
    many = [
        campaign(
            campaign=f"c{day}",
            exact={"op": "days", "column": "birth_date", "to": date(2025, 5, day)},
        )
        for day in range(1, 20)
    ]

    lines = table(rows, *many)

    assert [line.campaign.campaign for line in lines] == [f"c{day}" for day in range(1, 20)]
    assert [line.counts.exact for line in lines] == list(range(1, 20))
    assert all(line.counts.coarsened == line.counts.people == 19 for line in lines)
    assert [line.consenting.exact for line in lines] == [1, 2, *[3] * 17]


def test_nobody_meant_is_more_often_a_fault_than_a_fact() -> None:
    (line,) = table({"residents": [person("a", date(1990, 1, 1))]}, campaign())

    assert (line.counts.precision, line.counts.recall) == (None, None)
    assert (line.error, line.verdict) == (Error.NOBODY, Verdict.UNFIT)


def test_a_column_that_the_source_lacks_is_named() -> None:
    with pytest.raises(ColumnMissing) as missing:
        table(
            {"residents": [person("a", ON)]},
            campaign(exact={"op": "days", "column": "died_on", "to": "2026-01-01"}),
        )
    assert missing.value.facts["column"] == "died_on"


# -- verdicts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("exact", "coarsened", "both", "error", "verdict"),
    [
        (100, 100, 100, Error.NONE, Verdict.PINPOINT),
        (1000, 1001, 1000, Error.SMALL, Verdict.PINPOINT),
        (1000, 990, 990, Error.SMALL, Verdict.PINPOINT),  # just the 0.99
        (1000, 989, 989, Error.UNACCEPTABLE, Verdict.GENERAL),
        (85, 200, 85, Error.UNACCEPTABLE, Verdict.GENERAL),  # 0.4235 of the report's window
        (27, 42, 17, Error.UNACCEPTABLE, Verdict.GENERAL),  # 0.40 and 0.63, across months
        (10, 50, 10, Error.UNACCEPTABLE, Verdict.GENERAL),
        (10, 51, 10, Error.LARGE, Verdict.UNFIT),  # more than five told for one who is meant
        (10, 10, 4, Error.LARGE, Verdict.UNFIT),  # fewer than half are told
        (352, 10_000, 352, Error.LARGE, Verdict.UNFIT),  # 0.0352, 土砂災害
        (10, 0, 0, Error.LARGE, Verdict.UNFIT),
        (0, 10, 0, Error.NOBODY, Verdict.UNFIT),
        (0, 0, 0, Error.NOBODY, Verdict.UNFIT),
    ],
)
def test_verdicts(exact: int, coarsened: int, both: int, error: Error, verdict: Verdict) -> None:
    counts = Counts(people=20_000, exact=exact, coarsened=coarsened, both=both)

    assert error_of(counts, min_precision=0.95, min_recall=0.99) is error
    assert judge(counts, min_precision=0.95, min_recall=0.99) is verdict


# -- against plain Python --------------------------------------------------------------------------

BORN = st.one_of(st.none(), st.dates(date(2025, 4, 20), date(2025, 6, 10)))
PEOPLE = st.lists(
    st.tuples(BORN, st.sampled_from(["1", "2"]), st.booleans(), st.sampled_from([None, "0", "1"])),
    max_size=12,
)


@settings(max_examples=40, deadline=None)
@given(people=PEOPLE)
def test_the_table_is_what_counting_one_by_one_gives(
    people: list[tuple[date | None, str, bool, str | None]],
) -> None:
    rows: Rows = {
        "residents": [
            person(str(n), born, household=str(n), status=status)
            for n, (born, status, _, _) in enumerate(people)
        ],
        "consents": consent(*(str(n) for n, (_, _, agrees, _) in enumerate(people) if agrees)),
        "nhi": [(str(n), kind) for n, (*_, kind) in enumerate(people) if kind],
    }
    window = CAMPAIGN["exact"]
    insured = {"op": "has_row", "dataset": "nhi", "where": _kind()}
    when = {
        "op": "all",
        "of": [CAMPAIGN["coarsened"]["when"], {"op": "flag", "column": "insured", "is": 1}],
    }

    (line,) = table(
        rows,
        campaign(
            exact={"op": "all", "of": [window, insured]}, coarsened={"rule": "r", "when": when}
        ),
    )

    here = [(born, agrees, kind == "1") for born, status, agrees, kind in people if status == "1"]
    meant = [bool(b and date(2025, 5, 8) <= b <= date(2025, 5, 23)) and i for b, _, i in here]
    told = [bool(b and (b.year, b.month) == (2025, 5)) and i for b, _, i in here]
    both = [m and t for m, t in zip(meant, told, strict=True)]
    agrees = [a for _, a, _ in here]
    assert line.counts == Counts(
        people=len(here), exact=sum(meant), coarsened=sum(told), both=sum(both)
    )
    assert line.consenting == Counts(
        people=sum(agrees),
        exact=sum(m and a for m, a in zip(meant, agrees, strict=True)),
        coarsened=sum(t and a for t, a in zip(told, agrees, strict=True)),
        both=sum(b and a for b, a in zip(both, agrees, strict=True)),
    )
    assert line.unknown_exact == sum(b is None and i for b, _, i in here)


SEEN: Mapping[int, Callable[[date], int]] = {
    1: lambda born: born.year,
    2: lambda born: born.year // 5,
    3: lambda _: 0,
}
YM = {**RULE["columns"][1], "ladder": ["year", "five_years", "drop"]}


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.dates(date(2022, 1, 1), date(2026, 6, 30)), st.booleans()), max_size=12),
    st.integers(0, 3),
)
def test_behind_the_gate_everybody_is_told_who_cannot_be_told_from_one_who_was_meant(
    people: list[tuple[date, bool]], level: int
) -> None:
    rows: Rows = {
        "residents": [person(str(n), born) for n, (born, _) in enumerate(people)],
        "consents": consent(*(str(n) for n, (_, agrees) in enumerate(people) if agrees)),
    }

    line = behind_the_gate(rows, {"ym": level}, YM)

    if level == 0:
        assert line.climbed is None
        return
    seen = SEEN[level]
    near = {seen(born) for born, _ in people if (born.year, born.month) == (2025, 5)}
    meant = [date(2025, 5, 8) <= born <= date(2025, 5, 23) for born, _ in people]
    told = [seen(born) in near for born, _ in people]

    def counted(who: list[bool]) -> Counts:
        return Counts(
            people=sum(who),
            exact=sum(m and w for m, w in zip(meant, who, strict=True)),
            coarsened=sum(t and w for t, w in zip(told, who, strict=True)),
            both=sum(m and t and w for m, t, w in zip(meant, told, who, strict=True)),
        )

    assert line.climbed == counted([True] * len(people))
    assert line.climbed_consenting == counted([agrees for _, agrees in people])
    assert line.climbed.wrong >= line.counts.wrong
    assert line.climbed.missed <= line.counts.missed
