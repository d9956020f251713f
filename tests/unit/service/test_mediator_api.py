"""The directory as GovStack's Information Mediator answers it."""

from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

from kumobashi.calls.permits import CallLink, Operation, Permitted
from kumobashi.kernel import SystemClock
from kumobashi.planning.publishing import publish_directory
from kumobashi.planning.sampling import write_sample
from kumobashi.planning.workspace import load
from kumobashi.service.mediator_api import INSTANCE, MEMBER_CLASS, MediatorFace
from tests.unit.service.asking import Client

MEMBER = f"{INSTANCE}/{MEMBER_CLASS}/999997"
CLIENT = {"x-govstack-client": f"{MEMBER}/arrears"}
COLLECTION = f"/r1/{MEMBER}/collection"


class _Permits:
    """One link in force: arrears may search payments."""

    def permitted(self, asker: str, asked: str) -> Permitted:
        operation = Operation(
            version="v1", name="searchPayments", method="POST", path="/payments/search"
        )
        link = CallLink(
            link="l", asker="arrears", answerer="collection", service="payments",
            sites=("hall-core",), operations=(operation,), purpose="p", plan="sha256:1",
        )  # fmt: skip
        return Permitted([link] if (asker, asked) == ("arrears", "collection.payments") else ())


@pytest.fixture
def client(tmp_path: Path) -> Client:
    folder = write_sample(tmp_path / "city")
    directory, workspace = publish_directory(folder, now=SystemClock().now()), load(folder)
    permits: Any = _Permits()
    face = MediatorFace(
        directory=lambda: directory, workspace=lambda: workspace, permits=lambda: permits
    )
    return Client(Starlette(routes=face.routes()), "")


def test_clients_are_the_municipality_and_its_systems(client: Client) -> None:
    found = client.ask("GET", "/listClients").json()["member"]

    first, *applications = found
    assert first == {
        "name": "架空市",
        "id": {
            "objectType": "MEMBER", "instanceId": INSTANCE, "memberClass": MEMBER_CLASS,
            "memberCode": "999997",
        },
    }  # fmt: skip
    names = {one["id"]["applicationCode"]: one["name"] for one in applications}
    assert names["collection"] == "収納管理"
    assert client.ask("GET", "/listClients?instanceId=elsewhere").json() == {"member": []}


def test_methods_are_all_that_a_system_answers(client: Client) -> None:
    found = client.ask("GET", f"{COLLECTION}/listMethods", headers=CLIENT).json()["member"]

    assert [(one["serviceCode"], one["serviceVersion"]) for one in found] == [
        ("accounts", "v1"), ("payments", "v1"),
    ]  # fmt: skip
    assert {"method": "POST", "path": "/payments/search"} in found[1]["endpointList"]["member"]
    assert all(one["serviceType"] == "OPENAPI" for one in found)
    one = client.ask("GET", f"{COLLECTION}/listMethods?serviceId=payments", headers=CLIENT).json()
    assert [found["serviceCode"] for found in one["member"]] == ["payments"]
    strange = client.ask("GET", "/r1/other/GOV/1/app/listMethods", headers=CLIENT)
    assert (strange.status, strange.json()) == (200, {"member": []})


def test_allowed_are_those_of_links_in_force_alone(client: Client) -> None:
    def allowed(system: str) -> list[dict[str, Any]]:
        said = {"information-mediator-client": f"{MEMBER}/{system}"}
        found: list[dict[str, Any]] = client.ask(
            "GET", f"{COLLECTION}/allowedMethods", headers=said
        ).json()["member"]
        return found

    (one,) = allowed("arrears")
    assert one["serviceCode"] == "payments"
    assert one["endpointList"] == {"member": [{"method": "POST", "path": "/payments/search"}]}
    assert allowed("finance") == []
    assert allowed("nobody") == []


def test_the_document_is_the_partners_own(client: Client) -> None:
    answer = client.ask("GET", f"{COLLECTION}/getOpenAPI?serviceCode=payments", headers=CLIENT)

    assert answer.status == 200
    assert answer.media_type.startswith("text/yaml")
    assert "searchPayments" in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/listClients?instanceId=1nval1d",
        f"/r1/1nval1d/{MEMBER_CLASS}/999997/collection/listMethods",
        f"/r1/{INSTANCE}/1nval1d/999997/collection/listMethods",
        f"/r1/{INSTANCE}/{MEMBER_CLASS}/_invalid/collection/allowedMethods",
        f"/r1/{MEMBER}/_invalid/listMethods",
        f"{COLLECTION}/getOpenAPI",
        f"{COLLECTION}/getOpenAPI?serviceCode=_invalid",
        f"{COLLECTION}/getOpenAPI?serviceCode=unknown",
        f"{COLLECTION}/getOpenAPI?serviceCode=payments&serviceVersion=v9",
    ],
)
def test_what_is_no_name_or_not_there_is_told(client: Client, path: str) -> None:
    answer = client.ask("GET", path, headers=CLIENT)

    assert answer.status == 400
    assert answer.json()["code"] == "service.bad_request"


@pytest.mark.parametrize(
    "said", [{}, {"x-govstack-client": "a/b"}, {"x-govstack-client": "1/b/c/d"}]
)
def test_who_asks_must_say_who(client: Client, said: dict[str, str]) -> None:
    assert client.ask("GET", f"{COLLECTION}/listMethods", headers=said).status == 400
