"""Signing in and staying in: refusals are counted, codes taken once, sessions end by themselves.

A cookie holds a random value of which the file keeps only the digest. Every form of a session
carries its token, so that another page cannot send one.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from kumobashi.identity import passwords
from kumobashi.identity.accounts import Account, Accounts
from kumobashi.identity.errors import FormStale, LockedOut, NotPermitted, SignInRefused
from kumobashi.identity.roles import MAY, Deed, Role, may
from kumobashi.identity.sql import accounts, closed_accounts, session_origins, sessions
from kumobashi.kernel import from_micros, to_micros

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
MOST_FAILURES = 5  # in a row, then the account is shut for LOCKED
LOCKED = timedelta(minutes=15)
_SEEN_EVERY = timedelta(minutes=1)  # how exactly the last look is kept
_NOBODY = passwords.hashed("nobody has this password")  # so that a wrong name takes as long


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Somebody who has signed in."""

    account: Account
    form: str

    def check_form(self, token: str) -> None:
        """Raise ``FormStale`` unless the form was drawn for this session."""
        if not hmac.compare_digest(token.encode(), self.form.encode()):
            raise FormStale

    def check_may(self, deed: Deed) -> None:
        """Raise ``NotPermitted`` unless the role includes it."""
        if not may(self.account.role, deed):
            able = [role for role in Role if deed in MAY[role]]
            raise NotPermitted(
                role=self.account.role.value, roles="、".join(role.ja for role in able)
            )


class Sessions:
    """Signs people in and out."""

    def __init__(self, book: Accounts) -> None:
        self._book = book

    def sign_in(self, name: str, password: str, code: str) -> str:
        """Return the value for the cookie of a new session.

        Raises:
            LockedOut: too many refusals; nothing was compared.
            SignInRefused: name, password or code is wrong.
        """
        refused: SignInRefused | LockedOut | None = None
        value = secrets.token_urlsafe(32)
        with self._book.writing() as connection:
            now = self._book.clock.now()
            micros = to_micros(now)
            tenant = self._book.tenant
            shut = sa.select(closed_accounts.c.name).where(closed_accounts.c.tenant == tenant)
            mine = sa.and_(accounts.c.tenant == tenant, accounts.c.name == name)
            mine = sa.and_(mine, accounts.c.name.not_in(shut))
            row = connection.execute(sa.select(accounts).where(mine)).first()
            if row is not None and row.locked_until > micros:
                left = from_micros(row.locked_until) - now
                refused = LockedOut(minutes=max(1, -int(-left.total_seconds() // 60)))
            else:
                known = passwords.matches(password, row.password if row else _NOBODY)
                step = (
                    passwords.step_of(code, row.secret, now=now.timestamp(), after=row.last_step)
                    if row
                    else None
                )
                if row is not None and known and step is not None:
                    opened = {"last_step": step, "failures": 0}
                    connection.execute(sa.update(accounts).where(mine).values(opened))
                    new_session(connection, tenant, name, value, micros)
                else:
                    refused = SignInRefused()
                    if row is not None:
                        counted = _one_more(row.failures, micros)
                        connection.execute(sa.update(accounts).where(mine).values(counted))
        if refused:
            raise refused
        return value

    def find(self, value: str, *, by_itself: bool = False) -> Session | None:
        """Return the session of a cookie, or nothing when it is over.

        Looking keeps it open; a page that refreshes ``by_itself`` does not.
        """
        if not value or not self._book.exists:
            return None
        now = to_micros(self._book.clock.now())
        mine = self._is(value)
        with self._book.engine.connect() as connection:
            row = connection.execute(sa.select(sessions).where(mine)).first()
        if row is None:
            return None
        idle, whole = _micros(IDLE), _micros(LONGEST)
        if now - row.seen_at > idle or now - row.begun_at > whole or self._is_over(row, now):
            self.end(value)
            return None
        if not by_itself and now - row.seen_at > _micros(_SEEN_EVERY):
            with self._book.writing() as connection:
                connection.execute(sa.update(sessions).where(mine).values(seen_at=now))
        found = [account for account in self._book.list() if account.name == row.name]
        return Session(account=found[0], form=row.form) if found else None

    def end(self, value: str) -> None:
        """Sign out."""
        with self._book.writing() as connection:
            connection.execute(sa.delete(sessions).where(self._is(value)))

    def origin(self, value: str) -> str | None:
        """Return the provider that began the session of a cookie; none: it is a local one."""
        if not value or not self._book.exists:
            return None
        mine = self._of_origin(_digest(value))
        with self._book.engine.connect() as connection:
            return connection.execute(sa.select(session_origins.c.provider).where(mine)).scalar()

    def _is_over(self, row: sa.Row[tuple[object, ...]], now: int) -> bool:
        """Whether the provider that began a session wants to be asked again."""
        mine = self._of_origin(row.digest)
        with self._book.engine.connect() as connection:
            until = connection.execute(sa.select(session_origins.c.until).where(mine)).scalar()
        return until is not None and now > until

    def _of_origin(self, digest: str) -> sa.ColumnElement[bool]:
        is_ours = session_origins.c.tenant == self._book.tenant
        return sa.and_(is_ours, session_origins.c.digest == digest)

    def _is(self, value: str) -> sa.ColumnElement[bool]:
        return sa.and_(sessions.c.tenant == self._book.tenant, sessions.c.digest == _digest(value))


def new_session(connection: sa.Connection, tenant: str, name: str, value: str, now: int) -> str:
    """Begin a session for the cookie ``value``, and return what the file knows it by."""
    digest = _digest(value)
    row = {
        "tenant": tenant,
        "digest": digest,
        "name": name,
        "form": secrets.token_urlsafe(24),
        "begun_at": now,
        "seen_at": now,
    }
    connection.execute(sa.insert(sessions).values(row))
    return digest


def _one_more(failures: int, now: int) -> dict[str, int]:
    if failures + 1 < MOST_FAILURES:
        return {"failures": failures + 1}
    return {"failures": 0, "locked_until": now + _micros(LOCKED)}


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()


def _micros(length: timedelta) -> int:
    return length // timedelta(microseconds=1)
