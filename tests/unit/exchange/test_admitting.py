"""What may be announced: measures, quotas, and what is swept."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from kumobashi.directory.entries import ProfileEntry
from kumobashi.exchange.admitting import (
    MOST_PARTS,
    refuse_beyond_measure,
    refuse_over_quota,
    sweep,
)
from kumobashi.exchange.errors import BundleTooLarge, TooMuchUnclosed
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.migrating import migrate
from kumobashi.exchange.records import Incoming
from kumobashi.exchange.states import In
from kumobashi.kernel import from_wire, new_id, to_wire
from kumobashi.messages.announcement import Announcement
from kumobashi.messages.parts import Part
from kumobashi.storage.spool import Spool
from kumobashi.storage.sqlite import SQLiteState

NOW = datetime(2026, 11, 21, 16, 20, tzinfo=UTC)
TIB = 1 << 40


class Clock:
    at = NOW

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    store = SQLiteState(tmp_path / "state.db", owner="here")
    migrate(store)
    yield Ledger(store, "999997", Clock())
    store.close()


def announcement(parts: int = 1, size: int = 1_000, site: str = "hall") -> Announcement:
    each = Part(number=1, digest=f"sha256:{0:064x}", bytes=size)
    return Announcement(
        tenant="999997",
        transfer=new_id(),
        attempt=1,
        link="a-link",
        from_site=site,
        to_site="there",
        business_date=date(2026, 11, 21),
        parts=(each,) * parts,
        sealed_bytes=size * parts,
        created=NOW,
    )


def announce(ledger: Ledger, said: Announcement, profile: ProfileEntry) -> Incoming:
    return ledger.announced(
        transfer=said.transfer,
        attempt=said.attempt,
        link=said.link,
        from_site=said.from_site,
        to_site=said.to_site,
        announcement={"sealed_bytes": said.sealed_bytes, "created": to_wire(said.created)},
        admit=lambda held: refuse_over_quota(held, "999997", said, profile),
    )


@pytest.mark.parametrize(
    "said",
    [
        announcement(size=10 * TIB),
        announcement(parts=MOST_PARTS + 1, size=4_096),
        announcement(parts=50_000, size=10),
        announcement(parts=1_001, size=1_023),
    ],
    ids=["10 TiB", "too many parts", "tiny parts", "just too small"],
)
def test_what_nobody_would_take_is_refused_at_once(said: Announcement) -> None:
    with pytest.raises(BundleTooLarge):
        refuse_beyond_measure(said, ProfileEntry())


def test_what_is_within_measure_passes() -> None:
    refuse_beyond_measure(announcement(parts=1_000, size=1), ProfileEntry())
    refuse_beyond_measure(announcement(parts=1_001, size=1_024), ProfileEntry())


def test_each_sender_has_its_own_quota_and_gets_it_back(ledger: Ledger) -> None:
    profile = replace(ProfileEntry(), unclosed_bytes=2_500, unclosed_transfers=100)
    first = announce(ledger, announcement(), profile)
    announce(ledger, announcement(), profile)
    with pytest.raises(TooMuchUnclosed) as refusal:
        announce(ledger, announcement(), profile)
    assert refusal.value.retryable
    assert refusal.value.what == "bytes"

    announce(ledger, announcement(site="another"), profile)
    ledger.move_in(first, In.CLOSED)
    announce(ledger, announcement(), profile)


def test_transfers_are_counted_too_and_a_new_attempt_does_not_count_twice(ledger: Ledger) -> None:
    profile = replace(ProfileEntry(), unclosed_transfers=1)
    said = announcement()
    announce(ledger, said, profile)
    announce(ledger, said, profile)
    announce(ledger, replace(said, attempt=2), profile)
    with pytest.raises(TooMuchUnclosed):
        announce(ledger, announcement(), profile)


def test_what_was_never_closed_is_swept_when_it_cannot_be_any_more(
    ledger: Ledger, tmp_path: Path
) -> None:
    spool = Spool(tmp_path / "spool")
    old, young = announcement(), replace(announcement(), created=NOW + timedelta(days=2))
    for said in (old, young):
        announce(ledger, said, ProfileEntry())
    clock = Clock()
    clock.at = NOW + timedelta(days=7, minutes=1)
    later = Ledger(ledger.store, "999997", clock)

    assert [bundle.transfer for bundle in sweep(later, spool, "here")] == [old.transfer]
    swept = later.incoming(old.transfer, 1)
    assert swept.state is In.REFUSED
    assert swept.cause is not None
    assert swept.cause["code"] == "message.expired"
    assert from_wire(swept.cause["since"]) == clock.at
    assert later.incoming(young.transfer, 1).state is In.ANNOUNCED
    assert sweep(later, spool, "here") == []
