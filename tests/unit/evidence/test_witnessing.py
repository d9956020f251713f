"""What a site does with checkpoints of another: keeps what fits, and tells what does not."""

import base64
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from kumobashi.crypto.keys import SealKey, SigningKey
from kumobashi.evidence.checkpoints import Checkpoint, sign
from kumobashi.evidence.errors import (
    CheckpointAltered,
    CheckpointForeign,
    LogForked,
    LogRolledBack,
    SizeBeyond,
)
from kumobashi.evidence.log import prove_consistency, stored
from kumobashi.evidence.merkle import Frontier, leaf_hash
from kumobashi.evidence.sql import waiting, witnessed
from kumobashi.exchange.errors import PeerRefused
from kumobashi.exchange.identity import Identity
from kumobashi.exchange.migrating import migrate
from kumobashi.exchange.witnessing import Witness
from kumobashi.kernel import KumobashiError
from kumobashi.storage.sqlite import SQLiteState
from tests.unit.evidence.conftest import PEER, SITE, TENANT, Site, Standing


class Line:
    """The way to ``SITE``, whose log answers for itself."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.asked: list[tuple[int, int]] = []

    async def consistency(self, _name: str, old: int, new: int) -> dict[str, Any]:
        self.asked.append((old, new))
        with self.site.store.engine.connect() as held:
            try:
                return {"proof": prove_consistency(held, TENANT, old, new)}
            except SizeBeyond as error:
                raise PeerRefused(
                    site=SITE, site_name=SITE, peer_code=error.code, peer_says=""
                ) from None


@pytest.fixture
def line(site: Site) -> Line:
    return Line(site)


@pytest.fixture
def witness(site: Site, line: Line, tmp_path: Path) -> Iterator[Witness]:
    """The peer, which watches ``SITE``."""
    store = SQLiteState(tmp_path / "peer" / "state.db", owner=PEER)
    migrate(store)
    identity = Identity(
        tenant=TENANT,
        site=PEER,
        signing=site.keys[PEER],
        sealing=SealKey.generate(),
        directory=site.directory,
        work=tmp_path,
    )
    yield Witness(identity, store, line, Standing(), timedelta(0))  # type: ignore[arg-type]
    store.close()


def note_at(site: Site, size: int, *, key: SigningKey | None = None, bend: bool = False) -> str:
    edge = Frontier()
    with site.store.engine.connect() as held:
        for number, _, body in stored(held, TENANT, 0, size):
            edge.add(leaf_hash(b"bent" if bend and number == 0 else body))
    told = Checkpoint(origin=site.origin, size=size, root=edge.root())
    return sign(told, key or site.keys[SITE])


def proof(site: Site, old: int, new: int) -> list[str]:
    with site.store.engine.connect() as held:
        return prove_consistency(held, TENANT, old, new)


def kept(witness: Witness) -> list[tuple[int, str]]:
    query = sa.select(witnessed.c.size, witnessed.c.verdict).order_by(witnessed.c.seen)
    return [tuple(row) for row in witness._store.read(lambda held: held.execute(query).all())]


async def heard(witness: Witness, *notes: str) -> list[tuple[int, str]]:
    for note in notes:
        witness.hear(SITE, note)
        await witness.look()
    return kept(witness)


async def test_a_log_that_grows_is_followed(site: Site, witness: Witness, line: Line) -> None:
    found = await heard(witness, note_at(site, 10), note_at(site, 22), note_at(site, 22))

    assert found == [(10, "consistent"), (22, "consistent")]
    assert line.asked == [(10, 22)]
    said = witness._store.read(lambda held: held.execute(sa.select(waiting.c.body)).scalars().all())
    assert len([body for body in said if b"checkpoint.witnessed" in body]) == 2


async def test_an_older_receipt_means_nothing_by_itself(site: Site, witness: Witness) -> None:
    assert await heard(witness, note_at(site, 22), note_at(site, 10)) == [(22, "consistent")]


@pytest.mark.parametrize(("first", "second"), [(10, 22), (22, 22), (22, 10)])
async def test_a_rewritten_log_is_told_once_and_both_notes_are_kept(
    site: Site, witness: Witness, first: int, second: int, caplog: pytest.LogCaptureFixture
) -> None:
    bent = note_at(site, second, bend=True)

    found = await heard(witness, note_at(site, first), bent, bent)

    assert found == [(first, "consistent"), (second, "evidence.forked")]
    told = [record for record in caplog.records if record.levelname == "ERROR"]
    assert [record.message for record in told] == ["a peer's evidence does not fit"]


async def test_a_log_shorter_than_it_was_is_told(site: Site, witness: Witness) -> None:
    edge = Frontier()
    for number in range(50):
        edge.add(leaf_hash(b"%d" % number))
    longer = sign(Checkpoint(origin=site.origin, size=50, root=edge.root()), site.keys[SITE])

    assert (await heard(witness, longer, note_at(site, 40)))[1][1] == "evidence.rolled_back"


async def test_a_checkpoint_of_anybody_else_is_told(site: Site, witness: Witness) -> None:
    stranger = SigningKey.generate()

    found = await heard(witness, note_at(site, 10), note_at(site, 22, key=stranger))

    assert found[1][1] == "evidence.checkpoint_foreign"


async def test_nonsense_does_no_harm(site: Site, witness: Witness) -> None:
    witness.hear("nobody", note_at(site, 10))
    witness.hear(SITE, {"no": "text"})
    await witness.look()
    assert kept(witness) == []

    assert (await heard(witness, "no note"))[0][1] == "evidence.checkpoint_altered"


async def test_without_an_answer_it_is_asked_again(
    site: Site, witness: Witness, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    await heard(witness, note_at(site, 10))

    async def refuse(*_: object) -> None:
        raise PeerRefused(site=SITE, site_name=SITE, peer_code="http.503", peer_says="")

    with monkeypatch.context() as patch:
        patch.setattr(line, "consistency", refuse)
        assert await heard(witness, note_at(site, 22)) == [(10, "consistent")]
    await witness.look()

    assert kept(witness) == [(10, "consistent"), (22, "consistent")]


def test_what_a_site_offers_is_kept_with_its_proof(site: Site, witness: Witness) -> None:
    assert witness.offered(note_at(site, 10), 0, []) == {"size": 10, "kept": True}
    assert witness.offered(note_at(site, 22), 0, []) == {"size": 10, "kept": False}
    assert witness.offered(note_at(site, 22), 10, proof(site, 10, 22)) == {"size": 22, "kept": True}
    assert witness.offered(note_at(site, 22), 22, []) == {"size": 22, "kept": True}


@pytest.mark.parametrize(
    ("size", "bend", "parts", "error"),
    [
        (10, False, [], LogRolledBack),
        (22, True, [], LogForked),
        (40, True, None, LogForked),
        (40, False, [], LogForked),
        (40, False, ["no base64!"], LogForked),
        (40, False, [base64.b64encode(bytes(32)).decode()], LogForked),
    ],
)
def test_an_offer_that_contradicts_what_is_held_is_refused_and_kept(
    site: Site,
    witness: Witness,
    size: int,
    bend: bool,
    parts: list[str] | None,
    error: type[KumobashiError],
) -> None:
    witness.offered(note_at(site, 22), 0, [])
    given = proof(site, 22, 40) if parts is None else parts

    with pytest.raises(error) as refused:
        witness.offered(note_at(site, size, bend=bend), 22, given)

    assert refused.value.status == 409
    assert kept(witness)[1] == (size, error.code)


def test_an_offer_that_is_not_signed_by_the_site_is_refused_and_not_kept(
    site: Site, witness: Witness
) -> None:
    with pytest.raises(CheckpointForeign):
        witness.offered(note_at(site, 10, key=SigningKey.generate()), 0, [])
    with pytest.raises(CheckpointAltered):
        witness.offered("nothing", 0, [])

    assert kept(witness) == []
