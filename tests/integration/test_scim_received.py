"""A served gateway takes accounts from a provider: judged by scim2-tester, over a real socket."""

import json
import sqlite3
import stat
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from scim2_tester import Status, check_server

from kumobashi.identity.scim.models import LARGEST_BODY
from tests.integration.scim_sockets import PROVIDER, Hall, Reply, served_hall

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    with served_hall(tmp_path_factory.mktemp("scim")) as made:
        yield made


def test_the_tester_of_others_finds_no_error(hall: Hall) -> None:
    results = check_server(hall.client())

    said = {
        (one.title, one.resource_type, one.reason)
        for one in results
        if one.status not in {Status.SUCCESS, Status.SKIPPED, Status.COMPLIANT}
    }

    assert len(results) > 50
    assert said == set()


def add(hall: Hall, name: str, **more: Any) -> Reply:
    said = {"schemas": [USER], "userName": name, **more}
    return hall.client().request("POST", "/Users", json=said)


def records(hall: Hall) -> list[dict[str, Any]]:
    found = []
    for path in (hall.folder / "var" / "hall-core").glob("*.db"):
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as line:
            names = {row[0] for row in line.execute("select name from sqlite_master")}
            for table in ("evidence_entries", "evidence_waiting"):
                if table in names:
                    found += [
                        json.loads(row[0]) for row in line.execute(f"select body from {table}")
                    ]
    return found


@pytest.mark.parametrize("token", ["", "wrong", "x" * 43, "\u00e9" * 43])
def test_without_a_token_of_a_provider_nothing_is_told(hall: Hall, token: str) -> None:
    client = hall.client()
    client.token = token

    answers = [client.request("GET", path) for path in ("", "/Users", "/ServiceProviderConfig")]

    assert [one.status_code for one in answers] == [401] * 3
    assert [one.headers["www-authenticate"] for one in answers] == ["Bearer"] * 3
    assert answers[0].json()["detail"].startswith("scim.token_refused: ")


def test_the_token_of_the_site_is_none_of_a_provider(hall: Hall) -> None:
    site = (hall.folder / "private" / "hall-core" / "api.token").read_text().strip()

    assert hall.client(site).request("GET", "/Users").status_code == 401


def test_a_new_token_counts_at_once_and_the_old_one_no_more(hall: Hall) -> None:
    old = hall.tokens.make("other-login")
    new = hall.tokens.make("other-login")

    assert hall.client(old).request("GET", "/Users").status_code == 401
    assert hall.client(new).request("GET", "/Users").status_code == 200
    held = hall.folder / "private" / "hall-core" / "scim" / "other-login.token"
    assert sys.platform == "win32" or stat.S_IMODE(held.stat().st_mode) == 0o600
    held.unlink()
    assert hall.client(new).request("GET", "/Users").status_code == 401


def test_too_large_a_body_is_refused_in_the_words_of_scim(hall: Hall) -> None:
    answer = add(hall, "sato", displayName="x" * LARGEST_BODY)

    assert (answer.status_code, answer.headers["content-type"]) == (413, "application/scim+json")
    assert answer.json()["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]


def test_a_bulk_of_a_thousand_is_refused_as_a_whole(hall: Hall) -> None:
    one = {"method": "POST", "path": "/Users", "data": {"schemas": [USER], "userName": "x"}}
    operations = [{**one, "bulkId": str(number)} for number in range(1_000)]
    schema = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
    before = hall.client().request("GET", "/Users").json()["totalResults"]

    answer = hall.client().request(
        "POST", "/Bulk", json={"schemas": [schema], "Operations": operations}
    )

    assert answer.status_code == 413
    assert hall.client().request("GET", "/Users").json()["totalResults"] == before


def test_a_name_of_the_gateway_that_is_not_its_own_is_refused(hall: Hall) -> None:
    answer = hall.client().request("GET", "/Users", headers={"host": "attacker.example"})

    assert answer.status_code == 403


def test_of_many_who_change_one_version_at_once_one_does(hall: Hall) -> None:
    made = add(hall, "many")
    path, version = f"/Users/{made.json()['id']}", made.headers["etag"]

    def change(number: int) -> int:
        operation = {"op": "replace", "path": "displayName", "value": f"{number}"}
        said = {"schemas": [PATCH], "Operations": [operation]}
        headers = {"if-match": version}
        return hall.client().request("PATCH", path, json=said, headers=headers).status_code

    with ThreadPoolExecutor(8) as pool:
        done = sorted(pool.map(change, range(16)))

    assert done == [200] + [412] * 15


def test_of_many_who_add_one_name_at_once_one_does(hall: Hall) -> None:
    with ThreadPoolExecutor(8) as pool:
        done = sorted(
            answer.status_code for answer in pool.map(lambda _: add(hall, "only"), range(16))
        )

    assert done == [201] + [409] * 15


def test_each_change_is_a_record_that_names_nobody(hall: Hall) -> None:
    one = add(hall, "kiroku", displayName="記録 花子", externalId="e-kiroku").json()["id"]
    hall.client().request(
        "POST",
        "/Groups",
        json={"schemas": [GROUP], "displayName": "運用", "members": [{"value": one}]},
    )
    hall.client().request("DELETE", f"/Users/{one}")

    held = records(hall)
    of_one = [entry for entry in held if entry.get("id") == one]
    assert [(entry["event"], entry["act"], entry["after"]) for entry in of_one] == [
        ("access.account_provisioned", "add", "active"),
        ("access.account_provisioned", "remove", "inactive"),
    ]
    assert {entry["by"] for entry in of_one} == {f"provider:{PROVIDER}"}
    assert any(e["event"] == "access.group_provisioned" and e["role"] == "operator" for e in held)
    text = json.dumps(held, ensure_ascii=False)
    assert [word for word in ("kiroku", "記録", "e-kiroku") if word in text] == []
