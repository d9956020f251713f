"""Reviews of access in the file of accounts: what is known of each, and what was said of it.

What is said is about the role that was on the page: if it has changed since, nothing is done.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kumobashi.identity.accounts import Account, Accounts
from kumobashi.identity.errors import FormStale, OwnAccess
from kumobashi.identity.passwords import STEP_SECONDS
from kumobashi.identity.reviewing import Access, Row, reviewed
from kumobashi.identity.roles import Role
from kumobashi.identity.sql import access_reviews, accounts, provider_accounts, role_changes
from kumobashi.kernel import from_micros, to_micros

_SECOND = 1_000_000


class Reviews:
    """What is reviewed at one site."""

    def __init__(self, book: Accounts) -> None:
        self._book = book

    def rows(self) -> list[Row]:
        """Return all accounts that are open, with what to look at."""
        return reviewed(self._accesses(), self._book.clock.now())

    def keep(self, name: str, *, by: str, role: str) -> Account:
        """Say that an account may go on as it is.

        Raises:
            OwnAccess: it is the account of whoever says so.
            AccountUnknown, FormStale: it was shut, or has another role than ``role`` by now.
        """
        return self._said(name, by=by, role=role, is_kept=True)

    def take_away(self, name: str, *, by: str, role: str) -> Account:
        """Shut somebody out; raises as :meth:`keep` does."""
        return self._said(name, by=by, role=role, is_kept=False)

    def _said(self, name: str, *, by: str, role: str, is_kept: bool) -> Account:
        if name == by:
            raise OwnAccess
        row = {"tenant": self._book.tenant, "name": name, "reviewed_by": by, "role": role}
        with self._book.writing() as connection:  # nobody else writes until this is done
            account = self._book.get(name)
            if account.role.value != role:
                raise FormStale
            at = to_micros(self._book.clock.now())
            values = row | {"reviewed_at": at, "is_kept": is_kept}
            connection.execute(sa.insert(access_reviews).prefix_with("or replace"), values)
            if not is_kept:
                self._book.shut_within(connection, account, by=by)
        return account

    def _accesses(self) -> list[Access]:
        if not self._book.exists:
            return []
        held = self._book.list()
        with self._book.engine.connect() as connection:
            facts = {row.name: row for row in self._rows(connection, accounts)}
            facts |= {row.name: row for row in self._rows(connection, provider_accounts)}
            changes = _newest(self._rows(connection, role_changes), "changed_at")
            said = _newest(self._rows(connection, access_reviews), "reviewed_at")
        return [
            Access(
                name=one.name,
                shown=one.shown,
                role=one.role,
                since=from_micros(
                    changes[one.name].changed_at if one.name in changes else facts[one.name].made_at
                ),
                seen=_seen(one, facts[one.name]),
                provider=one.provider,
                scope=one.scope,
                reviewed=from_micros(said[one.name].reviewed_at) if one.name in said else None,
                reviewed_by=said[one.name].reviewed_by if one.name in said else None,
                reviewed_role=Role(said[one.name].role) if one.name in said else None,
            )
            for one in held
            if one.name in facts
        ]

    def _rows(self, connection: sa.Connection, table: sa.Table) -> list[sa.Row[Any]]:
        mine = table.c.tenant == self._book.tenant
        return list(connection.execute(sa.select(table).where(mine)))


def _seen(account: Account, row: sa.Row[Any]) -> datetime | None:
    """Return when somebody last came; a local account keeps which code it took last."""
    if account.provider:
        return from_micros(row.seen_at)
    return from_micros(row.last_step * STEP_SECONDS * _SECOND) if row.last_step else None


def _newest(rows: list[sa.Row[Any]], column: str) -> dict[str, sa.Row[Any]]:
    return {row.name: row for row in sorted(rows, key=lambda row: getattr(row, column))}
