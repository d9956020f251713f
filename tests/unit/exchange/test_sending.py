"""When a sender gives up, and when it goes on waiting."""

import pytest

from kumobashi.crypto.errors import SignatureInvalid
from kumobashi.exchange.errors import PeerRefused
from kumobashi.exchange.sending import _passes
from kumobashi.exchange.states import OUT_FINAL, Out
from kumobashi.messages.errors import ReceiptOutOfOrder
from kumobashi.release.errors import FindingsRefused
from kumobashi.storage.errors import StoreUnreachable

LEFT = sorted(set(Out) - OUT_FINAL - {Out.EXTRACTING, Out.SEALED, Out.HELD})


@pytest.mark.parametrize("state", LEFT)
def test_what_has_left_is_ended_by_a_receipt_only(state: Out) -> None:
    """A falsified answer must not make the sender say refused of what the receiver applied."""
    assert _passes(SignatureInvalid(reason="x"), state)
    assert _passes(ReceiptOutOfOrder(previous="opened", stage="delivered"), state)


def test_before_it_left_the_datas_own_faults_end_it() -> None:
    assert not _passes(FindingsRefused(rows=1, first="x"), Out.EXTRACTING)
    assert _passes(StoreUnreachable(system="x", reason="x"), Out.EXTRACTING)
    assert _passes(PeerRefused(site="x", site_name="x", peer_code="x", peer_says=""), Out.SEALED)
