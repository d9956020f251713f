"""How old data may be: in the hall, for a base date, and when nobody says."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb
import pytest

from kumobashi.release.campaigns import Campaign
from kumobashi.release.data_times import (
    DataTime,
    freshness,
    read_times,
    stop_what_is_old,
    why_stopped,
)
from kumobashi.release.errors import (
    BaseDateBeforeData,
    DataTimeUnknown,
    DataTooOld,
    ReleaseFailed,
)
from kumobashi.storage.duckdb_tables import DuckDBSnapshot
from kumobashi.storage.errors import TableMissing
from tests.unit.release.test_abstraction import campaign

ON = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)  # noon in Japan
HOUR = timedelta(hours=1)
TWO: dict[str, Any] = {"max_age": {"residents": {"days": 2}, "nhi": {"days": 30, "hours": 6}}}


def at(core: timedelta, taken: timedelta | None = None) -> DataTime:
    return DataTime(core_at=NOW - core, taken_at=NOW - (core if taken is None else taken))


def said(**times: DataTime) -> dict[str, DataTime]:
    return {f"s.{name}": held for name, held in times.items()}


@pytest.mark.parametrize(
    ("residents", "nhi", "on", "wrong"),
    [
        (at(48 * HOUR), at(24 * HOUR), ON, None),
        (at(48 * HOUR + timedelta(seconds=1)), at(HOUR), ON, DataTooOld),
        (at(HOUR), at(timedelta(days=30, hours=6, seconds=1)), ON, DataTooOld),
        (at(HOUR), at(HOUR), ON + timedelta(days=2), None),  # that day begins 36 hours from now
        (at(HOUR), at(HOUR), ON + timedelta(days=3), DataTooOld),
        (at(HOUR), at(HOUR), ON - timedelta(days=2), None),
        (at(HOUR), at(HOUR), ON - timedelta(days=3), BaseDateBeforeData),
        (at(HOUR), at(HOUR), date(2020, 1, 1), BaseDateBeforeData),
        (at(-HOUR / 2), at(HOUR), ON, None),  # clocks differ
        (at(-2 * HOUR), at(HOUR), ON, DataTimeUnknown),
    ],
)
def test_data_may_be_so_old_and_no_older(
    residents: DataTime, nhi: DataTime, on: date, wrong: type[ReleaseFailed] | None
) -> None:
    found = why_stopped(campaign(**TWO), said(residents=residents, nhi=nhi), on=on, now=NOW)

    assert (type(found) if found else None) is wrong
    if found:
        assert found.facts["campaign"] == "c"
        assert found.say("ja") != found.say("en")


def test_what_nobody_dates_stops_a_campaign() -> None:
    with pytest.raises(DataTimeUnknown) as stopped:
        stop_what_is_old([campaign(**TWO)], said(residents=at(HOUR)), on=ON, now=NOW)
    assert stopped.value.facts["dataset"] == "s.nhi"


def test_the_oldest_times_travel_and_the_first_end_of_use() -> None:
    times = said(residents=at(10 * HOUR, 5 * HOUR), nhi=at(20 * HOUR, HOUR))

    found = freshness([campaign(**TWO)], times)

    assert found.core_at == NOW - 20 * HOUR
    assert found.taken_at == NOW - 5 * HOUR
    assert found.usable_until == NOW + 38 * HOUR  # of the residents, who may be two days old


def test_times_of_a_table_are_of_japan_unless_they_say_otherwise() -> None:
    source = duckdb.connect()
    source.execute("create table plain (dataset text, core_at timestamp, taken_at timestamp)")
    source.execute(
        "insert into plain values ('residents', '2026-11-22 09:00', '2026-11-22 12:00'),"
        " ('nhi', null, '2026-11-22 12:00'), (null, '2026-11-22 09:00', '2026-11-22 12:00')"
    )
    reader = DuckDBSnapshot("s", source)

    assert read_times(reader, "plain") == {
        "residents": DataTime(core_at=datetime(2026, 11, 22, 0, tzinfo=UTC), taken_at=NOW)
    }
    with pytest.raises(TableMissing):
        read_times(reader, "nowhere")
    source.close()


def test_a_campaign_says_an_age_for_every_dataset() -> None:
    with pytest.raises(ValueError, match="every dataset"):
        campaign(max_age={"residents": {"days": 1}})
    assert isinstance(campaign(**TWO), Campaign)
