"""Every route of a real gateway has a row, and is what its row says, for every role."""

import asyncio
import json
import re
import threading
from collections.abc import Coroutine, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from kumobashi.console import error_pages
from kumobashi.console.permits import FREE, PERMITS, permit_of
from kumobashi.evidence.sql import entries, waiting
from kumobashi.identity import Accounts, Enrolment, Role, Scope, may
from kumobashi.planning.sampling import write_sample
from kumobashi.service.access_records import MOST_KEPT, Refusals
from kumobashi.service.app import application
from kumobashi.service.endpoint_routes import endpoint_routes
from kumobashi.service.entrances import CONSENT_FACE, ENTRANCES, Asks, check_entrances
from kumobashi.service.gateway import Gateway
from kumobashi.service.settings import read_settings
from kumobashi.service.sign_on import sign_ons_of
from kumobashi.testing.clocks import HandClock
from kumobashi.testing.office import code_of
from tests.unit.console.conftest import Browser, sign_in
from tests.unit.service.asking import Client

LINK, OTHER = "notice-attributes", "resident-to-nhi"
_PARAMETER = re.compile(r"\{(\w+)(?::(\w+))?\}")
_SAMPLES = {"int": "1", "uuid": "018f0000-0000-7000-8000-000000000000"}
ROWS = {**PERMITS, **dict.fromkeys(FREE)}
CALLS = sorted(row for row, entrance in ENTRANCES.items() if entrance.asks is not Asks.NOTHING)
TOKENED = (Asks.TOKEN, Asks.ACCOUNT, Asks.MIXED, Asks.PROVIDER)


