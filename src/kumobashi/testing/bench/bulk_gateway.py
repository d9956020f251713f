"""A gateway that sends one file of bytes instead of rows: ``… FILE OUT serve --site SITE``.

What is left out is what belongs to rows: extract, release, check, apply. Everything that carries is
the real gateway's: compress, seal, spool, announce, put, close, receipts, ledger and evidence. The
receiver writes the opened bytes to OUT. The two sites call each other without relays between.
"""

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kumobashi.exchange.sending as sending_module
import kumobashi.service.endpoint as endpoint_module
from kumobashi.cli import main as command
from kumobashi.exchange.identity import Identity
from kumobashi.exchange.packing import compress, seal_payload
from kumobashi.exchange.preparing import Bundle, Chosen, Preparation
from kumobashi.exchange.receiving import Receiver
from kumobashi.exchange.states import In
from kumobashi.exchange.unpacking import unpack
from kumobashi.messages.receipts import Stage
from kumobashi.release.releasing import Released

_BLOCK = 1 << 20
_FILE, _OUT = Path(sys.argv[1]), Path(sys.argv[2])
_NOTHING = Released(
    columns=(),
    read={},
    extracted=1,
    without_consent=0,
    quarantined=0,
    rows=1,
    smallest_class=None,
    rows_below_five=None,
    classes=None,
    findings=(),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BytesPreparation(Preparation):
    """Reads a file instead of tables."""

    def release(self) -> Released:
        """Read nothing."""
        return _NOTHING

    def choose(self, released: Released) -> Chosen:
        """Send all."""
        return Chosen(relation="", rows=released.rows)

    def seal(self, chosen: Chosen, _released: Released) -> Bundle:
        """Compress and seal the file."""
        began = time.monotonic()
        with _FILE.open("rb") as source:
            blocks = iter(lambda: source.read(_BLOCK), b"")
            payload = compress(blocks, self.folder / "payload", rows=1, charset="utf-8")
        sealed = seal_payload(
            payload,
            recipient=self.order.recipient,
            limit=self.order.largest_part_bytes,
            spool=self.spool,
            transfer=self.row.transfer,
            attempt=self.row.attempt,
        )
        return Bundle(
            payload=payload, sealed=sealed, chosen=chosen, seconds=time.monotonic() - began
        )


class BytesReceiver(Receiver):
    """Opens a bundle and keeps its bytes."""

    def _open(self, bundle: Any, manifest: Any, work: Any, folder: Path) -> None:  # noqa: ANN401, ARG002 - as inherited
        opened = unpack(manifest, self._spool, self._identity.sealing, folder)
        opened.replace(_OUT)
        self._state_that(bundle, manifest, Stage.OPENED, In.OPENED, rows=1)

    def _validate_and_apply(self, bundle: Any, manifest: Any, *_: Any) -> None:  # noqa: ANN401 - as inherited
        self._state_that(bundle, manifest, Stage.VALIDATED, In.VALIDATED, rows=1)
        self._state_that(bundle, manifest, Stage.APPLIED, In.APPLIED, rows=1)


if __name__ == "__main__":
    for place, name, ours in (
        (sending_module, "Preparation", BytesPreparation),
        (endpoint_module, "Receiver", BytesReceiver),
        (Identity, "next_hop", lambda _self, to_site: to_site),
        (Identity, "may_call", lambda _self, _caller: True),
    ):
        setattr(place, name, ours)
    sys.argv = [sys.argv[0], *sys.argv[3:]]
    command()
