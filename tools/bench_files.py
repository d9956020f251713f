"""What putting and taking files costs: ``python -m tools.bench_files --mib 16``.

A file of the size of a CSV of 400,000 rows is put, listed and taken back, digests compared; then
small ones one by one. The servers are others' programs on this machine: SeaweedFS for object
storage, and for SFTP asyncssh's and, where it is here or can be fetched, OpenSSH.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from pathlib import Path

from kumobashi.conversion.remote.places import RemoteFolder, RemotePlace
from kumobashi.testing.bench.machine import describe, fsync_per_second, load
from tests.peers.file_server import file_server
from tests.peers.object_storage import seaweedfs
from tests.peers.openssh import openssh

SMALL = 4096  # bytes


def main() -> None:
    """Run the benchmark and print a line for each server."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mib", type=int, default=16)
    parser.add_argument("--small", type=int, default=100)
    wish = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kumo-files-") as name, ExitStack() as stack:
        folder = Path(name)
        print(describe(""), f"{round(fsync_per_second(folder))} fsync/s, load {load()}")
        for server, opened in SERVERS.items():
            place = stack.enter_context(opened(folder / server))
            _measure(server, place, folder, wish.mib, wish.small)


def _measure(server: str, place: RemotePlace, folder: Path, mib: int, small: int) -> None:
    source, back = folder / "source", folder / "back"
    source.write_bytes(os.urandom(mib << 20))
    with place.opened() as there:
        put = _timed(lambda: there.put(source, "large.csv"))
        (listed,) = there.listed()
        take = _timed(lambda: there.fetch(listed, back))
    if sha256(source.read_bytes()).digest() != sha256(back.read_bytes()).digest():
        raise SystemExit(f"{server}: what came back is not what was put")
    source.write_bytes(os.urandom(SMALL))
    with place.opened() as there:
        each = _timed(lambda: _put_each(there, source, small))
    print(
        f"{server:10} {mib} MiB: put {put:.2f} s, take {take:.2f} s"
        f"   {small} of {SMALL} bytes: put {each * 1000 / small:.1f} ms each",
        flush=True,
    )


def _put_each(there: RemoteFolder, source: Path, count: int) -> None:
    for number in range(count):
        there.put(source, f"small-{number}.csv")


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


@contextmanager
def _s3(folder: Path) -> Iterator[RemotePlace]:
    folder.mkdir()
    with seaweedfs(folder) as storage:
        yield storage.below("bench")


@contextmanager
def _asyncssh(folder: Path) -> Iterator[RemotePlace]:
    folder.mkdir()
    with file_server(folder) as server:
        yield server.below("bench")


@contextmanager
def _openssh(folder: Path) -> Iterator[RemotePlace]:
    folder.mkdir()
    with openssh(folder) as server:
        yield server.below("bench")


SERVERS = {"seaweedfs": _s3, "asyncssh": _asyncssh, "openssh": _openssh}

if __name__ == "__main__":
    main()
