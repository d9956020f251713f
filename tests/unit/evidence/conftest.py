"""A log of a few hundred records with its checkpoints, to be tampered with."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from kumobashi.crypto.keys import SealKey, SigningKey
from kumobashi.directory import document
from kumobashi.directory.entries import Directory, MunicipalityEntry, SiteEntry
from kumobashi.directory.models import NetworkModel, SiteKind
from kumobashi.evidence.checkpoints import origin_of
from kumobashi.evidence.entries import Entry, Fact
from kumobashi.evidence.keeping import Keeper
from kumobashi.evidence.log import append, size_of
from kumobashi.exchange.evidence_state import Selection, SiteEvidence
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.migrating import migrate
from kumobashi.kernel import Zone
from kumobashi.messages.receipts import Stage, next_receipt, sign_receipt
from kumobashi.storage.sqlite import SQLiteState
from tests.unit.messages import examples

TENANT, SITE, PEER = "999997", "hall-core", "public-cloud"
AT = datetime(2026, 11, 21, 16, 20, tzinfo=UTC)


class Standing:
    """A clock that stands."""

    def now(self) -> datetime:
        return AT


def entry_of(name: str, key: SigningKey) -> SiteEntry:
    return SiteEntry(
        name=name,
        kind=SiteKind.ON_PREMISES,
        zone=Zone.LGWAN,
        role="endpoint",
        provider="架空市",
        jurisdiction="JP",
        url=f"http://{name}.example",
        connects_to=(),
        largest_part_bytes=65_536,
        contact="desk",
        sign=(key.public.jwk(),),
        seal=(SealKey.generate().recipient,),
    )


@dataclass(frozen=True, kw_only=True)
class Site:
    """One site's state, the keys around it, and what an auditor trusts."""

    folder: Path
    store: SQLiteState
    keeper: Keeper
    keys: dict[str, SigningKey]
    root: SigningKey
    directory: Directory
    token: str

    @property
    def origin(self) -> str:
        return origin_of(TENANT, SITE)

    def write(self, count: int) -> None:
        def work(connection: sa.Connection) -> None:
            first = size_of(connection, TENANT)
            for number in range(first, first + count):
                facts: dict[str, Fact] = {"number": number, "link": "a-link"}
                append(connection, TENANT, Entry(event="test.made", at=AT, facts=facts))

        self.store.write(work)

    def receive(self) -> None:
        """Take a bundle in, with two signed receipts."""
        ledger = Ledger(self.store, TENANT, Standing())
        manifest = examples.manifest()
        previous, tokens = None, []
        for stage in (Stage.DELIVERED, Stage.OPENED):
            previous = next_receipt(
                previous, manifest=manifest, stage=stage, receipt=examples.OTHER, at=AT
            )
            tokens.append((stage.value, sign_receipt(previous, self.keys[PEER])))
        ledger.keep_receipts(manifest.transfer, manifest.attempt, "out", tokens)

    def export(self, target: Path, selection: Selection | None = None) -> Path:
        with self.store.engine.connect() as held:
            log = SiteEvidence(held, tenant=TENANT, site=SITE)
            log.export(target, self.token, selection or Selection(), AT)
        return target


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Forty records, receipts among them, with checkpoints after 10, 22 and all."""
    keys = {name: SigningKey.generate() for name in (SITE, PEER)}
    root = SigningKey.generate()
    directory = Directory(
        format=1,
        version=1,
        issued=AT,
        expires=AT + timedelta(days=1),
        municipality=MunicipalityEntry(code=TENANT, name="架空市"),
        network_model=NetworkModel.ALPHA,
        sites={name: entry_of(name, key) for name, key in keys.items()},
        systems={},
        contacts={},
    )
    store = SQLiteState(tmp_path / "state" / "state.db", owner=SITE)
    migrate(store)
    keeper = Keeper(store, tenant=TENANT, site=SITE, key=keys[SITE], clock=Standing())
    made = Site(
        folder=tmp_path / "state",
        store=store,
        keeper=keeper,
        keys=keys,
        root=root,
        directory=directory,
        token=document.sign(directory, root),
    )
    made.write(10)
    keeper.sign()
    made.write(10)
    made.receive()
    keeper.sign()
    made.write(18)
    keeper.sign()
    yield made
    store.close()
