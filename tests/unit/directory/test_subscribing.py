"""What a subscriber takes, and what rings the alarm."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from kumobashi.crypto.keys import SigningKey
from kumobashi.directory.document import sign
from kumobashi.directory.entries import ContactEntry, Directory, MunicipalityEntry
from kumobashi.directory.errors import (
    DirectoryAltered,
    DirectoryExpired,
    DirectoryForeign,
    DirectoryForked,
    DirectoryOld,
)
from kumobashi.directory.models import NetworkModel
from kumobashi.directory.subscribing import take, version_of

KEY = SigningKey.generate()
NOW = datetime(2026, 11, 21, tzinfo=UTC)
BASE = Directory(
    format=1,
    version=3,
    issued=NOW,
    expires=NOW + timedelta(days=90),
    municipality=MunicipalityEntry(code="999997", name="架空市"),
    network_model=NetworkModel.ALPHA,
    sites={},
    systems={},
    contacts={},
)
DESK = ContactEntry(name="架空の窓口", phone="000-000-0001", hours="24時間")
KEPT = sign(BASE, KEY)


def test_a_newer_version_is_compared_here() -> None:
    newer = sign(replace(BASE, version=4, contacts={"desk": DESK}), KEY)

    news = take(newer, KEPT, trusted=KEY.public, now=NOW)

    assert news
    assert [(one.kind, one.name, one.what) for one in news.differences] == [
        ("contact", "desk", "added")
    ]
    assert (news.since, list(news.skipped)) == (3, [])
    assert version_of(newer, trusted=KEY.public) == 4


def test_versions_between_are_noticed() -> None:
    news = take(sign(replace(BASE, version=7), KEY), KEPT, trusted=KEY.public, now=NOW)

    assert news
    assert list(news.skipped) == [4, 5, 6]


def test_the_first_has_nothing_to_differ_from_and_the_same_is_no_news() -> None:
    first = take(KEPT, None, trusted=KEY.public, now=NOW)

    assert first
    assert (first.since, first.differences, list(first.skipped)) == (0, (), [])
    assert take(KEPT, KEPT, trusted=KEY.public, now=NOW) is None


@pytest.mark.parametrize(
    ("offered", "error"),
    [
        (sign(replace(BASE, version=2), KEY), DirectoryOld),
        (sign(replace(BASE, contacts={"desk": DESK}), KEY), DirectoryForked),
        (sign(replace(BASE, version=4), SigningKey.generate()), DirectoryAltered),
        (sign(replace(BASE, version=4, expires=NOW), KEY), DirectoryExpired),
        (
            sign(
                replace(BASE, version=4, municipality=MunicipalityEntry(code="999989", name="別")),
                KEY,
            ),
            DirectoryForeign,
        ),
    ],
)
def test_what_is_no_good_is_refused(offered: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        take(offered, KEPT, trusted=KEY.public, now=NOW)
