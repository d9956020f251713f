"""A receiver is put back from a backup of before a deletion: nothing comes back to stay."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from kumobashi.testing.city import City
from kumobashi.testing.gateways import until
from kumobashi.testing.town import DAY, Town
from tests.scenario.expecting import NOTICES
from tests.scenario.test_deletion import left_of

pytestmark = [pytest.mark.scenario, pytest.mark.slow]
HALL, CLOUD = "hall-core", "public-cloud"
QUICK = {"KUMO_DUTY_SECONDS": "0.3", "KUMO_RECALL_SECONDS": "1"}


class Restored:
    """A town whose cloud is copied before a deletion and put back after it."""

    def __init__(self, town: Town, backup: Path) -> None:
        self.town = town
        self._days = count()
        self._backup = backup
        self._cloud = town.folder / "var" / CLOUD
        for site in town.ports:
            town.start(site, environment=QUICK)

    def day(self) -> date:
        """Return the next day: what is sent for it is the newest."""
        return DAY + timedelta(next(self._days))

    def sent(self) -> str:
        done = self.town.run(NOTICES, self.day())
        assert done["state"] == "applied", done
        return str(done["transfer"])

    def back_up(self) -> None:
        """Copy all that the cloud has, its systems' tables and its keys too."""
        self.town.running[CLOUD].stop()
        self.copy()
        self.start()

    def copy(self) -> None:
        """Copy the folder of a cloud that does not run."""
        shutil.rmtree(self._backup, ignore_errors=True)
        shutil.copytree(self._cloud, self._backup)

    def put_back(self, *, but: tuple[str, ...]) -> None:
        """Put the copy in the place of what the cloud has, but for these folders."""
        self.town.running[CLOUD].stop()
        for path in [*self._cloud.iterdir()]:
            if path.name not in but:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        left_out = shutil.ignore_patterns(*but)
        shutil.copytree(self._backup, self._cloud, dirs_exist_ok=True, ignore=left_out)

    def start(self) -> None:
        self.town.start(CLOUD, environment=QUICK)

    def deleted(self, transfer: str) -> dict[str, Any]:
        self.town.call(f"/api/v1/deletions/{transfer}/request", {})

        def look() -> dict[str, Any] | None:
            held = self.holding(transfer)
            return held if held["state"] == "deleted" else None

        return until("the proof", look, 60, every=0.1)

    def holding(self, transfer: str, site: str = HALL, side: str = "out") -> dict[str, Any]:
        listed = self.town.call("/api/v1/deletions", site=site)["holdings"]
        (found,) = [one for one in listed if (one["transfer"], one["side"]) == (transfer, side)]
        return dict(found)

    def newest(self) -> str:
        """Return the newest transfer of the hall."""
        return str(self.town.ledger(HALL).outgoing()[-1].transfer)

    def over(self, transfer: str) -> dict[str, Any] | None:
        held = self.holding(transfer)
        return held if held["state"] in {"lost", "deleted"} else None

    def rows(self) -> int:
        found = self.town.sql("notice-cloud", "select count(*) from notice_attributes")
        return int(found[0][0]) if found else 0

    def tokens(self, transfer: str, site: str, side: str) -> list[str]:
        query = "select jws from receipts where transfer = ? and side = ? order by number"
        with sqlite3.connect(self.town.folder / "var" / site / "state.db") as state:
            return [row[0] for row in state.execute(query, (transfer, side))]

    def records(self, event: str) -> list[dict[str, Any]]:
        """Return what the cloud's evidence says of an event."""
        with sqlite3.connect(self._cloud / "state.db") as state:
            bodies = [
                row[0]
                for table in ("evidence_entries", "evidence_waiting")
                for row in state.execute(f"select body from {table}")
            ]
        said = [json.loads(body) for body in bodies]
        return [one for one in said if one["event"] == event]

    def gone_again(self, transfer: str) -> None:
        """Wait until the cloud has proved it once more, and see that nothing is there."""

        def look() -> bool | None:
            held = self.holding(transfer, CLOUD, "in")
            return held["state"] == "deleted" or None

        until("deleted again", look, 60, every=0.1)
        assert self.rows() == 0
        assert left_of(self._cloud, transfer) == []


