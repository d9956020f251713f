"""A day in the city: births, deaths and moves, so that a difference link has something to send.

Only the register of the embedded integrated database changes. Every household keeps one head: a
child is born into a couple, people who live alone die, and whole households come, go and move.
"""

from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from kumobashi.testing.city.city import build
from kumobashi.testing.city.names import names

NEXT_DAY = date(2026, 11, 2)
# Chiba-shi in 2021, per day: 17 births, 26 deaths, 154 in, 140 out; moves from ward to ward count
# as both there, and are moves within the city here.
_SHARES = {"born": 0.05, "died": 0.075, "moved_in": 0.30, "moved_out": 0.275, "moved_within": 0.30}
_FIRST_NO, _LAST_NO = 10_000_000, 9_999_999_999


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Records that are new, that changed, and whose person is no resident any more."""

    inserted: int
    updated: int
    removed: int


def change(store: Path, seed: int, residents: int = 340, on: date = NEXT_DAY) -> Changes:
    """Let about ``residents`` people of the register in ``store`` be born, die or move."""
    with closing(duckdb.connect(str(store))) as connection:
        connection.execute("begin")
        day = _Day(connection, seed, residents, on)
        died, moved_out = day.died(), day.moved_out()
        moved_within = day.moved_within()
        born, moved_in = day.born(), day.moved_in()
        connection.execute("drop table drawn")
        connection.execute("commit")
    return Changes(inserted=born + moved_in, updated=moved_within, removed=died + moved_out)


class _Day:
    """One day's events; each household is touched by one of them at most."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, seed: int, residents: int, on: date
    ) -> None:
        self._connection, self._seed, self._on = connection, seed, on
        self._at = datetime.combine(on, time(0, 10))
        self._rng = np.random.default_rng([seed, residents])
        self._wanted = {event: max(1, round(residents * share)) for event, share in _SHARES.items()}
        connection.execute(
            """create temp table drawn as
            select household_no, count(*) as members, min(resident_no) as anyone,
                min(resident_no) filter (relationship = '12') as wife,
                max(birth_date) filter (relationship = '12') as wife_born,
                max(birth_date) as youngest,
                row_number() over (order by hash(household_no || ?::varchar), household_no) as turn,
                false as is_touched
            from resident_registry where resident_status = '1' group by household_no""",
            [seed],
        )

    def died(self) -> int:
        """Let people of 72 and more who live alone die."""
        chosen = self._touch("died", "members = 1 and youngest < ?::date - interval 72 year")
        return self._update(chosen, "resident_status = '3'", "(select 1)")

    def moved_out(self) -> int:
        """Let households leave."""
        chosen = self._touch("moved_out", "members <= 4 and ?::date is not null")
        return self._update(chosen, "resident_status = '2'", "(select 1)")

    def moved_within(self) -> int:
        """Let households move to where another one lives."""
        chosen = self._touch("moved_within", "members <= 5 and ?::date is not null")
        columns = ("town_code", "town_name", "postal_code", "address_number", "address_building")
        return self._update(
            chosen,
            ", ".join(f"{column} = there.{column}" for column in columns),
            """(select d.household_no as mover, t.*
                from (select *, lead(anyone, 1, anyone) over (order by turn) as other from drawn) d
                join resident_registry t on t.resident_no = d.other) there""",
            "and r.household_no = there.mover",
        )

    def born(self) -> int:
        """Let couples with a wife between 20 and 42 have a child, in the last two weeks."""
        condition = """wife is not null and youngest < ?::date - interval 2 year
            and wife_born between date '{0}' - interval 42 year and date '{0}' - interval 20 year"""
        homes = self._touch("born", condition.format(self._on.isoformat()), sum_of="1")
        known, count = names(), len(homes)
        sex = self._rng.integers(1, 3, count)
        given = [known.given[int(known.modern[int(s)].draw(self._rng.random(1))[0])] for s in sex]
        children = pa.table(
            {
                "home": pa.array(homes, pa.string()),
                "number": self._unused("resident_no", count),
                "sex": pa.array(sex).cast(pa.string()),
                "written": pa.array([written for written, _ in given], pa.string()),
                "kana": pa.array([kana for _, kana in given], pa.string()),
                "days": self._rng.integers(0, 14, count),
            }
        )
        return self._insert(
            children,
            """select mother.* replace (i.number as resident_no, i.written as given_name,
                i.kana as given_name_kana, i.sex as sex, ?::date - i.days::integer as birth_date,
                '20' as relationship, ?::date - i.days::integer as resident_since,
                ?::timestamp as updated_at)
            from incoming i join drawn d on d.household_no = i.home
                join resident_registry mother on mother.resident_no = d.wife""",
            [self._on, self._on, self._at],
        )

    def moved_in(self) -> int:
        """Let households of another city, which nobody saw before, come in."""
        with build(self._wanted["moved_in"], seed=self._seed, on=self._on) as elsewhere:
            incoming = elsewhere.arrow("resident_registry").filter(
                pa.compute.field("resident_status") == "1"
            )
        homes = incoming["household_no"].combine_chunks().dictionary_encode()
        fresh = self._unused("household_no", len(homes.dictionary)).take(homes.indices)
        number = self._unused("resident_no", incoming.num_rows)
        incoming = incoming.append_column("number", number).append_column("home", fresh)
        return self._insert(
            incoming,
            """select * exclude (number, home) replace (number as resident_no,
                home as household_no, greatest(birth_date, ?::date) as resident_since,
                ?::timestamp as updated_at) from incoming""",
            [self._on, self._at],
        )

    def _touch(self, event: str, condition: str, sum_of: str = "members") -> list[str]:
        """Take the next households, up to the people wanted together, and mark them as touched."""
        rows = self._connection.execute(
            f"""select household_no from (
                select household_no, sum({sum_of}) over (order by turn) as together
                from drawn where not is_touched and {condition}
            ) where together <= ? order by household_no""",
            [self._on, self._wanted[event]],
        ).fetchall()
        homes = [row[0] for row in rows]
        self._connection.execute(
            "update drawn set is_touched = true"
            " where household_no in (select unnest(?::varchar[]))",
            [homes],
        )
        return homes

    def _update(self, homes: list[str], assignment: str, source: str, joined: str = "") -> int:
        return self._count(
            f"""update resident_registry r set {assignment}, updated_at = ? from {source}
            where r.resident_status = '1' {joined}
                and r.household_no in (select unnest(?::varchar[]))""",
            [self._at, homes],
        )

    def _insert(self, rows: pa.Table, select: str, values: list[object]) -> int:
        self._connection.register("incoming", rows)
        try:
            return self._count(f"insert into resident_registry {select}", values)
        finally:
            self._connection.unregister("incoming")

    def _count(self, statement: str, values: list[object]) -> int:
        return int(self._connection.execute(statement, values).fetchall()[0][0])

    def _unused(self, column: str, count: int) -> pa.Array:
        """Return numbers that nobody has."""
        drawn = [
            f"{number:010d}"
            for number in dict.fromkeys(
                self._rng.integers(_FIRST_NO, _LAST_NO, 2 * count + 10).tolist()
            )
        ]
        taken = self._connection.execute(
            f"select distinct {column} from resident_registry "
            f"where {column} in (select unnest(?::varchar[]))",
            [drawn],
        ).fetchall()
        known = {row[0] for row in taken}
        return pa.array([number for number in drawn if number not in known][:count], pa.string())
