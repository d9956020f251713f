"""Files of services and online links with mistakes: each told at its place, with what is right."""

import json
from pathlib import Path

import pytest

from kumobashi.planning.interfaces import InterfaceUnreadable, read_interface
from kumobashi.planning.workspace import load
from tests.unit.planning.test_workspace_mistakes import change, mistakes

SYSTEM, DOCUMENT = "systems/collection.yaml", "interfaces/collection-payments-v1.yaml"
ASKS, HIDES = "calls/arrears-payments.yaml", "calls/finance-collection.yaml"
PAYMENTS = "services.payments.versions.v1.operations.searchPayments"
BROKEN = [
    # file, before, after, code, key, expected, example
    (SYSTEM, "kind: rest", "kind: grpc", "file.choice", "services.payments.kind", "soap", "rest"),
    (SYSTEM, 'base: "http://127.0.0.1:8751/api" #', 'base: "127.0.0.1:8751" #', "file.form",
     "services.payments.base", "", "http://"),
    (SYSTEM, "collection-payments-v1.yaml", "collection-payment-v1.yaml", "workspace.unknown",
     "services.payments.versions.v1.document", DOCUMENT, f"document: {DOCUMENT}"),
    (SYSTEM, "interfaces/collection-payments", "../collection-payments", "file.form",
     "services.payments.versions.v1.document", "", "interfaces/"),
    (SYSTEM, "          searchPayments:", "          searchPayment:", "workspace.unknown",
     "services.payments.versions.v1.operations.searchPayment", "searchPayments",
     "searchPayments"),
    (SYSTEM, "request: [resident_no, fiscal_year]", "method: GET\n            request: []",
     "workspace.document_differs", f"{PAYMENTS}.method", "POST", "method: POST"),
    (SYSTEM, "request: [resident_no, fiscal_year]", "path: /payments\n            request: []",
     "workspace.document_differs", f"{PAYMENTS}.path", "/payments/search",
     "path: /payments/search"),
    (SYSTEM, "request: [resident_no,", "request: [residents_no,", "workspace.unknown",
     f"{PAYMENTS}.request[0]", "resident_no", "resident_no"),
    (SYSTEM, "layout: collection-payments,", "layout: collection-payment,", "workspace.unknown",
     f"{PAYMENTS}.answer.layout", "collection-payments", "layout: collection-payments"),
    (SYSTEM, 'payments, version: "1"', 'payments, version: "9"', "workspace.unknown_version",
     f"{PAYMENTS}.answer.version", "1", 'version: "1"'),
    (SYSTEM, "at: /result", "at: /found", "workspace.answer_elsewhere", f"{PAYMENTS}.answer.at", "",
     "at: /result"),
    (DOCUMENT, "        paid_on: {type: string, format: date}\n", "", "workspace.answer_differs",
     f"{PAYMENTS}.answer.layout", "paid", "keys:"),
    (DOCUMENT, "        paid_on:", "        mynumber: {type: string}\n        paid_on:",
     "workspace.answer_differs", f"{PAYMENTS}.answer.layout", "mynumber", "keys:"),
    (DOCUMENT, "openapi: 3.1.0", "swagger: '2.0'", "workspace.document_unreadable",
     "services.payments.versions.v1.document", "OpenAPI", ""),
    (SYSTEM, "services: #", "standby: [{site: hall, base: {}}]\nservices: #", "workspace.unknown",
     "standby[0].site", "hall-core", "site: hall-core"),
    (SYSTEM, "services: #", "standby: [{site: hall-core, base: {}}]\nservices: #", "file.value",
     "standby[0].site", "", "standby: []"),
    (SYSTEM, "services: #", "standby: [{site: asp-relay, base: {pay: 'http://a/b'}}]\nservices: #",
     "file.value", "standby[0].base.pay", "", "payments"),
    (SYSTEM, "name: 納付の照会", "name: 納付の照会\n    x: 1",
     "file.unknown_key", "services.payments.x", "", ""),
    (SYSTEM, "name: 会計への照会", "name: 会計への照会\n    test_only: true", "file.value",
     "services.accounts.test_only", "", "test_base: http"),
    (SYSTEM, "store: {kind: duckdb}\n", "", "file.value", "store", "", "store: {kind: duckdb}"),
    (ASKS, "from: collection", "from: colection", "workspace.unknown", "from", "collection",
     "from: collection"),
    (ASKS, "to: arrears", "to: arears", "workspace.unknown", "to", "arrears", "to: arrears"),
    (ASKS, "to: arrears", "to: collection", "workspace.to_itself", "to", "", "to: arrears"),
    (ASKS, "service: payments", "service: payment", "workspace.unknown", "service", "payments",
     "service: payments"),
    (ASKS, "versions: [v1]", "versions: [v2]", "workspace.unknown", "versions[0]", "v1", "v1"),
    (ASKS, "versions: [v1]", "versions: [v1, v1]", "file.value", "versions[1]", "",
     "versions: [v1]"),
    (ASKS, "[searchPayments]", "[searchPayment]", "workspace.unknown", "operations[0]",
     "searchPayments", "searchPayments"),
    (ASKS, "answer_seconds: 30", "answer_seconds: 0", "file.limit", "answer_seconds", "", "30"),
    (ASKS, "contact: tax-office", "contact: tax-ofice", "workspace.unknown", "contact",
     "tax-office", "contact: tax-office"),
    (ASKS, "（納付の照会）", "（匿名）", "file.value", "name", "", "抽象化済"),
    (HIDES, "hide: [refund_no", "hide: [refunds_no", "workspace.unknown", "hide[0]", "refund_no",
     "refund_no"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "before", "after", "code", "key", "expected", "example"), BROKEN)
