"""The public cloud and the relay, faked by their real gateways, carry a link of the sample."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kumobashi.testing.city import City
from kumobashi.testing.town import Town
from tests.scenario.expecting import NOTICES

pytestmark = [pytest.mark.scenario, pytest.mark.slow]


@pytest.fixture
def town(city: City, tmp_path: Path) -> Iterator[Town]:
    with Town.found(tmp_path / "w", city) as made:
        yield made


def test_a_faked_cloud_and_relay_take_a_link_of_the_sample(town: Town) -> None:
    command = [sys.executable, "-m", "kumobashi", "--workspace", str(town.folder), "partner"]
    fakes = [
        subprocess.Popen([*command, "fake", site], env=os.environ, stderr=subprocess.DEVNULL)
        for site in ("public-cloud", "asp-relay")
    ]
    try:
        town.start("hall-exchange")
        town.start("hall-core")

        run = town.run(NOTICES)

        assert run["state"] == "applied", str(run["cause"])
        rows = town.sql("notice-cloud", "select count(*) from notice_attributes")
        assert rows == [(run["rows_applied"],)]
    finally:
        for fake in fakes:
            fake.send_signal(signal.SIGTERM)
        assert [fake.wait(timeout=30) for fake in fakes] == [0, 0]
