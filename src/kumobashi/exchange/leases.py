"""Who works on a transfer or a bundle: a row in the store, with a time and a token that grows.

A process claims in one statement, renews while it works, and lets go at the end. Should it die or
stand still, its time runs out by the store's own clock, another process claims, and the token is
one more: every commit under the old token is refused (:class:`~.errors.Fenced`), in the commit's
own transaction.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa

from kumobashi.exchange.errors import Fenced
from kumobashi.exchange.sql import leases as table
from kumobashi.exchange.statements import padded
from kumobashi.storage.state import StateStore

Side = Literal["out", "in"]
_MICROS = 1_000_000
_IN_ONE_STATEMENT = 500  # leases; each takes four of the parameters that a store allows
_Name = tuple[str, str, int, int]  # side, transfer, attempt, token
_NAMED = sa.tuple_(table.c.side, table.c.transfer, table.c.attempt, table.c.token)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a lease is on; ``attempt`` is 0 for a transfer at its sender."""

    side: Side
    transfer: str
    attempt: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to work on something, until another process holds a higher token."""

    on: Held
    owner: str
    token: int

    @property
    def was_taken_over(self) -> bool:
        """Whether somebody held it before, and may not know that he has lost it."""
        return self.token > 1


class Leases:
    """The leases of one process, ``owner``, in one store."""

    def __init__(self, store: StateStore, tenant: str, *, owner: str, seconds: float) -> None:
        self._store = store
        self._tenant = tenant
        self._owner = owner
        self._micros = round(seconds * _MICROS)
        now = store.micros
        taking = (
            " on conflict (tenant, side, transfer, attempt) do update"
            " set owner = excluded.owner, token = leases.token + 1, until = excluded.until"
            f" where leases.until < {now} returning transfer, attempt, token"
        )
        into = "insert into leases (tenant, side, transfer, attempt, owner, token, until)"
        self._claim = sa.text(
            f"{into} values (:tenant, :side, :transfer, :attempt, :owner, 1, {now} + :micros)"
            + taking
        )
        self._drop = sa.text(
            "update leases set until = 0, owner = '' where tenant = :tenant and side = :side"
            " and transfer = :transfer and attempt = :attempt and owner = :owner"
        )
        self._release = sa.text(f"{self._drop.text} and token = :token")

    def claim(self, on: Held) -> Lease | None:
        """Take a lease that is free; nothing when another process has it, or this one already."""
        values = self._values(on)
        row = self._store.write(
            lambda held: held.execute(self._claim, values).first(), key=on.transfer
        )
        return Lease(on=on, owner=self._owner, token=row.token) if row else None

    def renew(self, leases: Sequence[Lease]) -> list[Lease]:
        """Prolong these leases, in one commit; return those that this process has lost.

        Only these: what was claimed and is not worked on must run out, or it is held for ever.
        """
        named = {(one.on.side, one.on.transfer, one.on.attempt, one.token): one for one in leases}

        def work(held: sa.Connection) -> set[_Name]:
            kept = set()
            for some in _batches(list(named)):
                found = held.execute(
                    sa.update(table)
                    .where(table.c.tenant == self._tenant, table.c.owner == self._owner)
                    .where(_NAMED.in_(some))
                    .values(until=sa.literal_column(f"{self._store.micros} + {self._micros:d}"))
                    .returning(*_NAMED)
                )
                kept |= {tuple(row) for row in found}
            return kept

        kept = self._store.write(work)
        return [lease for name, lease in named.items() if name not in kept]

    def release(self, lease: Lease) -> bool:
        """Let go at the end; return whether it was still held. Of a lost one nothing changes."""
        values = {**self._values(lease.on), "token": lease.token}
        found = self._store.write(
            lambda held: held.execute(self._release, values).rowcount, key=lease.on.transfer
        )
        return found == 1

    def drop(self, on: Held) -> None:
        """Let go of a lease whose token is not known, or could not be told; another's stays."""
        values = self._values(on)
        self._store.write(lambda held: held.execute(self._drop, values), key=on.transfer)

    def forget_all(self) -> None:
        """Free every lease of a store that no other process can have open: they are of the dead."""
        statement = sa.text("update leases set until = 0, owner = '' where tenant = :tenant")
        self._store.write(lambda held: held.execute(statement, {"tenant": self._tenant}))

    def _mine(self) -> dict[str, object]:
        return {"tenant": self._tenant, "owner": self._owner}

    def _values(self, on: Held) -> dict[str, object]:
        key = {"side": on.side, "transfer": on.transfer, "attempt": on.attempt}
        return {**self._mine(), **key, "micros": self._micros}


def _batches(names: list[_Name]) -> Iterator[list[_Name]]:
    for first in range(0, len(names), _IN_ONE_STATEMENT):
        yield names[first : first + _IN_ONE_STATEMENT]


_CHECK_SOME = (
    sa.select(table.c.side, table.c.transfer, table.c.attempt, table.c.owner, table.c.token)
    .where(table.c.tenant == sa.bindparam("tenant_"))
    .where(
        sa.tuple_(table.c.side, table.c.transfer, table.c.attempt).in_(
            sa.bindparam("some_", expanding=True)
        )
    )
    .order_by(table.c.side, table.c.transfer, table.c.attempt)
    .with_for_update(read=True)
)
_CHECK = sa.text(
    "select owner, token from leases where tenant = :tenant and side = :side"
    " and transfer = :transfer and attempt = :attempt"
)
_CHECK_AND_HOLD = sa.text(f"{_CHECK.text} for share")


def check_fence(connection: sa.Connection, tenant: str, lease: Lease) -> None:
    """Refuse the transaction when the lease is another's; nobody takes it over before the commit.

    Raises:
        Fenced: another process works on this.
    """
    query = _CHECK_AND_HOLD if connection.dialect.name == "postgresql" else _CHECK
    on = lease.on
    key = {"tenant": tenant, "side": on.side, "transfer": on.transfer, "attempt": on.attempt}
    row = connection.execute(query, key).first()
    if refused := _refused(lease, (row.owner, row.token) if row else None):
        raise refused


def check_fences(
    connection: sa.Connection, tenant: str, leases: Collection[Lease]
) -> dict[Lease, Fenced]:
    """Return what refuses those of the leases that are another's; hold the others as one does."""
    if not leases:
        return {}
    names = {lease: (lease.on.side, lease.on.transfer, lease.on.attempt) for lease in leases}
    key = {"tenant_": tenant, "some_": padded(set(names.values()))}
    rows = {
        (row.side, row.transfer, row.attempt): (row.owner, row.token)
        for row in connection.execute(_CHECK_SOME, key)
    }
    found = {lease: _refused(lease, rows.get(name)) for lease, name in names.items()}
    return {lease: refused for lease, refused in found.items() if refused}


def _refused(lease: Lease, held: tuple[str, int] | None) -> Fenced | None:
    """Compare a lease with the owner and the token that stand in its row."""
    if held == (lease.owner, lease.token):
        return None
    return Fenced(transfer=lease.on.transfer, token=lease.token, newer=held[1] if held else 0)
