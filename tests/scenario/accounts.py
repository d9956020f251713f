"""People who sign in at the hall."""

import base64
import time
from collections.abc import Callable

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from kumobashi.identity import Accounts
from kumobashi.identity.roles import Role
from kumobashi.kernel import SystemClock
from kumobashi.testing.town import Town


def account(town: Town, name: str, role: str) -> Callable[[], dict[str, str]]:
    """Make an account at the hall; return what signs it in, three times with good codes."""
    book = Accounts(
        town.folder / "private" / "hall-core",
        tenant="999997",
        site="hall-core",
        clock=SystemClock(),
    )
    made = book.add(name, shown=name, role=Role(role))
    book.close()
    totp = TOTP(base64.b32decode(made.secret), 6, SHA1(), 30)  # noqa: S303 - what the product asks
    drifts = iter((-30, 0, 30))

    def said() -> dict[str, str]:
        code = totp.generate(time.time() + next(drifts)).decode()
        return {"account": name, "password": made.password, "code": code}

    return said
