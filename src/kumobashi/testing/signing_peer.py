"""A peer with the real peer API that signs a receiver's receipts at once and takes in nothing."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from starlette.applications import Starlette

from kumobashi.exchange.changes import Changes
from kumobashi.exchange.deletion_errors import NothingHeld
from kumobashi.exchange.identity import Identity
from kumobashi.exchange.inbox import Inbox
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.migrating import migrate
from kumobashi.exchange.records import Incoming
from kumobashi.exchange.states import In
from kumobashi.exchange.takers import Downstream
from kumobashi.exchange.transfer_keys import TransferKeys
from kumobashi.kernel import SystemClock, new_id
from kumobashi.messages.errors import MessageForeign
from kumobashi.messages.manifest import (
    Manifest,
    verify_manifest,
)
from kumobashi.messages.media_types import FORMAT
from kumobashi.messages.recall import Recall
from kumobashi.messages.receipts import (
    Receipt,
    Stage,
    next_receipt,
    sign_receipt,
    verify_receipt,
)
from kumobashi.messages.withdrawals import WithdrawalEnvelope
from kumobashi.planning.publishing import load_directory
from kumobashi.service.peer_api import peer_routes
from kumobashi.service.peer_evidence import PeerEvidence
from kumobashi.storage.erasable import ErasableSecrets
from kumobashi.storage.spool import Spool
from kumobashi.storage.sqlite import SQLiteState
from kumobashi.testing.outboxes import HOP, RECEIVER, identity

_STAGES = (Stage.DELIVERED, Stage.OPENED, Stage.VALIDATED, Stage.APPLIED)


class Signing:
    """A taker that signs what a receiver would, at once, and notes in which order bundles came."""

    def __init__(self, receiver: Identity, ledger: Ledger, changes: Changes, notes: Path) -> None:
        self._receiver = receiver
        self._ledger = ledger
        self._changes = changes
        self._notes = notes
        self._tasks: set[asyncio.Task[None]] = set()

    def closed_state(self) -> In:
        """Return that it plays a relay, too."""
        return In.CLOSED

    def receipt_for(self, manifest: Manifest, _state: In) -> tuple[str, str]:
        """Sign that everything arrived."""
        return self._signed(None, manifest, Stage.DELIVERED)[1]

    def downstream(self, _bundle: Incoming) -> Downstream:
        """Nothing is behind it."""
        return Downstream()

    def start(self) -> None:
        """Nothing is left of before."""

    def wake(self, bundle: Incoming) -> None:
        """Sign the other receipts as soon as the bundle is closed."""
        if bundle.state is In.CLOSED:
            with self._notes.open("a", encoding="ascii") as notes:
                notes.write(f"{bundle.link} {bundle.transfer}\n")
            task = asyncio.create_task(asyncio.to_thread(self._finish, bundle))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def look(self) -> None:
        """Do nothing: it is told of everything."""

    async def catch_up(self, bundle: Incoming) -> None:
        """Nothing is behind it."""

    async def deletion(self, bundle: Incoming, _token: str) -> None:
        """Take no request to delete."""
        raise NothingHeld(transfer=bundle.transfer)

    async def withdrawal(self, _told: WithdrawalEnvelope) -> str:
        """Hear of no withdrawal: nothing here rests on consent."""
        raise MessageForeign(field="link")

    async def recall(self, recall: Recall) -> dict[str, Any]:
        """Say that nothing is lost."""
        return {"format": FORMAT, "site": recall.to_site, "lost": []}

    async def aclose(self) -> None:
        """Nothing goes on."""

    def _finish(self, bundle: Incoming) -> None:
        keys = self._receiver.keys_of(bundle.from_site)
        manifest = verify_manifest(bundle.manifest or "", keys)
        key = (bundle.transfer, bundle.attempt)
        mine = {self._receiver.signing.kid: self._receiver.signing.public}
        last = verify_receipt(self._ledger.receipts(*key, "in")[0], mine)
        more = []
        for stage in _STAGES[1:]:
            last, signed = self._signed(last, manifest, stage)
            more.append(signed)
        self._ledger.keep_receipts(*key, "in", more)
        self._ledger.move_in(bundle, In.PASSED)
        self._ledger.move_in(bundle, In.SETTLED)
        self._changes.tell(key)

    def _signed(
        self, last: Receipt | None, manifest: Manifest, stage: Stage
    ) -> tuple[Receipt, tuple[str, str]]:
        receipt = next_receipt(
            last,
            manifest=manifest,
            stage=stage,
            receipt=new_id(),
            at=datetime.now(UTC),
            rows=None if stage is Stage.DELIVERED else 1,
        )
        return receipt, (stage.value, sign_receipt(receipt, self._receiver.signing))


class NoLog(PeerEvidence):
    """A site without an evidence log: its answers carry no checkpoint."""

    def __init__(self) -> None:
        """Need no gateway."""

    @property
    def newest(self) -> None:
        """Nothing."""
        return


async def _hears_no_pulse(_caller: str, _body: bytes) -> dict[str, object]:
    return {}


def peer_app(folder: Path) -> tuple[Starlette, Ledger]:
    """Return the peer API of the next hop, and what it remembers; made inside an event loop."""
    directory = load_directory(folder, now=datetime.now(UTC))
    here, clock, var = identity(folder, directory, HOP), SystemClock(), folder / "var" / HOP
    store = SQLiteState(var / "state.db", owner=HOP)
    migrate(store)
    ledger, changes = Ledger(store, here.tenant, clock), Changes()
    taker = Signing(identity(folder, directory, RECEIVER), ledger, changes, folder / "order.txt")
    keys = TransferKeys(ErasableSecrets(var / "keys"), here.sealing)
    spool = Spool(var / "spool" / "in")
    inbox = Inbox(here, ledger, spool, changes, taker, keys=keys, works=True)
    return Starlette(routes=peer_routes(here, inbox, clock, NoLog(), _hears_no_pulse)), ledger
