"""Read agreements from their tables, inside a piece of work; each is verified at every reading."""

from collections.abc import Sequence
from datetime import date

import sqlalchemy as sa

from kumobashi.agreements.errors import (
    AgreementFailed,
    AgreementForged,
    AgreementMissing,
    AgreementUnknown,
    NotInForce,
    OutsideTerm,
    PlanDrifted,
)
from kumobashi.agreements.records import Agreement, Row
from kumobashi.agreements.sql import agreements, moves
from kumobashi.agreements.states import State
from kumobashi.agreements.terms import Wanted, check_covers, ended
from kumobashi.agreements.verifying import Trusted, verified

_SHORTEST = 6  # characters of an id's end that may stand for the whole
_LONGEST_CHAIN = 1000  # changes of one agreement
LIVING = (State.IN_FORCE, State.DECIDED)
OVER = (State.EXPIRED, State.WITHDRAWN)
_FOLLOWED = (State.IN_FORCE, State.EXPIRED, State.DECIDED, State.WITHDRAWN)
_TELLING: tuple[type[AgreementFailed], ...] = (
    AgreementForged,
    PlanDrifted,
    OutsideTerm,
    NotInForce,
)  # the most telling first


def row_of(held: sa.Row[tuple[object, ...]]) -> Row:
    """Return the row as values; raise ``ValueError`` when its state is none."""
    return Row(
        tenant=held.tenant,
        agreement=held.agreement,
        number=held.number,
        link=held.link,
        state=State(held.state),
        revision=held.revision,
        plan_hash=held.plan_hash,
        first_day=held.first_day,
        last_day=held.last_day,
        content=held.content,
        processors=held.processors,
        is_settled=held.is_settled,
    )


def tokens_of(connection: sa.Connection, tenant: str, agreement: str) -> list[str]:
    """Return the signed moves of an agreement, in their order."""
    query = (
        sa.select(moves.c.token)
        .where(moves.c.tenant == tenant, moves.c.agreement == agreement)
        .order_by(moves.c.number)
    )
    return list(connection.execute(query).scalars())


def one(
    connection: sa.Connection, trusted: Trusted, agreement: str, *, hold: bool = False
) -> Agreement:
    """Return an agreement by its id, document number, or an end of the id that no other has.

    With ``hold`` nobody else changes it before this commit.

    Raises:
        AgreementUnknown: there is none, or more than one.
        AgreementForged: it is not what was decided.
    """
    table, mine = agreements.c, agreements.c.tenant == trusted.tenant
    query = sa.select(agreements).where(
        mine, sa.or_(table.agreement == agreement, table.number == agreement)
    )
    found = connection.execute(query.with_for_update() if hold else query).all()
    if not found and len(agreement) >= _SHORTEST and agreement.isascii():
        ends = sa.select(table.agreement).where(
            mine, table.agreement.endswith(agreement, autoescape=True)
        )
        ids = list(connection.execute(ends.limit(2)).scalars())
        if len(ids) == 1:
            return one(connection, trusted, ids[0], hold=hold)
    if len(found) != 1:
        raise AgreementUnknown(agreement=agreement, site=trusted.site)
    return whole(connection, trusted, found[0])


def whole(
    connection: sa.Connection, trusted: Trusted, held: sa.Row[tuple[object, ...]]
) -> Agreement:
    """Return the agreement of a row, verified; raise :class:`AgreementForged`.

    Row and moves are two statements: somebody may act between them, unless the row is held. What
    does not fit is read again before it is called forged.
    """
    mine = sa.and_(agreements.c.tenant == trusted.tenant, agreements.c.agreement == held.agreement)
    seen: object = None
    while True:
        tokens = tokens_of(connection, trusted.tenant, held.agreement)
        try:
            return verified(_row(held), tokens, trusted)
        except AgreementForged:
            now = (tuple(held), tuple(tokens))
            fresh = connection.execute(sa.select(agreements).where(mine)).first()
            if fresh is None or now == seen:
                raise
            held, seen = fresh, now


def _row(held: sa.Row[tuple[object, ...]]) -> Row:
    try:
        return row_of(held)
    except ValueError:
        raise AgreementForged(
            agreement=held.number or held.agreement,
            what="行の状態が読めません",
            what_en="the state of its row is none",
        ) from None


