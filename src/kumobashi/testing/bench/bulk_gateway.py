"""A gateway that sends one file of bytes instead of rows: ``… FILE OUT serve --site SITE``.

What is left out is what belongs to rows: extract, release, check, apply. Everything that carries is
the real gateway's: compress, seal, spool, announce, put, close, receipts, ledger and evidence. The
receiver writes the opened bytes to OUT. The two sites call each other without relays between.
"""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb

import kumobashi.exchange.receiving as receiving_module
import kumobashi.exchange.sending as sending_module
from kumobashi.cli import main as command
from kumobashi.crypto.keys import SealKey
from kumobashi.exchange.identity import Identity
from kumobashi.exchange.intake import Intake
from kumobashi.exchange.packing import Payload, compress
from kumobashi.exchange.preparing import Chosen, Preparation
from kumobashi.exchange.states import In
from kumobashi.exchange.unpacking import unpack
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


class BytesIntake(Intake):
    """Opens a bundle and keeps its bytes."""

    def _open(self, key: SealKey, work: duckdb.DuckDBPyConnection, folder: Path) -> None:  # noqa: ARG002 - as inherited
        unpack(self.manifest, self.spool, key, folder).replace(os.environ[_OUT])
        self._state_that(Stage.OPENED, In.OPENED, rows=1)

    def _validate_and_apply(self, *_: object) -> None:
        self._state_that(Stage.VALIDATED, In.VALIDATED, rows=1)
        self._state_that(Stage.APPLIED, In.APPLIED, rows=1)


if __name__ == "__main__":
    for place, name, ours in (
        (sending_module, "Preparation", BytesPreparation),
        (receiving_module, "Intake", BytesIntake),
        (Identity, "next_hop", lambda _self, to_site: to_site),
        (Identity, "may_call", lambda _self, _caller: True),
    ):
        setattr(place, name, ours)
    os.environ[_FILE], os.environ[_OUT], *sys.argv[1:] = sys.argv[1:]
    command()
