"""A ledger in a fresh SQLite file, for tests that need one store only."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from kumobashi.consent.ledger import ConsentLedger
from kumobashi.consent.subjects import Subjects
from kumobashi.consent.texts import ConsentText
from kumobashi.exchange.migrating import migrate
from kumobashi.storage.sqlite import SQLiteState
from kumobashi.testing.clocks import HandClock
from tests.unit.consent.texts_for_tests import PURPOSE, text

TENANT = "999997"
NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
SECRET = bytes(range(32))


@contextmanager
def fresh(folder: Path, said: ConsentText | None = None) -> Iterator[ConsentLedger]:
    store = SQLiteState(folder / "state.db", owner="here")
    migrate(store)
    kept = said or text()
    try:
        yield ConsentLedger(
            store,
            tenant=TENANT,
            subjects=Subjects(SECRET, TENANT),
            texts=lambda: {PURPOSE: kept},
            clock=HandClock(NOW),
        )
    finally:
        store.close()
