from collections.abc import Iterator

import pytest

from kumobashi.testing.city import City, build


@pytest.fixture(scope="session")
def city() -> Iterator[City]:
    with build(3_000, seed=3) as built:
        yield built
