"""F24: a receiver is put back from yesterday's backup; the sender notices and sends again."""

import contextlib
import json
import random
import shutil
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kumobashi.testing.city import City
from kumobashi.testing.gateways import Timeout, until
from kumobashi.testing.ledgers import OUT_FINAL
from kumobashi.testing.town import Town
from tests.scenario.expecting import NOTICES, change_some, check_settled, unquiet

pytestmark = [pytest.mark.scenario, pytest.mark.slow]
HALL, CLOUD = "hall-core", "public-cloud"
OFTEN = {"KUMO_RECALL_SECONDS": "1"}


@pytest.fixture
def town(city: City, tmp_path: Path) -> Iterator[Town]:
    with Town.found(tmp_path / "w", city, part_bytes=65_536) as made:
        made.start(HALL, environment=OFTEN)
        made.start_all()
        yield made


def stopped(town: Town, backup: Path, *, put_back: bool, but: tuple[str, ...] = ()) -> None:
    """Copy the cloud's folder, or put the copy back, while its gateway does not run."""
    town.running[CLOUD].stop()
    folder = town.folder / "var" / CLOUD
    if put_back:
        for path in [*folder.iterdir()]:
            if path.name in but:
                continue
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.copytree(
            backup, folder, dirs_exist_ok=True, ignore=lambda _at, names: set(names) & set(but)
        )
    else:
        shutil.copytree(folder, backup)
    town.start(CLOUD)


def newest(town: Town) -> Any:
    return town.ledger(HALL).outgoing()[-1]


def health(town: Town, site: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{town.url(site)}/health", timeout=10) as answer:  # noqa: S310
        return dict(json.load(answer)["state"])


@pytest.mark.parametrize("target_too", [True, False])
def test_what_a_restored_receiver_lost_is_noticed_and_sent_again(
    town: Town, tmp_path: Path, target_too: bool
) -> None:
    chance = random.Random(7)
    first = town.run(NOTICES)["transfer"]
    stopped(town, tmp_path / "backup", put_back=False)
    before = health(town, CLOUD)
    assert before["restored"] is None
    change_some(town, chance, NOTICES)
    lost = town.run(NOTICES, again=True)["transfer"]
    check_settled(town, lost, NOTICES)

    stopped(town, tmp_path / "backup", put_back=True, but=() if target_too else ("data",))
    again = until("a new transfer", lambda: another(town, lost), 60)

    seen = town.wait(again, seconds=90)
    assert (seen["state"], seen["cause"]) == ("applied", None)
    check_settled(town, again, NOTICES)
    rows = {row.transfer: row for row in town.ledger(HALL).outgoing()}
    assert set(rows) == {first, lost, again}, "once, however often it is asked"
    assert rows[lost].state == "applied", "its receipts stand: it was applied then"
    assert rows[lost].facts["lost"]["site"] == CLOUD
    assert rows[lost].facts["lost"]["code"] == "exchange.receiver_restored"
    assert rows[lost].facts["resent"] == {"transfer": again}
    assert rows[again].facts["resends"]["transfer"] == lost
    once = town.sql("notice-cloud", "select transfer, count(*) from kumobashi_applied group by 1")
    assert {count for _, count in once} == {1}, "nothing is applied twice under one name"
    now = health(town, CLOUD)
    assert now["restored"] is not None
    assert now["incarnation"] != before["incarnation"]
    assert now["epoch"] > before["epoch"]


def another(town: Town, than: str) -> str | None:
    transfer = str(newest(town).transfer)
    return transfer if transfer > than else None


def test_a_receiver_that_was_only_restarted_has_lost_nothing(town: Town, tmp_path: Path) -> None:
    town.run(NOTICES)
    for _ in range(2):
        town.running[CLOUD].stop()
        town.start(CLOUD)

    town.running[HALL].stop()
    town.start(HALL, environment=OFTEN)
    town.run(NOTICES, again=True)

    assert len(town.ledger(HALL).outgoing()) == 2
    assert health(town, CLOUD)["restored"] is None


@pytest.mark.parametrize("point", ["receiving.opened", "inbox.closed"])
def test_a_transfer_on_its_way_when_the_receiver_is_put_back_comes_to_an_end(
    town: Town, tmp_path: Path, point: str
) -> None:
    chance = random.Random(point)
    town.run(NOTICES)
    stopped(town, tmp_path / "backup", put_back=False)
    change_some(town, chance, NOTICES)
    town.restart(CLOUD, crash=f"{point}:1")
    town.submit(NOTICES, again=True)
    town.running[CLOUD].wait_end(60)
    folder = town.folder / "var" / CLOUD
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "backup", folder)

    town.start(CLOUD)

    def ended() -> bool | None:
        rows = town.ledger(HALL).outgoing()
        return (all(row.state in OUT_FINAL for row in rows) and rows[-1].state == "applied") or None

    until("every transfer ends", ended, 120)
    with contextlib.suppress(Timeout):
        until("quiet", lambda: unquiet(town) == [] or None, 30)
    assert unquiet(town) == []
    check_settled(town, newest(town).transfer, NOTICES)
