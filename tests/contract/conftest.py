"""One server for all contract tests of a process, and a store of each kind for each test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from kumobashi.exchange.migrating import migrate
from kumobashi.storage.state import StateStore
from tests.contract.states import KINDS, States


@pytest.fixture(scope="session")
def stores() -> Iterator[States]:
    with ExitStack() as stack:
        yield States(stack)


@pytest.fixture(params=KINDS)
def opened(
    request: pytest.FixtureRequest, stores: States, tmp_path: Path
) -> Callable[[], StateStore]:
    return stores.opener(request.param, tmp_path)


@pytest.fixture
def store(opened: Callable[[], StateStore]) -> Iterator[StateStore]:
    made = opened()
    migrate(made)
    yield made
    made.close()
