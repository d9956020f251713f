"""The book of faults: what the watch writes, and what people say of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kumobashi.monitoring.book import FaultBook, watch_file
from kumobashi.monitoring.errors import FaultClosed, FaultUnknown, NoteMissing, StillOpen
from kumobashi.monitoring.faults import EntryKind, Standing, plain_suspicion, suspicion_of
from kumobashi.monitoring.following import Change, Turn
from kumobashi.testing.clocks import HandClock
from tests.unit.monitoring.pictures import DESK, NOW, TODAY
from tests.unit.monitoring.test_following import suspicion

FAULT = "0199f0a0-0000-7000-8000-00000a1b2c3d"


@pytest.fixture
def book(tmp_path: Path) -> Iterator[FaultBook]:
    held = FaultBook(watch_file(tmp_path), tenant="999997", site="hall", clock=HandClock(NOW))
    yield held
    held.close()


def turn(kind: Turn) -> Change:
    return Change(turn=kind, fault=FAULT, suspicion=suspicion(contact=DESK))


def test_a_suspicion_is_read_back_as_it_was_written() -> None:
    one = suspicion(
        contact=DESK,
        links=frozenset({"b", "a"}),
        overdue=frozenset({("a", TODAY)}),
        path=(("hall", "庁内", "ok"), ("cloud", "雲", "bad")),
    )
    assert suspicion_of(plain_suspicion(one)) == one


def test_a_fault_goes_from_open_to_closed_with_its_cause(book: FaultBook) -> None:
    assert book.turn(turn(Turn.OPENED)).standing is Standing.OPEN
    assert book.take("1B2C3D", by="佐藤").standing is Standing.TAKEN
    with pytest.raises(StillOpen):
        book.close_record(FAULT, "設定の誤り", by="佐藤")
    assert book.turn(turn(Turn.ENDED)).standing is Standing.ENDED
    closed = book.close_record(FAULT, "設定の誤り", by="佐藤")

    assert closed.standing is Standing.CLOSED
    kinds = [entry.kind for entry in closed.entries]
    assert kinds == ["opened", "taken", "ended", "cause", "closed"]
    with pytest.raises(FaultClosed):
        book.note(FAULT, EntryKind.MEASURE, "あとから", by="佐藤")


def test_taking_it_twice_is_noted_once(book: FaultBook) -> None:
    book.turn(turn(Turn.OPENED))
    book.take(FAULT, by="佐藤")
    again = book.take(FAULT, by="鈴木")
    assert again.taken_by == "佐藤"
    assert [entry.by for entry in again.entries if entry.kind is EntryKind.TAKEN] == ["佐藤"]


def test_a_fault_that_came_back_is_the_same_one(book: FaultBook) -> None:
    for kind in (Turn.OPENED, Turn.ENDED, Turn.REOPENED):
        book.turn(turn(kind))
    assert book.get(FAULT).standing is Standing.OPEN
    assert len(book.listed()) == 1


def test_control_characters_of_a_note_are_left_out(book: FaultBook) -> None:
    book.turn(turn(Turn.OPENED))
    noted = book.note(FAULT, EntryKind.ENQUIRY, "電話\x1b[2J\x00あり", by="佐藤")
    assert noted.entries[-1].words.ja == "電話 [2J あり"
    with pytest.raises(NoteMissing):
        book.note(FAULT, EntryKind.ENQUIRY, " \t\x00", by="佐藤")


def test_an_unknown_fault_is_said_to_be_unknown(book: FaultBook) -> None:
    with pytest.raises(FaultUnknown):
        book.get("ABCDEF")
    book.turn(turn(Turn.OPENED))
    for name in ("%", "_" * 6, "-", FAULT[:-1]):
        with pytest.raises(FaultUnknown):
            book.get(name)


def test_another_municipality_sees_none_of_it(book: FaultBook, tmp_path: Path) -> None:
    book.turn(turn(Turn.OPENED))
    other = FaultBook(watch_file(tmp_path), tenant="999989", site="hall", clock=HandClock(NOW))
    assert other.listed() == ()
    with pytest.raises(FaultUnknown):
        other.get(FAULT)
    other.close()
