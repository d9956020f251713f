"""A link whose line is cut goes by media: two persons permit it, and receipts come back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kumobashi.testing.city import City
from kumobashi.testing.town import Town
from tests.scenario.courier import CLOUD, HALL, Clerks, events, permit_media
from tests.scenario.expecting import NOTICES, check_settled

pytestmark = [pytest.mark.scenario, pytest.mark.slow, pytest.mark.xdist_group("courier")]


@pytest.fixture
def town(city: City, tmp_path: Path) -> Iterator[Town]:
    """The exchange server and the relay never start: the hall reaches nobody."""
    with Town.found(tmp_path / "w", city, change=permit_media) as made:
        made.start(HALL)
        made.start(CLOUD)
        yield made


def test_out_and_back_on_media_is_as_good_as_over_a_line(town: Town, tmp_path: Path) -> None:
    clerks = Clerks(town)
    usb, back = tmp_path / "usb", tmp_path / "back"
    usb.mkdir()
    back.mkdir()
    transfer = clerks.sealed()

    out = clerks.permit("--transfer", transfer, site=HALL)
    written = clerks.run("export", out[-8:], "--site", HALL, "--to", usb)
    came = clerks.run("import", usb, "--site", CLOUD)
    clerks.applied_there(transfer)
    home = clerks.permit("--receipts", HALL, site=CLOUD, media=("USB-900",))
    clerks.run("export", home, "--receipts", "--site", CLOUD, "--to", back)
    brought = clerks.run("import", back, "--site", HALL)

    assert (written["parts_left"], came["parts_missing"]) == (0, 0)
    assert brought["transfers"] == {transfer: "applied"}
    check_settled(town, transfer, NOTICES)
    clerks.do("returned", out, site=HALL)
    assert events(town, HALL) == [
        "courier.asked", "courier.approved", "courier.begun", "courier.written",
        "courier.arrived", "courier.read", "courier.returned",
    ]  # fmt: skip
    assert events(town, CLOUD) == [
        "courier.arrived", "courier.read", "courier.asked", "courier.approved", "courier.begun",
        "courier.written",
    ]  # fmt: skip
