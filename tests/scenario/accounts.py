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

_STEP = 30  # seconds of a code
_SLOW = 15  # seconds at most until it is read


def account(town: Town, name: str, role: str) -> Callable[[], dict[str, str]]:
    """Make an account at the hall; return what signs it in, each time with another good code.

    A code is taken once, and only next to the present: whoever asks for many waits.
    """
    book = Accounts(
        town.folder / "private" / "hall-core",
        tenant="999997",
        site="hall-core",
        clock=SystemClock(),
    )
    made = book.add(name, shown=name, role=Role(role))
    book.close()
    totp = TOTP(base64.b32decode(made.secret), 6, SHA1(), _STEP)  # noqa: S303 - what the product asks
    last = 0

    def said() -> dict[str, str]:
        nonlocal last
        # The oldest that will still do when a slow process has come to read it.
        last = max(last + 1, int(time.time() + _SLOW) // _STEP - 1)
        while last > time.time() // _STEP + 1:
            time.sleep(0.2)
        code = totp.generate(last * _STEP).decode()
        return {"account": name, "password": made.password, "code": code}

    return said
