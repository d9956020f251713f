"""The internal-linkage profile through real gateways: token, introspection, call, and refusals."""

import base64
import contextlib
import http.client
import json
import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from kumobashi.calls.linkage.clients import ASSERTION_TYPE, Client, read_client
from kumobashi.service.linkage_clients import make_client
from kumobashi.testing.city import build
from kumobashi.testing.commands import command
from kumobashi.testing.gateways import until
from kumobashi.testing.town import Town
from kumobashi.testing.vendors import Collection, Running, running
from tests.page_examples import ADDRESS, Page, run_python, run_shell

pytestmark = [pytest.mark.slow, pytest.mark.scenario]
SITE = "hall-core"
API = "payments/v1/payments/search"
SCOPE = f"collection:{API}:Read"
FORM = "application/x-www-form-urlencoded"
Json = dict[str, Any]


@dataclass
class Place:
    """A town whose arrears system speaks the profile."""

    town: Town
    collection: Running
    consumer: Client
    provider: Client

    @property
    def issuer(self) -> str:
        return f"{self.town.url(SITE)}/linkage"

    def send(
        self, method: str, path: str, body: bytes, headers: dict[str, str]
    ) -> tuple[int, dict[str, str], Json]:
        connection = http.client.HTTPConnection("127.0.0.1", self.town.ports[SITE], timeout=40)
        with contextlib.closing(connection):
            connection.request(method, f"/linkage/{path}", body, headers)
            answer = connection.getresponse()
            said = answer.read()
            return answer.status, dict(answer.headers), json.loads(said) if said else {}

    def form(self, path: str, client: Client, **said: str) -> tuple[int, Json]:
        """Ask the authorisation server, proven by an assertion made just now."""
        made = client.assertion(f"{self.issuer}/{path}", secrets.token_hex(8), datetime.now(UTC))
        said = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": made} | said
        status, _, found = self.send("POST", path, urlencode(said).encode(), {"content-type": FORM})
        return status, found

    def token(self, **said: str) -> tuple[int, Json]:
        wish = {"grant_type": "client_credentials", "scope": SCOPE} | said
        return self.form("token", self.consumer, **wish)

    def ask(
        self, token: str, body: Any, path: str = f"collection/{API}"
    ) -> tuple[int, dict[str, str], Json]:
        headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
        return self.send("POST", path, json.dumps(body).encode(), headers)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with ExitStack() as stack:
        collection = stack.enter_context(running(Collection))

        def change(folder: Path) -> None:
            file = folder / "systems/collection.yaml"
            text = file.read_text("utf-8").replace(":8751/", f":{collection.port}/")
            file.write_text(text, encoding="utf-8")

        city = stack.enter_context(build(60))
        folder = tmp_path_factory.mktemp("linkage") / "city"
        town = stack.enter_context(Town.found(folder, city, change=change))
        done = command("call", "client", "arrears", folder=town.folder)
        assert done.exit_code == 0, done.output
        held = town.folder / f"private/{SITE}/systems/arrears.client"
        consumer = read_client(held.read_bytes(), "arrears")
        assert consumer.secret not in done.output
        other = make_client(town.folder, SITE, "collection", basic=True)
        provider = read_client(other.read_bytes(), "collection")
        town.start(SITE)
        place = Place(town, collection, consumer, provider)
        until("a token", lambda: place.token()[0] == 200 or None, 20)
        collection.asked.clear()
        yield place


def test_a_consumer_gets_a_token_and_the_answer_in_the_profiles_shape(place: Place) -> None:
    status, said = place.token()
    assert status == 200
    assert said["token_type"] == "Bearer"
    assert said["scope"] == SCOPE
    assert "refresh_token" not in said

    status, _, answer = place.ask(
        said["access_token"], {"resident_no": "0000000001", "fiscal_year": "2026"}
    )

    assert status == 200
    assert answer.keys() == {"metadata", "_links", "result"}
    assert answer["_links"]["self"]["href"] == f"/linkage/collection/{API}"
    assert answer["result"] == [{"payment_no": "17", "levied": 5000, "paid": 0}]
    assert place.collection.asked[-1][1] == {"resident_no": "0000000001", "fiscal_year": "2026"}


