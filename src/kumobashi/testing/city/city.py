"""Build the city and offer its tables as views that DuckDB computes when they are read.

Numbers are drawn with numpy and held in an in-memory DuckDB; texts come from small tables joined
in the views, so a city of four million fits into bounded memory.

>>> with build(1_000) as city:
...     city.table("resident_registry").filter("resident_status = '1'").count("*").fetchall()
[(1000,)]
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from types import TracebackType
from typing import TYPE_CHECKING, Self

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kumobashi.testing.city.benefits import benefits, tax_year
from kumobashi.testing.city.care import care
from kumobashi.testing.city.casting import rows_of_golden
from kumobashi.testing.city.consents import consents
from kumobashi.testing.city.history import events, past_year
from kumobashi.testing.city.households import RELATIONSHIPS, People, compose
from kumobashi.testing.city.kinship import Kinship, kinship
from kumobashi.testing.city.names import names
from kumobashi.testing.city.outsiders import nonresidents, support_measures, taxed
from kumobashi.testing.city.published import yearly
from kumobashi.testing.city.register import BUILDINGS, birth_days, days, register
from kumobashi.testing.city.removed import dead, moved_out
from kumobashi.testing.city.schema import PURPOSES, TABLES
from kumobashi.testing.city.towns import choose, settled, towns
from kumobashi.testing.city.vaccinations import vaccinations
from kumobashi.testing.city.views import FAMILY_TREE, VIEWS
from kumobashi.testing.city.wards import deal
from kumobashi.testing.city.work import employ

if TYPE_CHECKING:
    from kumobashi.testing.city.day_counts import Changes

DAY = date(2026, 11, 1)
_WITH_GOLDEN = 1_000  # residents
_REGISTER = "resident_registry"
_MEMORY = "2GB"  # of DuckDB, which spills beyond it; four million take 2.6 GB in all


@dataclass(slots=True, kw_only=True)
class City:
    """The tables of a city; close it, or use it in ``with``, to give the memory back.

    ``on`` is its day, which ``advance`` moves on.
    """

    residents: int
    seed: int
    on: date
    connection: duckdb.DuckDBPyConnection

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that hold rows, in the order of the schema."""
        return tuple(name for name, table in TABLES.items() if not table.is_received)

    def table(self, name: str) -> duckdb.DuckDBPyRelation:
        """Return one table as a relation; it is computed anew each time it is run."""
        return self.connection.table(TABLES[name].name)

    def arrow(self, name: str) -> pa.Table:
        """Return one whole table in memory, in the order of its key."""
        return self.table(name).order(", ".join(TABLES[name].key)).to_arrow_table()

    def counts(self) -> dict[str, int]:
        """Return the rows of each table."""
        return {name: self.table(name).count("*").fetchall()[0][0] for name in self.tables}

    def advance(self, days: int) -> "Changes":
        """Let days pass: births, deaths, moves, and what is decided because of them."""
        from kumobashi.testing.city.changes import advance  # noqa: PLC0415 - it builds cities

        return advance(self, days)

    def close(self) -> None:
        """Forget the city."""
        self.connection.close()

    def __enter__(self) -> Self:
        """Use the city in a block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Forget the city."""
        self.close()


def build(
    residents: int,
    seed: int = 1,
    on: date = DAY,
    consent: float = 0.42,
    purposes: Sequence[str] = PURPOSES,
    *,
    golden: bool | None = None,
) -> City:
    """Return the city of ``residents`` living people, and records of some who left.

    The same arguments give the same rows. ``consent`` is the share of households that agreed to a
    purpose; 1 means that every resident has a row for every purpose. The people with a story
    (``golden``) live in every city of 1,000 and more.
    """
    told = residents >= _WITH_GOLDEN if golden is None else golden
    cast = rows_of_golden(on, purposes) if told else {}
    drawn = residents - sum(row["resident_status"] == "1" for row in cast.get(_REGISTER, ()))
    tables = {**_drawn(drawn, seed, on, consent, purposes), **_words()}
    connection = duckdb.connect(
        config={"temp_directory": tempfile.gettempdir(), "memory_limit": _MEMORY}
    )
    for name in list(tables):
        connection.register("incoming", tables.pop(name))
        connection.execute(f"create table {name} as from incoming")
        connection.unregister("incoming")
    for name, sql in VIEWS.items():
        table = TABLES[name]
        connection.execute(f"create table golden_{name} ({table.ddl()})")
        if rows := cast.get(name):
            marks = ", ".join("?" * len(table.columns))
            connection.executemany(
                f"insert into golden_{name} values ({marks})",
                [[row.get(column) for column in table.columns] for row in rows],
            )
        connection.execute(f"create view {name} as {sql} union all by name from golden_{name}")
    connection.execute(f"create view family_tree as {FAMILY_TREE}")
    return City(residents=residents, seed=seed, on=on, connection=connection)


