"""Disks of the simulated world: a ledger's database, a spool, and the receiver's own tables.

What is committed or kept is durable; everything else dies with the process. Each step first asks
its :class:`Life` whether the process survives it.
"""

import asyncio
import io
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

from kumobashi.exchange.migrating import migrate
from kumobashi.storage.applying import Newest, check_order
from kumobashi.storage.errors import PartUnlike
from kumobashi.storage.tables import Load

if TYPE_CHECKING:
    from kumobashi.storage.state import StateStore

T = TypeVar("T")
READ, COMMIT, AFTER_COMMIT, SPOOL = "read", "state.db", "after commit", "spool"
"""Where a disk may fail."""
Parts = dict[tuple[str, int], dict[str, bytes]]
Secrets = dict[tuple[str, str], bytes]


class Killed(BaseException):
    """The process ended here, as with SIGKILL; whatever it still does has no effect."""


@dataclass(slots=True)
class Life:
    """One life of one process; ``step`` decides whether it goes on."""

    dies: Callable[[str], bool]
    fails: Callable[[str], Exception | None] = lambda _place: None
    is_over: bool = False
    at_death: Callable[[], None] = lambda: None

    def step(self, name: str) -> None:
        """Survive a step, or be killed in it."""
        if self.is_over:
            raise Killed(name)
        if self.dies(name):
            self.is_over = True
            self.at_death()
            raise Killed(name)

    def fail_perhaps(self, place: str) -> None:
        """Raise what the disk says, if it does not do its work."""
        if error := self.fails(place):
            raise error


@cache
def _database(_site: str) -> tuple[sa.Engine, bytes]:
    """Return an engine in memory, and the bytes of a database in which nothing has happened."""
    engine = sa.create_engine(
        "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
    )
    raw = _raw(engine)
    raw.create_function("kumobashi_micros", 0, _micros)
    migrate(cast("StateStore", SimulatedStore(engine, Life(dies=lambda _step: False))))
    return engine, raw.serialize()


def empty_database(site: str) -> sa.Engine:
    """Return the database of a site, in memory, as new: statements stay compiled."""
    engine, new = _database(site)
    _raw(engine).deserialize(new)
    return engine


def _raw(engine: sa.Engine) -> sqlite3.Connection:
    return cast("sqlite3.Connection", engine.raw_connection().driver_connection)


def _micros() -> int:
    """Return the store's own time: that of the loop, where there is one."""
    try:
        return round(asyncio.get_running_loop().time() * 1_000_000)
    except RuntimeError:
        return 0


class SimulatedStore:
    """Meets ``StateStore``: a commit is durable, or it never was; how it ended may stay unknown."""

    is_shared = False
    micros = "kumobashi_micros()"

    def __init__(self, engine: sa.Engine, life: Life) -> None:
        self.engine = engine
        self._life = life

    def submit(self, work: Callable[[sa.Connection], T], *, key: str = "") -> Future[T]:
        """Do the work at once; the future has what became of it."""
        future: Future[T] = Future()
        try:
            future.set_result(self.write(work, key=key))
        except BaseException as error:  # noqa: BLE001 - handed to whoever asked for the work
            future.set_exception(error)
        return future

    def write(self, work: Callable[[sa.Connection], T], *, key: str = "") -> T:  # noqa: ARG002
        """Do the work in one transaction."""
        self._life.step("before commit")
        self._life.fail_perhaps(COMMIT)
        with self.engine.begin() as connection:
            result = work(connection)
        self._life.step("after commit")
        self._life.fail_perhaps(AFTER_COMMIT)
        return result

    def read(self, work: Callable[[sa.Connection], T]) -> T:
        """Do the work and change nothing."""
        if self._life.is_over:
            raise Killed("read")
        self._life.fail_perhaps(READ)
        with self.engine.connect() as connection:
            return work(connection)

    def close(self) -> None:
        """Nothing is open."""


