"""A rule computed by a real PostgreSQL gives the same rows as in the gateway."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import adbc_driver_postgresql.dbapi as adbc
import pytest

from kumobashi.release.rules import TIES
from kumobashi.testing.postgresql import running
from tests.unit.release.staged import ON, person
from tests.unit.release.test_ladders import AREAS, TALL

pytest.importorskip("ibis")
from kumobashi.release.pushing import push_down
from tests.unit.release.test_pushing import (
    KINDS,
    Rows,
    climbed_to,
    expected,
    run_pushed,
    same,
    tables,
)

pytestmark = [pytest.mark.postgres, pytest.mark.slow]
_TYPES = {"string": "text", "int64": "bigint", "date": "date"}


def city(residents: int) -> Rows:
    """Return invented residents with everything that is hard: nulls, leap days, odd codes."""
    chance = random.Random(20261122)
    numbers = [f"{n:010d}" for n in range(residents)]
    towns = ["111110", "111211", "112112", "119913", "1111", "", None]
    names = ["髙橋", "辻󠄀本", "林", "ｶﾞｷﾞｸﾞ", "O'Neil", "", None]
    days = [date(2016, 4, 1), date(2016, 4, 2), date(2020, 2, 29), ON, ON + timedelta(days=1)]

    def born() -> date | None:
        early = date(1915, 1, 1) + timedelta(days=chance.randrange(40_800))
        return chance.choice([early, early, early, chance.choice(days), None])

    return {
        "residents": [
            person(
                number,
                household_no=f"h{chance.randrange(residents // 3)}",
                birth_date=born(),
                relationship=chance.choice(["02", "12", "11", "20", "20,12", "2", "52", "20,20"]),
                town_code=chance.choice(towns),
                family_name=chance.choice(names),
                income=chance.choice([-5, 0, 15, 85, 1 << 40, None]),
            )
            for number in numbers
        ],
        "tax": [
            {"resident_no": number, "kind": chance.choice(["0", "1", "0", "1", "?", None])}
            for number in [*chance.sample(numbers, residents * 9 // 10), None]
        ],
        "areas": AREAS,
        "consents": [
            {
                "resident_no": number,
                "purpose": chance.choice(["p", "p", "p", "q"]),
                "granted_on": chance.choice([date(2020, 1, 1), ON, ON + timedelta(days=1)]),
                "withdrawn_on": chance.choice([None, None, ON, ON + timedelta(days=1)]),
            }
            for number in numbers
        ],
        "given": [
            {"resident_no": number, "vaccine": chance.choice(["je-1", "je-2"])}
            for number in [*chance.sample(numbers, residents // 9), None]
        ],
        TIES: [
            {"resident_no": number, "high": "0", "low": "0", "reason": "item"}
            for place, number in enumerate(numbers)
            if place % 10
        ],
    }


@pytest.fixture(scope="module")
def rows() -> Rows:
    return city(500)


@pytest.fixture(scope="module")
def source(rows: Rows) -> Iterator[Any]:
    with running() as uri, adbc.connect(uri) as connection:
        with connection.cursor() as cursor:
            for name, kinds in KINDS.items():
                columns = ", ".join(f"{column} {_TYPES[kind]}" for column, kind in kinds.items())
                cursor.execute(f"create table {name} ({columns})")
                marks = ", ".join(f"${number}" for number in range(1, len(kinds) + 1))
                for row in rows[name]:
                    values = [row[column] for column in kinds]
                    cursor.execute(f"insert into {name} values ({marks})", values)
        connection.commit()

        def ask(sql: str) -> Any:
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetch_arrow_table()

        yield ask


@pytest.mark.parametrize(("level", "how"), [(0, "go_on"), (1, "quarantine"), (2, "go_on")])
def test_every_row_is_the_same(source: Any, rows: Rows, level: int, how: Any) -> None:
    said = climbed_to(level)
    made = push_down(said, tables(), purpose="p", on=ON)

    got = run_pushed(said, made, source, rows, how)

    assert got[0].rows > 20
    same(got, expected(said, rows, how))
    assert len(TALL) < len(got[0].columns)
