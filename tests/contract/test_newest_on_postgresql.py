"""The newest transfers and their days, as on SQLite, on PostgreSQL."""

from collections.abc import Iterator

import pytest

from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.migrating import migrate
from kumobashi.storage.postgresql import PostgreSQLState
from tests.contract.states import TENANT, States
from tests.unit.exchange.test_newest import *  # noqa: F403 - every test that is there
from tests.unit.exchange.test_newest import Walking

pytestmark = [pytest.mark.slow, pytest.mark.postgres]
del test_no_query_walks_through_the_table  # noqa: F821 - asks SQLite how it would go about it
del test_another_municipality_is_not_seen  # noqa: F821 - here it cannot even be written
del test_heads_are_held_until_something_is_written  # noqa: F821 - others may write a shared state


@pytest.fixture  # type: ignore[no-redef]
def ledger(stores: States) -> Iterator[Ledger]:
    store = PostgreSQLState(stores.database(), tenant=TENANT)
    migrate(store)
    yield Ledger(store, TENANT, Walking())
    store.close()
