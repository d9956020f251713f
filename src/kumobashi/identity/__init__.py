"""Who someone is: local accounts with roles, passwords with time-based codes, and sessions.

In go a name, a password and a six-digit code; out comes a session with a role, or one refusal that
does not say which of the three was wrong. Accounts live in one SQLite file per site, beside its
keys. What a provider proved of somebody ends in the same session (``admitting``).
"""

from kumobashi.identity.accounts import Account, Accounts, Enrolment
from kumobashi.identity.roles import Deed, Role, may
from kumobashi.identity.scopes import Scope
from kumobashi.identity.sessions import Session, Sessions

__all__ = [
    "Account",
    "Accounts",
    "Deed",
    "Enrolment",
    "Role",
    "Scope",
    "Session",
    "Sessions",
    "may",
]
