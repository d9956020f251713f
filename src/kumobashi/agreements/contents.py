"""What an agreement is about: the application, its attachments, and the plan that it covers.

A content has one form of JSON and so one digest; the digest stands in every signed move.
"""

import json
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

from kumobashi.crypto.canonical import canonical, digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item that flows, and how coarse."""

    name: str
    ja: str
    form: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSeen:
    """The plan that is asked for: its hash, and what the hash covers, so that drift can be told."""

    hash: str
    number: str  # as the plan's sheet prints it
    decision: str  # canonical JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """One file, kept by its digest in the state folder."""

    name: str
    digest: str
    size: int  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """What is applied for; the whole of it is decided at once."""

    link: str
    applicant_section: str
    owner_section: str
    basis: str  # code of the legal basis
    purpose: str
    items: tuple[Item, ...]
    conditions: tuple[str, ...]
    first: date  # both days included
    last: date
    plan: PlanSeen
    attachments: tuple[Attachment, ...] = ()
    supersedes: str | None = None  # id of the agreement that this one changes

    def encode(self) -> str:
        """Return the canonical text."""
        value = {
            "link": self.link,
            "applicant_section": self.applicant_section,
            "owner_section": self.owner_section,
            "basis": self.basis,
            "purpose": self.purpose,
            "items": [[item.name, item.ja, item.form] for item in self.items],
            "conditions": list(self.conditions),
            "first": self.first.isoformat(),
            "last": self.last.isoformat(),
            "plan": [self.plan.hash, self.plan.number, self.plan.decision],
            "attachments": [[one.name, one.digest, one.size] for one in self.attachments],
            "supersedes": self.supersedes,
        }
        return canonical(value).decode("utf-8")

    @classmethod
    def decode(cls, text: str) -> Self:
        """Read what :meth:`encode` wrote; raise ``ValueError`` or ``KeyError`` otherwise."""
        value: dict[str, Any] = json.loads(text)
        seen = value["plan"]
        return cls(
            link=value["link"],
            applicant_section=value["applicant_section"],
            owner_section=value["owner_section"],
            basis=value["basis"],
            purpose=value["purpose"],
            items=tuple(Item(name=name, ja=ja, form=form) for name, ja, form in value["items"]),
            conditions=tuple(value["conditions"]),
            first=date.fromisoformat(value["first"]),
            last=date.fromisoformat(value["last"]),
            plan=PlanSeen(hash=seen[0], number=seen[1], decision=seen[2]),
            attachments=tuple(
                Attachment(name=name, digest=held, size=size)
                for name, held, size in value["attachments"]
            ),
            supersedes=value["supersedes"],
        )


def text_digest(text: str) -> str:
    """Return the digest of a kept text, as the moves name it."""
    return digest(text.encode("utf-8"))
