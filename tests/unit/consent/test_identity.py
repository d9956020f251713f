"""Whether the applicant is the resident: mailed codes, and four items in any form people type."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.consent import codes as codes_module
from kumobashi.consent.codes import LIVES, MOST_TRIES, MailedCodes, new_code, plain
from kumobashi.consent.errors import (
    CodeLocked,
    CodeOver,
    CodeUnknown,
    CodeWrong,
    ConsentMove,
    ProofFailed,
)
from kumobashi.consent.four_items import FourItems, Outcome, address_form, identify, name_form
from kumobashi.consent.ledger import ConsentLedger
from kumobashi.consent.reading import Reading
from kumobashi.consent.records import Application, Method
from kumobashi.consent.sql import codes
from kumobashi.consent.states import State, Tier
from kumobashi.evidence.sql import waiting
from tests.unit.consent.ledgers import NOW, fresh
from tests.unit.consent.texts_for_tests import PURPOSE


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[ConsentLedger]:
    with fresh(tmp_path) as made:
        yield made


@pytest.fixture
def record(ledger: ConsentLedger) -> str:
    said = Application(
        number="1", purpose=PURPOSE, tier=Tier.REGISTER, version=1, stated_at=NOW, source="portal"
    )
    return ledger.apply(said, by="operator").record


def test_the_right_code_in_any_spelling_proves_the_applicant_once(
    ledger: ConsentLedger, record: str
) -> None:
    mailed = MailedCodes(ledger)
    letter = mailed.send(record, by="operator")
    held = mailed.prove(record, f" {letter.code.lower().replace('-', ' ')}\n", by="gateway")
    assert (held.state, held.method) == (State.CHECKED, Method.MAILED_CODE)
    with pytest.raises(CodeUnknown):
        mailed.prove(record, letter.code, by="gateway")


def test_the_code_stands_nowhere_in_the_clear(ledger: ConsentLedger, record: str) -> None:
    letter = MailedCodes(ledger).send(record, by="operator")
    kept = ledger.store.read(
        lambda c: repr([tuple(row) for t in (codes, waiting) for row in c.execute(sa.select(t))])
    )
    assert "scrypt$" in kept
    assert letter.code not in kept
    assert plain(letter.code) not in kept


def test_wrong_codes_lock_the_application_until_a_new_letter(
    ledger: ConsentLedger, record: str
) -> None:
    mailed = MailedCodes(ledger)
    letter = mailed.send(record, by="operator")
    for left in reversed(range(MOST_TRIES)):
        with pytest.raises(CodeWrong) as wrong:
            mailed.prove(record, new_code(), by="gateway")
        assert wrong.value.left == left
    with pytest.raises(CodeLocked):
        mailed.prove(record, letter.code, by="gateway")
    assert Reading(ledger).record(record).state is State.APPLIED
    again = mailed.send(record, by="operator")
    with pytest.raises(CodeWrong):
        mailed.prove(record, letter.code, by="gateway")
    assert mailed.prove(record, again.code, by="gateway").state is State.CHECKED


def test_many_at_once_are_no_more_tries(
    ledger: ConsentLedger, record: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = []

    def unlike(code: str, _kept: str) -> bool:
        compared.append(code)
        return False

    monkeypatch.setattr(codes_module, "matches", unlike)
    mailed = MailedCodes(ledger)
    mailed.send(record, by="operator")

    def guess(_: int) -> type[Exception]:
        try:
            mailed.prove(record, new_code(), by="gateway")
        except ProofFailed as failed:
            return type(failed)
        raise AssertionError

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(guess, range(20)))
    assert found.count(CodeWrong) == MOST_TRIES == len(compared)
    assert found.count(CodeLocked) == 20 - MOST_TRIES


def test_a_code_is_over_after_its_time(ledger: ConsentLedger, record: str) -> None:
    mailed = MailedCodes(ledger)
    letter = mailed.send(record, by="operator")
    ledger.clock.at += LIVES + timedelta(seconds=1)  # type: ignore[attr-defined]
    with pytest.raises(CodeOver):
        mailed.prove(record, letter.code, by="gateway")


def test_nobody_waits_for_a_code_of_what_is_over(ledger: ConsentLedger, record: str) -> None:
    ledger.check(record, Method.COUNTER, is_proved=False, by="operator")
    with pytest.raises(ConsentMove):
        MailedCodes(ledger).send(record, by="operator")


BORN = date(1990, 5, 14)


def items(**changed: object) -> FourItems:
    values = {
        "kana": "ヤマダ　ハナコ",
        "sex": "2",
        "birth_date": BORN,
        "address": "架空市架空町一丁目2番3号",
    }
    return FourItems(**{**values, **changed})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "said",
    [
        {"kana": "ﾔﾏﾀﾞ ﾊﾅｺ"},
        {"kana": "やまだはなこ"},
        {"address": "架空市架空町１－２－３"},
        {"address": "架空市 架空町1丁目2番地3 架空ハイツ１０１号室"},
    ],
)
def test_what_people_type_is_found(said: dict[str, object]) -> None:
    found = identify(items(**said), [("7", items()), ("8", items(kana="スズキ　イチロウ"))])
    assert (found.outcome, found.number) == (Outcome.MATCH, "7")


@pytest.mark.parametrize(
    "said",
    [
        {"kana": "ヤマダ　ハナヨ"},
        {"kana": ""},
        {"sex": "1"},
        {"birth_date": date(1990, 5, 15)},
        {"address": "架空市架空町1-2-4"},
        {"address": "架空市架空町12-3"},
        {"address": ""},
    ],
)
def test_every_item_counts_and_none_is_named(said: dict[str, object]) -> None:
    assert repr(identify(items(**said), [("7", items())])) == repr(identify(items(sex="9"), []))


def test_two_alike_are_nobody() -> None:
    found = identify(items(), [("7", items()), ("8", items())])
    assert (found.outcome, found.number) == (Outcome.AMBIGUOUS, None)


def test_the_items_are_not_in_what_is_shown_of_them() -> None:
    assert "ヤマダ" not in repr(items())


@given(st.text(max_size=30))
def test_forms_are_forms_of_themselves(text: str) -> None:
    assert name_form(name_form(text)) == name_form(text)
    assert isinstance(address_form(text), str)