class SimulatedSpool:
    """Meets ``Spool``; ``parts`` are what is on the disk."""

    def __init__(self, parts: Parts, life: Life) -> None:
        self._parts = parts
        self._life = life

    def held(self, transfer: str, attempt: int) -> frozenset[str]:
        """Return the digests of the parts that are here."""
        return frozenset(self._parts.get((transfer, attempt), ()))

    def has(self, transfer: str, attempt: int, digest: str) -> bool:
        """Return whether a part is here."""
        return digest in self._parts.get((transfer, attempt), ())

    def open(self, transfer: str, attempt: int, digest: str) -> BinaryIO:
        """Open a part for reading."""
        try:
            return io.BytesIO(self._parts[transfer, attempt][digest])
        except KeyError:
            raise FileNotFoundError(digest) from None

    @contextmanager
    def incoming(self, transfer: str, attempt: int, digest: str) -> Iterator["_Incoming"]:
        """Take a part; it is there once ``keep`` has returned."""
        yield _Incoming(self, (transfer, attempt), digest)

    def put(self, transfer: str, attempt: int, digest: str, body: bytes) -> None:
        """Keep a whole part."""
        self._life.step("before a part is kept")
        self._life.fail_perhaps(SPOOL)
        self._parts.setdefault((transfer, attempt), {})[digest] = body
        self._life.step("after a part is kept")

    def forget(self, transfer: str, attempt: int | None = None) -> None:
        """Remove the parts of one attempt, or of all."""
        self._life.step("before parts are forgotten")
        for key in list(self._parts):
            if key[0] == transfer and attempt in {None, key[1]}:
                del self._parts[key]

    def transfers(self) -> set[str]:
        """Return the transfers that have parts here."""
        return {transfer for transfer, _ in self._parts}


class _Incoming:
    def __init__(self, spool: SimulatedSpool, key: tuple[str, int], digest: str) -> None:
        self._spool, self._key, self._digest = spool, key, digest
        self._pieces: list[bytes] = []

    def write(self, piece: bytes) -> None:
        self._pieces.append(piece)

    def keep(self) -> None:
        body = b"".join(self._pieces)
        if sha256(body).hexdigest() != self._digest:
            raise PartUnlike(digest=self._digest)
        self._spool.put(*self._key, self._digest, body)


class SimulatedSecrets:
    """Meets ``ErasableSecrets``; ``secrets`` are what is on the disk."""

    def __init__(self, secrets: Secrets, life: Life) -> None:
        self._secrets = secrets
        self._life = life

    def put(self, shelf: str, name: str, secret: bytes) -> None:
        """Keep a secret."""
        self._life.step("before a key is kept")
        self._life.fail_perhaps("keys")
        self._secrets[shelf, name] = secret
        self._life.step("after a key is kept")

    def get(self, shelf: str, name: str) -> bytes | None:
        """Return a secret, or nothing."""
        return self._secrets.get((shelf, name))

    def names(self, shelf: str) -> list[str]:
        """Return the names on a shelf."""
        return sorted(name for held, name in self._secrets if held == shelf)

    def erased(self) -> frozenset[str]:
        """Return what was erased for good: in these lives nothing is deleted."""
        return frozenset()

    def drop(self, shelf: str, name: str) -> None:
        """Destroy a secret."""
        self._life.step("before a key is destroyed")
        self._secrets.pop((shelf, name), None)


@dataclass(slots=True)
class Target:
    """The receiver's own database: what a link holds, and every load, in order."""

    contents: dict[str, bytes] = field(default_factory=dict)
    loads: list[tuple[str, str]] = field(default_factory=list)  # link and transfer
    newest: dict[str, Newest] = field(default_factory=dict)
    effects: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))

    def apply(self, load: Load, content: bytes, life: Life) -> None:
        """Write content and mark in one transaction, unless the transfer was written before."""
        if (load.link, load.transfer) in self.loads:
            return
        check_order(load, self.newest.get(load.link))
        life.step("before the target commits")
        self.commit(load, content)
        life.step("after the target committed")

    def commit(self, load: Load, content: bytes) -> None:
        """Make a load durable."""
        self.contents[load.link] = content
        self.loads.append((load.link, load.transfer))
        self.effects[load.transfer] += 1
        day: Any = load.business_date
        self.newest[load.link] = Newest(load.transfer, day, load.sequence)
