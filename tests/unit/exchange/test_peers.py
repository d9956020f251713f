"""What a sender asks of the next hop before anything leaves."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from kumobashi.crypto.client_tls import ClientTls
from kumobashi.crypto.keys import SealKey, SigningKey
from kumobashi.exchange.errors import PeerWithoutKeys
from kumobashi.exchange.identity import Identity
from kumobashi.exchange.lines import Lines
from kumobashi.exchange.peers import Peers
from kumobashi.kernel import SystemClock
from kumobashi.planning.publishing import load_directory
from kumobashi.planning.sampling import write_sample


@pytest.fixture(scope="module")
def peers(tmp_path_factory: pytest.TempPathFactory) -> Peers:
    folder = write_sample(tmp_path_factory.mktemp("city") / "w")
    private = folder / "private" / "hall-core"
    identity = Identity(
        tenant="999997",
        site="hall-core",
        signing=SigningKey.load(private / "sign.key"),
        sealing=SealKey.load(private / "seal.key"),
        directory=load_directory(folder, now=datetime.now(UTC)),
        work=Path("work"),
    )
    clock = SystemClock()
    return Peers(identity, clock, Lines(identity, clock), ClientTls(private / "tls"))


@pytest.mark.parametrize(
    "answer",
    [
        {"format": 1, "have": []},  # as releases of before answer
        {"takes": None},
        {"takes": "transfer_key"},
        {"takes": ["something_else"]},
    ],
)
def test_a_peer_that_knows_no_keys_is_given_nothing(
    peers: Peers, answer: dict[str, object]
) -> None:
    with pytest.raises(PeerWithoutKeys) as refused:
        peers.require_keys("hall-exchange", answer)

    assert refused.value.say("ja").startswith(peers._identity.at("hall-exchange").name)
    assert not refused.value.retryable, "waiting does not help: the transfer ends here"


def test_a_peer_that_takes_them_is_good(peers: Peers) -> None:
    peers.require_keys("hall-exchange", {"takes": ["more", "transfer_key"]})
