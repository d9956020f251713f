"""Days in the city: births, deaths and moves, and what offices decide because of them.

The tables of the integrated database change and ``resident_events`` says why. Every household with
a resident keeps one head and its members are numbered without gaps; nobody who has left does
anything any more. The people with a story stay as they are told, but for the one who dies after
extraction.
"""

from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta

import duckdb
import numpy as np
import pyarrow as pa

from kumobashi.testing.city.decisions import (
    decide_child_allowance,
    end_for,
    switch_tax_year,
    turn_ages,
    turning_grown_up,
)
from kumobashi.testing.city.golden import golden
from kumobashi.testing.city.names import names
from kumobashi.testing.city.newcomers import Newcomers
from kumobashi.testing.city.outsiders import ELSEWHERE
from kumobashi.testing.city.register import FIRST_NO, LAST_NO
from kumobashi.testing.city.schema import MUNICIPALITY
from kumobashi.testing.city.succession import Member, succeed
from kumobashi.testing.city.towns import towns
from kumobashi.testing.city.views import (
    ELSEWHERE_NAME,
    PREFECTURE,
)

_STORIES_BELOW = "0001000000"  # numbers of people with a story
_ADDRESS = ("town_code", "town_name", "postal_code", "address_number", "address_building")


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Records that are new, that changed, and whose person is no resident any more."""

    inserted: int
    updated: int
    removed: int

    def __add__(self, other: "Changes") -> "Changes":
        """Return both together."""
        return Changes(
            inserted=self.inserted + other.inserted,
            updated=self.updated + other.updated,
            removed=self.removed + other.removed,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """How many people a day touches, or is to touch."""

    born: int
    died: int
    moved_in: int
    moved_out: int
    to_ward: int  # from ward to ward
    in_ward: int

    def __add__(self, other: "Touched") -> "Touched":
        """Return both together."""
        return Touched(**{f.name: getattr(self, f.name) + getattr(other, f.name)
                          for f in fields(self)})  # fmt: skip

    def __neg__(self) -> "Touched":
        """Return what is to be taken away."""
        return Touched(**{f.name: -getattr(self, f.name) for f in fields(self)})


class Day:
    """One day's events; each household is touched by one of them at most."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        *,
        seed: int,
        on: date,
        wanted: Touched,
        newcomers: Newcomers,
    ) -> None:
        self._connection, self._seed, self._on, self._wanted = connection, seed, on, wanted
        self._newcomers = newcomers
        self._at = datetime.combine(on, time(0, 10))
        self._rng = np.random.default_rng([seed, on.toordinal()])
        self._touched: list[str] = []  # homes whose members are numbered anew
        self.births: list[tuple[str, str]] = []  # child, mother
        connection.execute(
            """create or replace temp table drawn as
            select household_no, count(*) as members, min(resident_no) as anyone,
                any_value(w.ward) as ward,
                count(*) filter (birth_date <= ?::date - interval 18 year) as adults,
                min(resident_no) filter (relationship = '12') as wife,
                max(birth_date) filter (relationship = '12') as wife_born,
                max(birth_date) as youngest,
                row_number() over (order by hash(household_no || ?::varchar), household_no) as turn,
                household_no < ? as is_touched
            from resident_registry join ward_of w using (town_code)
            where resident_status = '1' group by household_no""",
            [on, f"{seed} {on}", _STORIES_BELOW],
        )

    def pass_by(self) -> Changes:
        """Let the day happen."""
        if (self._on.month, self._on.day) == (6, 1):
            switch_tax_year(self._connection, self._on)
        died, succeeded = self._died()
        moved_out = self._moved_out()
        to_ward = self._moved_within(self._wanted.to_ward, "<>")
        in_ward = self._moved_within(self._wanted.in_ward, "=")
        born, moved_in = self._born(), self._moved_in()
        turn_ages(self._connection, self._on)
        grown_up = turning_grown_up(self._connection, self._on)
        decide_child_allowance(self._connection, self._touched + grown_up, self._on)
        self._number_members()
        self.done = Touched(born=born, died=died, moved_in=moved_in, moved_out=moved_out,
                            to_ward=to_ward, in_ward=in_ward)  # fmt: skip
        return Changes(
            inserted=born + moved_in,
            updated=to_ward + in_ward + succeeded,
            removed=died + moved_out,
        )

    # -- leaving --------------------------------------------------------------------------------

    def _died(self) -> tuple[int, int]:
        """Let people die, the older the likelier; return them, and those who became another kin."""
        rows = self._connection.execute(
            """with candidates as (
                select r.resident_no, r.household_no, r.relationship, r.sex,
                    exp(0.098 * date_diff('day', r.birth_date, ?::date) / 365.2425) as risk,
                    (hash(r.resident_no || ?) % 1000003 + 1) / 1000005.0 as chance
                from resident_registry r join drawn d using (household_no)
                where resident_status = '1' and not is_touched and (members = 1 or adults >= 2))
            select resident_no, household_no, relationship, sex from (
                select *, row_number() over (
                    partition by household_no order by -ln(chance) / risk) as first
                from candidates)
            where first = 1 order by -ln(chance) / risk, resident_no limit ?""",
            [self._on, f"death {self._seed} {self._on}", max(self._wanted.died, 0)],
        ).fetchall()
        numbers = [row[0] for row in rows]
        self._leave(numbers, "3", "05", self._on)
        told = golden("died-after-extraction").number
        if self._lives(told):
            self._leave([told], "3", "05", self._on - timedelta(days=1))
            numbers.append(told)
        homes = [row[1] for row in rows]
        self._mark(homes)
        changed = sum(self._succession(home, sex) for _, home, code, sex in rows if code == "02")
        return len(numbers), changed

    def _lives(self, number: str) -> bool:
        found = self._connection.execute(
            "select count(*) from resident_registry"
            " where resident_no = ? and resident_status = '1'",
            [number],
        ).fetchall()
        return bool(found[0][0])

    def _succession(self, home: str, late_sex: str) -> int:
        """Find the new head; return how many members changed their relationship."""
        rows = self._connection.execute(
            """select resident_no, relationship, sex,
                date_diff('day', birth_date, ?::date) / 365.2425
            from resident_registry where household_no = ? and resident_status = '1'
            order by resident_no""",
            [self._on, home],
        ).fetchall()
        members = [Member(*row) for row in rows]
        if not members:
            return 0
        changed = [(m, code) for m, code in succeed(members, late_sex=late_sex)
                   if code != m.relationship]  # fmt: skip
        for member, code in changed:
            self._connection.execute(
                "update resident_registry set relationship = ?, updated_at = ?"
                " where resident_no = ?",
                [code, self._at, member.number],
            )
        self._note([member.number for member, _ in changed], "08", "3", self._on)
        return len(changed)

    def _moved_out(self) -> int:
        """Let households leave, some of them for another country."""
        homes = self._touch(self._wanted.moved_out, "members <= 4")
        numbers = self._residents(homes)
        abroad = {home for home in homes if self._rng.random() < 0.03}  # noqa: PLR2004 - assumed
        away = self._residents(sorted(abroad))
        near = sorted(set(numbers) - set(away))
        self._leave(near, "2", "04", self._on)
        self._leave(away, "2", "16", self._on)
        return len(numbers)

    def _leave(self, numbers: list[str], status: str, reason: str, on: date) -> None:
        if not numbers:
            return
        self._connection.execute(
            """update resident_registry set resident_status = ?, updated_at = ?
            where resident_no in (select unnest(?::varchar[]))""",
            [status, self._at, numbers],
        )
        self._connection.execute(
            """update resident_details set removed_on = ?, display_order = null
            where resident_no in (select unnest(?::varchar[]))""",
            [on, numbers],
        )
        self._note(numbers, reason, "2", on)
        end_for(self._connection, numbers, on)

    # -- staying --------------------------------------------------------------------------------

    def _moved_within(self, wanted: int, same: str) -> int:
        """Let households move to where another one lives, in the same ward or in another."""
        homes = self._touch(wanted, "members <= 5", renumber=False)
        self._connection.execute(
            f"""create or replace temp table movers as
            with places as (
                select anyone, ward, row_number() over (order by ward, turn) as place from drawn),
            moving as (select household_no, ward as old_ward,
                    hash('to' || household_no || ?::varchar) as chance
                from drawn where household_no in (select unnest(?::varchar[]))),
            wards as (select ward, min(place) as first, count(*) as many from places group by 1),
            going as (
                select m.*, w.first, w.many, row_number() over (
                    partition by household_no order by hash(household_no || w.ward::varchar)
                ) as choice from moving m join wards w on w.ward {same} m.old_ward)
            select g.household_no as mover, r.town_code, r.town_name, r.postal_code,
                r.address_number, r.address_building, w.ward
            from going g
                join places p on p.place = g.first + (g.chance % g.many)::bigint
                join resident_registry r on r.resident_no = p.anyone
                join ward_of w using (town_code)
            where g.choice = 1""",
            [str(self._on), homes],
        )
        numbers = self._residents(homes)
        self._note(numbers, "03", "3", self._on, towns_from="movers")
        assigned = ", ".join(f"{column} = m.{column}" for column in _ADDRESS)
        self._connection.execute(
            f"""update resident_registry r set {assigned}, updated_at = ?
            from movers m where r.household_no = m.mover and r.resident_status = '1'""",
            [self._at],
        )
        self._connection.execute(
            """update resident_details d set ward_code = (m.ward + 1)::varchar
            from movers m, resident_registry r
            where r.household_no = m.mover and r.resident_no = d.resident_no
                and r.resident_status = '1'"""
        )
        return len(numbers)

    # -- coming ---------------------------------------------------------------------------------

    def _born(self) -> int:
        """Let couples with a wife between 20 and 42 have a child, in the last two weeks."""
        homes = self._touch(
            self._wanted.born,
            f"""wife is not null and youngest < date '{self._on}' - interval 15 month
                and wife_born between date '{self._on}' - interval 42 year
                    and date '{self._on}' - interval 20 year""",
            counting="1",
        )
        known, count = names(), len(homes)
        sex = self._rng.integers(1, 3, count)
        given = [known.given[int(known.modern[int(s)].draw(self._rng.random(1))[0])] for s in sex]
        children = pa.table(
            {
                "home": pa.array(homes, pa.string()),
                "number": pa.array(self._unused("resident_no", count), pa.string()),
                "sex": pa.array(sex).cast(pa.string()),
                "written": pa.array([written for written, _ in given], pa.string()),
                "kana": pa.array([kana for _, kana in given], pa.string()),
                "born": pa.array(
                    [self._on - timedelta(days=int(d)) for d in self._rng.integers(0, 14, count)],
                    pa.date32(),
                ),
            }
        )
        self._connection.register("incoming", children)
        self._connection.execute(
            """insert into resident_registry
            select mother.* replace (i.number as resident_no, i.written as given_name,
                i.kana as given_name_kana, i.sex as sex, i.born as birth_date,
                '20' as relationship, i.born as resident_since, ?::timestamp as updated_at)
            from incoming i join drawn d on d.household_no = i.home
                join resident_registry mother on mother.resident_no = d.wife""",
            [self._at],
        )
        self.births = self._connection.execute(
            "select i.number, d.wife from incoming i join drawn d on d.household_no = i.home"
        ).fetchall()
        self._connection.unregister("incoming")
        numbers = children["number"].to_pylist()
        self._detail(numbers)
        self._note(numbers, "01", "1", None)
        return count

    def _moved_in(self) -> int:
        """Let households of another city, which nobody saw before, come in."""
        arrived = self._newcomers.take(
            self._wanted.moved_in, self._unused, on=self._on, at=self._at
        )
        for table, rows in arrived.rows.items():
            self._connection.register("incoming", rows)
            self._connection.execute(f"insert into {table} by name from incoming")
            self._connection.unregister("incoming")
        self._touched += arrived.homes
        self._detail(arrived.numbers)
        abroad = [n for n, h in zip(arrived.numbers, arrived.home_of, strict=True)
                  if h in arrived.from_abroad]  # fmt: skip
        near = sorted(set(arrived.numbers) - set(abroad))
        self._note(near, "02", "1", self._on)
        self._note(abroad, "15", "1", self._on)
        return len(arrived.numbers)

    # -- writing --------------------------------------------------------------------------------

    def _touch(
        self, wanted: int, condition: str, *, counting: str = "members", renumber: bool = True
    ) -> list[str]:
        """Take the next households, up to the people wanted together, and mark them as touched."""
        rows = self._connection.execute(
            f"""select household_no from (
                select household_no, sum({counting}) over (order by turn) - {counting} / 2.0
                    as together
                from drawn where not is_touched and {condition}
            ) where together <= ? order by household_no""",
            [wanted],
        ).fetchall()
        homes = [row[0] for row in rows]
        self._mark(homes, renumber=renumber)
        return homes

    def _mark(self, homes: list[str], *, renumber: bool = True) -> None:
        if renumber:
            self._touched += homes
        self._connection.execute(
            "update drawn set is_touched = true"
            " where household_no in (select unnest(?::varchar[]))",
            [homes],
        )

    def _residents(self, homes: list[str]) -> list[str]:
        rows = self._connection.execute(
            """select resident_no from resident_registry where resident_status = '1'
                and household_no in (select unnest(?::varchar[])) order by 1""",
            [homes],
        ).fetchall()
        return [row[0] for row in rows]

    def _detail(self, numbers: list[str]) -> None:
        self._connection.execute(
            """insert into resident_details by name
            select r.resident_no, (w.ward + 1)::varchar as ward_code, '0' as birth_date_unknown
            from resident_registry r join ward_of w using (town_code)
            where r.resident_no in (select unnest(?::varchar[])) order by 1""",
            [numbers],
        )

    def _note(
        self, numbers: list[str], reason: str, kind: str, on: date | None, towns_from: str = ""
    ) -> None:
        """Write an event for each; without a day it is the day of birth."""
        away = {"02": "previous", "04": "destination"}.get(reason)
        place = (
            f""", '{ELSEWHERE}' as {away}_municipality_code, '{PREFECTURE}' as {away}_prefecture,
                '{ELSEWHERE_NAME}' as {away}_municipality"""
            if away
            else ""
        )
        towns_named = ", r.town_name as previous_town, m.town_name as destination_town"
        joined = f"join {towns_from} m on m.mover = r.household_no" if towns_from else ""
        self._connection.execute(
            f"""insert into resident_events by name
            select '{MUNICIPALITY}' as municipality_code, r.resident_no,
                (1 + coalesce(e.last, 0))::integer as event_no,
                coalesce(?::date, r.birth_date) as event_date, '0' as event_date_unknown,
                ?::date as event_reported_on, '{kind}' as event_kind, '{reason}' as event_reason,
                r.household_no, r.resident_status, ?::date as processed_on
                {towns_named if towns_from else ""}{place}
            from resident_registry r {joined} left join (
                select resident_no, max(event_no) as last from resident_events
                where resident_no in (select unnest(?::varchar[])) group by 1) e using (resident_no)
            where r.resident_no in (select unnest(?::varchar[])) order by r.resident_no""",
            [on, self._on, self._on, numbers, numbers],
        )

    def _number_members(self) -> None:
        """Give members of touched homes their places: head, spouse, the others as they stood."""
        self._connection.execute(
            """update resident_details d set display_order = n.place from (
                select r.resident_no, (row_number() over (partition by r.household_no order by
                    case when relationship = '02' then 0
                        when relationship in ('11', '12', '13', '14') then 1 else 2 end,
                    x.display_order nulls last, r.birth_date, r.resident_no))::integer as place
                from resident_registry r join resident_details x using (resident_no)
                where resident_status = '1'
                    and r.household_no in (select unnest(?::varchar[]))) n
            where n.resident_no = d.resident_no""",
            [self._touched],
        )

    def _unused(self, column: str, count: int) -> list[str]:
        """Return numbers that nobody has."""
        numbers = self._rng.integers(FIRST_NO, LAST_NO, 2 * count + 10).tolist()
        drawn = [f"{number:010d}" for number in dict.fromkeys(numbers)]
        taken = self._connection.execute(
            f"select distinct {column} from resident_registry "
            f"where {column} in (select unnest(?::varchar[]))",
            [drawn],
        ).fetchall()
        known = {row[0] for row in taken}
        return [number for number in drawn if number not in known][:count]


def know_wards(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the table that says in which ward a town lies."""
    places = towns()
    rows = pa.table(
        {
            "town_code": [town.code for town in places],
            "ward": pa.array([town.ward for town in places], pa.int32()),
        }
    )
    connection.register("incoming", rows)
    connection.execute("create or replace temp table ward_of as from incoming")
    connection.unregister("incoming")
