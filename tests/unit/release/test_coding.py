"""Codes of columns, epochs of keys: what nobody outside the hall can join or guess."""

import re
from datetime import date
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from kumobashi.exchange.tokens import column_key, destination_key
from kumobashi.release.coding import Codebook, check_epoch, codebook, days_of
from kumobashi.release.errors import CodebookUnreadable, CodesCollide, EpochOver
from tests.unit.release.staged import rule

SECRET = bytes(range(32))
NAMES = ["token", "born", "sex", "town_code", "tax_exempt", "public_assistance", "has_spouse"]
CODING = {
    "columns": "keyed",
    "order": "shuffled",
    "epoch": "2026Q4",
    "layout": "notice-attributes",
}
PLAIN = {"name": "born", "op": "truncate", "of": "birth_date", "to": "year"}


def book(system: str = "notice-cloud", epoch: str = "2026Q4", dataset: str = "notices") -> Codebook:
    key = column_key(SECRET, "999997", system, epoch)
    return codebook(key, system, dataset, epoch, NAMES)


def test_a_code_is_a_letter_and_ten_digits_of_base32_and_tells_no_name() -> None:
    codes = book().codes

    assert set(codes) == set(NAMES)
    assert all(re.fullmatch(r"c[a-z2-7]{10}", code) for code in codes.values())
    assert len(set(codes.values())) == len(NAMES)


def test_the_same_key_gives_the_same_codes_in_the_same_order_whatever_was_asked_first() -> None:
    key = column_key(SECRET, "999997", "notice-cloud", "2026Q4")
    turned = codebook(key, "notice-cloud", "notices", "2026Q4", NAMES[::-1])

    assert turned == book()


def test_the_order_is_not_that_of_the_layout_nor_that_of_the_codes() -> None:
    held = [book(f"cloud-{n}") for n in range(20)]

    assert len({tuple(b.names[code] for code in b.order) for b in held}) == 20
    assert any(list(b.order) != sorted(b.order) for b in held)


def test_no_code_is_shared_by_two_destinations_epochs_or_datasets() -> None:
    books = [
        book(),
        book(system="citizen-app"),
        book(epoch="2027Q1"),
        book(dataset="other"),
    ]

    for one, other in combinations(books, 2):
        assert not set(one.order) & set(other.order)


@given(st.lists(st.from_regex(r"[0-9]{10}", fullmatch=True), min_size=1, max_size=20, unique=True))
def test_rotation_changes_every_token_and_destinations_cannot_be_joined(numbers: list[str]) -> None:
    keys = [
        destination_key(SECRET, "999997", "notice-cloud"),
        destination_key(SECRET, "999997", "notice-cloud", "2026Q4"),
        destination_key(SECRET, "999997", "notice-cloud", "2027Q1"),
        destination_key(SECRET, "999997", "citizen-app", "2026Q4"),
        destination_key(SECRET, "999989", "notice-cloud", "2026Q4"),
    ]

    tokens = [{key.token(number) for number in numbers} for key in keys]

    assert all(len(held) == len(numbers) for held in tokens)
    for one, other in combinations(tokens, 2):
        assert not one & other


def test_the_key_of_codes_is_not_that_of_tokens() -> None:
    key = destination_key(SECRET, "999997", "notice-cloud", "2026Q4").secret

    assert column_key(SECRET, "999997", "notice-cloud", "2026Q4") != key


def test_tokens_of_rules_without_an_epoch_stay_what_they_were() -> None:
    key = destination_key(SECRET, "999997", "notice-cloud")

    assert key.token("0000000001") == "4412615e070913547d84e2a68c4b256e"


def test_codes_that_collide_are_refused() -> None:
    with pytest.raises(CodesCollide):
        codebook(SECRET, "s", "d", "2026", [f"n{n}" for n in range(40)], digits=1)


def test_a_codebook_is_read_as_it_was_written_and_nothing_else_is() -> None:
    held = book()

    assert Codebook.read(held.text()) == held
    for wrong in (b"", b"{}", b"[1]", held.text()[:-1], held.text().replace(b"sex", b"s\xff")):
        with pytest.raises(CodebookUnreadable):
            Codebook.read(wrong)
    with pytest.raises(CodebookUnreadable):
        Codebook.read(held.text().replace(b'"format":1', b'"format":2'))


@pytest.mark.parametrize(
    ("epoch", "first", "last"),
    [
        ("2026", date(2026, 1, 1), date(2026, 12, 31)),
        ("2026Q1", date(2026, 1, 1), date(2026, 3, 31)),
        ("2026Q4", date(2026, 10, 1), date(2026, 12, 31)),
        ("2028-02", date(2028, 2, 1), date(2028, 2, 29)),
    ],
)
def test_an_epoch_has_its_first_and_last_day(epoch: str, first: date, last: date) -> None:
    assert days_of(epoch) == (first, last)
    check_epoch(epoch, first)
    check_epoch(epoch, last)
    for outside in (
        date.fromordinal(first.toordinal() - 1),
        date.fromordinal(last.toordinal() + 1),
    ):
        with pytest.raises(EpochOver):
            check_epoch(epoch, outside)


@pytest.mark.parametrize("epoch", ["2026Q5", "26Q4", "2026-13", "2026-1", "Q4", "0000", "2026Q44"])
def test_an_epoch_that_cannot_be_read_is_refused(epoch: str) -> None:
    with pytest.raises(ValidationError):
        rule(PLAIN, coding={**CODING, "epoch": epoch})


def test_a_rule_carries_its_coding_into_its_hash() -> None:
    said = rule(PLAIN, coding=CODING)

    assert said.coding is not None
    assert said.coding.coded_layout == "notice-attributes-2026q4"
    assert said.model_dump(mode="json")["coding"]["epoch"] == "2026Q4"
    assert "coding" not in rule(PLAIN).model_dump(mode="json")
