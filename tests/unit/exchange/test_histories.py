"""What links have told one destination: who counts, who does not, and that nothing is lost."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from threading import Barrier

import duckdb
import pytest

from kumobashi.crypto.keys import SealKey
from kumobashi.exchange import histories as module
from kumobashi.exchange.errors import DestinationBusy, HistoryLost
from kumobashi.exchange.histories import Histories
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.migrating import migrate
from kumobashi.exchange.states import Out
from kumobashi.exchange.transfer_keys import TransferKeys
from kumobashi.release.differencing import NOW
from kumobashi.storage.erasable import ErasableSecrets
from kumobashi.storage.sole_use import hold
from kumobashi.storage.sqlite import SQLiteState
from tests.unit.exchange.test_ledger import Standing

CLOUD, DAY = "notice-cloud", date(2026, 11, 21)


class Hall:
    """A ledger and its histories, and links that tell."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = SQLiteState(folder / "state.db", owner="here")
        migrate(self.store)
        self.ledger = Ledger(self.store, "999997", Standing())
        keys = TransferKeys(ErasableSecrets(folder / "keys"), SealKey.generate())
        self.days = count()
        self.histories = Histories(folder / "histories", keys)

    def begin(self, link: str) -> str:
        on = DAY + timedelta(days=next(self.days))  # a run that is under way would be the same
        row, _ = self.ledger.start(
            link, on.isoformat(), mode="full", plan_hash="sha256:0", again=False
        )
        return row.transfer

    def tell(
        self,
        transfer: str,
        link: str,
        classes: Mapping[int, int],
        *,
        epoch: str | None = None,
        day: date = DAY,
    ) -> dict[str, set[tuple[int, int]]]:
        """Tell classes by key; return the classes that other releases had told, by link."""
        room = self.folder / transfer
        room.mkdir(exist_ok=True)
        with (
            duckdb.connect() as work,
            self.histories.held(CLOUD, epoch, known=self.ledger.several) as destination,
        ):
            earlier = destination.earlier(work, transfer, room=room)
            found = {
                one.link: set(
                    work.execute(f"select key, class from {one.relation} where here").fetchall()
                )
                for one in earlier
            }
            work.execute(f"create table {NOW} (key ubigint, class ubigint)")
            for one in classes.items():
                work.execute(f"insert into {NOW} values (?, ?)", [*one])
            destination.keep(work, earlier, link=link, transfer=transfer, on=day, room=room)
        assert not list(room.iterdir()), "nothing readable stays"
        return found

    def sealed(self, transfer: str) -> str:
        self.ledger.move_out(transfer, Out.SEALED, manifest="signed")
        return transfer

    def files(self) -> list[str]:
        return sorted(path.name.split(".")[2] for path in self.folder.rglob("*.parquet.age"))


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    made = Hall(tmp_path)
    yield made
    made.store.close()


def test_a_link_sees_what_others_and_it_itself_told_last(hall: Hall) -> None:
    hall.tell(hall.sealed(hall.begin("a")), "a", {1: 5})
    hall.tell(hall.sealed(hall.begin("b")), "b", {2: 6})

    assert hall.tell(hall.begin("a"), "a", {1: 7}) == {"a": {(1, 5)}, "b": {(2, 6)}}


def test_another_epoch_starts_anew(hall: Hall) -> None:
    hall.tell(hall.sealed(hall.begin("a")), "a", {1: 5}, epoch="2026Q3")

    assert hall.tell(hall.begin("a"), "a", {1: 5}, epoch="2026Q4") == {}


def test_a_try_of_the_same_transfer_is_no_earlier_release(hall: Hall) -> None:
    transfer = hall.begin("a")
    hall.tell(transfer, "a", {1: 5})

    assert hall.tell(transfer, "a", {1: 6}) == {}
    assert hall.files() == [transfer], "the first try is forgotten"


@pytest.mark.parametrize(
    ("then", "was_sealed", "counts"),
    [
        (None, False, True),  # it has passed the gate and is being sealed
        (Out.REFUSED, False, False),
        (Out.HELD, False, False),
        (Out.CANCELLED, False, False),
        (None, True, True),
        (Out.CANCELLED, True, False),
        (Out.SENT, True, True),
        (Out.REFUSED, True, True),  # by the receiver, say, who has seen it
    ],
)
def test_what_may_have_left_counts_and_nothing_else(
    hall: Hall, then: Out | None, was_sealed: bool, counts: bool
) -> None:
    hall.tell(hall.sealed(hall.begin("a")), "a", {1: 4})
    transfer = hall.begin("a")
    hall.tell(transfer, "a", {1: 5})
    if was_sealed:
        hall.sealed(transfer)
    if then:
        hall.ledger.move_out(transfer, then)

    assert hall.tell(hall.begin("b"), "b", {1: 1}) == {"a": {(1, 5 if counts else 4)}}


