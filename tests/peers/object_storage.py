"""Object storages of others, run as they are: SeaweedFS, and rclone, which ignores conditions."""

import http.client
import json
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from kumobashi.conversion.remote.object_storage import ObjectStorage
from kumobashi.testing.town import free_ports
from tests.peers.running import SECONDS, running

KEY_ID, SECRET_KEY = "AKIAFICTION", "secret-of-nobody"


@dataclass(frozen=True)
class Storage:
    """An object storage that runs here."""

    endpoint: str
    bucket: str = "linkage"

    def below(self, prefix: str) -> ObjectStorage:
        """Return what lies below a prefix, as a system's files."""
        return ObjectStorage(
            system="there", name="あちら", endpoint=self.endpoint, bucket=self.bucket,
            prefix=prefix, key_id=KEY_ID, secret_key=SECRET_KEY,
        )  # fmt: skip


@contextmanager
def seaweedfs(folder: Path) -> Iterator[Storage]:
    """Run SeaweedFS; it honours conditions and knows its keys."""
    port, master, volume, filer, *grpc = free_ports(8)
    config = folder / "s3.json"
    keys = [{"accessKey": KEY_ID, "secretKey": SECRET_KEY}]
    whole = {
        "name": "kumobashi",
        "credentials": keys,
        "actions": ["Admin", "Read", "Write", "List"],
    }
    config.write_text(json.dumps({"identities": [whole]}), encoding="utf-8", newline="\n")
    data = folder / "data"
    data.mkdir()
    command = [
        _program("weed"), "server", f"-dir={data}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
        f"-master.port={master}", f"-volume.port={volume}", f"-master.port.grpc={grpc[0]}",
        f"-volume.port.grpc={grpc[1]}", "-filer", f"-filer.port={filer}",
        f"-filer.port.grpc={grpc[2]}", "-s3", f"-s3.port={port}",
        f"-s3.port.grpc={grpc[3]}", "-s3.port.iceberg=0", "-s3.port.lance=0",
        f"-s3.config={config}", "-volume.max=30", "-master.volumeSizeLimitMB=64",
    ]  # fmt: skip
    with running(command, folder / "weed.log", partial(_answers, port)):
        storage = Storage(f"http://127.0.0.1:{port}")
        _write_once(storage)
        yield storage


@contextmanager
def rclone(folder: Path) -> Iterator[Storage]:
    """Run ``rclone serve s3``: it overwrites what it was told not to."""
    (port,) = free_ports(1)
    (folder / "data/linkage").mkdir(parents=True)
    command = [
        _program("rclone"), "serve", "s3", "--addr", f"127.0.0.1:{port}",
        "--auth-key", f"{KEY_ID},{SECRET_KEY}", str(folder / "data"),
    ]  # fmt: skip
    with running(command, folder / "rclone.log", partial(_answers, port)):
        yield Storage(f"http://127.0.0.1:{port}")


def _program(name: str) -> str:
    found = Path(sys.executable).parent / name
    path = str(found) if found.exists() else shutil.which(name)
    if path is None:
        pytest.skip(f"the program {name} is not here")
    return path


def _write_once(storage: Storage) -> None:
    """Wait until it has somewhere to write to: it answers before."""
    obstore = pytest.importorskip("obstore")
    bucket = obstore.store.S3Store(
        storage.bucket, endpoint=storage.endpoint, access_key_id=KEY_ID,
        secret_access_key=SECRET_KEY, region="us-east-1", client_options={"allow_http": True},
        retry_config={"max_retries": 0},
    )  # fmt: skip
    end = time.monotonic() + SECONDS
    while True:
        try:
            obstore.put(bucket, "ready", b"1")
        except obstore.exceptions.BaseError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)
        else:
            return


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/")
        connection.getresponse()  # it wants a key: it is there
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True
