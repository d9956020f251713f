"""Measure an evidence log of many records: numbering, proofs, export, and checking it elsewhere.

    python -m tools.bench_evidence [--records 1000000] [--folder DIR]

A transfer makes eleven records, four of them about signed receipts, as at a sending gateway. The
file is checked by the command itself, in a process of its own, once as it is and once after a byte
of a record near its end was flipped. Prints one line of JSON: seconds of each step, bytes, and the
peak of resident memory of the checking process in MiB.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import psutil
import sqlalchemy as sa

from kumobashi.crypto import jws
from kumobashi.crypto.canonical import canonical
from kumobashi.crypto.keys import SealKey, SigningKey
from kumobashi.directory import document
from kumobashi.directory.entries import Directory, MunicipalityEntry, SiteEntry
from kumobashi.directory.models import NetworkModel, SiteKind
from kumobashi.evidence.entries import Entry
from kumobashi.evidence.keeping import Keeper
from kumobashi.evidence.log import Nodes
from kumobashi.evidence.merkle import consistency, inclusion
from kumobashi.evidence.sql import waiting
from kumobashi.exchange import noting
from kumobashi.exchange.evidence_state import Selection, SiteEvidence
from kumobashi.exchange.migrating import migrate
from kumobashi.exchange.sql import receipts
from kumobashi.kernel import Zone, new_id, to_wire
from kumobashi.messages.media_types import RECEIPT_TYP
from kumobashi.storage.sqlite import SQLiteState

T = TypeVar("T")
_TENANT, _SITE, _PEER = "999997", "hall-core", "public-cloud"
_AT = datetime(2026, 11, 21, 16, 20, tzinfo=UTC)
_STAGES = ("delivered", "opened", "validated", "applied")
_A_TRANSFER = 3 + 2 * len(_STAGES)  # records
_IN_ONE_COMMIT = 500  # transfers
_PROOFS = 1000


class Walking:
    """A clock that goes on a millisecond with each look."""

    def __init__(self) -> None:
        self._at = _AT

    def now(self) -> datetime:
        """Return the next moment."""
        self._at += timedelta(milliseconds=1)
        return self._at


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, default=None)
    wish = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=wish.folder, prefix="bench-evidence-") as folder:
        print(json.dumps(measure(Path(folder), wish.records)))


def measure(folder: Path, records: int) -> dict[str, Any]:
    """Return all figures."""
    keys = {name: SigningKey.generate() for name in (_SITE, _PEER)}
    root = SigningKey.generate()
    clock = Walking()
    store = SQLiteState(folder / "state" / "state.db", owner=_SITE)
    migrate(store)
    keeper = Keeper(store, tenant=_TENANT, site=_SITE, key=keys[_SITE], clock=clock)
    seconds: dict[str, float] = {}
    transfers = -(-records // _A_TRANSFER)
    for first in range(0, transfers, _IN_ONE_COMMIT):
        count = min(_IN_ONE_COMMIT, transfers - first)
        _timed(seconds, "append", lambda n=count: _append(store, n, keys[_PEER], clock))  # type: ignore[misc]
        _timed(seconds, "number_and_sign", keeper.sign)
    target = folder / "evidence.tar"
    token = document.sign(_directory(keys), root)
    with store.engine.connect() as held:
        log = SiteEvidence(held, tenant=_TENANT, site=_SITE)
        _timed(seconds, "thousand_proofs", lambda: _prove(held, transfers * _A_TRANSFER))
        written = _timed(seconds, "export", lambda: log.export(target, token, Selection(), _AT))
    state_mib = (folder / "state" / "state.db").stat().st_size >> 20
    store.close()
    trust = folder / "directory.pub"
    trust.write_text(json.dumps(root.public.jwk()), encoding="ascii")
    sound, sound_mib = _timed(seconds, "verify", lambda: _verify(target, trust, expect=0))
    _flip(target)
    bad, _ = _timed(seconds, "verify_touched", lambda: _verify(target, trust, expect=1))
    return {
        "records": written.records,
        "receipts": written.receipts,
        "checkpoints": sound["checkpoints"],
        "receipt_signatures": sound["receipt_signatures"],
        "seconds": {name: round(value, 2) for name, value in seconds.items()},
        "verify_processor_seconds": round(sound["cpu"], 2),
        "verify_peak_mib": sound_mib,
        "file_mib": target.stat().st_size >> 20,
        "state_mib": state_mib,
        "touched": {"code": bad["touched"]["code"], "number": bad["touched"]["number"]},
        "cores": os.cpu_count(),
    }


def _append(store: SQLiteState, count: int, key: SigningKey, clock: Walking) -> None:
    """Write the records and receipts of some transfers in one commit."""
    bodies: list[bytes] = []
    kept: list[dict[str, Any]] = []
    for _ in range(count):
        transfer = new_id()
        facts: dict[str, Any] = {"link": "notice-attributes", "transfer": transfer, "attempt": 1}
        started: dict[str, Any] = {
            "plan_hash": f"sha256:{'a' * 64}",
            "legal_basis": "pi-69-1",
            "mode": "full",
        }
        bodies.append(_said(clock, "transfer.started", by="local-api", **facts, **started))
        states = ["extracting", "sealed", "sent", *_STAGES]
        for before, after in pairwise(states[:3]):
            bodies.append(_said(clock, "transfer.moved", **facts, before=before, after=after))
        for number, stage in enumerate(_STAGES):
            jwt = _receipt(transfer, stage, key, clock)
            kept.append(_row(transfer, number, stage, jwt))
            said = noting.kept(transfer, 1, "out", number, stage=stage, token=jwt, at=clock.now())
            bodies.append(said.encode())
            moved: dict[str, Any] = {"before": states[2 + number], "after": stage}
            bodies.append(_said(clock, "transfer.moved", **facts, **moved))
    rows = [{"tenant": _TENANT, "entry": new_id(), "body": body} for body in bodies]

    def work(connection: sa.Connection) -> None:
        connection.execute(sa.insert(waiting), rows)
        connection.execute(sa.insert(receipts), kept)

    store.write(work)


def _said(clock: Walking, event: str, *, by: str = "gateway", **facts: Any) -> bytes:  # noqa: ANN401 - facts
    return Entry(event=event, at=clock.now(), by=by, facts=facts).encode()


def _receipt(transfer: str, stage: str, key: SigningKey, clock: Walking) -> str:
    members = {
        "format": 1,
        "receipt": new_id(),
        "tenant": _TENANT,
        "transfer": transfer,
        "attempt": 1,
        "manifest_digest": f"sha256:{sha256(transfer.encode()).hexdigest()}",
        "stage": stage,
        "site": _PEER,
        "rows": 400_000,
        "findings": 0,
        "code": None,
        "note_ja": None,
        "at": to_wire(clock.now()),
        "previous": None,
    }
    return jws.sign(canonical(members), key, RECEIPT_TYP)


def _row(transfer: str, number: int, stage: str, token: str) -> dict[str, Any]:
    return {
        "tenant": _TENANT,
        "transfer": transfer,
        "attempt": 1,
        "side": "out",
        "number": number,
        "stage": stage,
        "jws": token,
        "at": 0,
    }


def _prove(held: sa.Connection, size: int) -> None:
    for number in range(0, size, max(1, size // _PROOFS)):
        inclusion(number, size, Nodes(held, _TENANT))
        consistency(number + 1, size, Nodes(held, _TENANT))


def _verify(target: Path, trust: Path, *, expect: int) -> tuple[dict[str, Any], int]:
    """Run the command; return its answer and its peak of resident memory in MiB."""
    words = ["evidence", "verify", str(target), "--trust", str(trust), "--json"]
    with tempfile.TemporaryFile() as output:
        process = psutil.Popen([sys.executable, "-m", "kumobashi", *words], stdout=output)
        peak = processor = 0.0
        while process.poll() is None:
            try:
                peak = max(peak, process.memory_info().rss)
                processor = sum(process.cpu_times()[:2])
            except psutil.NoSuchProcess:
                break
            time.sleep(0.05)
        if process.wait() != expect:
            raise SystemExit(f"evidence verify ended with {process.returncode}")
        output.seek(0)
        return json.loads(output.read()) | {"cpu": processor}, int(peak) >> 20


def _flip(target: Path) -> None:
    """Change one byte of a record not far from the end."""
    with target.open("r+b") as file:
        file.seek(-4_000, os.SEEK_END)  # before the end of the container and its padding
        at = file.tell()
        byte = file.read(1)
        file.seek(at)
        file.write(bytes([byte[0] ^ 1]))


def _directory(keys: dict[str, SigningKey]) -> Directory:
    return Directory(
        format=1,
        version=1,
        issued=_AT,
        expires=_AT + timedelta(days=90),
        municipality=MunicipalityEntry(code=_TENANT, name="架空市"),
        network_model=NetworkModel.ALPHA,
        sites={
            name: SiteEntry(
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
            for name, key in keys.items()
        },
        systems={},
        contacts={},
    )


def _timed(seconds: dict[str, float], name: str, work: Callable[[], T]) -> T:
    began = time.perf_counter()
    try:
        return work()
    finally:
        seconds[name] = seconds.get(name, 0.0) + time.perf_counter() - began


if __name__ == "__main__":
    main()
