"""What a predicate-only run does before anything is read: see that the data are new enough."""

from collections.abc import Mapping
from datetime import date, datetime

from kumobashi.exchange.orders import Targeting
from kumobashi.messages.freshness import Freshness
from kumobashi.release.data_times import DataTime, freshness, read_times, stop_what_is_old
from kumobashi.release.releasing import Source
from kumobashi.storage.tables import TableReader

Readers = Mapping[int, TableReader]  # open snapshots, by id of their store


def hall_of(targeting: Targeting, readers: Readers) -> dict[str, Source]:
    """Return where each dataset of the hall is read, by ``"system.dataset"``."""
    return {
        reference: Source(readers[id(store)], table)
        for reference, (store, table) in targeting.hall.items()
    }


def times_of(targeting: Targeting, readers: Readers, now: datetime) -> dict[str, DataTime]:
    """Return of which moment each dataset is; what nobody dates is left out.

    Raises:
        TableMissing, ColumnMissing: the table that a system names is not there.
    """
    found: dict[str, DataTime] = {}
    for reference, held in targeting.times.items():
        if held is None:
            found[reference] = DataTime.live(now)
            continue
        store, table = held
        known = read_times(readers[id(store)], table)
        if (time := known.get(reference.partition(".")[2])) is not None:
            found[reference] = time
    return found


def fresh_enough(targeting: Targeting, readers: Readers, *, on: date, now: datetime) -> Freshness:
    """Return what travels with the rows.

    Raises:
        DataTooOld, DataTimeUnknown, BaseDateBeforeData: a campaign may not use its data.
    """
    times = times_of(targeting, readers, now)
    stop_what_is_old(targeting.campaigns, times, on=on, now=now)
    return freshness(targeting.campaigns, times)
