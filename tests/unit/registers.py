"""A register of residents for the sample workspace, with nobody but whom a test speaks of."""

from pathlib import Path

import duckdb

_STORE = Path("var") / "hall-core" / "data" / "integrated-db.duckdb"


def write_register(folder: Path, *numbers: str) -> None:
    """Let the sample's integrated database have these residents, and no more of them."""
    path = folder / _STORE
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(path)) as held:
        held.execute("create table resident_registry (resident_no varchar)")
        held.executemany("insert into resident_registry values (?)", [[one] for one in numbers])
