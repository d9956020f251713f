"""What the console is given: links joined with the ends of the ledger, as files and time change."""

import threading
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

import kumobashi.service.board
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.migrating import migrate
from kumobashi.exchange.reasons import Reasons
from kumobashi.exchange.states import Out
from kumobashi.exchange.turns import Turns
from kumobashi.exchange.views import Light
from kumobashi.kernel import business_date, to_wire
from kumobashi.planning.publishing import load_directory
from kumobashi.planning.sampling import write_sample
from kumobashi.planning.workspace import Workspace, load
from kumobashi.service.board import SiteBoard
from kumobashi.service.overviewing import described
from kumobashi.service.planned import Planned
from kumobashi.storage.sqlite import SQLiteState
from kumobashi.testing.clocks import HandClock

LINK = "notice-attributes"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample(tmp_path_factory.mktemp("board") / "city")


class Hall:
    """A board over the sample workspace and an empty ledger."""

    def __init__(self, folder: Path, var: Path) -> None:
        self.clock = HandClock()
        self.store = SQLiteState(var / "state.db", owner="hall-core")
        migrate(self.store)
        self.ledger = Ledger(self.store, "999997", self.clock)
        self.workspace: Workspace = load(folder)
        directory = load_directory(folder, now=self.clock.at)
        self.board = SiteBoard(
            workspace=lambda _seconds: self.workspace,
            directory=directory,
            planned=Planned(directory, lambda: business_date(self.clock.now())),
            ledger=self.ledger,
            site="hall-core",
            clock=self.clock,
            reasons=lambda: Reasons(turns=Turns(self.ledger)),
        )

    def light(self, link: str = LINK) -> Light:
        return next(row.light for row in self.board.board().rows if row.link == link)

    def start(self, day: str = "2026-11-21") -> str:
        return self.ledger.start(LINK, day, mode="full", plan_hash="h", again=True)[0].transfer


@pytest.fixture
def hall(folder: Path, tmp_path: Path) -> Iterator[Hall]:
    held = Hall(folder, tmp_path)
    yield held
    held.store.close()


def cause(since: datetime, tries: int = 1) -> dict[str, object]:
    return {
        "code": "peer.unreachable",
        "ja": "応答していません。",
        "en": "No answer.",
        "remedy_ja": "",
        "remedy_en": "",
        "side": "public-cloud",
        "since": to_wire(since),
        "tries": tries,
    }


def test_a_link_that_never_ran_and_one_that_may_not(hall: Hall) -> None:
    board = hall.board.board()

    assert board.is_training
    assert hall.light() is Light.NEVER
    assert hall.light("welfare-to-citizen-app") is Light.BLOCKED


def test_what_happens_to_a_transfer_is_seen_at_once(hall: Hall) -> None:
    transfer = hall.start()
    assert hall.light() is Light.RUNNING
    hall.ledger.move_out(transfer, Out.HELD, cause=cause(hall.clock.at))
    assert hall.light() is Light.HELD

    (view,) = hall.board.links([LINK])

    assert view.latest is not None
    assert view.latest.transfer == transfer


def test_what_waits_turns_red_without_another_word(hall: Hall) -> None:
    transfer = hall.start()
    hall.ledger.move_out(transfer, Out.SEALED, cause=cause(hall.clock.at))
    assert hall.light() is Light.WAITING

    hall.clock.at += timedelta(minutes=3)

    assert hall.light() is Light.STOPPED


def test_an_old_transfer_is_found_only_below_its_own_link(hall: Hall) -> None:
    transfer = hall.start()
    for day in range(1, 35):
        hall.start(f"2027-{1 + day // 28:02}-{1 + day % 28:02}")

    link = hall.board.link(LINK)

    assert link is not None
    assert len(link.history) == 30
    assert hall.board.transfer(LINK, transfer) is not None
    assert hall.board.transfer("resident-to-nhi", transfer) is None
    assert hall.board.transfer(LINK, "nothing") is None
    assert hall.board.link("nothing") is None


def test_days_are_those_of_the_ledger(hall: Hall) -> None:
    today = hall.clock.at.date()
    hall.ledger.move_out(hall.start(today.isoformat()), Out.REFUSED)

    days = hall.board.days([LINK], date(today.year, 1, 1))

    assert [(day.on, day.light) for day in days[LINK]] == [(today, Light.REFUSED)]


def test_with_many_links_nobody_waits_for_changed_files(
    hall: Hall, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kumobashi.service.board, "_MANY", 1)
    before = hall.board.board()
    gate, real = threading.Event(), described

    def slowly(*args: object, **named: object) -> object:
        gate.wait(10)
        return real(*args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(kumobashi.service.board, "described", slowly)
    changed = load(folder)
    del changed.links["resident-to-nhi"]  # type: ignore[attr-defined]
    hall.workspace = changed

    assert len(hall.board.board().rows) == len(before.rows)  # as they were
    gate.set()
    with hall.board._making:  # made by now
        pass
    assert len(hall.board.board().rows) == len(before.rows) - 1
