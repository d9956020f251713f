"""Texts: what is hashed, what is shown, which versions count, which files are refused."""

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from kumobashi.consent.errors import TierUnknown, VersionUnknown
from kumobashi.consent.states import Tier
from kumobashi.consent.texts import shown
from tests.unit.consent.texts_for_tests import text, version


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("controller", "別の市長"),
        ("holder", "別の市"),
        ("purpose_of_use", "別の目的"),
        ("recorded_as", "紙"),
        ("tiers", [{"tier": "register", "items": ["氏名"]}]),
        ("valid_days", 30),
        ("more", ["ただし書き"]),
    ],
)
def test_every_word_that_is_agreed_to_is_in_the_hash_and_on_the_screen(
    field: str, value: Any
) -> None:
    plain, changed = text(version(1)), text(version(1, **{field: value}))
    assert plain.hash_of(1) != changed.hash_of(1)
    assert shown(plain, 1) != shown(changed, 1)


def test_what_a_purpose_covers_today_changes_no_hash() -> None:
    more = text(version(1), covers=[{"campaign": "infant-check-18m"}, {"link": "other"}])
    assert more.hash_of(1) == text(version(1)).hash_of(1)


def test_only_the_tiers_that_are_asked_for_are_shown() -> None:
    lines = "\n".join(shown(text(), 1, tiers=frozenset({Tier.TAX})))
    assert "非課税区分" in lines
    assert "町丁目" not in lines


def test_a_version_counts_with_those_that_it_accepts() -> None:
    said = text(version(1), version(2, accepts=[1]), version(3))
    assert said.accepted(date(2026, 3, 31)) == frozenset()
    assert said.accepted(date(2026, 4, 1)) == {1}
    assert said.accepted(date(2027, 4, 1)) == {1, 2}
    assert said.accepted(date(2028, 4, 1)) == {3}


def test_what_a_version_does_not_ask_for_is_said() -> None:
    said = text(version(1, tiers=[{"tier": "register", "items": ["生年月"]}]))
    with pytest.raises(TierUnknown):
        said.check(1, Tier.TAX)
    with pytest.raises(VersionUnknown):
        said.check(2, Tier.REGISTER)


@pytest.mark.parametrize(
    "wrong",
    [
        {"versions": []},
        {"versions": [version(2), version(1)]},
        {"versions": [version(1), version(1)]},
        {"versions": [version(1, accepts=[1])]},
        {"versions": [version(1, tiers=[])]},
        {"versions": [version(1, tiers=[{"tier": "tax", "items": ["a"]}] * 2)]},
        {"versions": [version(1, tiers=[{"tier": "health", "items": ["a"]}])]},
        {"covers": [{}]},
        {"covers": [{"link": "a", "campaign": "b"}]},
    ],
)
def test_a_file_that_does_not_hang_together_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        text(**wrong)
