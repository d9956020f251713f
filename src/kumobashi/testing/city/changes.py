"""Let days pass: in a city in memory, or in the register that a system keeps in a file.

Both ways are one: a :class:`~kumobashi.testing.city.calendar.Day` over the tables of the
integrated database. In memory the days have the published number of events for the city's size; in
a file it is said how many people a day touches, so that a difference link has something to send.
"""

from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import duckdb

from kumobashi.testing.city.calendar import Day
from kumobashi.testing.city.city import City, build
from kumobashi.testing.city.day_counts import Changes, Touched
from kumobashi.testing.city.day_registers import know_wards
from kumobashi.testing.city.newcomers import Newcomers
from kumobashi.testing.city.published import Yearly, yearly
from kumobashi.testing.city.schema import SYSTEMS

NEXT_DAY = date(2026, 11, 2)
_SYSTEM = "integrated-db"
_YEAR = 365


def change(store: Path, seed: int, residents: int = 340, on: date = NEXT_DAY) -> Changes:
    """Let about ``residents`` people of the register in ``store`` be born, die or move."""
    rates = yearly(1_000_000)
    every = (
        rates.births
        + rates.deaths
        + rates.moves_in
        + rates.moves_out
        + rates.ward_to_ward
        + rates.within_ward
    )
    with closing(duckdb.connect(str(store))) as connection:
        know_wards(connection)
        wanted = _wanted(rates, 0, residents / every)
        newcomers = _newcomers(wanted.moved_in, seed, on)
        connection.execute("begin")
        changes = Day(connection, seed=seed, on=on, wanted=wanted, newcomers=newcomers).pass_by()
        connection.execute("commit")
    return changes


def advance(city: City, days: int) -> Changes:
    """Let so many days pass in the city; its tables, its events and its day change."""
    if days < 1:
        raise ValueError(f"days must be at least one, got {days}")
    connection = city.connection
    _settle(connection)
    know_wards(connection)
    rates = yearly(city.residents)
    newcomers = _newcomers(rates.moves_in * days // _YEAR, city.seed, city.on)
    total = Changes(inserted=0, updated=0, removed=0)
    owed = Touched(born=0, died=0, moved_in=0, moved_out=0, to_ward=0, in_ward=0)
    for _ in range(days):
        city.on += timedelta(days=1)
        # Whole households move: what a day could not do, the next one owes.
        owed += _wanted(rates, city.on.toordinal(), 1 / _YEAR)
        day = Day(connection, seed=city.seed, on=city.on, wanted=owed, newcomers=newcomers)
        connection.execute("begin")
        total += day.pass_by()
        owed += -day.done
        for child, mother in day.births:
            connection.execute(
                """insert into kin select ?::bigint, k.spouse_no, ?::bigint, null
                from (select 1) left join kin k on k.resident_no = ?::bigint""",
                [child, mother, mother],
            )
        connection.execute("commit")
    return total


def _settle(connection: duckdb.DuckDBPyConnection) -> None:
    """Turn the views of the tables that change into tables, once."""
    views = {
        row[0] for row in connection.execute("select view_name from duckdb_views()").fetchall()
    }
    for table in SYSTEMS[_SYSTEM]:
        if table.name in views:
            key = ", ".join(table.key)
            connection.execute(f"create table settled as from {table.name} order by {key}")
            connection.execute(f"drop view {table.name}")
            connection.execute(f"alter table settled rename to {table.name}")


def _wanted(rates: Yearly, day: int, share: float) -> Touched:
    """Return what one day's part is; over many days the parts sum to the whole."""

    def part(figure: int) -> int:
        if not day:
            return max(1, round(figure * share))
        return int(figure * share * (day + 1)) - int(figure * share * day)

    return Touched(
        born=part(rates.births),
        died=part(rates.deaths),
        moved_in=part(rates.moves_in),
        moved_out=part(rates.moves_out),
        to_ward=part(rates.ward_to_ward),
        in_ward=part(rates.within_ward),
    )


def _newcomers(wanted: int, seed: int, on: date) -> Newcomers:
    """Return enough households of another city."""
    with build(wanted + wanted // 20 + 40, seed=seed + 1, on=on, golden=False) as elsewhere:
        return Newcomers({name: elsewhere.arrow(name) for name in Newcomers.columns()})
