"""Who looked at which kind of document at the counter: a clerk who signed in, one of a closed list.

Neither a copy nor a number of the document is taken, and there is no field for one.
"""

from collections.abc import Mapping
from typing import Any

from kumobashi.consent.documents import checked
from kumobashi.consent.records import Method
from kumobashi.identity import Accounts
from kumobashi.identity.roles import Deed
from kumobashi.kernel import Clock, business_date
from kumobashi.service.errors import BadRequest, ClerkNeeded
from kumobashi.service.signing_in import signed_in


class Counter:
    """The accounts of one site's clerks."""

    def __init__(self, accounts: Accounts, clock: Clock) -> None:
        self._accounts = accounts
        self._clock = clock

    def seen(self, said: Mapping[str, Any], method: Method, *, by: str) -> tuple[str, str | None]:
        """Return who does it and the kind of document that was seen; ``by`` if nobody signs in.

        Raises:
            IdentityFailed: the account, its password or its code is wrong, or it may not do this.
            ClerkNeeded: a document was seen by nobody who is known.
            DocumentUnknown: no kind that counts today.
            BadRequest: somebody signs in for the counter and names no document, or names one for
                another way of checking.
        """
        document = said.get("document")
        clerk = signed_in(self._accounts, said, Deed.SERVE_COUNTER)
        who = f"account:{clerk}" if clerk else by
        if not document:
            if clerk and method is Method.COUNTER:
                raise BadRequest(field="document", expected="a kind of document")
            return who, None
        if method is not Method.COUNTER:
            raise BadRequest(field="document", expected="method counter")
        if not clerk:
            raise ClerkNeeded
        return who, checked(str(document), business_date(self._clock.now())).code