class House:
    """A real gateway of the hall whose workers do not run, and an account for each role."""

    def __init__(self, folder: Path) -> None:
        self.clock = HandClock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._wait(self._open(folder))
        private = folder / "private" / "hall-core"
        self.accounts = Accounts(private, tenant="999997", site="hall-core", clock=self.clock)
        self.people: dict[Role, Enrolment] = {
            role: self.accounts.add(f"one-{role.value}", shown=role.ja, role=role) for role in Role
        }

    async def _open(self, folder: Path) -> None:
        self.gateway = Gateway(read_settings(folder, "hall-core", {}), self.clock)
        assert self.gateway.endpoint
        routes = endpoint_routes(
            self.gateway, self.gateway.endpoint, sign_ons_of(self.gateway, self.gateway.endpoint)
        )
        self.inner = Starlette(routes=routes, exception_handlers={**error_pages()})
        self.routes = application(self.gateway)._app._app.routes  # type: ignore[attr-defined]

    def browser(self) -> Browser:
        return Browser(self.inner, self._wait)

    def enter(self, role: Role) -> Browser:
        return sign_in(self.browser(), self.people[role], self.clock)

    def call(self, method: str, path: str, body: object = None, token: str | None = None) -> Any:
        client = Client(self.inner, self.gateway.api_token)
        return client.ask(method, path, body, token=token)

    def credentials(self, role: Role) -> Mapping[str, str]:
        self.clock.at += timedelta(seconds=31)
        made = self.people[role]
        code = code_of(made.secret, self.clock.at)
        return {"account": made.account.name, "password": made.password, "code": code}

    def records(self, event: str) -> list[dict[str, Any]]:
        def bodies(held: sa.Connection) -> list[bytes]:
            numbered = held.execute(sa.select(entries.c.body).order_by(entries.c.number))
            rest = held.execute(sa.select(waiting.c.body).order_by(waiting.c.entry))
            return [*numbered.scalars(), *rest.scalars()]

        found = [json.loads(bytes(body)) for body in self.gateway.ledger.store.read(bodies)]
        return [one for one in found if one["event"] == event]

    def close(self) -> None:
        self.accounts.close()
        self._wait(self.gateway.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _wait(self, coroutine: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(write_sample(tmp_path_factory.mktemp("sample") / "city"))
    yield made
    made.close()


def address(path: str) -> str:
    """Return an address that the route of ``path`` takes."""
    return _PARAMETER.sub(lambda found: _SAMPLES.get(found[2] or "", "anything"), path)


def served(house: House) -> set[tuple[str, str]]:
    return {
        (method, route.path)
        for route in house.routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }


def test_every_route_of_a_gateway_has_a_row_and_every_row_a_route(house: House) -> None:
    routes = {one for one in served(house) if not one[1].startswith(CONSENT_FACE)}

    assert routes == set(ENTRANCES) | set(ROWS)


def test_a_route_that_nobody_thought_of_stops_the_gateway() -> None:
    def page(_request: object) -> Response:
        return Response()

    with pytest.raises(LookupError, match="/residents"):
        check_entrances([Route("/residents", page)])
    with pytest.raises(LookupError, match="/residents"):
        permit_of("GET", "/residents")


def test_no_call_that_needs_the_token_answers_without_it(house: House) -> None:
    needing = {row for row, entrance in ENTRANCES.items() if entrance.asks in TOKENED}
    needing |= {one for one in served(house) if one[1].startswith(CONSENT_FACE)}

    answered = {row: house.call(row[0], address(row[1]), {}, token="wrong") for row in needing}

    assert {row for row, answer in answered.items() if answer.status != 401} == set()


ACCOUNT_ROWS = sorted(row for row, one in ENTRANCES.items() if one.asks is Asks.ACCOUNT)


@pytest.mark.parametrize(("method", "path"), ACCOUNT_ROWS)
def test_no_call_that_is_somebody_s_is_done_for_a_role_that_may_not(
    house: House, method: str, path: str
) -> None:
    nobody = house.call(method, address(path), {})
    refused = house.call(method, address(path), house.credentials(Role.ACCOUNT_ADMIN))

    assert nobody.status >= 400
    assert nobody.json()["code"] != "identity.not_permitted"
    assert (refused.status, refused.json()["code"]) == (403, "identity.not_permitted")


@pytest.mark.parametrize("role", list(Role))
def test_a_page_opens_for_the_roles_of_its_row_and_for_no_other(house: House, role: Role) -> None:
    browser = house.enter(role)
    wrong = {}
    for (method, path), permit in PERMITS.items():
        if method != "GET" or (path == "/" and role is Role.ACCOUNT_ADMIN):
            continue
        answer = browser.get(address(path))
        is_refused = "identity.not_permitted" in answer.text
        is_bound = "identity.out_of_scope" in answer.text
        if is_refused is may(role, permit.deed) or (is_bound and role is not Role.VENDOR):
            wrong[path] = answer.status

    assert wrong == {}


@pytest.mark.parametrize("role", list(Role))
def test_a_form_is_taken_from_the_roles_of_its_row_and_from_no_other(
    house: House, role: Role
) -> None:
    browser = house.enter(role)
    wrong = {}
    for (method, path), permit in PERMITS.items():
        if method != "POST":
            continue
        answer = browser.post(address(path), {"token": "not of this session"})
        expected = "identity.form_stale" if may(role, permit.deed) else "identity.not_permitted"
        if answer.status not in {403, 404} or (
            answer.status == 403 and expected not in answer.text
        ):
            wrong[path] = answer.status

    assert wrong == {}


def test_who_manages_accounts_begins_at_the_accounts(house: House) -> None:
    answer = house.enter(Role.ACCOUNT_ADMIN).get("/")

    assert (answer.status, answer.headers["location"]) == (303, "/accounts")


def test_a_bound_account_reads_of_no_other_link(house: House) -> None:
    house.accounts.bind("one-vendor", Scope(links=frozenset({LINK})))
    browser = house.enter(Role.VENDOR)
    others = {row.name for row in overview(house)} - {row.name for row in overview(house, LINK)}

    pages = [browser.get(page) for page in ("/", "/links", f"/links/{LINK}", "/faults")]

    assert others
    assert [page.status for page in pages] == [200] * 4
    assert f"/links/{LINK}" in pages[1].text
    assert [name for page in pages for name in others if f">{name}<" in page.text] == []
    assert [page for page in pages if OTHER in page.text] == []
    assert browser.get(f"/links/{OTHER}").status == 404


def overview(house: House, link: str = "") -> list[Any]:
    endpoint = house.gateway.endpoint
    assert endpoint
    return [one for name, one in endpoint.wiring.workspace().links.items() if link in {"", name}]


def test_a_vendor_bound_to_nothing_sees_no_link(house: House) -> None:
    house.accounts.bind("one-vendor", Scope())
    browser = house.enter(Role.VENDOR)

    assert LINK not in browser.get("/links").text
    assert browser.get(f"/links/{LINK}").status == 404


def test_who_is_shut_out_while_signed_in_gets_no_further_page(house: House) -> None:
    made = house.accounts.add("leaving", shown="", role=Role.OPERATOR)
    browser = sign_in(house.browser(), made, house.clock)
    assert browser.get("/links").status == 200

    house.accounts.shut("leaving", by="one-approver")

    assert browser.get("/links").headers["location"] == "/sign-in"
    assert browser.post("/faults/1/take", {}).status == 403


def test_refusals_are_records_and_a_thousand_of_them_are_four(house: House) -> None:
    made = house.accounts.add("curious", shown="", role=Role.VIEWER)
    browser = sign_in(house.browser(), made, house.clock)
    for _ in range(1_000):
        browser.post("/ties/resident", {"number": "3141592653"})

    found = [one for one in house.records("access.refused") if one["by"] == "account:curious"]

    assert [one["counts"]["attempts"] for one in found] == [1, 10, 100, 1_000]
    assert {one["code"] for one in found} == {"post:ties/resident"}
    assert "3141592653" not in json.dumps(found)


def test_a_call_with_a_wrong_token_is_a_record_without_its_address(house: House) -> None:
    house.call("GET", "/api/v1/transfers/3141592653", token="wrong")

    found = [one for one in house.records("access.refused") if one["by"] == "local-api"]

    assert ("get:api/v1/transfers/-", "service.not_allowed") in {
        (one["code"], one["reason"]) for one in found
    }
    assert "3141592653" not in json.dumps(found)


def test_what_is_counted_of_refusals_is_bounded() -> None:
    clock, refusals = HandClock(), Refusals()
    for number in range(3 * MOST_KEPT):
        refusals.count((str(number),), clock.at)

    assert len(refusals._counts) == MOST_KEPT
