"""The page about other people's tools: its commands open a bundle of ours, as they stand there."""

import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import duckdb
import pytest

from kumobashi.crypto.keys import SealKey, SigningKey
from kumobashi.crypto.transfer_keys import key_hash
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.migrating import migrate
from kumobashi.exchange.orders import CharacterRule, ReceivingColumn
from kumobashi.exchange.packing import seal_payload, write_csv
from kumobashi.exchange.states import In
from kumobashi.exchange.transfer_keys import TransferKeys
from kumobashi.kernel import SystemClock
from kumobashi.messages.manifest import Compression, Manifest, sign_manifest
from kumobashi.storage.erasable import ErasableSecrets
from kumobashi.storage.spool import Spool
from kumobashi.storage.sqlite import SQLiteState
from kumobashi.storage.tables import ColumnSpec
from tests.docs import examples
from tests.unit.messages.examples import manifest as any_manifest

PAGE = examples.ROOT / "docs" / "how-to" / "open-a-bundle-with-other-tools.md"
MISSING = [name for name in ("age", "zstd", "iconv", "sh", "sha256sum") if not shutil.which(name)]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")

ROWS = 4_000


def a_bundle_in_the_spool(folder: Path) -> Manifest:
    """Leave at ``public-cloud`` what a transfer leaves that was delivered and not yet opened."""
    seal_key, sign_key = SealKey.generate(), SigningKey.generate()
    seal_key.save(folder / "private" / "public-cloud" / "seal.key")
    var = folder / "var" / "public-cloud"
    spool = Spool(var / "spool" / "in")
    columns = (ReceivingColumn(spec=ColumnSpec("name", "text"), ja="氏名"),)
    rule = CharacterRule(charset="cp932", substitutes={}, otherwise="refuse")
    work = duckdb.connect()
    work.execute(
        "create table released as"
        f" select '髙﨑 花子 ' || md5(range::text) as name from range({ROWS})"
    )
    payload = write_csv(work, "released", folder / "made", columns, rule)
    manifest = any_manifest(
        media_type=payload.media_type,
        charset=payload.charset,
        compression=payload.compression,
        payload_digest=payload.digest,
        payload_bytes=payload.bytes,
        rows=payload.rows,
    )
    sender = TransferKeys(ErasableSecrets(folder / "sender"), SealKey.generate())
    recipient = sender.make(manifest.transfer, manifest.attempt, recipient=seal_key.recipient)
    document = sender.sent(manifest.transfer, manifest.attempt)
    receiver = TransferKeys(ErasableSecrets(var / "keys"), seal_key)
    receiver.take(manifest.transfer, manifest.attempt, document)
    sealed = seal_payload(
        payload,
        recipient=recipient,
        limit=4_096,
        spool=spool,
        transfer=manifest.transfer,
        attempt=manifest.attempt,
    )
    manifest = any_manifest(
        **{
            name: getattr(manifest, name)
            for name in ("media_type", "charset", "compression", "payload_digest", "rows")
        },
        payload_bytes=payload.bytes,
        sealed_digest=sealed.digest,
        sealed_bytes=sealed.bytes,
        parts=sealed.parts,
        key=key_hash(recipient),
    )
    store = SQLiteState(var / "state.db", owner="public-cloud")
    migrate(store)
    ledger = Ledger(store, manifest.tenant, SystemClock())
    bundle = ledger.announced(
        transfer=manifest.transfer,
        attempt=manifest.attempt,
        link=manifest.link,
        from_site=manifest.from_site,
        to_site=manifest.to_site,
        announcement={},
    )
    ledger.move_in(bundle, In.DELIVERED, manifest=sign_manifest(manifest, sign_key))
    store.close()
    return manifest


def test_the_commands_of_the_page_open_a_bundle(tmp_path: Path) -> None:
    manifest = a_bundle_in_the_spool(tmp_path)
    commands = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert len(manifest.parts) > 2
    assert manifest.compression is Compression.ZSTD

    subprocess.run(
        ["sh", "-euc", "\n".join(commands)],
        cwd=tmp_path,
        env={"TRANSFER": manifest.transfer, "ATTEMPT": "1", "PATH": "/usr/bin:/bin"},
        check=True,
    )

    assert json.loads((tmp_path / "manifest.json").read_bytes()) == json.loads(manifest.encode())
    bundle = hashlib.sha256((tmp_path / "bundle.age").read_bytes()).hexdigest()
    assert f"sha256:{bundle}" == manifest.sealed_digest
    plain = hashlib.sha256((tmp_path / "payload.csv").read_bytes()).hexdigest()
    assert f"sha256:{plain}" == manifest.payload_digest
    rows = (tmp_path / "readable.csv").read_text(encoding="utf-8").splitlines()
    assert rows[0] == "氏名"
    assert len(rows) == ROWS + 1