def test_a_cancelled_release_changes_no_history(hall: Hall) -> None:
    first = hall.sealed(hall.begin("a"))
    hall.tell(first, "a", {1: 4})
    cancelled = hall.begin("a")
    hall.tell(cancelled, "a", {1: 5, 2: 5})
    hall.ledger.move_out(cancelled, Out.CANCELLED)

    hall.tell(hall.sealed(hall.begin("a")), "a", {1: 4})

    assert hall.tell(hall.begin("b"), "b", {}) == {"a": {(1, 4)}}
    with duckdb.connect() as work, hall.histories.held(CLOUD, None, known=hall.ledger.several) as d:
        (told, _) = d.earlier(work, "none", room=hall.folder)
        held = work.execute(f"select key, history, class from {told.relation}").fetchall()
    assert held == [(1, 4, 4)]


def test_what_a_newer_release_holds_too_is_removed(hall: Hall) -> None:
    kept = []
    for day in range(10, 14):
        transfer = hall.begin("a")
        hall.tell(transfer, "a", {day: 1})
        hall.sealed(transfer)
        hall.ledger.move_out(transfer, Out.SENT)
        kept.append(transfer)

    assert hall.files() == sorted(kept[-2:]), "the newest, and the one before while it may end"
    assert len(list((hall.folder / "keys/histories").iterdir())) == len(hall.files())
    with duckdb.connect() as work, hall.histories.held(CLOUD, None, known=hall.ledger.several) as d:
        (told,) = d.earlier(work, "none", room=hall.folder)
        held = work.execute(f"select key, here from {told.relation} order by key").fetchall()
    assert held == [(10, False), (11, False), (12, False), (13, True)]


def test_what_was_told_and_cannot_be_read_refuses(hall: Hall) -> None:
    told = hall.sealed(hall.begin("a"))
    hall.tell(told, "a", {1: 5})
    (key,) = (hall.folder / "keys/histories").iterdir()
    wrapped = key.read_bytes()
    key.unlink()

    with pytest.raises(HistoryLost) as raised:
        hall.tell(hall.begin("b"), "b", {1: 5})

    assert raised.value.facts == {"link": "a", "on": DAY.isoformat(), "transfer": told}
    key.write_bytes(wrapped)
    (file,) = hall.folder.rglob("*.parquet.age")
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(HistoryLost):
        hall.tell(hall.begin("b"), "b", {1: 5})


def test_a_link_is_forgotten_in_the_epochs_that_nobody_holds(hall: Hall) -> None:
    for epoch in (None, "2026Q3", "2026Q4"):
        for link in ("a", "b"):
            hall.tell(hall.sealed(hall.begin(link)), link, {1: 5}, epoch=epoch)

    assert hall.histories.forget_but("a", {"2026Q4"}) == 2

    assert hall.tell(hall.begin("c"), "c", {}) == {"b": {(1, 5)}}
    assert set(hall.tell(hall.begin("c"), "c", {}, epoch="2026Q4")) == {"a", "b"}
    assert hall.histories.forget_but("a", set()) == 1
    assert set(hall.tell(hall.begin("d"), "d", {}, epoch="2026Q4")) == {"b", "c"}


def test_of_links_that_run_at_once_each_but_the_first_sees_another(hall: Hall) -> None:
    links = [f"link-{n}" for n in range(6)]
    transfers = {link: hall.begin(link) for link in links}
    together = Barrier(len(links))

    def run(link: str) -> int:
        together.wait()
        return len(hall.tell(transfers[link], link, {1: 1}))

    with ThreadPoolExecutor(len(links)) as threads:
        seen = sorted(threads.map(run, links))

    assert seen == [0, 1, 2, 3, 4, 5]


def test_a_destination_that_stays_held_is_waited_for_not_for_ever(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LONGEST_SECONDS", 0.2)
    transfer = hall.begin("a")
    hall.tell(transfer, "a", {1: 1})
    held = hold(hall.folder / "histories" / CLOUD / "none" / "in-use")
    assert held is not None
    with held, pytest.raises(DestinationBusy) as raised:
        hall.tell(transfer, "a", {1: 1})

    assert raised.value.retryable
    hall.tell(transfer, "a", {1: 1})


def test_nothing_that_rests_can_be_read(hall: Hall) -> None:
    hall.tell(hall.begin("a"), "a", {0xABCDEF0123456789: 5})

    for path in (path for path in hall.folder.rglob("*") if path.is_file()):
        held = path.read_bytes()
        assert not held.startswith(b"PAR1")
        assert (0xABCDEF0123456789).to_bytes(8, "little") not in held
