"""A code that only the resident can know, sent to where the register says she lives (郵送コード).

The code is made once, printed in a letter, and kept as scrypt keeps passwords. A try is counted
before it is compared, so that many at once are not more tries than one after the other; a lock
stands until a new letter is sent.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

import sqlalchemy as sa

from kumobashi.consent.errors import CodeLocked, CodeOver, CodeUnknown, CodeWrong
from kumobashi.consent.ledger import ConsentLedger
from kumobashi.consent.reading import Reading
from kumobashi.consent.records import Method, Record
from kumobashi.consent.sql import codes
from kumobashi.consent.states import State, check_move
from kumobashi.evidence.entries import Entry
from kumobashi.evidence.log import append
from kumobashi.identity.passwords import hashed, matches
from kumobashi.kernel import from_micros, to_micros

T = TypeVar("T")
MOST_TRIES = 5
LIVES = timedelta(days=30)
_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # without what looks like another
_LETTERS, _GROUP = 12, 4  # 60 bits


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What goes into the letter; the code is nowhere else in the clear."""

    record: str
    code: str  # ABCD-EFGH-JKLM
    until: datetime


class MailedCodes:
    """The codes of one ledger's applications."""

    def __init__(self, ledger: ConsentLedger) -> None:
        self._ledger = ledger

    def send(self, record: str, *, by: str) -> Letter:
        """Make the code of an application; one that was sent before is worth nothing then.

        Raises:
            ConsentUnknown, ConsentMove: nobody waits for a code.
        """
        check_move(Reading(self._ledger).record(record).state, State.CHECKED)
        code = new_code()
        now = self._ledger.clock.now()
        row = {
            "tenant": self._ledger.tenant,
            "record": record,
            "hash": hashed(plain(code)),
            "made_at": to_micros(now),
            "until": to_micros(now + LIVES),
            "tries": 0,
            "used_at": None,
        }

        def work(connection: sa.Connection) -> None:
            connection.execute(sa.delete(codes).where(self._is(record)))
            connection.execute(sa.insert(codes).values(row))
            self._note(connection, "consent.code_sent", record, by=by)

        self._write(work)
        return Letter(record=record, code=code, until=now + LIVES)

    def prove(self, record: str, code: str, *, by: str) -> Record:
        """Take the code that came back; the applicant is the resident then.

        Raises:
            CodeUnknown: none was sent, or it was used.
            CodeOver: it came too late.
            CodeWrong: it is another one; ``left`` tries are left.
            CodeLocked: too many wrong ones.
        """
        kept, tries = self._write(lambda connection: self._take_try(connection, record, by))
        if kept is None:
            raise CodeLocked(most=MOST_TRIES)
        if not matches(plain(code), kept):
            raise CodeWrong(left=MOST_TRIES - tries)
        self._write(lambda connection: self._use(connection, record))
        return self._ledger.check(record, Method.MAILED_CODE, by=by)

    def _take_try(self, connection: sa.Connection, record: str, by: str) -> tuple[str | None, int]:
        """Count a try and return what it is compared with; nothing once all are used up."""
        row = connection.execute(sa.select(codes).where(self._is(record)).with_for_update()).first()
        if row is None or row.used_at is not None:
            raise CodeUnknown
        if from_micros(row.until) < self._ledger.clock.now():
            raise CodeOver
        if row.tries >= MOST_TRIES:
            return None, row.tries
        connection.execute(sa.update(codes).where(self._is(record)).values(tries=row.tries + 1))
        self._note(connection, "consent.code_tried", record, by=by, number=row.tries + 1)
        return row.hash, row.tries + 1

    def _use(self, connection: sa.Connection, record: str) -> None:
        """Use a code up; of two who bring it at once one is the first."""
        now = to_micros(self._ledger.clock.now())
        unused = sa.and_(self._is(record), codes.c.used_at.is_(None))
        if not connection.execute(sa.update(codes).where(unused).values(used_at=now)).rowcount:
            raise CodeUnknown

    def _note(
        self,
        connection: sa.Connection,
        event: str,
        record: str,
        *,
        by: str,
        number: int | None = None,
    ) -> None:
        facts = {"consent": record, "number": number}
        entry = Entry(event=event, at=self._ledger.clock.now(), by=by, facts=facts)
        append(connection, self._ledger.tenant, entry)

    def _is(self, record: str) -> sa.ColumnElement[bool]:
        return sa.and_(codes.c.tenant == self._ledger.tenant, codes.c.record == record)

    def _write(self, work: Callable[[sa.Connection], T]) -> T:
        return self._ledger.store.write(work, key="consents")


def new_code() -> str:
    """Return a new code as it is printed."""
    letters = [secrets.choice(_ALPHABET) for _ in range(_LETTERS)]
    return "-".join("".join(letters[at : at + _GROUP]) for at in range(0, _LETTERS, _GROUP))


def plain(code: str) -> str:
    """Return a code without what people write between and around its letters.

    >>> plain(" ab3d-efgh jkLm ")
    'AB3DEFGHJKLM'
    """
    return "".join(char for char in code.upper() if char.isalnum()).ljust(_LETTERS, "?")
