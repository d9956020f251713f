"""Predicate-only: who gets which code, what it tells, and that nothing else leaves."""

from datetime import date
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kumobashi.exchange.tokens import destination_key, destination_pads
from kumobashi.release.campaigns import Campaign
from kumobashi.release.errors import NothingToRelease
from kumobashi.release.releasing import Released, Source, extract
from kumobashi.release.rules import ReleaseRule
from kumobashi.release.targeting import Targets, find_targets, release_targets
from kumobashi.storage.duckdb_tables import DuckDBSnapshot
from tests.unit.release.test_abstraction import (
    ON,
    RULE,
    TABLES,
    Rows,
    campaign,
    consent,
    person,
)

SECRET = bytes(range(32))
PAIRS: dict[str, Any] = {
    **RULE,
    "predicate_only": True,
    "campaigns": ["c", "d"],
    "columns": [
        {"name": "token", "op": "token", "of": "resident_no"},
        {"name": "campaign", "op": "campaign"},
        {"name": "base_date", "op": "base_date"},
    ],
}
INSURED = {
    "op": "has_row",
    "dataset": "nhi",
    "where": {"op": "code", "column": "kind", "one_of": ["1"], "none_of": ["0"]},
}


def token(number: str) -> str:
    return destination_key(SECRET, "999997", "there").token(number)


def run(
    rows: Rows, *campaigns: Campaign, **rule: Any
) -> tuple[Targets, Released, set[tuple[str, str, date]]]:
    source, work = duckdb.connect(), duckdb.connect()
    try:
        for name, types in TABLES.items():
            source.execute(f"create table {name} ({types})")
            if rows.get(name):
                marks = ", ".join("?" * (types.count(",") + 1))
                source.executemany(f"insert into {name} values ({marks})", rows[name])
        reader = DuckDBSnapshot("s", source)
        sources = {name: Source(reader, name) for name in TABLES}
        hall = {f"s.{name}": found for name, found in sources.items()}
        made = ReleaseRule.model_validate({**PAIRS, **rule})
        read = extract(made, sources, work, purpose="p", on=ON)
        targets = find_targets(campaigns, hall, work, on=ON, on_findings="refuse")
        pads = destination_pads(SECRET, "999997", "there")
        released = release_targets(made, work, read, on=ON, pads=pads)
        columns = [name for (name, *_) in work.execute("describe released").fetchall()]
        assert columns == ["token", "campaign", "base_date"]
        return targets, released, set(work.execute("from released").fetchall())
    finally:
        source.close()
        work.close()


def test_only_those_meant_who_consented_leave_by_token_and_code() -> None:
    rows: Rows = {
        "residents": [
            person("meant", date(2025, 5, 9)),
            person("silent", date(2025, 5, 9)),
            person("both", date(2025, 5, 10)),
            person("neither", date(1990, 1, 1)),
            person("gone", date(2025, 5, 9), status="2"),
            person("unknown", None),
        ],
        "nhi": [("both", "1"), ("neither", "0"), ("unknown", None)],
        "consents": consent("meant", "both", "neither", "gone", "unknown"),
    }

    targets, released, told = run(rows, campaign(), campaign(campaign="d", exact=INSURED))

    assert told == {
        (token("meant"), "c", ON),
        (token("both"), "c", ON),
        (token("both"), "d", ON),
    }
    assert targets.meant == {"c": 3, "d": 1}
    assert targets.unknown == {"c": 1, "d": 1}
    assert (released.extracted, released.rows, released.without_consent) == (5, 3, 3)
    # {c} and {c, d}: each of the two is alone with what the codes tell of him
    assert (released.smallest_class, released.rows_below_five, released.classes) == (1, 2, 2)


def test_nobody_meant_at_all_is_refused_unless_the_rule_allows_it() -> None:
    rows: Rows = {"residents": [person("a", date(1990, 1, 1))], "consents": consent("a")}

    with pytest.raises(NothingToRelease):
        run(rows, campaign())
    _, released, told = run(rows, campaign(), allow_empty=True)
    assert (released.rows, told) == (0, set())


def test_one_campaign_with_nobody_does_not_stop_the_others() -> None:
    rows: Rows = {"residents": [person("a", date(2025, 5, 9))], "consents": consent("a")}

    targets, released, told = run(rows, campaign(), campaign(campaign="d", exact=INSURED))

    assert targets.meant == {"c": 1, "d": 0}
    assert told == {(token("a"), "c", ON)}
    assert released.rows == 1


def test_the_head_may_consent_for_the_household() -> None:
    rows: Rows = {
        "residents": [
            person("head", date(1980, 1, 1)),
            ("child", "h", date(2025, 5, 9), "20", "1010", "1番1号", "1"),
            person("other", date(2025, 5, 9), household="g"),
        ],
        "consents": consent("head"),
    }

    _, _, told = run(rows, campaign(), consent={"dataset": "consents", "by": "household_head"})

    assert told == {(token("child"), "c", ON)}


@settings(max_examples=25, deadline=None)
@given(
    people=st.lists(
        st.tuples(st.sampled_from([None, date(2025, 5, 9), date(1990, 1, 1)]), st.booleans()),
        min_size=1,
        max_size=10,
    )
)
def test_nobody_is_reached_wrongly_and_nobody_who_consented_is_missed(
    people: list[tuple[date | None, bool]],
) -> None:
    rows: Rows = {
        "residents": [person(str(n), born) for n, (born, _) in enumerate(people)],
        "consents": consent(*(str(n) for n, (_, agrees) in enumerate(people) if agrees)),
    }

    _, _, told = run(rows, campaign(), allow_empty=True)

    meant = {n for n, (born, agrees) in enumerate(people) if born == date(2025, 5, 9) and agrees}
    assert told == {(token(str(n)), "c", ON) for n in meant}


@pytest.mark.parametrize(
    "changes",
    [
        {"campaigns": []},
        {"campaigns": ["c", "c"]},
        {"predicate_only": False},
        {"columns": [*PAIRS["columns"], {"name": "ym", "op": "truncate", "of": "b", "to": "year"}]},
        {"columns": PAIRS["columns"][1:]},
        {"columns": PAIRS["columns"][:1]},
    ],
)
def test_a_predicate_only_rule_tells_no_attribute(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"campaign|predicate|attribute|token"):
        ReleaseRule.model_validate({**PAIRS, **changes})
