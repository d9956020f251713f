"""Moves that commit together, on PostgreSQL."""

from collections.abc import Iterator

import pytest

from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.migrating import migrate
from kumobashi.storage.postgresql import PostgreSQLState
from tests.contract.states import TENANT, States
from tests.unit.exchange.test_ledger import Standing
from tests.unit.exchange.test_moving import *  # noqa: F403 - every test that is there

pytestmark = [pytest.mark.slow, pytest.mark.postgres]


@pytest.fixture  # type: ignore[no-redef]
def ledger(stores: States) -> Iterator[Ledger]:
    store = PostgreSQLState(stores.database(), tenant=TENANT, writers=1)
    migrate(store)
    yield Ledger(store, TENANT, Standing())
    store.close()
