"""Days in the city: births, deaths and moves, and what offices decide because of them.

The tables of the integrated database change and ``resident_events`` says why. Every household with
a resident keeps one head and its members are numbered without gaps; nobody who has left does
anything any more. The people with a story stay as they are told, but for the one who dies after
extraction.
"""

from datetime import date, timedelta

import duckdb
import numpy as np
import pyarrow as pa

from kumobashi.testing.city.day_counts import Changes, Touched
from kumobashi.testing.city.day_registers import DayRegisters
from kumobashi.testing.city.decisions import (
    decide_child_allowance,
    switch_tax_year,
    turn_ages,
    turning_grown_up,
)
from kumobashi.testing.city.golden import golden
from kumobashi.testing.city.names import names
from kumobashi.testing.city.newcomers import Newcomers
from kumobashi.testing.city.succession import Member, succeed

_STORIES_BELOW = "0001000000"  # numbers of people with a story
_ADDRESS = ("town_code", "town_name", "postal_code", "address_number", "address_building")


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
        self._rng = np.random.default_rng([seed, on.toordinal()])
        self._registers = DayRegisters(connection, on, self._rng)
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
        decide_child_allowance(self._connection, self._registers.touched + grown_up, self._on)
        self._registers.number_members()
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
        self._registers.leave(numbers, "3", "05", self._on)
        told = golden("died-after-extraction").number
        if self._registers.lives(told):
            self._registers.leave([told], "3", "05", self._on - timedelta(days=1))
            numbers.append(told)
        homes = [row[1] for row in rows]
        self._registers.mark(homes)
        changed = sum(self._succession(home, sex) for _, home, code, sex in rows if code == "02")
        return len(numbers), changed

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
                [code, self._registers.at, member.number],
            )
        self._registers.note([member.number for member, _ in changed], "08", "3", self._on)
        return len(changed)

    def _moved_out(self) -> int:
        """Let households leave, some of them for another country."""
        homes = self._registers.touch(self._wanted.moved_out, "members <= 4")
        numbers = self._registers.residents_of(homes)
        abroad = {home for home in homes if self._rng.random() < 0.03}  # noqa: PLR2004 - assumed
        away = self._registers.residents_of(sorted(abroad))
        near = sorted(set(numbers) - set(away))
        self._registers.leave(near, "2", "04", self._on)
        self._registers.leave(away, "2", "16", self._on)
        return len(numbers)

    # -- staying --------------------------------------------------------------------------------

    def _moved_within(self, wanted: int, same: str) -> int:
        """Let households move to where another one lives, in the same ward or in another."""
        homes = self._registers.touch(wanted, "members <= 5", renumber=False)
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
        numbers = self._registers.residents_of(homes)
        self._registers.note(numbers, "03", "3", self._on, towns_from="movers")
        assigned = ", ".join(f"{column} = m.{column}" for column in _ADDRESS)
        self._connection.execute(
            f"""update resident_registry r set {assigned}, updated_at = ?
            from movers m where r.household_no = m.mover and r.resident_status = '1'""",
            [self._registers.at],
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
        homes = self._registers.touch(
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
                "number": pa.array(self._registers.unused("resident_no", count), pa.string()),
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
            [self._registers.at],
        )
        self.births = self._connection.execute(
            "select i.number, d.wife from incoming i join drawn d on d.household_no = i.home"
        ).fetchall()
        self._connection.unregister("incoming")
        numbers = children["number"].to_pylist()
        self._registers.detail(numbers)
        self._registers.note(numbers, "01", "1", None)
        return count

    def _moved_in(self) -> int:
        """Let households of another city, which nobody saw before, come in."""
        arrived = self._newcomers.take(
            self._wanted.moved_in, self._registers.unused, on=self._on, at=self._registers.at
        )
        for table, rows in arrived.rows.items():
            self._connection.register("incoming", rows)
            self._connection.execute(f"insert into {table} by name from incoming")
            self._connection.unregister("incoming")
        self._registers.touched += arrived.homes
        self._registers.detail(arrived.numbers)
        abroad = [n for n, h in zip(arrived.numbers, arrived.home_of, strict=True)
                  if h in arrived.from_abroad]  # fmt: skip
        near = sorted(set(arrived.numbers) - set(abroad))
        self._registers.note(near, "02", "1", self._on)
        self._registers.note(abroad, "15", "1", self._on)
        return len(arrived.numbers)
