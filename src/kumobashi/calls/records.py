"""What the journal keeps of one side of a call: signed fields, never a path and never a body."""

from datetime import datetime
from typing import Any

from kumobashi.calls.header import CallHeader
from kumobashi.calls.signing import Proof
from kumobashi.kernel import KumobashiError, to_wire


def asked_record(side: str, header: CallHeader, proof: Proof, at: datetime) -> dict[str, Any]:
    """Return the record of a request; ``side`` is ``asker`` or ``answerer``."""
    return {
        "event": "call.asked",
        "side": side,
        "call": header.call,
        "at": to_wire(at),
        "digest": proof.digest,
        "fields": proof.fields,
    }


def answered_record(
    side: str, header: CallHeader, proof: Proof, status: int, at: datetime
) -> dict[str, Any]:
    """Return the record of an answer, a refusal of the answering gateway included."""
    return {
        "event": "call.answered",
        "side": side,
        "call": header.call,
        "at": to_wire(at),
        "digest": proof.digest,
        "status": status,
        "fields": proof.fields,
    }


def refused_record(
    header: CallHeader | None, error: KumobashiError, at: datetime
) -> dict[str, Any]:
    """Return the record of a call that was turned away before it counted as asked."""
    return {
        "event": "call.refused",
        "side": "answerer",
        "call": header.call if header else None,
        "code": error.code,
        "at": to_wire(at),
    }
