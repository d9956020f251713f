"""A forged approval is found: every change of a row, a move, a signature, the end of a history."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from kumobashi.agreements import Act, Book, State
from kumobashi.agreements.acting import Wish
from kumobashi.agreements.auditing import audit
from kumobashi.agreements.errors import AgreementForged
from kumobashi.agreements.moves import Move, read_move, sign_move
from kumobashi.agreements.reading import tokens_of
from kumobashi.agreements.sql import agreements, moves
from kumobashi.crypto.keys import SigningKey
from kumobashi.kernel import to_micros
from kumobashi.testing.clocks import HandClock
from tests.unit.agreements import people

Forge = Callable[[sa.Connection, Book, str], None]


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    made = people.file_book(tmp_path, HandClock(people.NOW))
    yield made
    made.store.close()


def row(**values: object) -> Forge:
    def forge(held: sa.Connection, _book: Book, agreement: str) -> None:
        mine = agreements.c.agreement == agreement
        held.execute(sa.update(agreements).where(mine).values(values))

    return forge


def dropped(*numbers: int) -> Forge:
    def forge(held: sa.Connection, _book: Book, agreement: str) -> None:
        mine = sa.and_(moves.c.agreement == agreement, moves.c.number.in_(numbers))
        held.execute(sa.delete(moves).where(mine))

    return forge


def signed_by_another(held: sa.Connection, book: Book, agreement: str) -> None:
    """Make an approval like the gateway's own, with a key of one's own."""
    last = _last(held, book, agreement)
    forged = _next(last, Act.REVIEW, State.OWNER_REVIEW, by="sato")
    _append(held, forged, SigningKey.generate())
    row(state=State.OWNER_REVIEW.value)(held, book, agreement)


def of_another(held: sa.Connection, book: Book, agreement: str) -> None:
    """Put the good, signed review of another agreement behind this one's application."""
    other = [
        each for each in held.execute(sa.select(moves.c.agreement)).scalars() if each != agreement
    ]
    token = tokens_of(held, people.TENANT, other[0])[2]
    held.execute(
        sa.insert(moves).values(
            tenant=people.TENANT, agreement=agreement, number=3, token=token, at=0
        )
    )
    row(state=State.OWNER_REVIEW.value)(held, book, agreement)


def altered_token(held: sa.Connection, _book: Book, agreement: str) -> None:
    mine = sa.and_(moves.c.agreement == agreement, moves.c.number == 2)
    token = held.execute(sa.select(moves.c.token).where(mine)).scalar_one()
    head, payload, signature = token.split(".")
    flipped = "A" if payload[40] != "A" else "B"
    text = f"{head}.{payload[:40]}{flipped}{payload[41:]}.{signature}"
    held.execute(sa.update(moves).where(mine).values(token=text))


