"""The common header of a call: who asks whom for what, on which basis, when, and for how long.

It is one field, a dictionary of RFC 9651 whose members stand in a fixed order, so that it is signed
and compared as text. It holds identifiers only: the path and the body, which may speak of a person,
travel in the body (``binary_http``) and reach no relay and no log.

>>> from datetime import UTC
>>> header = CallHeader(
...     call="01930000-0000-7000-8000-000000000001",
...     tenant="999997",
...     link="payment-status",
...     asker="arrears",
...     asking_site="hall-core",
...     answerer="collection",
...     answering_site="vendor-cloud",
...     service="payments",
...     version="v1",
...     unit="local-tax",
...     kind="payment-status",
...     purpose="arrears",
...     agreement="8架総第123号",
...     plan="sha256:" + 64 * "0",
...     correlation="01930000-0000-7000-8000-000000000002",
...     sent=datetime(2026, 11, 23, tzinfo=UTC),
...     budget_ms=30_000,
... )
>>> CallHeader.decode(header.encode()) == header
True
>>> header.encode()[:72]
'format=1, call="01930000-0000-7000-8000-000000000001", tenant="999997", '
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote, unquote

from kumobashi.calls.errors import HeaderUnreadable
from kumobashi.kernel import from_micros, to_micros

FIELD = "kumobashi-call"
FORMAT = 1
LONGEST = 2048  # characters
_IDENT = r"[a-z0-9][a-z0-9_-]{0,62}"
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_SHAPES = {  # in the order they are written
    "call": _UUID,
    "tenant": r"[0-9]{6}",
    "link": _IDENT,
    "asker": _IDENT,
    "asking_site": _IDENT,
    "answerer": _IDENT,
    "answering_site": _IDENT,
    "service": _IDENT,
    "version": _IDENT,
    "unit": rf"(?:{_IDENT})?",
    "kind": rf"(?:{_IDENT}(?:[+]{_IDENT}){{0,9}})?",  # of several "a+b"
    "purpose": _IDENT,
    "agreement": r"(?:[A-Za-z0-9._~-]|%[0-9A-F]{2}){0,400}",
    "plan": r"sha256:[0-9a-f]{64}",
    "correlation": _UUID,
}
_TEXT = re.compile(
    f"format={FORMAT}, "
    + ", ".join(f'{name}="(?P<{name}>{shape})"' for name, shape in _SHAPES.items())
    + r", sent=(?P<sent>[0-9]{15,17}), budget=(?P<budget>[0-9]{1,9}), test=\?(?P<test>[01])"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallHeader:
    """What the asking gateway signs, and everybody on the way checks."""

    call: str  # UUIDv7 of this one attempt; also the nonce of its signature
    tenant: str
    link: str
    asker: str  # system
    asking_site: str
    answerer: str  # system
    answering_site: str
    service: str
    version: str
    unit: str  # the asker's business unit; empty: none
    kind: str  # of information; empty: none
    purpose: str
    agreement: str  # document number; empty: none is needed
    plan: str  # hash of the plan that was approved
    correlation: str  # of the asking system, through all calls of one piece of work
    sent: datetime
    budget_ms: int  # from ``sent`` until nobody waits any more
    is_test: bool = False

    def encode(self) -> str:
        """Return the field's value, in ASCII."""
        agreement = quote(self.agreement, safe="")
        return (
            f'format={FORMAT}, call="{self.call}", tenant="{self.tenant}", link="{self.link}", '
            f'asker="{self.asker}", asking_site="{self.asking_site}", '
            f'answerer="{self.answerer}", answering_site="{self.answering_site}", '
            f'service="{self.service}", version="{self.version}", unit="{self.unit}", '
            f'kind="{self.kind}", purpose="{self.purpose}", agreement="{agreement}", '
            f'plan="{self.plan}", correlation="{self.correlation}", '
            f"sent={to_micros(self.sent)}, budget={self.budget_ms}, test=?{int(self.is_test)}"
        )

    @classmethod
    def decode(cls, text: str) -> "CallHeader":
        """Read what :meth:`encode` wrote, and nothing else.

        Raises:
            HeaderUnreadable: too long, or not in this form.
        """
        if len(text) > LONGEST:
            raise HeaderUnreadable(reason=f"more than {LONGEST} characters")
        found = _TEXT.fullmatch(text)
        if found is None:
            raise HeaderUnreadable(reason="not in the agreed form")
        said = found.groupdict()
        try:
            agreement = unquote(said["agreement"], errors="strict")
        except UnicodeDecodeError:
            raise HeaderUnreadable(reason="agreement") from None
        names = {name: said[name] for name in _SHAPES if name != "agreement"}
        header = cls(
            **names,
            agreement=agreement,
            sent=from_micros(int(said["sent"])),
            budget_ms=int(said["budget"]),
            is_test=said["test"] == "1",
        )
        if header.encode() != text:  # one text for one meaning
            raise HeaderUnreadable(reason="not in the agreed form")
        return header

    @property
    def until(self) -> datetime:
        """When nobody waits any more, by the asking gateway's clock."""
        return self.sent + timedelta(milliseconds=self.budget_ms)

    @property
    def asked(self) -> str:
        """The service in full: ``system.service``."""
        return f"{self.answerer}.{self.service}"
