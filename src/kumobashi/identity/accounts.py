"""Local accounts of one site: made, listed and let in again at a terminal.

The file holds what signing in needs, so it lies beside the site's keys with mode 0600. A terminal
and a gateway may have it open at once.
"""

import re
import secrets
from dataclasses import dataclass, replace
from pathlib import Path

import sqlalchemy as sa

from kumobashi.identity import passwords
from kumobashi.identity.errors import AccountExists, AccountNameUnfit, AccountUnknown
from kumobashi.identity.roles import Role
from kumobashi.identity.scopes import Scope, binding
from kumobashi.identity.sql import (
    account_scopes,
    accounts,
    closed_accounts,
    metadata,
    provider_accounts,
    sessions,
)
from kumobashi.kernel import Clock, to_micros
from kumobashi.storage.shared_file import SharedFile

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
    provider: str | None = None  # that knows them; none: an account of this console
    scope: Scope | None = None  # to which links they are bound; none: to all


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """What is told once, when an account is made or reset; none of it can be read again."""

    account: Account
    password: str
    secret: str  # Base32, for the authenticator
    address: str  # otpauth://, the same as a text for a QR code


class Accounts(SharedFile):
    """The accounts file of one site."""

    def __init__(self, folder: Path, *, tenant: str, site: str, clock: Clock) -> None:
        """Take the file in ``folder``; it is made with the first account."""
        super().__init__(folder / FILE, metadata)
        self.tenant = tenant
        self.site = site
        self.clock = clock

    @property
    def is_empty(self) -> bool:
        """Whether nobody ever had an account here: shutting the last one out opens nothing."""
        if not self.exists:
            return True
        with self.engine.connect() as connection:
            return not any(
                connection.execute(
                    sa.select(table.c.name).where(table.c.tenant == self.tenant).limit(1)
                ).first()
                for table in (accounts, provider_accounts)
            )

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
        if self.get(name).provider:
            raise AccountUnknown(name=name, site=self.site)  # its password is the provider's
        with self.writing() as connection:
            connection.execute(sa.update(accounts).where(self._is(name)).values(change))
            theirs = sa.and_(sessions.c.tenant == self.tenant, sessions.c.name == name)
            connection.execute(sa.delete(sessions).where(theirs))
        return self._enrolment(name, chosen, secret)

    def list(self) -> list[Account]:
        """Return the accounts by name."""
        if not self.exists:
            return []
        shut = sa.select(closed_accounts.c.name).where(closed_accounts.c.tenant == self.tenant)
        query = (
            sa.select(accounts)
            .where(accounts.c.tenant == self.tenant, accounts.c.name.not_in(shut))
            .order_by(accounts.c.name)
        )
        theirs = (
            sa.select(provider_accounts)
            .where(
                provider_accounts.c.tenant == self.tenant, provider_accounts.c.closed_at.is_(None)
            )
            .order_by(provider_accounts.c.name)
        )
        with self.engine.connect() as connection:
            found = [self._account(row) for row in connection.execute(query)]
            found += [_known(row) for row in connection.execute(theirs)]
            scopes = _scopes(connection, self.tenant)
        return [
            replace(one, scope=binding(one.role, scopes.get(one.name, Scope()))) for one in found
        ]

    def shut(self, name: str, *, by: str) -> None:
        """Shut somebody out and end their sessions; raise ``AccountUnknown``."""
        account = self.get(name)
        with self.writing() as connection:
            self.shut_within(connection, account, by=by)

    def shut_within(self, connection: sa.Connection, account: Account, *, by: str) -> None:
        """Do the same as part of what ``connection`` writes."""
        values = {"closed_at": to_micros(self.clock.now()), "closed_by": by}
        if account.provider:
            is_ours = provider_accounts.c.tenant == self.tenant
            mine = sa.and_(is_ours, provider_accounts.c.name == account.name)
            connection.execute(sa.update(provider_accounts).where(mine).values(values))
        else:
            row = {"tenant": self.tenant, "name": account.name}
            connection.execute(sa.insert(closed_accounts).prefix_with("or ignore"), row | values)
        theirs = sa.and_(sessions.c.tenant == self.tenant, sessions.c.name == account.name)
        connection.execute(sa.delete(sessions).where(theirs))

    def bind(self, name: str, scope: Scope) -> Account:
        """Bind an account to links and systems, instead of before; raise ``AccountUnknown``."""
        self.get(name)
        kinds = {"link": scope.links, "system": scope.systems}
        rows = [
            {"tenant": self.tenant, "name": name, "kind": kind, "value": value}
            for kind, values in kinds.items()
            for value in sorted(values)
        ]
        is_ours = account_scopes.c.tenant == self.tenant
        with self.writing() as connection:
            mine = sa.and_(is_ours, account_scopes.c.name == name)
            connection.execute(sa.delete(account_scopes).where(mine))
            if rows:
                connection.execute(sa.insert(account_scopes), rows)
        return self.get(name)

    def get(self, name: str) -> Account:
        """Return one account; raise ``AccountUnknown``."""
        for account in self.list():
            if account.name == name:
                return account
        raise AccountUnknown(name=name, site=self.site)

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


def _known(row: sa.Row[tuple[object, ...]]) -> Account:
    return Account(
        name=row.name, shown=row.shown, role=Role(row.role), is_locked=False, provider=row.provider
    )


def _scopes(connection: sa.Connection, tenant: str) -> dict[str, Scope]:
    found: dict[str, dict[str, set[str]]] = {}
    query = sa.select(account_scopes).where(account_scopes.c.tenant == tenant)
    for row in connection.execute(query):
        kinds = found.setdefault(row.name, {"link": set(), "system": set()})
        kinds[row.kind].add(row.value)
    return {
        name: Scope(links=frozenset(kinds["link"]), systems=frozenset(kinds["system"]))
        for name, kinds in found.items()
    }


def _made_up() -> str:
    letters = "abcdefghjkmnpqrstuvwxyz23456789"  # none that look alike
    groups = ["".join(secrets.choice(letters) for _ in range(4)) for _ in range(_WORDS)]
    return "-".join(groups)
