"""Local accounts of one site: made, listed and let in again at a terminal.

The file holds what signing in needs, so it lies beside the site's keys with mode 0600. A terminal
and a gateway may have it open at once.
"""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from kumobashi.identity import passwords
from kumobashi.identity.errors import AccountExists, AccountNameUnfit, AccountUnknown
from kumobashi.identity.roles import Role
from kumobashi.identity.sql import accounts, metadata, sessions
from kumobashi.kernel import Clock, to_micros
from kumobashi.storage.sqlite import open_engine

FILE = "accounts.db"
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,31}")
_WORDS = 5  # groups of four letters in a password that we make


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Somebody who may sign in."""

    name: str
    shown: str
    role: Role
    is_locked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """What is told once, when an account is made or reset; none of it can be read again."""

    account: Account
    password: str
    secret: str  # Base32, for the authenticator
    address: str  # otpauth://, the same as a text for a QR code


class Accounts:
    """The accounts file of one site."""

    def __init__(self, folder: Path, *, tenant: str, site: str, clock: Clock) -> None:
        """Take the file in ``folder``; it is made with the first account."""
        self.path = folder / FILE
        self.tenant = tenant
        self.site = site
        self.clock = clock
        self._engine: sa.Engine | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nobody has an account here."""
        return not self.path.exists() or not self.list()

    def add(self, name: str, *, shown: str, role: Role, password: str | None = None) -> Enrolment:
        """Make an account; without a password one is made.

        Raises:
            AccountNameUnfit, AccountExists, PasswordWeak: nothing was made.
        """
        if not _NAME.fullmatch(name):
            raise AccountNameUnfit(name=name)
        chosen, secret = password or _made_up(), passwords.new_secret()
        row = {
            "tenant": self.tenant,
            "name": name,
            "shown": shown or name,
            "role": role.value,
            "password": passwords.hashed(chosen),
            "secret": secret,
            "last_step": 0,
            "failures": 0,
            "locked_until": 0,
            "made_at": to_micros(self.clock.now()),
        }
        try:
            with self.writing() as connection:
                connection.execute(sa.insert(accounts).values(row))
        except sa.exc.IntegrityError:
            raise AccountExists(name=name) from None
        return self._enrolment(name, chosen, secret)

    def reset(self, name: str, *, password: str | None = None) -> Enrolment:
        """Give an account a new password and a new secret, open its lock, end its sessions."""
        chosen, secret = password or _made_up(), passwords.new_secret()
        change = {
            "password": passwords.hashed(chosen),
            "secret": secret,
            "last_step": 0,
            "failures": 0,
            "locked_until": 0,
        }
        self.get(name)
        with self.writing() as connection:
            connection.execute(sa.update(accounts).where(self._is(name)).values(change))
            theirs = sa.and_(sessions.c.tenant == self.tenant, sessions.c.name == name)
            connection.execute(sa.delete(sessions).where(theirs))
        return self._enrolment(name, chosen, secret)

    def list(self) -> list[Account]:
        """Return the accounts by name."""
        if not self.path.exists():
            return []
        query = (
            sa.select(accounts).where(accounts.c.tenant == self.tenant).order_by(accounts.c.name)
        )
        with self.engine.connect() as connection:
            return [self._account(row) for row in connection.execute(query)]

    def get(self, name: str) -> Account:
        """Return one account; raise ``AccountUnknown``."""
        for account in self.list():
            if account.name == name:
                return account
        raise AccountUnknown(name=name, site=self.site)

    @property
    def engine(self) -> sa.Engine:
        """The open file, made when it is not there."""
        if self._engine is None:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.path.touch(0o600)
            self._engine = open_engine(self.path)
            metadata.create_all(self._engine)
        return self._engine

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Give a connection that has the right to write from its first word on."""
        with self.engine.connect() as connection:
            # Reading first and writing later would let two requests read the same count.
            connection.exec_driver_sql("rollback")
            connection.exec_driver_sql("begin immediate")
            yield connection
            connection.commit()

    def close(self) -> None:
        """Let go of the file."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    def _enrolment(self, name: str, password: str, secret: str) -> Enrolment:
        issuer = f"雲橋 {self.site}"
        return Enrolment(
            account=self.get(name),
            password=password,
            secret=secret,
            address=passwords.address_of(secret, name=name, issuer=issuer),
        )

    def _account(self, row: sa.Row[tuple[object, ...]]) -> Account:
        is_locked = row.locked_until > to_micros(self.clock.now())
        return Account(name=row.name, shown=row.shown, role=Role(row.role), is_locked=is_locked)

    def _is(self, name: str) -> sa.ColumnElement[bool]:
        return sa.and_(accounts.c.tenant == self.tenant, accounts.c.name == name)


def _made_up() -> str:
    letters = "abcdefghjkmnpqrstuvwxyz23456789"  # none that look alike
    groups = ["".join(secrets.choice(letters) for _ in range(4)) for _ in range(_WORDS)]
    return "-".join(groups)