FORGERIES: dict[str, Forge] = {
    "state": row(state=State.IN_FORCE.value),
    "state_unknown": row(state="approved"),
    "number": row(number="8架総第999号"),
    "plan": row(plan_hash=people.OTHER_HASH),
    "term": row(last_day="2099-03-31"),
    "link": row(link="another-link"),
    "revision": row(revision=7),
    "content": row(content=people.APPLICATION.encode().replace("2027-03-31", "2099-03-31")),
    "content_unreadable": row(content="{}"),
    "register": row(processors="[]x"),
    "first_move_gone": dropped(1),
    "all_moves_gone": dropped(1, 2),
    "last_move_gone": dropped(2),
    "signature": altered_token,
    "another_key": signed_by_another,
    "another_agreement": of_another,
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forgery_is_refused_and_named(book: Book, name: str) -> None:
    people.in_state(book, State.OWNER_REVIEW)
    made = people.in_state(book, State.APPLIED)
    book.store.write(lambda held: FORGERIES[name](held, book, made.agreement))

    with pytest.raises(AgreementForged) as refused:
        book.get(made.agreement)
    assert refused.value.what
    assert refused.value.what_en
    with pytest.raises(AgreementForged):
        book.act(made.agreement, Wish(act=Act.REVIEW), people.SATO)
    found = book.store.read(lambda held: audit(held, book.trusted))
    assert [fault.agreement for fault in found.faults] == [made.agreement]
    assert found.agreements == 2


def test_cutting_off_a_withdrawal_is_found_by_the_evidence(book: Book) -> None:
    made = people.in_state(book, State.IN_FORCE)
    gone = book.act(made.agreement, Wish(act=Act.WITHDRAW), people.SUZUKI)

    def forge(held: sa.Connection) -> None:
        dropped(gone.head.number)(held, book, made.agreement)
        row(state=State.IN_FORCE.value)(held, book, made.agreement)

    book.store.write(forge)
    assert book.get(made.agreement).state is State.IN_FORCE  # what is left fits together
    (fault,) = book.store.read(lambda held: audit(held, book.trusted)).faults
    assert (fault.agreement, fault.code) == (made.agreement, "agreement.history_cut")


def test_a_move_that_no_evidence_knows_is_found(book: Book) -> None:
    """With the signing key and the database, but without the log: the log does not know it."""
    made = people.in_state(book, State.APPLIED)
    forged = _next(made.head, Act.REVIEW, State.OWNER_REVIEW, by="sato")

    def forge(held: sa.Connection) -> None:
        _append(held, forged, book._key)
        row(state=State.OWNER_REVIEW.value)(held, book, made.agreement)

    book.store.write(forge)
    (fault,) = book.store.read(lambda held: audit(held, book.trusted)).faults
    assert fault.code == "agreement.not_in_evidence"


def test_even_a_signed_move_must_keep_the_rules(book: Book) -> None:
    made = people.in_state(book, State.APPLIED)
    for act, after, by in (
        (Act.REVIEW, State.OWNER_REVIEW, "tanaka"),  # the applicant
        (Act.APPROVE, State.DECIDED, "yamada"),  # not from there
        (Act.REVIEW, State.IN_FORCE, "sato"),  # not to there
    ):
        forged = _next(made.head, act, after, by=by)

        def forge(held: sa.Connection, forged: Move = forged) -> None:
            dropped(3)(held, book, made.agreement)
            _append(held, forged, book._key)
            row(state=forged.after.value)(held, book, made.agreement)

        book.store.write(forge)
        with pytest.raises(AgreementForged):
            book.get(made.agreement)


def test_a_whole_agreement_that_was_removed_is_found(book: Book) -> None:
    made = people.in_state(book, State.APPLIED)

    def forge(held: sa.Connection) -> None:
        held.execute(sa.delete(moves))
        held.execute(sa.delete(agreements))

    book.store.write(forge)
    (fault,) = book.store.read(lambda held: audit(held, book.trusted)).faults
    assert (fault.agreement, fault.code) == (made.agreement, "agreement.removed")


def test_what_nobody_touched_has_no_faults(book: Book) -> None:
    for state in State:
        people.in_state(book, state)
    found = book.store.read(lambda held: audit(held, book.trusted))
    assert (found.faults, found.agreements) == ((), len(State))


def _last(held: sa.Connection, book: Book, agreement: str) -> Move:
    return read_move(tokens_of(held, people.TENANT, agreement)[-1], book.trusted.keys)


def _next(last: Move, act: Act, after: State, *, by: str) -> Move:
    from dataclasses import replace

    return replace(
        last,
        number=last.number + 1,
        previous=last.digest(),
        act=act,
        before=last.after,
        after=after,
        by=by,
    )


def _append(held: sa.Connection, move: Move, key: SigningKey) -> None:
    held.execute(
        sa.insert(moves).values(
            tenant=move.tenant,
            agreement=move.agreement,
            number=move.number,
            token=sign_move(move, key),
            at=to_micros(move.at),
        )
    )
