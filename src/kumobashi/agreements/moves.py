"""One move of an agreement: who did what, when, in which office; signed, and chained to the last.

What is signed names the digest of the move before and of everything that was decided about. Who
changes a row, a text or an older move cannot make the rest fit without the site's signing key.

>>> from kumobashi.crypto.keys import SigningKey
>>> key = SigningKey.generate()
>>> made = Move.example()
>>> read_move(sign_move(made, key), {key.kid: key.public}) == made
True
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Self

from kumobashi.agreements.states import Act, State
from kumobashi.crypto import jws
from kumobashi.crypto.canonical import canonical, digest
from kumobashi.crypto.keys import SigningKey, VerifyKey
from kumobashi.kernel import from_wire, to_wire

TYP: Final = "kumobashi-agreement-move+jws"
GATEWAY: Final = "gateway"


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One line of an agreement's history."""

    tenant: str
    site: str
    agreement: str
    number: int  # from 1, no gap
    previous: str | None  # digest of the move before
    act: Act
    before: State
    after: State
    at: datetime  # of the deciding process, UTC
    by: str  # account, or "gateway"
    instead_of: str | None  # 代決: for whom
    section: str
    title: str
    role: str
    revision: int  # of the application; an edit raises it
    content: str  # digest of the application
    processors: str  # digest of the register
    plan_hash: str
    document: str | None  # 文書番号, from the application on
    note: str = ""
    conditions: tuple[str, ...] = ()  # of a decision
    clock: datetime | None = None  # what the clock said, when it was behind and the move counted

    def encode(self) -> bytes:
        """Return the canonical bytes; they are what is signed."""
        value: dict[str, object] = {
            name: getattr(self, name)
            for name in (
                "tenant", "site", "agreement", "number", "previous", "by", "instead_of",
                "section", "title", "role", "revision", "content", "processors", "plan_hash",
                "document", "note",
            )
        }  # fmt: skip
        value |= {
            "format": 1,
            "act": self.act.value,
            "before": self.before.value,
            "after": self.after.value,
            "at": to_wire(self.at),
            "conditions": list(self.conditions),
            "clock": to_wire(self.clock) if self.clock else None,
        }
        return canonical(value)

    def digest(self) -> str:
        """Return the digest that the next move and the evidence name it by."""
        return digest(self.encode())

    @property
    def persons(self) -> frozenset[str]:
        """Everybody that this move counts for."""
        return frozenset({self.by, *({self.instead_of} if self.instead_of else ())})

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """Read what :meth:`encode` wrote; raise ``ValueError`` for anything else."""
        try:
            value: dict[str, Any] = json.loads(payload)
            if value.pop("format") != 1:
                raise ValueError("another format")
            clock = value["clock"]
            made = cls(
                **{
                    **value,
                    "act": Act(value["act"]),
                    "before": State(value["before"]),
                    "after": State(value["after"]),
                    "at": from_wire(value["at"]),
                    "conditions": tuple(value["conditions"]),
                    "clock": from_wire(clock) if clock else None,
                }
            )
        except (KeyError, TypeError, AttributeError) as problem:
            raise ValueError(type(problem).__name__) from None
        if made.encode() != payload:
            raise ValueError("not canonical")
        return made

    @classmethod
    def example(cls) -> Self:
        """Return a first move, for examples."""
        nothing = digest(b"")
        return cls(
            tenant="999997",
            site="hall-core",
            agreement="019aa8d1-5b7c-7000-8000-000000000001",
            number=1,
            previous=None,
            act=Act.CREATE,
            before=State.DRAFT,
            after=State.DRAFT,
            at=datetime(2026, 11, 22, tzinfo=UTC),
            by="tanaka",
            instead_of=None,
            section="子育て支援課",
            title="",
            role="operator",
            revision=1,
            content=nothing,
            processors=nothing,
            plan_hash=nothing,
            document=None,
        )


def sign_move(move: Move, key: SigningKey) -> str:
    """Return the move as a compact JWS."""
    return jws.sign(move.encode(), key, TYP)


def read_move(token: str, keys: Mapping[str, VerifyKey]) -> Move:
    """Return a move whose signature one of ``keys`` made.

    Raises:
        SignatureInvalid, UnknownKey: it is not one of this site.
        ValueError: what was signed is no move.
    """
    return Move.decode(jws.verify(token, keys, TYP).payload)
