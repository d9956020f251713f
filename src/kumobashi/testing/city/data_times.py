"""Of which moment the data of the integrated database are: as if taken over in the last night.

A table beside the city's own, because it tells of the file and not of the people in it.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from kumobashi.kernel import JST

COLLECTING = "integrated-db"
TABLE = "data_times"
# Datasets as ``systems/integrated-db.yaml`` of the sample calls them.
_DATASETS = (
    "residents",
    "resident_tax",
    "national_health_insurance",
    "child_allowance",
    "child_support_allowance",
    "public_assistance",
)
_SHOWN, _TAKEN = timedelta(hours=8), timedelta(hours=5)  # before the file was written


def data_times(place: str = "", *, at: datetime | None = None) -> str:
    """Return the statement that writes the table, ``place`` before its name; default: as of now."""
    now = (at or datetime.now(UTC)).astimezone(JST).replace(tzinfo=None)
    core, taken = (f"timestamp '{now - ago:%Y-%m-%d %H:%M:%S}'" for ago in (_SHOWN, _TAKEN))
    rows = ", ".join(f"('{name}', {core}, {taken})" for name in _DATASETS)
    return (
        f"create or replace table {place}{TABLE} as"
        f" from (values {rows}) t(dataset, core_at, taken_at)"
    )


def date_anew(store: Path, *, at: datetime | None = None) -> None:
    """Say of a copied file that its data are of now: a copy of last week tells of this night."""
    with duckdb.connect(str(store)) as written:
        written.execute(data_times(at=at))
