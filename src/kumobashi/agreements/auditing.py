"""Verify every agreement of a site against its signed moves, and both against the evidence log.

Signatures find what was changed. The evidence log also finds what was taken away: the end of a
history, or an agreement with all of it. Whether the log itself was touched, ``evidence verify``
tells.
"""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from kumobashi.agreements import reading
from kumobashi.agreements.errors import AgreementForged
from kumobashi.agreements.sql import agreements
from kumobashi.agreements.verifying import Trusted, cut_off, missing_in
from kumobashi.evidence.sql import entries, waiting

if TYPE_CHECKING:
    from kumobashi.agreements.records import Agreement

_MARK: Final = b'"event":"agreement.moved"'
Told = frozenset[tuple[str, str]]  # id of an agreement, digest of a move


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One agreement that is not what was decided."""

    agreement: str
    number: str | None
    code: str
    ja: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What looking at all of them found."""

    agreements: int
    moves: int
    faults: tuple[Fault, ...]


def audit(connection: sa.Connection, trusted: Trusted) -> Audit:
    """Look at every agreement; a database of some thousand takes some seconds.

    People act meanwhile, and book and log are several statements. So the log is read before the
    book and after it: what was told before must be in the book, what is in the book must be told
    after.
    """
    before = told_by_evidence(connection, trusted.tenant)
    query = (
        sa.select(agreements)
        .where(agreements.c.tenant == trusted.tenant)
        .order_by(agreements.c.agreement)
    )
    faults: list[Fault] = []
    sound: list[tuple[sa.Row[tuple[object, ...]], Agreement]] = []
    rows = connection.execute(query).all()
    for held in rows:
        try:
            sound.append((held, reading.whole(connection, trusted, held)))
        except AgreementForged as error:
            faults.append(_fault(held, error.code, error.what, error.what_en))
    after = told_by_evidence(connection, trusted.tenant)
    for held, found in sound:
        if missing := missing_in(found, after):
            number = missing[0].number
            ja = f"{number}番目の手続が証跡にありません"
            en = f"the evidence log does not know move {number}"
            faults.append(_fault(held, "agreement.not_in_evidence", ja, en))
        elif gone := cut_off(found, before):
            ja = f"証跡にある手続が {gone} 件、履歴から消されています"
            en = f"{gone} moves that the evidence log knows are gone from its history"
            faults.append(_fault(held, "agreement.history_cut", ja, en))
    seen = {held.agreement for held in rows}
    for agreement in sorted({name for name, _ in before} - seen):
        ja, en = (
            "証跡にある利用協議が消されています",
            "the evidence log knows it, the book does not",
        )
        fault = Fault(agreement=agreement, number=None, code="agreement.removed", ja=ja, en=en)
        faults.append(fault)
    count = sum(len(found.moves) for _, found in sound)
    return Audit(agreements=len(seen), moves=count, faults=tuple(faults))


def told_by_evidence(connection: sa.Connection, tenant: str) -> Told:
    """Return the moves that the evidence log tells of, numbered or still waiting for a number."""
    told = set()
    for table in (waiting, entries):  # they go from the first to the second
        bodies = connection.execute(
            sa.select(table.c.body)
            .where(table.c.tenant == tenant)
            .execution_options(yield_per=4096)
        )
        for body in bodies.scalars():
            if _MARK in bytes(body):
                said = json.loads(bytes(body))
                told.add((str(said.get("agreement")), str(said.get("move"))))
    return frozenset(told)


def _fault(held: sa.Row[tuple[object, ...]], code: str, ja: str, en: str) -> Fault:
    return Fault(agreement=held.agreement, number=held.number, code=code, ja=ja, en=en)
