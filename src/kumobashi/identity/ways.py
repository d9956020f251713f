"""Ways to a provider that were begun: each is of one browser, lives ten minutes, is taken once.

What goes to the provider is a random ``state``; the file keeps its digest. What stays in the
browser is another random value, in a cookie: an answer that is put into somebody else's browser
finds nothing there (login CSRF).
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from kumobashi.crypto import base64url
from kumobashi.identity.accounts import Accounts
from kumobashi.identity.errors import SignOnStale
from kumobashi.identity.sql import begun, seen_tokens
from kumobashi.kernel import to_micros

LIFE: Final = timedelta(minutes=10)
MOST: Final = 1_000  # ways at a time; the oldest go first
_LONGEST: Final = 200  # characters of what comes back


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """What was begun, and is known here alone until the answer comes."""

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)  # PKCE

    @property
    def challenge(self) -> str:
        """The digest of the verifier, S256 (RFC 7636)."""
        return base64url.encode(hashlib.sha256(self.verifier.encode()).digest())


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """Where a browser goes next, and the cookie that it comes back with."""

    address: str = field(repr=False)
    browser: str = field(repr=False)


class Ways:
    """Keeps what was begun, and what counts once, beside the accounts."""

    def __init__(self, book: Accounts) -> None:
        self._book = book

    def begin(self, provider: str, browser: str) -> Way:
        """Begin a way of the browser that has the cookie ``browser``."""
        way = Way(
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
        )
        now = self._book.clock.now()
        ours = begun.c.tenant == self._book.tenant
        kept = (
            sa.select(begun.c.state)
            .where(ours)
            .order_by(begun.c.made_at.desc())
            .limit(MOST - 1)
            .scalar_subquery()
        )
        with self._book.writing() as connection:
            old = sa.or_(begun.c.made_at < to_micros(now - LIFE), begun.c.state.not_in(kept))
            connection.execute(sa.delete(begun).where(ours, old))
            connection.execute(
                sa.insert(begun).values(
                    tenant=self._book.tenant,
                    state=_digest(way.state),
                    provider=provider,
                    browser=_digest(browser),
                    nonce=way.nonce,
                    verifier=way.verifier,
                    made_at=to_micros(now),
                )
            )
        return way

    def take(self, provider: str, state: str, browser: str) -> Way:
        """Return a way that was begun; it is gone with that, whoever came with it.

        Raises:
            SignOnStale: not begun here, by this browser, to this provider; or too long ago.
        """
        if not state or not browser or max(len(state), len(browser)) > _LONGEST:
            raise SignOnStale
        mine = sa.and_(begun.c.tenant == self._book.tenant, begun.c.state == _digest(state))
        now = self._book.clock.now()
        with self._book.writing() as connection:
            row = connection.execute(sa.select(begun).where(mine)).first()
            connection.execute(sa.delete(begun).where(mine))
        if row is None or row.provider != provider or row.made_at < to_micros(now - LIFE):
            raise SignOnStale
        if not hmac.compare_digest(row.browser, _digest(browser)):
            raise SignOnStale
        return Way(state=state, nonce=row.nonce, verifier=row.verifier)

    def is_first(self, provider: str, number: str, *, until: datetime) -> bool:
        """Remember what counts once; whether it was not there before."""
        now = to_micros(self._book.clock.now())
        row = {
            "tenant": self._book.tenant,
            "provider": provider,
            "digest": _digest(number),
            "until": to_micros(until),
        }
        with self._book.writing() as connection:
            connection.execute(sa.delete(seen_tokens).where(seen_tokens.c.until < now))
            added = insert(seen_tokens).values(row).on_conflict_do_nothing()
            return connection.execute(added).rowcount == 1


def new_browser() -> str:
    """Return the value of a cookie that marks a browser."""
    return secrets.token_urlsafe(32)


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()