@pytest.fixture(scope="module")
def restored(city: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Restored]:
    folder = tmp_path_factory.mktemp("restored")
    with Town.found(folder / "w", city, part_bytes=65_536) as town:
        yield Restored(town, folder / "backup")


@pytest.mark.parametrize(
    "but",
    [("keys",), ("keys", "data"), ()],
    ids=["state and target", "state alone", "state, target and keys"],
)
def test_what_was_deleted_is_deleted_again_and_proved_by_the_same_receipt(
    restored: Restored, but: tuple[str, ...]
) -> None:
    transfer = restored.sent()
    restored.back_up()
    rows = restored.rows()
    after = restored.deleted(transfer)
    said = restored.tokens(transfer, HALL, "out")
    assert (restored.rows(), len(said)) == (0, 5)

    restored.put_back(but=but)
    assert restored.rows() == (0 if "data" in but else rows)
    restored.start()

    restored.gone_again(transfer)
    assert restored.tokens(transfer, CLOUD, "in") == said, "the same, byte for byte"
    assert restored.holding(transfer)["receipt"] == after["receipt"]
    assert restored.newest() == transfer, "what was deleted is not sent again"


def test_a_state_of_before_it_was_taken_in_takes_nothing_in(restored: Restored) -> None:
    town = restored.town
    town.running[CLOUD].stop()
    town.start(CLOUD, crash="receiving.opened_before_commit", environment=QUICK)
    transfer = str(town.submit(NOTICES, restored.day())["transfer"])
    assert town.running[CLOUD].wait_end(60) == -9
    restored.copy()
    restored.start()
    assert town.wait(transfer, seconds=90)["state"] == "applied"
    restored.deleted(transfer)

    restored.put_back(but=("keys",))
    restored.start()

    def ended() -> Any:
        (row,) = town.ledger(CLOUD).incoming(transfer)
        return row if row.state == "refused" else None

    row = until("it ends", ended, 60)
    assert (row.cause or {})["code"] == "storage.secret_erased"
    assert restored.rows() == 0
    stages = town.ledger(CLOUD).stages(transfer, "in")
    assert stages == ["delivered"], "nothing is said that contradicts what was said"
    assert restored.holding(transfer)["state"] == "deleted"
    assert restored.newest() == transfer, "nothing is sent again"


def test_rows_that_only_the_target_got_back_go_again(restored: Restored) -> None:
    transfer = restored.sent()
    restored.back_up()
    rows = restored.rows()
    restored.deleted(transfer)

    restored.put_back(but=("keys", "state.db", "state.db-wal", "state.db-shm", "spool"))
    assert restored.rows() == rows > 0
    restored.start()

    until("gone", lambda: restored.rows() == 0 or None, 60, every=0.7)
    again = until("the record", lambda: restored.records("holding.deleted_again") or None, 20)
    assert (again[-1]["transfer"], again[-1]["counts"]) == (transfer, {"rows": rows})


def test_a_newer_transfer_that_was_lost_is_sent_again_and_an_older_deletion_stands(
    restored: Restored,
) -> None:
    first = restored.sent()
    restored.back_up()
    second = restored.sent()
    restored.deleted(first)
    rows = restored.rows()

    restored.put_back(but=("keys",))
    restored.start()

    def third() -> str | None:
        newest = restored.newest()
        return newest if newest > second else None

    again = until("sent again", third, 60)
    assert restored.town.wait(again, seconds=90)["state"] == "applied"
    until(
        "deleted again",
        lambda: restored.holding(first, CLOUD, "in")["state"] == "deleted" or None,
        60,
    )
    assert restored.rows() == rows
    restored.town.call(f"/api/v1/deletions/{second}/request", {})
    over = until("over", lambda: restored.over(second), 60, every=0.1)
    assert (over["state"], over["taken_over_by"]) == ("lost", again), "nobody can sign for it"
    assert (over["receipt"], over["level"]) == (None, 0)
    assert restored.tokens(first, CLOUD, "in")[-1] == restored.tokens(first, HALL, "out")[-1]