def test_a_provider_hears_what_a_token_is_worth_and_nobody_else(place: Place) -> None:
    token = place.token()[1]["access_token"]

    status, said = place.form("introspect", place.provider, token=token)
    assert status == 200
    assert said["active"] is True
    assert (said["aud"], said["scope"]) == ("collection", SCOPE)
    assert place.form("introspect", place.consumer, token=token) == (200, {"active": False})
    assert place.form("introspect", place.provider, token=token[:-4] + "AAAA") == (
        200, {"active": False},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("said", "oauth"),
    [
        ({"grant_type": "refresh_token"}, "unsupported_grant_type"),
        ({"refresh_token": "x"}, "unsupported_grant_type"),
        ({"grant_type": "authorization_code"}, "unsupported_grant_type"),
        ({"scope": ""}, "invalid_scope"),
        ({"scope": f"{SCOPE} finance:postings/v1/totals:Create"}, "invalid_scope"),
        ({"scope": f"collection:{API}:Delete"}, "invalid_scope"),
        ({"scope": "collection:accounts/v1/totals:Read"}, "invalid_scope"),
        ({"client_id": "0" * 32}, "invalid_client"),
        ({"client_assertion_type": "x"}, "invalid_client"),
        ({"client_assertion": "a.b.c"}, "invalid_client"),
    ],
)
def test_no_token_for_what_the_profile_or_the_links_forbid(
    place: Place, said: dict[str, str], oauth: str
) -> None:
    status, problem = place.token(**said)

    assert status == (401 if oauth == "invalid_client" else 400)
    assert problem["error"] == oauth
    assert problem["error_description"].startswith("linkage.")


def test_an_assertion_counts_once_and_for_here(place: Place) -> None:
    now = datetime.now(UTC)
    made = place.consumer.assertion(f"{place.issuer}/token", "once-and-no-more", now)
    assert place.token(client_assertion=made)[0] == 200
    assert place.token(client_assertion=made)[1]["error"] == "invalid_client"
    elsewhere = place.consumer.assertion("https://other.example/token", "e", now)
    assert place.token(client_assertion=elsewhere)[1]["error"] == "invalid_client"
    head, claims, _ = place.consumer.assertion(f"{place.issuer}/token", "n", now).split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    assert place.token(client_assertion=f"{none}.{claims}.")[1]["error"] == "invalid_client"
    assert head


def test_basic_is_for_those_who_may(place: Place) -> None:
    def basic(client: Client) -> int:
        shown = base64.b64encode(f"{client.client_id}:{client.secret}".encode()).decode()
        said = {"grant_type": "client_credentials", "scope": SCOPE}
        headers = {"content-type": FORM, "authorization": f"Basic {shown}"}
        return place.send("POST", "token", urlencode(said).encode(), headers)[0]

    assert basic(place.consumer) == 401
    assert basic(place.provider) == 400  # proven, and no link lets it ask itself


def test_items_are_told_by_the_standards_codes(place: Place) -> None:
    token = place.token()[1]["access_token"]
    asked = len(place.collection.asked)

    status, _, problem = place.ask(token, {"resident_no": "", "fiscal_year": "二千"})

    assert status == 400
    assert {one["code"] for one in problem["errors"]} == {"E0001", "E0002"}
    assert problem["_links"]["self"]["href"] == f"/linkage/collection/{API}"
    status, _, problem = place.ask(token, {"resident_no": "0000000001", "name": "架空"})
    assert (status, problem["errors"][0]["code"]) == (400, "call.item_not_permitted")
    assert len(place.collection.asked) == asked


@pytest.mark.parametrize("shown", ["", "Bearer", "Bearer x.y.z", "Basic eDp5"])
def test_a_call_without_a_good_token_reaches_nobody(place: Place, shown: str) -> None:
    asked = len(place.collection.asked)
    headers = {"content-type": "application/json", "authorization": shown}
    status, said, problem = place.send("POST", f"collection/{API}", b"{}", headers)

    assert status == 401
    assert problem.keys() == {"title", "detail", "_links"}
    assert said["www-authenticate"].startswith("Bearer")
    assert len(place.collection.asked) == asked


def test_a_token_dies_with_the_approval_behind_it(place: Place) -> None:
    token = place.token()[1]["access_token"]
    approval = place.town.folder / "approvals/arrears-payments.yaml"
    kept = approval.read_bytes()
    approval.unlink()
    try:
        until("no more tokens", lambda: place.token()[0] == 400 or None, 5)
        assert place.form("introspect", place.provider, token=token)[1] == {"active": False}
        assert place.ask(token, {"resident_no": "0000000001"})[0] == 401
    finally:
        approval.write_bytes(kept)
        until("tokens again", lambda: place.token()[0] == 200 or None, 5)


def test_the_page_shows_how(place: Place) -> None:
    page, here = Page("ask-by-internal-linkage"), {ADDRESS: place.town.url(SITE)}
    rows = [{"payment_no": "17", "levied": 5000, "paid": 0}]

    assert json.loads(run_python("".join(page.blocks("python")), place.town.folder, here)) == rows
    (by_curl,) = page.blocks("sh")
    assert json.loads(run_shell(by_curl, place.town.folder, here))["result"] == rows
