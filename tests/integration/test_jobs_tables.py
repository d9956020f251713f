"""A cloud that takes and gives rows by jobs, as tables: a real process, its limits and faults."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from kumobashi.catalogue.fields import Field, Layout
from kumobashi.conversion.folder_reading import FileTable
from kumobashi.conversion.jobs.cloud import Cloud, Session
from kumobashi.conversion.jobs.errors import (
    CloudAway,
    CloudLimit,
    JobEnded,
    JobUnderWay,
    KeyUnfit,
    RowsAbsent,
    RowsFailed,
    RowsUncounted,
    ValueTooLong,
    ValueUnfit,
)
from kumobashi.conversion.jobs.jobs_tables import JobsTables
from kumobashi.conversion.jobs.pieces import Limits
from kumobashi.kernel import KumobashiError, new_id
from kumobashi.storage.errors import BaseMissing, LoadIncomplete
from kumobashi.storage.tables import Applied, ColumnSpec, Load, Query, Removal
from kumobashi.testing.jobs_cloud.door import serve
from kumobashi.testing.jobs_cloud.running import RunningCloud, jobs_cloud
from kumobashi.testing.jobs_cloud.settings import (
    CLIENT_ID,
    CLIENT_SECRET,
    CloudSettings,
    Column,
    Fault,
    Table,
)
from tests.peers.certificates import certified

pytestmark = pytest.mark.slow
DAY = date(2026, 11, 21)
COLUMNS = (
    ColumnSpec("key", "text", 20),
    ColumnSpec("name", "text", 20),
    ColumnSpec("born", "date"),
)
LAYOUT = Layout(
    layout="some", version="1", ja="ある形", key=("key",), valid_from=date(2026, 4, 1),
    valid_to=None, source="試験", own_shape=True,
    fields=tuple(
        Field(
            name=column.name, ja=f"項目 {column.name}", item_id=None,
            type="DATE" if column.kind == "date" else "N", digits=column.digits,
            code_list=None, required=False, sensitivity="personal",
        )
        for column in COLUMNS
    ),
)  # fmt: skip
SETTINGS = CloudSettings(
    tables={
        "t": Table(
            key="key",
            columns={
                "key": Column(longest=20, required=True),
                "name": Column(longest=20),
                "born": Column(kind="date"),
            },
        )
    },
    work_seconds=0.0,
)
Row = tuple[str, str | None, str | None]


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[RunningCloud]:
    with jobs_cloud(tmp_path / "cloud", SETTINGS) as running:
        yield running


def tables(cloud: RunningCloud, *, patience_seconds: float = 20.0, **limits: int) -> JobsTables:
    return JobsTables(
        cloud.cloud(patience_seconds=patience_seconds),
        {"t": FileTable(layout=LAYOUT, pattern="t_{date}.csv")},
        private=cloud.folder.parent / "private",
        limits=Limits(**limits),
    )


def load(given: list[Row], *, sequence: int = 1, transfer: str = "", **changes: Any) -> Load:
    work = duckdb.connect()
    work.execute("create table incoming_rows (key varchar, name varchar, born date)")
    if given:
        work.executemany("insert into incoming_rows values (?, ?, ?)", given)
    work.execute("create table incoming_gone (key varchar)")
    said: dict[str, Any] = {
        "tenant": "999997", "transfer": transfer or new_id(), "link": "a-link",
        "business_date": DAY, "sequence": sequence, "mode": "full", "base_transfer": None,
        "table": "t", "columns": COLUMNS, "key": ("key",), "rows": len(given), "deleted": 0,
        "connection": work, "relation": "incoming_rows", "deleted_relation": None,
        "before_commit": lambda: None,
    }  # fmt: skip
    return Load(**(said | changes))


def held(cloud: RunningCloud) -> list[tuple[Any, ...]]:
    return sorted((row["key"], row["name"], row["born"]) for row in cloud.rows("t"))


ROWS: list[Row] = [(f"{n:04}", f"架空 {n}", "2001-12-31" if n % 2 else None) for n in range(100)]


def test_a_load_goes_there_in_several_jobs_and_comes_back(cloud: RunningCloud) -> None:
    store = tables(cloud, upload_bytes=1_000)

    done = store.apply(load(ROWS))

    assert (done.rows, done.total, done.already) == (100, 100, False)
    assert held(cloud) == ROWS
    jobs = [job for job in cloud.jobs() if job["kind"] == "ingest"]
    assert len(jobs) == 3
    assert {job["state"] for job in jobs} == {"JobComplete"}
    with store.reading(DAY) as reader:
        assert reader.count(Query("t", ("key",))) == 100
        with reader.stream(Query("t", ("key", "name", "born"))) as batches:
            got = batches.read_all().to_pylist()
    assert (
        sorted((row["key"], row["name"], row["born"] and str(row["born"])) for row in got) == ROWS
    )


def test_a_full_load_takes_away_what_is_not_in_it_and_empties_what_is_empty(
    cloud: RunningCloud,
) -> None:
    store = tables(cloud)
    store.apply(load([("a", "甲", "2001-12-31"), ("b", "乙", None)]))

    done = store.apply(load([("a", None, None), ("c", '一"二"\n三, 四', None)], sequence=2))

    assert (done.rows, done.total) == (2, 2)
    assert held(cloud) == [("a", None, None), ("c", '一"二"\n三, 四', None)]


def test_a_difference_puts_and_deletes(cloud: RunningCloud) -> None:
    store = tables(cloud, upload_bytes=1_000)
    base = load(ROWS)
    store.apply(base)
    change = load([("0001", "別の名", None), ("new", "新", None)], sequence=2)
    change.connection.executemany(
        "insert into incoming_gone values (?)", [(f"{n:04}",) for n in range(50, 100)] + [("none",)]
    )

    done = store.apply(
        replace(
            change, mode="difference", base_transfer=base.transfer, deleted=51,
            deleted_relation="incoming_gone",
        )
    )  # fmt: skip

    assert (done.rows, done.deleted, done.total) == (2, 50, 51)
    assert held(cloud) == [
        ROWS[0], ("0001", "別の名", None), *ROWS[2:50], ("new", "新", None)
    ]  # fmt: skip


def test_deleting_leaves_no_row(cloud: RunningCloud) -> None:
    store = tables(cloud)
    first = load(ROWS)
    store.apply(first)
    removal = Removal(tenant="999997", transfer=first.transfer, link="a-link", table="t")

    removed = store.remove(removal)

    assert (removed.rows, removed.already) == (100, False)
    assert held(cloud) == []
    assert store.remove(removal) == replace(removed, already=True)


ONCE = [
    *(Fault(at=at, how=how) for at in ("create", "upload", "close") for how in (
        "drop_before", "drop_after", "error_before", "error_after", "busy", "too_many", "end_token",
    )),
    *(Fault(at=at, how=how, times=2) for at in ("look", "results", "list") for how in (
        "drop_before", "drop_after", "error_before", "busy", "too_many", "end_token",
    ) if at != "list"),
    Fault(at="results", how="cut", times=2),
    Fault(at="results", how="short"),
    Fault(at="results", how="short", after=2),
    Fault(at="look", how="slow", seconds=0.5),
    Fault(at="look", how="forget"),
    Fault(at="token", how="drop_after"),
    Fault(at="token", how="busy"),
    Fault(at="close", how="lock_row"),
    Fault(at="close", how="fail_passing"),
]  # fmt: skip


@pytest.mark.parametrize(
    "fault", ONCE, ids=lambda one: f"{one.at}-{one.how}-{one.times}-{one.after}"
)
def test_what_passes_is_lived_through_and_every_row_is_there_once(
    cloud: RunningCloud, fault: Fault
) -> None:
    store = tables(cloud, upload_bytes=1_000)
    store.apply(load([("old", "前", None)]))
    cloud.fail(fault)
    wanted = load(ROWS, sequence=2)

    done = applied(store, wanted)

    assert (done.rows, done.total) == (100, 100)
    assert held(cloud) == ROWS
    assert {job["state"] for job in cloud.jobs()} <= {"JobComplete", "Aborted", "Failed"}
    assert store.apply(wanted).already


def applied(store: JobsTables, wanted: Load) -> Applied:
    """Try as a gateway does: again, as long as it is told that trying again may help."""
    for _ in range(5):
        try:
            return store.apply(wanted)
        except KumobashiError as error:
            if not error.retryable:
                raise
    raise AssertionError("it never ends")


def test_rows_that_are_refused_are_told_by_number_and_code_and_nothing_else(
    cloud: RunningCloud,
) -> None:
    store = tables(cloud, upload_bytes=1_000)
    wrong: list[Row] = [*ROWS[:30], ("x1", "長" * 21, None), *ROWS[30:], ("x2", "永" * 30, None)]
    base = load(ROWS)
    store.apply(base)

    with pytest.raises(RowsFailed) as failure:
        store.apply(load(wrong, sequence=2))

    said = failure.value.say("ja") + failure.value.say("en")
    assert (failure.value.rows, failure.value.reasons) == (2, "STRING_TOO_LONG 2")
    assert failure.value.lines == "31, 102"
    assert "長" not in said
    assert "x1" not in said
    with pytest.raises(BaseMissing):  # what is there is neither the old nor the new state
        store.apply(load([], sequence=3, mode="difference", base_transfer=base.transfer))
    assert store.apply(load(ROWS, sequence=4)).total == 100
    assert held(cloud) == ROWS


@pytest.mark.parametrize(
    ("how", "error"),
    [("miscount", RowsUncounted), ("lose_row", RowsAbsent), ("fail", JobEnded)],
)
def test_a_cloud_that_says_it_is_done_and_is_not_is_not_believed(
    cloud: RunningCloud, how: Any, error: type[KumobashiError]
) -> None:
    cloud.fail(Fault(at="close", how=how, times=9))
    store = tables(cloud)
    wanted = load(ROWS)

    with pytest.raises(error) as failure:
        applied(store, wanted)

    assert not failure.value.retryable
    cloud.fail()
    assert store.apply(load(ROWS, sequence=2)).total == 100
    assert held(cloud) == ROWS


def test_a_job_that_takes_long_is_gone_on_with_and_not_sent_again(tmp_path: Path) -> None:
    with jobs_cloud(tmp_path / "cloud", replace(SETTINGS, work_seconds=2.0)) as cloud:
        store, wanted = tables(cloud, patience_seconds=1.0), load(ROWS)
        with pytest.raises(JobUnderWay):
            store.apply(wanted)
        applied(store, wanted)

        assert held(cloud) == ROWS
        assert sorted(job["kind"] for job in cloud.jobs()) == ["ingest", "query"]
        assert list(cloud.folder.glob("*.csv")) == [], "what is done is cleared away there"


def test_limits_are_waited_for_and_told(tmp_path: Path) -> None:
    few = SETTINGS.with_limits(asks_a_second=15, token_seconds=1.0, page_rows=7)
    with jobs_cloud(tmp_path / "cloud", few) as cloud:
        store = tables(cloud, upload_bytes=1_000)
        assert store.apply(load(ROWS)).total == 100
        assert held(cloud) == ROWS
        with store.reading() as reader:
            assert reader.count(Query("t", ("key",))) == 100


@pytest.mark.parametrize(
    "limits", [{"jobs_a_day": 1}, {"open_jobs": 0}, {"rows_a_day": 50}], ids=str
)
def test_a_limit_of_the_day_is_a_reason_to_wait_and_no_refusal(
    tmp_path: Path, limits: dict[str, int]
) -> None:
    with jobs_cloud(tmp_path / "cloud", SETTINGS.with_limits(**limits)) as cloud:
        with pytest.raises(CloudLimit) as failure:
            tables(cloud, upload_bytes=1_000).apply(load(ROWS))
        assert failure.value.retryable
        SETTINGS.write(cloud.folder / "settings.json")
        cloud.kill()
        cloud.start()
        assert tables(cloud).apply(load(ROWS)).total == 100


def test_what_is_over_the_clouds_limits_is_not_sent(cloud: RunningCloud) -> None:
    store = tables(cloud, field_characters=10)
    with pytest.raises(ValueTooLong) as failure:
        store.apply(load([("a", "甲", None), ("b", "乙" * 11, None)]))
    assert (failure.value.got, failure.value.limit, failure.value.line) == (11, 10, 2)
    with pytest.raises(KeyUnfit):
        store.apply(load([("a", "甲", None), ("a", "乙", None)]))
    with pytest.raises(LoadIncomplete):
        store.apply(load(ROWS, rows=99))
    with pytest.raises(ValueUnfit):
        store.apply(load([("a", "#N/A", None)]))
    assert cloud.jobs() == []


def test_what_the_gateway_forbids_at_the_last_moment_leaves_nothing(cloud: RunningCloud) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tables(cloud).apply(load(ROWS, before_commit=stop))

    assert held(cloud) == []
    assert tables(cloud).apply(load(ROWS, sequence=2)).total == 100
    assert {job["state"] for job in cloud.jobs() if job["kind"] == "ingest"} <= {
        "JobComplete", "Aborted"
    }  # fmt: skip


def test_a_cloud_that_is_killed_in_the_middle_goes_on(tmp_path: Path) -> None:
    slow = replace(SETTINGS, work_seconds=0.5)
    with jobs_cloud(tmp_path / "cloud", slow) as cloud:
        store, wanted = tables(cloud, upload_bytes=1_000, patience_seconds=30), load(ROWS)
        with ThreadPoolExecutor(1) as pool:
            coming = pool.submit(applied, store, wanted)
            while not cloud.jobs():
                time.sleep(0.02)
            for _ in range(3):
                time.sleep(0.6)
                cloud.kill()
                cloud.start()
            assert coming.result().total == 100
        assert held(cloud) == ROWS


def test_a_wrong_secret_and_a_cloud_that_is_away_are_told_apart(cloud: RunningCloud) -> None:
    refused = JobsTables(
        replace(cloud.cloud(patience_seconds=1), client_secret="wrong"),
        {"t": FileTable(layout=LAYOUT, pattern="-")}, private=cloud.folder / "private",
    )  # fmt: skip
    with pytest.raises(CloudAway, match="no token: 401"):
        refused.apply(load(ROWS))
    cloud.kill()
    with (
        pytest.raises(CloudAway, match="connection refused"),
        tables(cloud, patience_seconds=0.5).reading(),
    ):
        pass
    with pytest.raises(CloudAway, match="connection refused"):
        tables(cloud, patience_seconds=0.5).apply(load(ROWS))


def test_an_unknown_column_is_refused_at_once(cloud: RunningCloud) -> None:
    store = tables(cloud)
    wanted = load(ROWS)
    wanted.connection.execute("alter table incoming_rows add column more integer")
    with pytest.raises(JobEnded) as failure:
        store.apply(replace(wanted, columns=(*COLUMNS, ColumnSpec("more", "integer"))))
    assert failure.value.reason == "InvalidBatch"


def test_a_key_of_two_columns_is_joined_into_one_of_the_clouds(tmp_path: Path) -> None:
    pair = ("key", "name")
    columns = {name: Column() for name in ("row_key", "key", "name", "born")}
    settings = replace(SETTINGS, tables={"t": Table(key="row_key", columns=columns)})
    with jobs_cloud(tmp_path / "cloud", settings) as cloud:
        layout = replace(LAYOUT, key=pair)
        store = JobsTables(
            cloud.cloud(), {"t": FileTable(layout=layout, pattern="-")}, private=tmp_path / "p"
        )
        base = load([("a|", "b", None), ("a", "|b", None), ("c", "d", None)], key=pair)

        assert store.apply(base).total == 3
        with pytest.raises(KeyUnfit):
            store.apply(load([("a", None, None)], sequence=2, key=pair))
        gone = load([], sequence=2, key=pair, mode="difference", base_transfer=base.transfer)
        gone.connection.execute("create table two (key varchar, name varchar)")
        gone.connection.execute("insert into two values ('a|', 'b')")
        done = store.apply(replace(gone, deleted=1, deleted_relation="two"))

        assert (done.deleted, done.total) == (1, 2)
        assert held(cloud) == [("a", "|b", None), ("c", "d", None)]
        removal = Removal(tenant="999997", transfer=gone.transfer, link="a-link", table="t")
        assert store.remove(removal).rows == 2


def test_a_cloud_whose_certificate_nobody_vouches_for_gets_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, trusted = certified(tmp_path, "cloud.example.jp")
    (tmp_path / "trusted.pem").write_text(trusted, encoding="ascii")
    (tmp_path / "cloud").mkdir()
    server = serve(SETTINGS, tmp_path / "cloud", 0)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    url = f"https://127.0.0.1:{server.server_address[1]}/api/v1"
    cloud = Cloud(
        system="there", name="あちら", url=url, token_url=f"{url}/token", client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET, patience_seconds=1.0,
    )  # fmt: skip
    try:
        with pytest.raises(CloudAway, match="TLS"):
            Session(cloud).ask("GET", "jobs/query")
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "trusted.pem"))
        assert Session(cloud).ask("GET", "jobs/query").status == 200
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