def test_each_mistake_says_where_what_was_expected_and_what_is_right(
    folder: Path,
    file: str,
    before: str,
    after: str,
    code: str,
    key: str,
    expected: str,
    example: str,
) -> None:
    change(folder, file, before, after)

    found = mistakes(folder)

    told = [m for m in found if (m.code, m.key) == (code, key)]
    assert told, [m.say("en") for m in found]
    assert expected in told[0].expected + told[0].ja
    assert example in told[0].example
    assert told[0].line > 1
    assert told[0].ja
    assert told[0].en != told[0].ja


def test_a_name_is_used_once_over_links_of_both_kinds(folder: Path) -> None:
    text = (folder / ASKS).read_text(encoding="utf-8")
    (folder / "calls/resident-to-nhi.yaml").write_text(
        text.replace("link: arrears-payments", "link: resident-to-nhi"), encoding="utf-8"
    )

    (found,) = mistakes(folder)

    assert (found.code, found.file) == ("workspace.twice", "calls/resident-to-nhi.yaml")
    assert "links/resident-to-nhi.yaml" in found.ja


def test_without_a_document_method_and_path_are_written(folder: Path) -> None:
    change(folder, SYSTEM, f"document: {DOCUMENT} # method と path はここから取ります\n", "\n")
    (found,) = mistakes(folder)
    assert (found.code, found.key) == ("file.value", PAYMENTS)
    assert found.example.startswith("path:")

    change(
        folder,
        SYSTEM,
        "request: [resident_no, fiscal_year]",
        "method: POST\n            path: /payments/search\n            request: [resident_no]",
    )
    entry = load(folder).services["collection"]["payments"].interfaces["v1"]
    assert entry.document is None
    assert entry.operations["searchPayments"].method == "POST"


def test_operations_are_taken_from_a_document_with_its_digest(folder: Path) -> None:
    before = load(folder).services["collection"]["payments"].interfaces["v1"]
    change(folder, DOCUMENT, "一人の納付の一覧", "納付の一覧")
    after = load(folder).services["collection"]["payments"].interfaces["v1"]

    assert (before.operations["searchPayments"].method, before.operations) == (
        "POST",
        after.operations,
    )
    assert before.document != after.document


