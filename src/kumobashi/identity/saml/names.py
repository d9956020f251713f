"""How a provider calls whoever has a session: kept to sign them out there, and by its word here."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import sqlalchemy as sa

from kumobashi.identity.accounts import Accounts
from kumobashi.identity.saml.believing import NameId
from kumobashi.identity.sql import provider_names, sessions
from kumobashi.kernel import to_micros

_KEPT: Final = timedelta(days=1)  # longer than any session lasts


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """Somebody as a provider calls them, and its name of their session."""

    name: NameId
    session: str | None


class Names:
    """Keeps the names beside the sessions; called in worker threads."""

    def __init__(self, book: Accounts) -> None:
        self._book = book

    def keep(self, provider: str, value: str, signed: Signed) -> None:
        """Remember who has the session of the cookie ``value``."""
        now = self._book.clock.now()
        row = {
            "tenant": self._book.tenant,
            "digest": _digest(value),
            "provider": provider,
            "name": signed.name.text,
            "form": signed.name.form,
            "qualifier": signed.name.qualifier,
            "sp_qualifier": signed.name.sp_qualifier,
            "session": signed.session,
            "kept_at": to_micros(now),
        }
        ours = provider_names.c.tenant == self._book.tenant
        with self._book.writing() as connection:
            old = sa.and_(ours, provider_names.c.kept_at < to_micros(now - _KEPT))
            connection.execute(sa.delete(provider_names).where(old))
            connection.execute(sa.insert(provider_names).values(row))

    def of(self, provider: str, value: str) -> Signed | None:
        """Return who had the session of the cookie ``value``."""
        if not value or not self._book.path.exists():
            return None
        mine = sa.and_(self._at(provider), provider_names.c.digest == _digest(value))
        with self._book.engine.connect() as connection:
            row = connection.execute(sa.select(provider_names).where(mine)).first()
        if row is None:
            return None
        name = NameId(
            text=row.name, form=row.form, qualifier=row.qualifier, sp_qualifier=row.sp_qualifier
        )
        return Signed(name=name, session=row.session)

    def end(self, provider: str, name: NameId, indexes: Sequence[str]) -> int:
        """End the sessions of a name, or those of its sessions there that are listed."""
        columns = provider_names.c
        wanted = [
            self._at(provider),
            columns.name == name.text,
            columns.form.is_not_distinct_from(name.form),
            columns.sp_qualifier.is_not_distinct_from(name.sp_qualifier),
        ]
        if indexes:
            wanted.append(columns.session.in_(indexes))
        theirs = sa.select(columns.digest).where(*wanted)
        ours = sa.and_(sessions.c.tenant == self._book.tenant, sessions.c.digest.in_(theirs))
        with self._book.writing() as connection:
            return connection.execute(sa.delete(sessions).where(ours)).rowcount

    def _at(self, provider: str) -> sa.ColumnElement[bool]:
        is_ours = provider_names.c.tenant == self._book.tenant
        return sa.and_(is_ours, provider_names.c.provider == provider)


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()
