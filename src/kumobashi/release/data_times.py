"""Of which moment data are: in the core system, in the integrated database, and until when usable.

Report 001, item (4), minds the lag between core systems, integrated database and cloud. A campaign
says how old each of its datasets may be, counted from the core system; here that is held against
what the sources say. Pure, but for :func:`read_times`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from kumobashi.kernel import JST
from kumobashi.messages.freshness import Freshness
from kumobashi.release.campaigns import Age, Campaign
from kumobashi.release.errors import (
    BaseDateBeforeData,
    DataTimeUnknown,
    DataTooOld,
    ReleaseFailed,
)
from kumobashi.storage.tables import Query, TableReader, require_columns

COLUMNS = ("dataset", "core_at", "taken_at")
_CLOCKS_DIFFER = timedelta(hours=1)  # beyond that a time that is yet to come is a wrong one


@dataclass(frozen=True, slots=True, kw_only=True)
class DataTime:
    """Of which moment a dataset is; both in UTC."""

    core_at: datetime  # the state of the core system that it shows (基幹システムの時点)
    taken_at: datetime  # when it came to where it is read (統合DBに入った時点)

    @classmethod
    def live(cls, now: datetime) -> "DataTime":
        """Return the time of what is read in the core system itself."""
        return cls(core_at=now, taken_at=now)


def read_times(reader: TableReader, table: str) -> dict[str, DataTime]:
    """Return what a system says, by dataset; a time without zone is that of Japan.

    What is empty or no time is left out, and so unknown.

    Raises:
        TableMissing, ColumnMissing: there is no such table.
    """
    found = {}
    query = Query(table, COLUMNS)
    require_columns(reader, query)
    with reader.stream(query) as rows:
        for row in rows.read_all().to_pylist():
            core_at, taken_at = (_utc(row[column]) for column in COLUMNS[1:])
            if row["dataset"] and core_at and taken_at:
                found[str(row["dataset"])] = DataTime(core_at=core_at, taken_at=taken_at)
    return found


def freshness(campaigns: Iterable[Campaign], times: Mapping[str, DataTime]) -> Freshness:
    """Return what travels with what these campaigns gave; ``times`` by ``"system.dataset"``."""
    used = [
        (times[reference], campaign.max_age[name].time)
        for campaign in campaigns
        for name, reference in campaign.datasets.items()
    ]
    return Freshness(
        core_at=min(held.core_at for held, _ in used),
        taken_at=min(held.taken_at for held, _ in used),
        usable_until=min(held.core_at + age for held, age in used),
    )


def why_stopped(
    campaign: Campaign, times: Mapping[str, DataTime], *, on: date, now: datetime
) -> ReleaseFailed | None:
    """Return why a campaign may not use its data for the base date ``on``, or nothing."""
    for name, reference in campaign.datasets.items():
        age, held = campaign.max_age[name], times.get(reference)
        facts = {"campaign": campaign.campaign, "dataset": reference}
        if held is None or held.core_at > now + _CLOCKS_DIFFER:
            return DataTimeUnknown(**facts)
        said = {
            **facts,
            "as_of": f"{held.core_at.astimezone(JST):%Y-%m-%d %H:%M}",
            "limit": said_ja(age),
            "limit_en": said_en(age),
        }
        begins, ends = _day(on)
        if max(now, begins) - held.core_at > age.time:
            return DataTooOld(**said)
        if held.core_at - ends > age.time:
            return BaseDateBeforeData(**said, on=on.isoformat())
    return None


def stop_what_is_old(
    campaigns: Sequence[Campaign], times: Mapping[str, DataTime], *, on: date, now: datetime
) -> None:
    """Raise the first reason why one of the campaigns may not use its data."""
    for campaign in campaigns:
        if (wrong := why_stopped(campaign, times, on=on, now=now)) is not None:
            raise wrong


def said_ja(age: Age) -> str:
    """Return a length of time as people say it.

    >>> said_ja(Age(days=1, hours=12)), said_en(Age(hours=36))
    ('1日12時間', '36 hours')
    """
    return (f"{age.days}日" if age.days else "") + (f"{age.hours}時間" if age.hours else "")


def said_en(age: Age) -> str:
    """Return the same in English."""
    parts = [f"{age.days} days"] if age.days else []
    return " ".join([*parts, f"{age.hours} hours"] if age.hours else parts)


def _day(on: date) -> tuple[datetime, datetime]:
    """Return when a day of Japan begins and ends."""
    begins = datetime.combine(on, time(), JST).astimezone(UTC)
    return begins, begins + timedelta(days=1)


def _utc(value: object) -> datetime | None:
    if not isinstance(value, datetime):
        return None
    return (value if value.tzinfo else value.replace(tzinfo=JST)).astimezone(UTC)