def _drawn(
    residents: int, seed: int, on: date, consent: float, purposes: Sequence[str]
) -> dict[str, pa.Table]:
    """Return the numbers of everyone who is drawn by chance, by table."""
    rng = np.random.default_rng([seed, residents])
    today, wanted = days(on), yearly(residents)
    living = compose(residents, rng)
    kin = kinship(living, rng)
    gone, late = moved_out(wanted.moves_out, rng), dead(living, wanted.deaths, rng)
    everyone = _together(living, gone, late)
    status = np.repeat(
        np.array([1, 2, 3], dtype=np.int8), [len(living.born), len(gone.born), len(late.born)]
    )
    birth_day = birth_days(everyone, on)
    ward = np.r_[deal(_sizes(living), rng), deal(_sizes(gone), rng)]
    past = past_year(
        living,
        everyone,
        birth_day=birth_day,
        status=status,
        ward=ward,
        wanted=wanted,
        today=today,
        rng=rng,
    )
    lived_in = settled(len(everyone.born))
    town, before = choose(ward, lived_in, rng), choose(past.ward_before, lived_in, rng)
    work = employ(living, rng)
    entered = register(
        everyone, status, past, birth_day=birth_day, town=town, kin=kin, on=on, rng=rng
    )
    number = np.empty(len(status), dtype=np.int64)
    number[entered.person] = entered.resident_no
    home = np.empty(len(status), dtype=np.int64)
    home[entered.person] = entered.household_no
    elsewhere = nonresidents(residents, on, rng)
    given = {**benefits(living, work, entered, on, rng), **care(living, work, entered, on, rng)}
    given["resident_tax"] = pa.concat_tables(
        [given["resident_tax"], taxed(elsewhere, tax_year(on))]
    )
    return {
        "person": entered.rows,
        **{f"{name}_number": rows for name, rows in given.items()},
        "vaccinations_number": vaccinations(living, entered, on, rng),
        "consents_number": consents(living, entered, on, share=consent, purposes=purposes, rng=rng),
        "nonresidents_number": elsewhere,
        "support_measures_number": support_measures(living, entered, on, rng),
        "resident_events_number": events(
            everyone,
            past,
            town=town,
            town_before=before,
            status=status,
            resident_no=number,
            household_no=home,
            today=today,
            rng=rng,
        ),
        "kin": _kin(kin, number[: len(living.born)]),
    }


def _sizes(people: People) -> NDArray[np.int64]:
    return np.bincount(people.household, minlength=people.households)


def _kin(kin: Kinship, number: NDArray[np.int64]) -> pa.Table:
    """Return the numbers of each resident's father, mother and spouse, as far as they live here."""
    known = (kin.father >= 0) | (kin.mother >= 0) | (kin.spouse >= 0)
    ties = {"father_no": kin.father, "mother_no": kin.mother, "spouse_no": kin.spouse}
    return pa.table(
        {
            "resident_no": number[known],
            **{
                name: pa.array(number[whom[known]], mask=whom[known] < 0)
                for name, whom in ties.items()
            },
        }
    )


def _together(living: People, gone: People, late: People) -> People:
    """Put those who left behind those who live here; households that moved out get new places."""
    homes = (living.household, gone.household + living.households, late.household)
    return People(
        household=np.concatenate(homes),
        households=living.households + gone.households,
        seat=np.concatenate((living.seat, gone.seat, late.seat)),
        sex=np.concatenate((living.sex, gone.sex, late.sex)),
        relationship=np.concatenate((living.relationship, gone.relationship, late.relationship)),
        born=np.concatenate((living.born, gone.born, late.born)),
    )


def _words() -> dict[str, pa.Table]:
    """Return the small tables that turn numbers into texts; ``n`` is the number."""
    known, places = names(), towns()

    def table(columns: dict[str, list[str]]) -> pa.Table:
        count = len(next(iter(columns.values())))
        return pa.table({"n": np.arange(count, dtype=np.int32), **columns})

    return {
        "family": table(
            {"written": [w for w, _ in known.family], "kana": [k for _, k in known.family]}
        ),
        "given": table(
            {"written": [w for w, _ in known.given], "kana": [k for _, k in known.given]}
        ),
        "relation": table({"code": list(RELATIONSHIPS)}),
        "building": table({"name": list(BUILDINGS)}),
        "town": table(
            {
                "code": [town.code for town in places],
                "name": [town.name for town in places],
                "postal_code": [town.postal_code for town in places],
                "ward": [str(town.ward) for town in places],
                "kind": ["block" if town.has_blocks else "lot" for town in places],
            }
        ),
    }
