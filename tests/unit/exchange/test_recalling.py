"""Asking receivers what they remember: noted first, sent again once, tried anew after a failure."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kumobashi.crypto.keys import SealKey, SigningKey
from kumobashi.exchange.errors import Drifted, PeerRefused, PeerUnreachable
from kumobashi.exchange.identity import Identity
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.migrating import migrate
from kumobashi.exchange.proofs import Proofs
from kumobashi.exchange.recalling import Recalling
from kumobashi.exchange.records import Outgoing
from kumobashi.exchange.refusals import Refusal
from kumobashi.exchange.reminding import Reminder
from kumobashi.exchange.states import Out
from kumobashi.messages.manifest import sign_manifest
from kumobashi.messages.recall import Recall
from kumobashi.planning.publishing import load_directory
from kumobashi.planning.sampling import write_sample
from kumobashi.storage.sqlite import SQLiteState
from tests.unit.exchange.test_ledger import Standing
from tests.unit.messages.examples import manifest

if TYPE_CHECKING:
    from kumobashi.kernel import KumobashiError


class Receivers:
    """Stands for the line and all behind it: forgets what it is told to forget."""

    def __init__(self) -> None:
        self.forgotten: dict[str, tuple[str, int]] = {}  # by receipt
        self.asked: list[Recall] = []
        self.error: KumobashiError | None = None

    async def recall(self, _hop: str, recall: Recall) -> dict[str, Any]:
        self.asked.append(recall)
        if self.error:
            raise self.error
        gone = [self.forgotten[token] for token in recall.receipts if token in self.forgotten]
        return {"format": 1, "lost": [{"transfer": t, "attempt": a} for t, a in gone]}


class Hall:
    """A sender's ledger with what its receivers have confirmed."""

    def __init__(self, ledger: Ledger, identity: Identity) -> None:
        self.ledger = ledger
        self.receivers = Receivers()
        self.runs: list[str] = []
        self.refuses: KumobashiError | None = None
        self.recalling = Recalling(
            identity,
            ledger,
            self.receivers,  # type: ignore[arg-type]
            self._again,
            reminder=Reminder(
                identity,
                Proofs(ledger.store, ledger.tenant),
                self.receivers,  # type: ignore[arg-type]
            ),
            seconds=60,
        )
        self._signing = identity.signing

    async def _again(self, lost: Outgoing) -> Outgoing:
        if self.refuses:
            raise self.refuses
        self.runs.append(lost.transfer)
        return self.ledger.start(
            lost.link, lost.business_date, mode="full", plan_hash="sha256:0", again=True
        )[0]

    def confirmed(self, link: str, then: Out = Out.APPLIED) -> Outgoing:
        row, _ = self.ledger.start(
            link, "2026-11-21", mode="full", plan_hash="sha256:0", again=True
        )
        token = sign_manifest(manifest(transfer=row.transfer, link=link), self._signing)
        self.ledger.move_out(row.transfer, Out.SEALED, manifest=token)
        self.ledger.move_out(row.transfer, Out.SENT)
        stages = ["delivered", "opened", "validated", "applied"]
        more = [(stage, f"{row.transfer}.{stage}.x") for stage in stages]
        kept = more[: stages.index(then.value) + 1]
        return self.ledger.received(row.transfer, kept, then, facts={})

    def forget(self, row: Outgoing) -> None:
        for token in self.ledger.receipts(row.transfer, row.attempt, "out"):
            self.receivers.forgotten[token] = (row.transfer, row.attempt)


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    folder = write_sample(tmp_path / "w")
    private = tmp_path / "w" / "private" / "hall-core"
    identity = Identity(
        tenant="999997",
        site="hall-core",
        signing=SigningKey.load(private / "sign.key"),
        sealing=SealKey.load(private / "seal.key"),
        directory=load_directory(folder, now=datetime.now(UTC)),
        work=tmp_path / "work",
    )
    store = SQLiteState(tmp_path / "state.db", owner="here")
    migrate(store)
    yield Hall(Ledger(store, "999997", Standing()), identity)
    store.close()


async def test_a_receiver_that_remembers_is_left_alone(hall: Hall) -> None:
    old, new = hall.confirmed("a-link"), hall.confirmed("a-link")
    other = hall.confirmed("b-link", Out.OPENED)

    assert await hall.recalling.ask() == []

    (recall,) = hall.receivers.asked
    assert (recall.to_site, recall.from_site) == ("public-cloud", "hall-core")
    assert set(recall.receipts) == {f"{new.transfer}.applied.x", f"{other.transfer}.opened.x"}
    assert old.transfer not in "".join(recall.receipts), "the newest of a link is enough"
    assert hall.runs == []


async def test_what_was_lost_is_noted_and_run_again_once(hall: Hall) -> None:
    row = hall.confirmed("a-link")
    hall.forget(row)

    assert await hall.recalling.ask() == [row.transfer]
    assert await hall.recalling.ask() == []

    assert hall.runs == [row.transfer]
    kept = hall.ledger.outgoing(row.transfer)
    assert (kept.state, kept.facts["lost"]["site"]) == (Out.APPLIED, "public-cloud")
    anew = hall.ledger.outgoing(kept.facts["resent"]["transfer"])
    assert anew.facts["resends"]["transfer"] == row.transfer


async def test_what_was_on_its_way_ends_with_the_cause(hall: Hall) -> None:
    row = hall.confirmed("a-link", Out.OPENED)
    hall.forget(row)

    assert await hall.recalling.ask() == [row.transfer]

    kept = hall.ledger.outgoing(row.transfer)
    assert kept.state is Out.REFUSED
    assert kept.cause is not None
    assert kept.cause["code"] == "exchange.receiver_restored"
    assert kept.facts["resent"]["transfer"] != row.transfer


@pytest.mark.parametrize("then", [Out.APPLIED, Out.DELIVERED])
async def test_a_run_that_is_refused_now_is_tried_at_the_next_asking(hall: Hall, then: Out) -> None:
    row, other = hall.confirmed("a-link", then), hall.confirmed("b-link")
    hall.forget(row)
    hall.refuses = Drifted(changes="x", link="a-link")
    assert await hall.recalling.ask() == []
    assert "lost" in hall.ledger.outgoing(row.transfer).facts
    hall.receivers.forgotten.clear()  # the answer of then is enough
    hall.refuses = None

    assert await hall.recalling.ask() == [row.transfer]

    assert hall.runs == [row.transfer]
    assert "lost" not in hall.ledger.outgoing(other.transfer).facts


async def test_an_older_peer_or_one_that_is_away_has_lost_nothing(hall: Hall) -> None:
    row = hall.confirmed("a-link")
    hall.forget(row)
    gone = Refusal(status=404, code="http.404", says="", retryable=False, missing=())
    for error in (
        PeerRefused(site="x", site_name="x", peer_code=gone.code, peer_says="", refusal=gone),
        PeerUnreachable(site="x", site_name="x", reason_ja="", reason=""),
    ):
        hall.receivers.error = error

        assert await hall.recalling.ask() == []

    assert hall.ledger.outgoing(row.transfer).facts == {}
