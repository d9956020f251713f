"""The second face: its answers fit GovStack's file, and it can do nothing the ledger forbids."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML
from starlette.applications import Starlette

from kumobashi.consent.ledger import ConsentLedger
from kumobashi.consent.reading import Reading
from kumobashi.consent.records import Method
from kumobashi.consent.states import Tier
from kumobashi.evidence.entries import Entry
from kumobashi.service.access_records import AccessRecords
from kumobashi.service.consents import Consents
from kumobashi.service.govstack_api import INDIVIDUAL, PREFIX, govstack_routes
from tests.unit.consent.ledgers import SECRET, TENANT, fresh
from tests.unit.consent.texts_for_tests import PURPOSE, text
from tests.unit.service.asking import Client

_PLACE = Path("shared", "reference", "govstack", "consent-openapi.yaml")
SPEC = next(
    (above / _PLACE for above in Path(__file__).resolve().parents if (above / _PLACE).is_file()),
    None,
)
needs_spec = pytest.mark.skipif(SPEC is None, reason=f"no {_PLACE} beside this tree")
AGREEMENT = f"{PURPOSE}.register"
NUMBER = "0001234567"
RECORD = f"{PREFIX}/service/individual/record"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[ConsentLedger]:
    with fresh(tmp_path) as made:
        yield made


@pytest.fixture
def client(ledger: ConsentLedger) -> Client:
    consents = Consents(
        ledger.store, tenant=TENANT, site="hall-core", secret=SECRET, clock=ledger.clock
    )
    consents.texts = lambda: {PURPOSE: text()}
    gateway: Any = SimpleNamespace(
        api_token="t", clock=ledger.clock, access=AccessRecords(list[Entry]().append, ledger.clock)
    )
    return Client(Starlette(routes=govstack_routes(gateway, consents)), "t")


@pytest.fixture(scope="module")
def spec() -> Any:
    assert SPEC is not None
    return YAML(typ="safe", pure=True).load(SPEC.read_text(encoding="utf-8"))


def individual(client: Client) -> str:
    said = {"individual": {"externalId": NUMBER, "externalIdType": "resident"}}
    answer = client.ask("POST", f"{PREFIX}/config/individual/", said)
    assert NUMBER not in answer.text
    return str(answer.json()["individual"]["id"])


def apply(client: Client, who: str) -> dict[str, Any]:
    headers = {INDIVIDUAL: who}
    path = f"{RECORD}/consent-record/draft/?dataAgreementId={AGREEMENT}&individualId={who}"
    draft = client.ask("POST", path, {}).json()
    answer = client.ask("POST", f"{RECORD}/consent-record/", draft, headers=headers)
    assert answer.status == 200, answer.text
    return dict(answer.json())


def test_a_record_made_here_counts_only_once_identity_was_checked(
    client: Client, ledger: ConsentLedger
) -> None:
    who = individual(client)
    made = apply(client, who)["consentRecord"]
    assert (made["state"], made["optIn"]) == ("applied", False)
    assert Reading(ledger).standing(NUMBER, PURPOSE, Tier.REGISTER) is None

    ledger.check(made["id"], Method.COUNTER, by="operator")
    ledger.grant(made["id"], by="operator")
    read = client.ask(
        "GET", f"{RECORD}/data-agreement/{AGREEMENT}/", headers={INDIVIDUAL: who}
    ).json()
    assert (read["consentRecord"]["id"], read["consentRecord"]["optIn"]) == (made["id"], True)

    taken = client.ask(
        "PUT",
        f"{RECORD}/consent-record/{made['id']}/",
        {"consentRecord": {"optIn": False}},
        headers={INDIVIDUAL: who},
    )
    assert taken.json()["consentRecord"]["state"] == "withdrawn"
    standing = Reading(ledger).standing(NUMBER, PURPOSE, Tier.REGISTER)
    assert standing is not None
    assert not standing.is_granted
    audit = client.ask("GET", f"{PREFIX}/audit/consent-records/").json()["consentRecords"]
    assert [one["state"] for one in audit] == ["withdrawn"]
    assert Reading(ledger).verify() == []


def test_nobody_takes_back_what_another_said(client: Client, ledger: ConsentLedger) -> None:
    made = apply(client, individual(client))["consentRecord"]
    other = ledger.subjects.seal("9")
    answer = client.ask(
        "PUT",
        f"{RECORD}/consent-record/{made['id']}/",
        {"consentRecord": {"optIn": False}},
        headers={INDIVIDUAL: other},
    )
    assert answer.status == 400
    assert Reading(ledger).record(made["id"]).state.value == "applied"


@pytest.mark.parametrize("who", ["", NUMBER, "00", "ab" * 26, "é"])
def test_an_id_that_was_never_given_is_refused(client: Client, who: str) -> None:
    answer = client.ask("GET", f"{RECORD}/consent-record/", query={"individualId": who})
    assert (answer.status, answer.json()["code"]) == (400, "service.bad_request")
    assert NUMBER not in answer.text


def test_without_the_token_nothing_is_told(client: Client) -> None:
    answer = client.ask("GET", f"{PREFIX}/audit/consent-records/", token="x")
    assert answer.status in {401, 403}


def test_a_text_that_was_not_shown_is_refused(client: Client) -> None:
    who = individual(client)
    said = {
        "consentRecord": {
            "dataAgreement": {"id": AGREEMENT},
            "individual": {"id": who},
            "dataAgreementRevisionHash": "sha256:" + "0" * 64,
        }
    }
    answer = client.ask("POST", f"{RECORD}/consent-record/", said)
    assert answer.json()["code"] == "consent.text_unlike"


@needs_spec
def test_every_operation_of_the_file_is_answered_and_the_others_say_501(
    client: Client, spec: Any
) -> None:
    real: set[tuple[str, str]] = set()
    others: set[tuple[str, str]] = set()
    for path, operations in spec["paths"].items():
        for method in operations:
            asked = path.replace("{dataAgreementId}", AGREEMENT)
            for name in ("consentRecordId", "policyId", "individualId", "webhookId"):
                asked = asked.replace(f"{{{name}}}", "019aa8d1-5b7c-7000-8000-0123456789ab")
            answer = client.ask(method.upper(), PREFIX + asked, {})
            assert answer.status in {200, 400, 404, 501}, (method, path, answer.status)
            (others if answer.status == 501 else real).add((method, path))
            if answer.status != 200:
                assert answer.media_type.startswith("application/problem+json")
    assert ("post", "/service/individual/record/consent-record/draft/") in real
    assert ("post", "/config/webhook/") in others
    assert len(real) == 19


@needs_spec
@pytest.mark.parametrize(
    ("path", "member", "schema"),
    [
        ("/config/data-agreement/{agreement}/", "dataAgreement", "DataAgreement"),
        ("/service/data-agreement/{agreement}/", "revision", "Revision"),
        ("/config/data-agreements/", "dataAgreements", "DataAgreement"),
        ("/audit/consent-records/", "consentRecords", "ConsentRecord"),
        ("/audit/consent-record/{record}/", "consentRecord", "ConsentRecord"),
        ("/service/verification/consent-record/{record}/", "revision", "Revision"),
        ("/service/verification/consent-records/?limit=1", "consentRecords", "ConsentRecord"),
        ("/service/individual/record/consent-record/", "consentRecords", "ConsentRecord"),
    ],
)
def test_answers_fit_the_schemas_of_the_file(
    client: Client, spec: Any, path: str, member: str, schema: str
) -> None:
    who = individual(client)
    made = apply(client, who)
    fits = Draft202012Validator(
        {"$ref": f"#/components/schemas/{schema}", "components": spec["components"]}
    )
    asked = path.format(agreement=AGREEMENT, record=made["consentRecord"]["id"])
    answer = client.ask("GET", PREFIX + asked, headers={INDIVIDUAL: who})
    assert answer.status == 200, answer.text
    found = answer.json()[member]
    for one in found if isinstance(found, list) else [found]:
        fits.validate(one)
    assert found


@needs_spec
def test_what_is_created_fits_too(client: Client, spec: Any) -> None:
    made = apply(client, individual(client))
    for member, schema in (
        ("consentRecord", "ConsentRecord"),
        ("revision", "Revision"),
        ("signature", "Signature"),
    ):
        Draft202012Validator(
            {"$ref": f"#/components/schemas/{schema}", "components": spec["components"]}
        ).validate(made[member])
