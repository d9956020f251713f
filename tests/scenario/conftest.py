"""One small city for all scenarios of a test process."""

from collections.abc import Iterator

import pytest

from kumobashi.testing.city import City, build

RESIDENTS = 3_000  # notice-attributes and resident-to-nhi are two parts each, of 64 KiB


@pytest.fixture(scope="session")
def city() -> Iterator[City]:
    """Everybody consents, so that a bundle has more than one part."""
    with build(RESIDENTS, consent=1.0) as built:
        yield built
