"""Sign somebody in for one request of the local API: name, password and code come with it."""

from collections.abc import Mapping
from typing import Any

from kumobashi.identity import Accounts
from kumobashi.identity.roles import Deed
from kumobashi.identity.sessions import Sessions
from kumobashi.service.errors import AccountNeeded


def signed_in(accounts: Accounts, said: Mapping[str, Any], deed: Deed) -> str | None:
    """Return the account that a request signs in as and that may do this; None: it names none.

    Raises:
        IdentityFailed: the account, its password or its code is wrong, or it may not do this.
    """
    name = said.get("account")
    if not isinstance(name, str) or not name:
        return None
    sessions = Sessions(accounts)
    value = sessions.sign_in(name, str(said.get("password", "")), str(said.get("code", "")))
    try:
        session = sessions.find(value)
        if session is None:
            raise AccountNeeded
        session.check_may(deed)
        return session.account.name
    finally:
        sessions.end(value)
