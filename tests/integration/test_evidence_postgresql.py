"""The evidence log on PostgreSQL: the same tables, numbers and refusals, two sequencers at once."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from kumobashi.crypto.keys import SigningKey
from kumobashi.evidence.entries import Entry
from kumobashi.evidence.log import (
    Nodes,
    append,
    checkpoint,
    prove_consistency,
    sequence,
    size_of,
    stored,
    waiting_in,
)
from kumobashi.evidence.merkle import Frontier, leaf_hash, root
from kumobashi.testing import postgresql

pytest.importorskip("greenlet")  # SQLAlchemy's way to asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

pytestmark = [pytest.mark.postgres, pytest.mark.slow]
T = TypeVar("T")
TENANT = "999997"
AT = datetime(2026, 11, 21, 16, 20, tzinfo=UTC)


class Standing:
    """A clock that stands."""

    def now(self) -> datetime:
        return AT


@pytest.fixture(scope="module")
def dsn() -> Iterator[str]:
    with postgresql.running() as uri:
        yield uri


@pytest.fixture
async def engine(dsn: str) -> AsyncIterator[AsyncEngine]:
    made = create_async_engine(sa.make_url(dsn).set(drivername="postgresql+asyncpg"))
    async with made.begin() as connection:
        await connection.exec_driver_sql("drop schema public cascade")
        await connection.exec_driver_sql("create schema public")
    async with made.begin() as connection:
        await connection.run_sync(_migrate)
    yield made
    await made.dispose()


def _migrate(connection: sa.Connection) -> None:
    config = Config()
    config.set_main_option("script_location", "kumobashi.exchange:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


async def write(engine: AsyncEngine, work: Callable[[sa.Connection], T]) -> T:
    async with engine.begin() as connection:
        return await connection.run_sync(work)


def some(count: int) -> Callable[[sa.Connection], None]:
    def work(connection: sa.Connection) -> None:
        for number in range(count):
            append(connection, TENANT, Entry(event="test.made", at=AT, facts={"number": number}))

    return work


def counted(connection: sa.Connection) -> tuple[int, int]:
    return size_of(connection, TENANT), waiting_in(connection, TENANT)


async def test_records_get_numbers_roots_and_proofs(engine: AsyncEngine) -> None:
    key = SigningKey.generate()
    await write(engine, some(300))
    assert await write(engine, counted) == (0, 300)
    await write(engine, lambda held: sequence(held, TENANT))
    assert await write(engine, counted) == (300, 0)

    def look(held: sa.Connection) -> None:
        edge = Frontier()
        for _, _, body in stored(held, TENANT):
            edge.add(leaf_hash(body))
        assert root(300, Nodes(held, TENANT)) == edge.root()
        note = checkpoint(
            held, TENANT, origin="kumobashi/999997/a", key=key, clock=Standing(), site="a"
        )
        assert note is not None
        assert len(prove_consistency(held, TENANT, 257)) > 2

    await write(engine, look)


async def test_two_who_number_at_once_leave_no_gap_and_nothing_twice(engine: AsyncEngine) -> None:
    await write(engine, some(500))

    async def number() -> int:
        done = 0
        for _ in range(100):
            try:
                more = await write(engine, lambda held: sequence(held, TENANT, 40))
            except sa.exc.IntegrityError:  # the other was quicker
                continue
            if more == 0:
                return done
            done += more
        raise AssertionError

    shares = await asyncio.gather(number(), number(), number())

    assert sum(shares) == 500
    numbers = await write(engine, lambda held: [n for n, _, _ in stored(held, TENANT)])
    assert numbers == list(range(500))
    assert await write(engine, counted) == (500, 0)


@pytest.mark.parametrize(
    "change",
    [
        "update evidence_entries set body = ''",
        "delete from evidence_entries",
        "truncate evidence_entries",
        "truncate evidence_waiting",
        "update evidence_waiting set body = ''",
        "delete from evidence_waiting",
    ],
)
async def test_the_database_itself_refuses_every_change(engine: AsyncEngine, change: str) -> None:
    await write(engine, some(2))
    await write(engine, lambda held: sequence(held, TENANT))
    await write(engine, some(1))

    with pytest.raises(sa.exc.IntegrityError, match="only ever added to"):
        await write(engine, lambda held: _run(held, change))


def _run(held: sa.Connection, statement: str) -> Any:
    return held.exec_driver_sql(statement)