def covering(
    connection: sa.Connection,
    trusted: Trusted,
    wanted: Wanted,
    *,
    number: str | None,
    hold: bool = True,
) -> Agreement:
    """Return the agreement under which this may go; with ``hold`` it stays so until the commit.

    ``number`` is the one that the link's file names, or one that a later change has replaced; with
    none, any agreement of the link will do.

    Raises:
        NotCovered: says why not.
        AgreementUnknown, AgreementForged: the one that is named.
    """
    if number is not None:
        named = one(connection, trusted, number, hold=hold)
        found = _newest_change(connection, trusted, named, hold=hold)
        check_covers(found, wanted)
        return found
    why: list[AgreementFailed] = []
    for held in _of_link(connection, trusted.tenant, wanted.link, LIVING, hold=hold):
        try:
            found = whole(connection, trusted, held)
            check_covers(found, wanted)
        except AgreementFailed as error:
            why.append(error)
        else:
            return found
    if not why:  # people are told of the last that there was
        over = _of_link(connection, trusted.tenant, wanted.link, OVER, hold=False)
        why = [ended(whole(connection, trusted, held)) for held in over[:1]]
    raise min(why, key=_how_telling, default=AgreementMissing(link=wanted.link))


def still(connection: sa.Connection, trusted: Trusted, agreement: str, wanted: Wanted) -> Agreement:
    """Return the agreement that a transfer began under; raise ``NotCovered`` when it is over."""
    found = one(connection, trusted, agreement, hold=True)
    check_covers(found, wanted)
    return found


def replaced_by(
    connection: sa.Connection, trusted: Trusted, change: Agreement
) -> Sequence[Agreement]:
    """Return what ends when a change begins: the one it changes, and other changes of that one."""
    old = change.application.supersedes
    rows = _of_link(connection, trusted.tenant, change.application.link, LIVING, hold=True)
    others = [whole(connection, trusted, held) for held in rows]
    return [
        each
        for each in others
        if each.agreement == old
        or (
            each.agreement != change.agreement
            and each.state is State.IN_FORCE
            and each.application.supersedes == old
        )
    ]


def _newest_change(
    connection: sa.Connection, trusted: Trusted, found: Agreement, *, hold: bool
) -> Agreement:
    """Return the change in force that has replaced an agreement, if one has."""
    for _ in range(_LONGEST_CHAIN):
        if found.state is not State.EXPIRED:
            break
        rows = _of_link(
            connection, trusted.tenant, found.application.link, (*LIVING, *OVER), hold=hold
        )
        changes = [whole(connection, trusted, held) for held in rows]
        later = [each for each in changes if each.application.supersedes == found.agreement]
        if not later:
            break
        # One that was taken back before it began has replaced nothing.
        found = min(later, key=lambda each: _FOLLOWED.index(each.state))
    return found


def _of_link(
    connection: sa.Connection,
    tenant: str,
    link: str,
    states: Sequence[State],
    *,
    hold: bool,
) -> Sequence[sa.Row[tuple[object, ...]]]:
    """Return the rows of a link in these states, the newest first."""
    query = (
        sa.select(agreements)
        .where(
            agreements.c.tenant == tenant,
            agreements.c.link == link,
            agreements.c.state.in_([state.value for state in states]),
        )
        .order_by(agreements.c.agreement.desc())
    )
    return connection.execute(query.with_for_update() if hold else query).all()


def _how_telling(why: AgreementFailed) -> int:
    return next((at for at, kind in enumerate(_TELLING) if isinstance(why, kind)), len(_TELLING))


def listed(
    connection: sa.Connection,
    tenant: str,
    *,
    states: Sequence[State] = (),
    link: str | None = None,
    text: str = "",
    after: str = "",
    limit: int = 100,
) -> Sequence[sa.Row[tuple[object, ...]]]:
    """Return rows, the newest first, from behind the id ``after`` on."""
    table = agreements.c
    query = sa.select(agreements).where(table.tenant == tenant)
    if states:
        query = query.where(table.state.in_([state.value for state in states]))
    if link:
        query = query.where(table.link == link)
    if text:
        query = query.where(
            sa.or_(
                table.number.contains(text, autoescape=True),
                table.link.contains(text, autoescape=True),
                table.content.contains(text, autoescape=True),
            )
        )
    if after:
        query = query.where(table.agreement < after)
    return connection.execute(query.order_by(table.agreement.desc()).limit(limit)).all()


def due(connection: sa.Connection, tenant: str, today: date) -> list[str]:
    """Return the ids that the gateway may have to begin or end today."""
    table, day = agreements.c, today.isoformat()
    query = sa.select(table.agreement).where(
        table.tenant == tenant,
        sa.or_(
            sa.and_(table.state == State.DECIDED.value, table.first_day <= day),
            sa.and_(
                table.state.in_([State.DECIDED.value, State.IN_FORCE.value]),
                table.last_day < day,
            ),
        ),
    )
    return list(connection.execute(query).scalars())


def unsettled(connection: sa.Connection, tenant: str) -> list[str]:
    """Return the ids of those that ended and under which something may still run."""
    query = sa.select(agreements.c.agreement).where(
        agreements.c.tenant == tenant,
        agreements.c.state.in_([State.WITHDRAWN.value, State.EXPIRED.value]),
        sa.not_(agreements.c.is_settled),
    )
    return list(connection.execute(query).scalars())
