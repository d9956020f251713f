"""架空市: a fictional city of any size, the same for the same size, seed and date.

In go a number of residents, a seed and a date; out comes a :class:`City` with the tables of the
integrated database, of vaccination and of the consent desk. Wards, households, ages and what
happened in the last year have the proportions of Chiba-shi (``published``); people with a story
live in it (``golden``), and days can pass (``calendar``). Surnames, given names, towns and postal
codes are real ones; the people, their households and all that the city knows of them are drawn at
random. There is no individual number anywhere, and the municipality code 999997 belongs to nobody.
"""

from kumobashi.testing.city.changes import change
from kumobashi.testing.city.city import City, build
from kumobashi.testing.city.data_times import date_anew
from kumobashi.testing.city.day_counts import Changes
from kumobashi.testing.city.golden import GOLDEN, Golden, golden
from kumobashi.testing.city.schema import MUNICIPALITY, PURPOSES, SYSTEMS, TABLES, Table
from kumobashi.testing.city.stores import write_embedded, write_postgresql

__all__ = [
    "GOLDEN",
    "MUNICIPALITY",
    "PURPOSES",
    "SYSTEMS",
    "TABLES",
    "Changes",
    "City",
    "Golden",
    "Table",
    "build",
    "change",
    "date_anew",
    "golden",
    "write_embedded",
    "write_postgresql",
]
