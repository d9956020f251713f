"""The registers that a day is written into: who leaves, who is new, what happened and why."""

from datetime import date, datetime, time

import duckdb
import numpy as np
import pyarrow as pa

from kumobashi.testing.city.decisions import end_for
from kumobashi.testing.city.outsiders import ELSEWHERE
from kumobashi.testing.city.register import FIRST_NO, LAST_NO
from kumobashi.testing.city.schema import MUNICIPALITY
from kumobashi.testing.city.towns import towns
from kumobashi.testing.city.views import ELSEWHERE_NAME, PREFECTURE


class DayRegisters:
    """The tables of the integrated database on one day, after the households were drawn."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, on: date, rng: np.random.Generator
    ) -> None:
        self._connection, self._on, self._rng = connection, on, rng
        self.at = datetime.combine(on, time(0, 10))  # what is written today says so
        self.touched: list[str] = []  # homes whose members are numbered anew

    def touch(
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
        self.mark(homes, renumber=renumber)
        return homes

    def mark(self, homes: list[str], *, renumber: bool = True) -> None:
        """Note that these households had their event of the day."""
        if renumber:
            self.touched += homes
        self._connection.execute(
            "update drawn set is_touched = true"
            " where household_no in (select unnest(?::varchar[]))",
            [homes],
        )

    def residents_of(self, homes: list[str]) -> list[str]:
        """Return the numbers of the residents of these households, sorted."""
        rows = self._connection.execute(
            """select resident_no from resident_registry where resident_status = '1'
                and household_no in (select unnest(?::varchar[])) order by 1""",
            [homes],
        ).fetchall()
        return [row[0] for row in rows]

    def lives(self, number: str) -> bool:
        """Whether somebody is a resident still."""
        found = self._connection.execute(
            "select count(*) from resident_registry"
            " where resident_no = ? and resident_status = '1'",
            [number],
        ).fetchall()
        return bool(found[0][0])

    def detail(self, numbers: list[str]) -> None:
        """Write the details of people who are new."""
        self._connection.execute(
            """insert into resident_details by name
            select r.resident_no, (w.ward + 1)::varchar as ward_code, '0' as birth_date_unknown
            from resident_registry r join ward_of w using (town_code)
            where r.resident_no in (select unnest(?::varchar[])) order by 1""",
            [numbers],
        )

    def leave(self, numbers: list[str], status: str, reason: str, on: date) -> None:
        """End the residence of these people, and what offices decided for them."""
        if not numbers:
            return
        self._connection.execute(
            """update resident_registry set resident_status = ?, updated_at = ?
            where resident_no in (select unnest(?::varchar[]))""",
            [status, self.at, numbers],
        )
        self._connection.execute(
            """update resident_details set removed_on = ?, display_order = null
            where resident_no in (select unnest(?::varchar[]))""",
            [on, numbers],
        )
        self.note(numbers, reason, "2", on)
        end_for(self._connection, numbers, on)

    def note(
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

    def number_members(self) -> None:
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
            [self.touched],
        )

    def unused(self, column: str, count: int) -> list[str]:
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
