"""A gateway that sends one file of bytes instead of rows: ``… FILE OUT serve --site SITE``.

What is left out is what belongs to rows: extract, release, check, apply. Everything that carries is
the real gateway's: compress, seal, spool, announce, put, close, receipts, ledger and evidence. The
receiver writes the opened bytes to OUT. The two sites call each other without relays between.
"""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

import kumobashi.exchange.sending as sending_module
import kumobashi.service.endpoint as endpoint_module
from kumobashi.cli import main as command
from kumobashi.crypto.keys import SealKey
from kumobashi.exchange.identity import Identity
from kumobashi.exchange.packing import Payload, compress
from kumobashi.exchange.preparing import Chosen, Preparation
from kumobashi.exchange.receiving import Receiver
from kumobashi.exchange.records import Incoming
from kumobashi.exchange.states import In
from kumobashi.exchange.unpacking import unpack
from kumobashi.messages.manifest import Manifest
from kumobashi.messages.receipts import Stage
from kumobashi.release.releasing import Released
from kumobashi.storage.tables import quoted

_BLOCK = 1 << 20
_FILE, _OUT = "KUMO_BENCH_FILE", "KUMO_BENCH_OUT"  # variables of this process
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
        """Read nothing; leave a table without rows for what the next run would compare with."""
        columns = ", ".join(f"{quoted(column)} varchar" for column in self.order.layout.key)
        self.work.execute(f"create table released ({columns})")
        return _NOTHING

    def choose(self, released: Released) -> Chosen:
        """Send all."""
        return Chosen(relation="", rows=released.rows)

    def _write(self, _chosen: Chosen) -> Payload:
        with Path(os.environ[_FILE]).open("rb") as source:
            blocks = iter(lambda: source.read(_BLOCK), b"")
            return compress(blocks, self.folder / "payload", rows=1, charset="utf-8")


class BytesReceiver(Receiver):
    """Opens a bundle and keeps its bytes."""

    def _open(
        self,
        bundle: Incoming,
        manifest: Manifest,
        key: SealKey,
        work: duckdb.DuckDBPyConnection,  # noqa: ARG002 - as inherited
        folder: Path,
    ) -> None:
        unpack(manifest, self._spool, key, folder).replace(os.environ[_OUT])
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
    os.environ[_FILE], os.environ[_OUT], *sys.argv[1:] = sys.argv[1:]
    command()