def test_two_operations_of_one_address_cannot_be_told_apart(folder: Path) -> None:
    text = (folder / "interfaces/collection-accounts-v1.yaml").read_text(encoding="utf-8")
    (folder / "interfaces/collection-accounts-v1.yaml").write_text(
        text.replace("/refunds/{business_date}", "/totals/{day}"), encoding="utf-8"
    )
    assert load(folder).services  # another template is another address
    change(folder, SYSTEM, "        document: interfaces/collection-accounts-v1.yaml\n", "")
    change(
        folder, SYSTEM, "listTotals:", "listTotals:\n            method: GET\n            path: /a"
    )
    change(
        folder,
        SYSTEM,
        "listRefunds:",
        "listRefunds:\n            method: GET\n            path: /a",
    )

    (found,) = mistakes(folder)

    assert found.code == "workspace.twice"
    assert "GET /a" in found.en


WSDL = """<definitions xmlns="http://schemas.xmlsoap.org/wsdl/">
<portType name="P"><operation name="Search"/><operation name="Count"/></portType></definitions>"""
SOAP = """  receipts:
    name: 収納の照会（SOAP）
    kind: soap
    base: "http://127.0.0.1:8751/soap"
    versions:
      v1:
        document: interfaces/receipts.wsdl
        operations:
          Search: {path: /Receipts, answer: {layout: collection-payments, version: "1"}}
          Count: {path: /Receipts, answer: {layout: collection-totals, version: "1"}}
"""


def with_soap(folder: Path) -> None:
    (folder / "interfaces/receipts.wsdl").write_text(WSDL, encoding="utf-8")
    path = folder / SYSTEM
    path.write_text(path.read_text(encoding="utf-8") + SOAP, encoding="utf-8")


def test_a_wsdl_names_operations_and_their_path_is_ours(folder: Path) -> None:
    with_soap(folder)
    entry = load(folder).services["collection"]["receipts"]

    assert entry.kind == "soap"
    assert entry.interfaces["v1"].operations["Count"].method == "POST"

    change(folder, SYSTEM, "Search: {path: /Receipts, ", "Search: {")
    (found,) = mistakes(folder)
    assert found.code == "workspace.path_missing"


def test_of_soap_nothing_is_hidden_and_no_operation_let_through_with_another(folder: Path) -> None:
    with_soap(folder)
    change(folder, ASKS, "service: payments", "service: receipts")
    change(folder, ASKS, "[searchPayments]", "[Search]\nhide: [paid]")

    assert {m.code for m in mistakes(folder)} == {
        "workspace.hide_in_xml",
        "workspace.soap_together",
    }

    change(folder, ASKS, "[Search]\nhide: [paid]", "[Search, Count]")
    assert load(folder).calls["arrears-payments"].operations == ("Search", "Count")


@pytest.mark.parametrize(
    ("body", "file", "says"),
    [
        (b"\x00\x01", "a.json", "JSON"),
        (b"[" * 100_000, "a.json", "JSON"),
        (b"{}", "a.json", "OpenAPI 3"),
        (b"openapi: 3.0.0\npaths: {a: {get: {}}}\n", "a.yaml", "no operation"),
        (b"a: [1\n", "a.yaml", "line 1"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a/>', "a.wsdl", "DTD"),
        (b"<a/>", "a.wsdl", "WSDL"),
        (b"<a", "a.xml", "no XML"),
        (b" " * (4 * 1024**2 + 1), "a.json", "4 MiB"),
        (
            json.dumps(
                {
                    "openapi": "3.0.0",
                    "paths": {p: {"get": {"operationId": "x"}} for p in ("/a", "/b")},
                }
            ).encode(),
            "a.json",
            "twice",
        ),
        (b"openapi: 3.0.0\na: [" + b"1," * 10_001 + b"1]\n", "a.yaml", "JSON"),
    ],
)
def test_a_document_that_cannot_be_read_says_why(body: bytes, file: str, says: str) -> None:
    with pytest.raises(InterfaceUnreadable, match=says):
        read_interface(body, file)


def test_a_reference_that_turns_in_a_circle_ends() -> None:
    circle = {"$ref": "#/components/schemas/A"}
    whole = {
        "openapi": "3.0.0",
        "paths": {
            "/a": {
                "get": {
                    "operationId": "x",
                    "responses": {"200": {"content": {"application/json": {"schema": circle}}}},
                }
            }
        },
        "components": {"schemas": {"A": circle}},
    }

    read = read_interface(json.dumps(whole).encode(), "a.json")

    assert read.operations["x"].keys_at("/result") is None
