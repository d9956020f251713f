"""The program of the release before runs on the tables of this one: its statements, as it has them.

What stands here is written down, not taken from today's code, which would change with the tables.
"""

from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa

from kumobashi.exchange import migrating
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.migrating import migrate, migrations, newest_version, version, wanted
from kumobashi.exchange.states import Out
from kumobashi.kernel import new_id
from kumobashi.storage.errors import SchemaOld
from kumobashi.storage.postgresql import PostgreSQLState
from kumobashi.storage.state import StateStore
from kumobashi.testing.postgresql import application_database
from kumobashi.testing.town import run_postgresql
from tests.contract.states import TENANT, States
from tests.unit.exchange.test_ledger import Standing, start

pytestmark = [pytest.mark.slow, pytest.mark.postgres]
# Release 0.1, schema 0002: every statement with which it writes.
OLD_START = (
    "insert into outgoing (tenant, transfer, link, business_date, sequence, attempt, mode, state,"
    " plan_hash, bounds_accepted, facts, started_at) values (:tenant, :transfer, 'a-link',"
    " '2026-11-22', 1, 1, 'full', 'extracting', 'sha256:0', false, '{}', 1)"
)
OLD_MOVE = (
    "update outgoing set cause = null, facts = '{\"a\": 1}', state = 'sealed', manifest = 'jws'"
    " where tenant = :tenant and transfer = :transfer"
)
OLD_ANNOUNCED = (
    "insert into incoming (tenant, transfer, attempt, link, from_site, to_site, state,"
    " announcement, facts, started_at) values (:tenant, :transfer, 1, 'a-link', 'a', 'b',"
    " 'announced', '{}', '{}', 1)"
)
OLD_MOVE_IN = (
    "update incoming set cause = null, state = 'delivered', manifest = 'jws'"
    " where tenant = :tenant and transfer = :transfer and attempt = 1"
)
OLD_RECEIPT = (
    "insert into receipts (tenant, transfer, attempt, side, number, stage, jws, at)"
    " values (:tenant, :transfer, 1, 'in', 0, 'delivered', 'jws', 1)"
)
OLD_READS = (
    (
        "select tenant, transfer, link, business_date, sequence, attempt, mode, base_transfer,"
        " state, plan_hash, bounds_accepted, facts, cause, manifest, started_at, finished_at"
        " from outgoing"
    ),
    (
        "select tenant, transfer, attempt, link, from_site, to_site, state, announcement, facts,"
        " cause, manifest, started_at, finished_at from incoming"
    ),
    "select tenant, transfer, attempt, side, number, stage, jws, at from receipts",
)
OLD_WRITES = (OLD_START, OLD_MOVE, OLD_ANNOUNCED, OLD_MOVE_IN, OLD_RECEIPT)


@pytest.fixture
def store(opened: Callable[[], StateStore]) -> Iterator[StateStore]:
    made = opened()
    yield made
    made.close()


def old_code(store: StateStore, transfer: str) -> list[int]:
    """Do all that the old program does, and return how many rows it reads of each table."""
    for statement in OLD_WRITES:
        key = {"tenant": TENANT, "transfer": transfer}
        store.write(lambda held, s=statement, k=key: held.execute(sa.text(s), k))  # type: ignore[misc]
    return [
        len(store.read(lambda held, q=query: held.execute(sa.text(q)).all()))  # type: ignore[misc]
        for query in OLD_READS
    ]


def test_the_old_programs_statements_run_on_the_new_tables(store: StateStore) -> None:
    migrate(store)

    assert old_code(store, new_id()) == [1, 1, 1]


def test_old_and_new_code_work_side_by_side_on_rows_of_each_other(store: StateStore) -> None:
    migrate(store)
    ledger = Ledger(store, TENANT, Standing())
    transfer = new_id()
    old_code(store, transfer)

    assert ledger.move_out(transfer, Out.SENT, facts={"b": 2}).facts == {"a": 1, "b": 2}
    mine, _ = start(ledger, day="2026-11-23")
    key = {"tenant": TENANT, "transfer": mine.transfer}
    store.write(lambda held: held.execute(sa.text(OLD_MOVE), key))
    assert ledger.outgoing(mine.transfer).state is Out.SEALED


def test_rows_of_the_old_schema_are_there_after_the_migration(store: StateStore) -> None:
    store.write(lambda held: migrating._upgrade(held, "0002"))
    transfer = new_id()
    old_code(store, transfer)

    assert migrate(store) == newest_version()

    row = Ledger(store, TENANT, Standing()).outgoing(transfer)
    assert (row.state, row.manifest, row.facts) == (Out.SEALED, "jws", {"a": 1})


def test_a_store_from_the_future_is_left_as_it_is(store: StateStore) -> None:
    migrate(store)
    store.write(lambda held: held.execute(sa.text("update alembic_version set version_num='9999'")))

    assert migrate(store) == "9999"
    assert old_code(store, new_id()) == [1, 1, 1]


def test_every_migration_says_when_it_may_run() -> None:
    assert {when for _, when in migrations()} <= {"pre", "post"}
    numbers = [number for number, _ in migrations()]
    assert numbers == sorted(set(numbers))


def test_a_shared_store_waits_with_what_old_code_could_not_bear(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    listed = [("0001", "pre"), ("0002", "pre"), ("0003", "post"), ("0004", "pre")]
    monkeypatch.setattr(migrating, "migrations", lambda: listed)

    assert wanted(None, is_shared=True) == "0002"
    assert wanted("0002", is_shared=True) is None
    assert wanted("0002", is_shared=False) == "0004"
    assert wanted("0003", is_shared=True) == "0004"
    assert wanted("0004", is_shared=False) is None


def test_a_role_that_may_not_change_the_tables_says_who_can(stores: States) -> None:
    owner = application_database(stores.server, "owner_of_all")
    theirs = PostgreSQLState(owner, tenant=TENANT)
    theirs.write(lambda held: migrating._upgrade(held, "0002"))
    run_postgresql(stores.server, "create role only_app login nosuperuser nobypassrls")
    run_postgresql(
        owner, "grant select, insert, update, delete on all tables in schema public to only_app"
    )
    store = PostgreSQLState(owner.replace("owner_of_all@", "only_app@"), tenant=TENANT)

    with pytest.raises(SchemaOld) as old:
        migrate(store)

    assert (old.value.facts["found"], old.value.facts["needed"]) == ("0002", newest_version())
    migrate(theirs)
    from kumobashi.exchange.row_security import grant

    theirs.write(lambda held: grant(held, "only_app"))
    assert migrate(store) == newest_version()
    assert store.read(version) == newest_version()
    ledger = Ledger(store, TENANT, Standing())
    assert start(ledger)[1]
    with pytest.raises(sa.exc.DBAPIError):
        store.write(
            lambda held: held.exec_driver_sql("alter table outgoing disable row level security")
        )
    store.close()
    theirs.close()
