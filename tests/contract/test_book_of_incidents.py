"""The book of incidents, the same in every store: every act, every order, every fault."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from kumobashi.evidence.sql import waiting
from kumobashi.exchange.row_security import unsecured
from kumobashi.papers.book import IncidentBook
from kumobashi.papers.errors import (
    IncidentMove,
    IncidentTouched,
    IncidentUnfit,
    IncidentUnknown,
    OpenerCloses,
)
from kumobashi.papers.incidents import MOVES, Act, Closing, Incident, State, after
from kumobashi.papers.sql import incidents, revisions
from kumobashi.storage.state import StateStore
from kumobashi.testing.clocks import HandClock
from tests.unit.papers.incidents import LEAK, NOW, TENANT

pytestmark = [pytest.mark.slow, pytest.mark.postgres]


@pytest.fixture
def clock() -> HandClock:
    return HandClock(NOW)


@pytest.fixture
def book(store: StateStore, clock: HandClock) -> IncidentBook:
    return IncidentBook(store, tenant=TENANT, clock=clock)


def bring(book: IncidentBook, state: State) -> Incident:
    found = book.open(LEAK, by="operator")
    if state in {State.PROMPTED, State.REPORTED}:
        found = book.file(found.incident, "prompt", NOW, by="operator")
    if state is State.REPORTED:
        found = book.file(found.incident, "final", NOW, by="operator")
    if state is State.CLOSED:
        found = book.close(found.incident, Closing.MISTAKEN, "誤検知だった", by="chief")
    assert found.state is state
    return found


def do(book: IncidentBook, found: Incident, act: Act) -> Incident:
    closing = Closing.REPORTED if found.state is State.REPORTED else Closing.MISTAKEN
    deeds = {
        Act.AMEND: lambda: book.amend(
            found.incident, lambda held: replace(held, persons=3), by="operator"
        ),
        Act.TELL: lambda: book.tell(found.incident, "架空県 市町村課", NOW, by="operator"),
        Act.FILE_PROMPT: lambda: book.file(found.incident, "prompt", NOW, by="operator"),
        Act.FILE_FINAL: lambda: book.file(found.incident, "final", NOW, by="operator"),
        Act.CLOSE: lambda: book.close(found.incident, closing, "理由", by="chief"),
    }
    return deeds[act]()


def test_every_move_is_made_or_refused_and_what_was_written_is_read(book: IncidentBook) -> None:
    for state in State:
        for act in Act:
            if act is Act.OPEN:
                continue
            found = bring(book, state)
            then = after(state, act)
            if then is None:
                with pytest.raises(IncidentMove):
                    do(book, found, act)
                assert book.one(found.incident) == found
            else:
                made = do(book, found, act)
                assert made.state is then is MOVES[state][act]
                assert book.one(found.incident) == made
                assert len(book.history(found.incident)) == made.number == found.number + 1


def test_what_cannot_be_is_refused_and_nothing_is_kept(
    book: IncidentBook, clock: HandClock
) -> None:
    for wrong in (
        replace(LEAK, noticed=NOW + timedelta(hours=1)),
        replace(LEAK, kinds=()),
        replace(LEAK, persons=-1),
        replace(LEAK, note="宛名番号 000000000000123 の人"),
        replace(LEAK, note="０００１２３４５６７"),
        replace(LEAK, transfers=("a", "a")),
    ):
        with pytest.raises(IncidentUnfit) as unfit:
            book.open(wrong, by="operator")
        assert "000123" not in str(unfit.value)
    assert book.all(closed=True) == ([], [])
    found = book.open(LEAK, by="operator")
    for early in (NOW - timedelta(days=9), NOW + timedelta(days=1)):
        with pytest.raises(IncidentUnfit):
            book.file(found.incident, "prompt", early, by="operator")
    book.file(found.incident, "prompt", NOW, by="operator")
    with pytest.raises(IncidentUnfit):  # noticed cannot move behind what was filed
        book.amend(
            found.incident, lambda held: replace(held, noticed=NOW + timedelta(minutes=4)), by="x"
        )
    with pytest.raises(IncidentUnfit):  # unreported it is not closed as reported
        book.close(found.incident, Closing.REPORTED, "", by="operator")
    with pytest.raises(IncidentUnfit):  # and not without saying why
        book.close(found.incident, Closing.NOT_REPORTABLE, " ", by="operator")
    with pytest.raises(IncidentUnknown):
        book.one("019aa8d1-0000-7000-8000-000000000000")
    assert book.one(found.incident[-8:]).incident == found.incident


def test_unreported_it_is_closed_by_another_than_who_noted_it(book: IncidentBook) -> None:
    found = book.open(LEAK, by="account:tanaka")
    book.tell(found.incident, "架空県 市町村課", NOW, by="account:suzuki")
    for closing in (Closing.MISTAKEN, Closing.NOT_REPORTABLE):
        with pytest.raises(OpenerCloses):
            book.close(found.incident, closing, "誤検知だった", by="account:tanaka")
    assert book.one(found.incident).state is State.OPEN
    book.file(found.incident, "final", NOW, by="account:suzuki")
    done = book.close(found.incident, Closing.REPORTED, "", by="account:tanaka")
    assert done.state is State.CLOSED


def test_a_final_report_alone_does_for_both(book: IncidentBook) -> None:
    found = book.open(LEAK, by="operator")
    done = book.file(found.incident, "final", NOW, by="operator")
    assert dict(done.filed) == {"prompt": NOW, "final": NOW}


def test_each_act_is_a_leaf_of_evidence_that_names_nobody(
    book: IncidentBook, store: StateStore
) -> None:
    found = book.open(replace(LEAK, note="委託先から連絡"), by="operator")
    book.tell(found.incident, "架空県 市町村課", NOW, by="operator")
    bodies = store.read(
        lambda connection: [
            bytes(row) for row in connection.execute(sa.select(waiting.c.body)).scalars()
        ]
    )
    told = [body for body in bodies if b'"event":"incident.moved"' in body]
    assert len(told) == 2
    assert all(found.incident.encode() in body for body in told)
    assert not any("委託先".encode() in body or "架空県".encode() in body for body in told)


def test_a_row_or_revision_that_somebody_changed_is_found(
    book: IncidentBook, store: StateStore
) -> None:
    found, other = book.open(LEAK, by="operator"), book.open(LEAK, by="operator")

    def change(connection: sa.Connection) -> None:
        later = {"noticed_at": incidents.c.noticed_at + 86_400_000_000}
        mine = incidents.c.incident == found.incident
        connection.execute(sa.update(incidents).where(mine).values(later))

    store.write(change)
    with pytest.raises(IncidentTouched):
        book.one(found.incident)
    with pytest.raises(IncidentTouched):
        book.close(found.incident, Closing.MISTAKEN, "理由", by="operator")
    listed, wrong = book.all()
    assert [one.incident for one in listed] == [other.incident]
    assert [one.facts["incident"] for one in wrong] == [found.incident]


def test_revisions_cannot_be_changed_or_removed(book: IncidentBook, store: StateStore) -> None:
    book.open(LEAK, by="operator")
    statements: tuple[sa.Executable, ...] = (
        sa.update(revisions).values(hash="x"),
        sa.delete(revisions),
    )
    for statement in statements:

        def work(connection: sa.Connection, said: sa.Executable = statement) -> None:
            connection.execute(said)

        with pytest.raises(sa.exc.DBAPIError):
            store.write(work)


def test_no_table_of_incidents_is_open_to_other_tenants(
    book: IncidentBook, store: StateStore, clock: HandClock
) -> None:
    book.open(LEAK, by="operator")
    other = IncidentBook(store, tenant="999989", clock=clock)
    if store.is_shared:
        assert store.read(unsecured) == []
    else:
        assert other.all(closed=True) == ([], [])
