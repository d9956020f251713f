"""Let those in whom a provider knows: a role by rules, an account of their own, a session.

An account of a provider is not one of ours: no password is kept, its name cannot be taken by a
local one, and it is made when somebody first comes. Shutting it here holds, whatever the provider
says. Meets ``known.Doorkeeper``.
"""

import hashlib
import secrets
from collections.abc import Callable, Sequence

import sqlalchemy as sa

from kumobashi.identity.accounts import Accounts
from kumobashi.identity.errors import AccountClosed, FactorMissing, RoleMissing
from kumobashi.identity.known import Known
from kumobashi.identity.roles import Role
from kumobashi.identity.rules import Rule, role_of
from kumobashi.identity.scim.people import met, standing_of
from kumobashi.identity.sessions import new_session
from kumobashi.identity.sql import provider_accounts, role_changes, session_origins, sessions
from kumobashi.kernel import to_micros

_LONGEST_SHOWN = 80


class Admitting:
    """The doorkeeper of one provider."""

    def __init__(
        self,
        book: Accounts,
        *,
        rules: Callable[[], Sequence[Rule]],
        factors: Callable[[], frozenset[str]],
    ) -> None:
        """``factors``: any of these methods is a second factor; none: none is asked for."""
        self._book = book
        self._rules = rules
        self._factors = factors

    def admit(self, known: Known) -> str:
        """Return the value for the cookie of a new session.

        Raises:
            RoleMissing: no rule gives them a role.
            AccountClosed: they were shut out here, or by the provider's list of accounts.
            FactorMissing: the provider did not say that it saw a second factor.
        """
        factors = self._factors()
        if factors and not factors & known.methods:
            raise FactorMissing(provider=known.provider)
        try:
            return self._let_in(known)
        except (AccountClosed, RoleMissing):
            self._leave_no_session(known)
            raise

    def _let_in(self, known: Known) -> str:
        name, value = name_of(known.provider, known.subject), secrets.token_urlsafe(32)
        shown = "".join(c for c in known.shown if c.isprintable())[:_LONGEST_SHOWN] or name
        now = to_micros(self._book.clock.now())
        mine = sa.and_(
            provider_accounts.c.tenant == self._book.tenant, provider_accounts.c.name == name
        )
        with self._book.writing() as connection:
            role = self._role(connection, known)
            row = connection.execute(sa.select(provider_accounts).where(mine)).first()
            if row is not None and row.closed_at is not None:
                raise AccountClosed
            values = {"shown": shown, "role": role.value, "seen_at": now}
            if row is None:
                first = {
                    "tenant": self._book.tenant,
                    "name": name,
                    "provider": known.provider,
                    "subject": known.subject,
                    "made_at": now,
                }
                connection.execute(sa.insert(provider_accounts).values(first | values))
            else:
                connection.execute(sa.update(provider_accounts).where(mine).values(values))
                if row.role != role.value:  # what was drawn for the old role is not taken any more
                    self._end(connection, sessions.c.name == name)
                    changed = {"name": name, "changed_at": now, "role": role.value}
                    said = sa.insert(role_changes).prefix_with("or replace")
                    connection.execute(said.values(tenant=self._book.tenant, **changed))
            digest = new_session(connection, self._book.tenant, name, value, now)
            connection.execute(
                sa.insert(session_origins).values(
                    tenant=self._book.tenant,
                    digest=digest,
                    provider=known.provider,
                    subject=known.subject,
                    session=known.session,
                    until=to_micros(known.until) if known.until else None,
                )
            )
        return value

    def let_go(self, provider: str, *, subject: str | None, session: str | None) -> int:
        """End the sessions that a provider has ended, and return how many."""
        if subject is None and session is None:
            return 0
        wanted = [
            session_origins.c.tenant == self._book.tenant,
            session_origins.c.provider == provider,
        ]
        if subject is not None:
            wanted.append(session_origins.c.subject == subject)
        if session is not None:
            wanted.append(session_origins.c.session == session)
        query = sa.select(session_origins.c.digest).where(*wanted)
        with self._book.writing() as connection:
            return self._end(connection, sessions.c.digest.in_(query))

    def _role(self, connection: sa.Connection, known: Known) -> Role:
        """Return the role by the provider's list of accounts, or else by rules.

        Read with what is then written: nobody comes in whom the list puts out at this moment.
        """
        standing = standing_of(connection, self._book.tenant, known)
        if standing is not None:
            if not standing.is_in:
                raise AccountClosed
            met(connection, self._book.tenant, standing.id, known.subject)
        has_groups = standing is not None and standing.groups > 0
        role = (
            standing.role if standing and has_groups else role_of(known.attributes, self._rules())
        )
        if role is None:
            raise RoleMissing(provider=known.provider)
        return role

    def _leave_no_session(self, known: Known) -> None:
        """Somebody whose role was taken away keeps none of before."""
        if self._book.exists:
            self.let_go(known.provider, subject=known.subject, session=None)

    def _end(self, connection: sa.Connection, which: sa.ColumnElement[bool]) -> int:
        theirs = sa.and_(sessions.c.tenant == self._book.tenant, which)
        return connection.execute(sa.delete(sessions).where(theirs)).rowcount


def name_of(provider: str, subject: str) -> str:
    """Return the name of a provider's account; no local account has a colon.

    >>> name_of("city-login", "248289761001")
    'city-login:6d1facb40b'
    """
    digest = hashlib.sha256(f"{provider}\n{subject}".encode()).hexdigest()
    return f"{provider}:{digest[:10]}"
