"""Receipts: signed and verified, refused when a single character changed, and nobody named."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from kumobashi.consent.errors import ConsentReceiptWrong
from kumobashi.consent.ledger import ConsentLedger
from kumobashi.consent.printing import page_of
from kumobashi.consent.reading import Reading
from kumobashi.consent.receipts import TYP, ConsentReceipt, receipt_of, sign, verify
from kumobashi.consent.records import Application, Method, plain_record, plain_to_record
from kumobashi.consent.states import Tier
from kumobashi.crypto import jws
from kumobashi.crypto.keys import SigningKey
from kumobashi.planning import schemas
from tests.unit.consent.ledgers import NOW, TENANT, fresh
from tests.unit.consent.texts_for_tests import PURPOSE

KEY = SigningKey.generate()
KEYS = {KEY.kid: KEY.public}
# Kantara Consent Receipt v1.1, 4.4: the fields that a receipt must have.
REQUIRED = {
    "version", "jurisdiction", "consentTimestamp", "collectionMethod", "consentReceiptID",
    "language", "piiPrincipalId", "piiControllers", "policyUrl", "services", "sensitive",
}  # fmt: skip
OF_PURPOSE = {
    "purpose", "purposeCategory", "consentType", "piiCategory", "primaryPurpose", "termination",
    "thirdPartyDisclosure",
}  # fmt: skip


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[ConsentLedger]:
    with fresh(tmp_path) as made:
        yield made


def receipt(ledger: ConsentLedger, record: str) -> ConsentReceipt:
    reading = Reading(ledger)
    first = reading.history(record)[0]
    kept = reading.record(record)
    text = ledger.text(PURPOSE)
    return receipt_of(kept, first, text, site="hall-core", tenant=TENANT, kid=KEY.kid)


def granted(ledger: ConsentLedger, tier: Tier = Tier.REGISTER) -> str:
    said = Application(
        number="1234567890", purpose=PURPOSE, tier=tier, version=1, stated_at=NOW, source="desk"
    )
    return ledger.give(said, Method.COUNTER, by="operator").record


def test_a_receipt_has_every_field_and_names_nobody(ledger: ConsentLedger) -> None:
    token = sign(receipt(ledger, granted(ledger, Tier.TAX)), KEY)
    said = json.loads(jws.kept_payload(token))
    assert said.keys() >= REQUIRED
    assert said["services"][0]["purposes"][0].keys() >= OF_PURPOSE
    assert said["sensitive"] is True
    assert "1234567890" not in json.dumps(said)
    assert verify(token, KEYS).state == "granted"


def test_a_withdrawal_has_a_receipt_that_says_so(ledger: ConsentLedger) -> None:
    lone = ledger.withdraw("9", PURPOSE, stated_at=NOW, source="desk", by="operator")[0]
    made = receipt(ledger, lone.record)
    assert verify(sign(made, KEY), KEYS) == made
    page = page_of(made, "x", municipality="架空市")
    assert "終了" in page


def test_the_paper_is_a4_and_escapes_what_it_is_given(ledger: ConsentLedger) -> None:
    made = receipt(ledger, granted(ledger))
    page = page_of(made, sign(made, KEY), municipality="<架空市>")
    assert "size: A4" in page
    assert "&lt;架空市&gt;" in page
    assert made.consentReceiptID in page


@pytest.mark.parametrize("token", ["", "a.b.c", "{}", "x" * 70_000])
def test_what_is_no_receipt_is_refused(token: str) -> None:
    with pytest.raises(ConsentReceiptWrong):
        verify(token, KEYS)


def test_another_document_that_the_site_signed_is_no_receipt() -> None:
    with pytest.raises(ConsentReceiptWrong):
        verify(jws.sign(b'{"format":1}', KEY, "kumobashi-receipt+jws"), KEYS)


def test_a_receipt_of_another_key_is_refused(ledger: ConsentLedger) -> None:
    with pytest.raises(ConsentReceiptWrong):
        verify(sign(receipt(ledger, granted(ledger)), SigningKey.generate()), KEYS)


def test_a_record_reads_back_as_it_was_written(ledger: ConsentLedger) -> None:
    kept = Reading(ledger).record(granted(ledger))
    again = plain_to_record(json.loads(json.dumps(plain_record(kept))))
    assert again.subject is None
    assert plain_record(again) == plain_record(kept)


def published() -> Draft202012Validator:
    return Draft202012Validator(json.loads(schemas.texts()["consent-receipt.json"]))


CHANGES: dict[str, object] = {
    "version": "KI-CR-v2",
    "jurisdiction": "jp",
    "consentTimestamp": "1700000000",
    "consentReceiptID": "7",
    "piiControllers": [],
    "services": [{"service": "x", "purposes": []}],
    "sensitive": "yes",
    "spiCat": "tax",
    "state": "perhaps",
    "stateTimestamp": "yesterday",
    "givenBy": "neighbour",
    "textHash": "sha256:0",
    "revisionHash": None,
}


def test_receipts_are_as_the_published_schema_says(ledger: ConsentLedger) -> None:
    made = [receipt(ledger, granted(ledger, tier)) for tier in Tier]
    lone = ledger.withdraw("9", PURPOSE, stated_at=NOW, source="desk", by="operator")[0]
    for one in (*made, receipt(ledger, lone.record)):
        published().validate(json.loads(jws.kept_payload(sign(one, KEY))))


@pytest.mark.parametrize("key", sorted({*CHANGES, *REQUIRED}))
def test_what_the_schema_refuses_is_refused_though_it_is_signed(
    ledger: ConsentLedger, key: str
) -> None:
    said = json.loads(jws.kept_payload(sign(receipt(ledger, granted(ledger)), KEY)))
    changed = {**said, key: CHANGES[key]} if key in CHANGES else {**said}
    lacking = {name: value for name, value in said.items() if name != key}
    for wrong in [lacking, *([changed] if key in CHANGES else [])]:
        assert list(published().iter_errors(wrong))
        with pytest.raises(ConsentReceiptWrong):
            verify(jws.sign(json.dumps(wrong).encode(), KEY, TYP), KEYS)
    more = {**said, "ours": {"of": "tomorrow"}}
    published().validate(more)
    assert verify(jws.sign(json.dumps(more).encode(), KEY, TYP), KEYS).state == "granted"


TOKEN = jws.sign(b'{"version":"KI-CR-v1.1.0"}', KEY, "kumobashi-consent-receipt+jws")


@given(st.integers(0, len(TOKEN) - 1), st.characters(min_codepoint=33, max_codepoint=126))
def test_no_changed_character_passes(at: int, char: str) -> None:
    with pytest.raises(ConsentReceiptWrong):
        verify(TOKEN[:at] + char + TOKEN[at + 1 :], KEYS)
