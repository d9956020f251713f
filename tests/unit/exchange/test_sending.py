"""When a sender gives up, and when it goes on waiting."""

import pytest

from kumobashi.crypto.errors import SignatureInvalid
from kumobashi.exchange.deeds import CLOSING
from kumobashi.exchange.errors import PeerRefused, Unforeseen
from kumobashi.exchange.records import Outgoing
from kumobashi.exchange.sending import _passes
from kumobashi.exchange.states import OUT_FINAL, Out
from kumobashi.kernel import KumobashiError
from kumobashi.messages.errors import ReceiptOutOfOrder
from kumobashi.release.errors import FindingsRefused
from kumobashi.storage.errors import OwnStoreFailed, StoreUnreachable

LEFT = sorted(set(Out) - OUT_FINAL - {Out.EXTRACTING, Out.SEALED, Out.HELD})


def a_row(state: Out, *, closing: int | None = None) -> Outgoing:
    """Return a transfer; ``closing`` is the attempt that may have been closed at the next hop."""
    return Outgoing(
        tenant="999997",
        transfer="019aa8d1-5b7c-7000-8000-0123456789ab",
        link="notice-attributes",
        business_date="2026-11-22",
        sequence=1,
        attempt=1,
        mode="full",
        base_transfer=None,
        state=state,
        plan_hash="sha256:0",
        bounds_accepted=False,
        facts={} if closing is None else {CLOSING: closing},
        cause=None,
        manifest=None,
        started_at=0,
        finished_at=None,
    )


@pytest.mark.parametrize("state", LEFT)
def test_what_has_left_is_ended_by_a_receipt_only(state: Out) -> None:
    """A falsified answer must not make the sender say refused of what the receiver applied."""
    for row in (a_row(state), a_row(Out.SEALED, closing=1)):
        assert _passes(SignatureInvalid(reason="x"), row)
        assert _passes(ReceiptOutOfOrder(previous="opened", stage="delivered"), row)


@pytest.mark.parametrize("error", [OwnStoreFailed(reason="x"), Unforeseen(kind="x")])
def test_what_this_gateway_cannot_do_itself_is_no_verdict_on_the_data(
    error: KumobashiError,
) -> None:
    assert _passes(error, a_row(Out.EXTRACTING))
    assert _passes(error, a_row(Out.SEALED))


def test_before_it_left_the_datas_own_faults_end_it() -> None:
    assert not _passes(FindingsRefused(rows=1, first="x"), a_row(Out.EXTRACTING))
    assert _passes(StoreUnreachable(system="x", reason="x"), a_row(Out.EXTRACTING))
    assert _passes(
        PeerRefused(site="x", site_name="x", peer_code="x", peer_says=""), a_row(Out.SEALED)
    )
    older = a_row(Out.SEALED, closing=2)
    assert not _passes(SignatureInvalid(reason="x"), older)
