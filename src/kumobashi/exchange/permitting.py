"""What the exchange asks of agreements (利用協議): may a transfer begin, may it still go.

Both are asked inside the very commit that begins a transfer, or that closes it at the next hop. So
what is withdrawn before that commit keeps it back, and nothing slips in between.
"""

from dataclasses import dataclass
from typing import Final, Protocol

import sqlalchemy as sa

from kumobashi.agreements.errors import AgreementMissing

AGREEMENT: Final = "agreement"  # a fact: the id of the agreement that a transfer began under


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """That a link may only be sent under an agreement; ``number`` is the one that it names."""

    number: str | None = None  # none: any that covers it


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """What is about to be sent."""

    link: str
    plan_hash: str
    business_date: str


class Permits(Protocol):
    """Knows the agreements of this site."""

    def cover(self, held: sa.Connection, sending: Sending, needed: Needed) -> str:
        """Return the id of the agreement in force that covers it; it stays so until the commit.

        Raises:
            NotCovered, AgreementUnknown, AgreementForged: there is none; says why.
        """

    def check(self, held: sa.Connection, sending: Sending, agreement: str) -> None:
        """Raise the same unless the agreement that a transfer began under still covers it."""


class NoAgreements:
    """Where nobody has wired agreements none covers anything: what needs one does not leave."""

    def cover(self, held: sa.Connection, sending: Sending, needed: Needed) -> str:  # noqa: ARG002
        """Refuse."""
        raise AgreementMissing(link=sending.link)

    def check(self, held: sa.Connection, sending: Sending, agreement: str) -> None:  # noqa: ARG002
        """Refuse."""
        raise AgreementMissing(link=sending.link)
