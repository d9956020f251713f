"""What the evidence log says about a change of state: pure, from one row to the next."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from kumobashi.crypto import base64url
from kumobashi.crypto.canonical import digest
from kumobashi.evidence.entries import GATEWAY, Entry, Fact
from kumobashi.exchange.holdings import Holding
from kumobashi.exchange.permitting import AGREEMENT
from kumobashi.exchange.records import Incoming, Outgoing
from kumobashi.exchange.states import In, Out

Facts = Mapping[str, Fact]
OPERATOR = "operator"  # somebody at a terminal, who is not known by name
LOCAL_API = "local-api"
_CODE = re.compile(r"[a-z0-9_]{1,40}\.[a-z0-9_]{1,60}")
_COUNTED = ("rows", "deleted_rows", "parts", "payload_bytes", "sealed_bytes")


def account(name: str) -> str:
    """Return how a record names somebody who has signed in."""
    return f"account:{name}"


def started(row: Outgoing, at: datetime, basis: str | None, *, by: str = LOCAL_API) -> Entry:
    """Return that a run was started: by whom, on which decision and which legal basis."""
    return Entry(
        event="transfer.started",
        at=at,
        by=by,
        facts={
            "link": row.link,
            "transfer": row.transfer,
            "attempt": row.attempt,
            "business_date": row.business_date,
            "sequence": row.sequence,
            "mode": row.mode,
            "plan_hash": row.plan_hash,
            "legal_basis": basis,
            "resends": row.resends,
            "agreement": row.facts.get(AGREEMENT),
        },
    )


def deed(event: str, row: Outgoing, at: datetime, *, by: str) -> Entry:
    """Return what a person did to a transfer that waits, apart from moving it."""
    facts: Facts = {"link": row.link, "transfer": row.transfer, "attempt": row.attempt}
    return Entry(event=event, at=at, by=by, facts=facts)


def link_deed(event: str, link: str, at: datetime, *, by: str) -> Entry:
    """Return what a person did to a whole link."""
    return Entry(event=event, at=at, by=by, facts={"link": link})


def sent_on(before: Outgoing, after: Outgoing, at: datetime, *, by: str = OPERATOR) -> list[Entry]:
    """Return what a move of the outbox means; nothing when only a note beside it changed.

    ``by`` says who did it where only a person can have.
    """
    if (before.state, before.attempt) == (after.state, after.attempt):
        return []
    is_sealed = after.state is Out.SEALED
    is_by_hand = before.state is Out.HELD or after.state is Out.CANCELLED
    entry = Entry(
        event="transfer.moved",
        at=at,
        # Only a person lets a held transfer go on, or cancels it.
        by=by if is_by_hand else GATEWAY,
        facts={
            "link": after.link,
            "transfer": after.transfer,
            "attempt": after.attempt,
            "before": before.state.value,
            "after": after.state.value,
            "manifest": manifest_digest(after.manifest) if is_sealed else None,
            "counts": _counts(after.facts.get("sent")) if is_sealed else None,
            "code": _code(after.cause),
            "codebook": _coded(after) if is_sealed else None,
        },
    )
    return [entry]


def _coded(row: Outgoing) -> str | None:
    """Return the hash of the codebook whose codes columns leave under; all of it that is told."""
    held = row.facts.get("codebook")
    return held if isinstance(held, str) else None


def announced(row: Incoming, at: datetime) -> Entry:
    """Return that a bundle was announced to this site."""
    return Entry(
        event="bundle.announced",
        at=at,
        facts={
            "link": row.link,
            "transfer": row.transfer,
            "attempt": row.attempt,
            "from_site": row.from_site,
            "to_site": row.to_site,
        },
    )


def superseded(row: Incoming, at: datetime) -> Entry:
    """Return that an open attempt gave way to a newer one."""
    return taken_on(replace(row, state=In.ANNOUNCED), row, at)[0]


def taken_on(before: Incoming, after: Incoming, at: datetime) -> list[Entry]:
    """Return what a move of the inbox means; nothing when only a note beside it changed."""
    if before.state is after.state:
        return []
    entry = Entry(
        event="bundle.moved",
        at=at,
        facts={
            "link": after.link,
            "transfer": after.transfer,
            "attempt": after.attempt,
            "before": before.state.value,
            "after": after.state.value,
            "manifest": manifest_digest(after.manifest) if not before.manifest else None,
            "counts": _counts(after.facts.get("applied")),
            "code": _code(after.cause),
        },
    )
    return [entry]


def kept(
    transfer: str, attempt: int, side: str, number: int, *, stage: str, token: str, at: datetime
) -> Entry:
    """Return that a signed receipt was given (side "in") or taken (side "out")."""
    return Entry(
        event="receipt.kept",
        at=at,
        facts={
            "transfer": transfer,
            "attempt": attempt,
            "side": side,
            "number": number,
            "stage": stage,
            "receipt": receipt_digest(token),
        },
    )


def held(after: Holding, at: datetime) -> Entry:
    """Return that a receiver holds what was applied (side "in"), or that this is known ("out")."""
    return Entry(
        event="holding.begun",
        at=at,
        facts={
            "link": after.link,
            "transfer": after.transfer,
            "attempt": after.attempt,
            "side": after.side,
            "after": after.state.value,
            "from_site": after.from_site,
            "to_site": after.to_site,
            "counts": {"rows": after.rows},
        },
    )


def held_on(before: Holding, after: Holding, at: datetime, *, by: str | None) -> list[Entry]:
    """Return what a move of a holding means, and which account decided it, if one did."""
    if before.state is after.state:
        return []
    rows = after.facts.get("rows")
    entry = Entry(
        event="holding.moved",
        at=at,
        by=account(by) if by else GATEWAY,
        facts={
            "link": after.link,
            "transfer": after.transfer,
            "attempt": after.attempt,
            "side": after.side,
            "before": before.state.value,
            "after": after.state.value,
            "counts": {"rows": rows} if type(rows) is int else None,
        },
    )
    return [entry]


def deleted_again(what: Holding, rows: int, at: datetime) -> Entry:
    """Return that a restored target held rows of what was deleted, and holds them no more."""
    return Entry(
        event="holding.deleted_again",
        at=at,
        facts={
            "link": what.link,
            "transfer": what.transfer,
            "attempt": what.attempt,
            "side": what.side,
            "counts": {"rows": rows},
        },
    )


def receipt_digest(token: str) -> str:
    """Return the digest that a record names a receipt by: of the whole signed text."""
    return digest(token.encode("ascii"))


def manifest_digest(token: str | None) -> str | None:
    """Return the digest of the canonical bytes inside a signed manifest."""
    if not token or token.count(".") != 2:  # noqa: PLR2004 - a compact JWS
        return None
    return digest(base64url.decode(token.split(".")[1]))


def _counts(facts: object) -> dict[str, int] | None:
    if not isinstance(facts, Mapping):
        return None
    return {name: facts[name] for name in _COUNTED if type(facts.get(name)) is int} or None


def _code(cause: Mapping[str, Any] | None) -> str | None:
    code = (cause or {}).get("code")
    if not code:
        return None
    # A hop behind may have said anything.
    return code if isinstance(code, str) and _CODE.fullmatch(code) else "unknown"
