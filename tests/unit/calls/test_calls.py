"""A call and its answer over real HTTP: what arrives, what is refused, and whose fault it is."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kumobashi.agreements.errors import NotCovered
from kumobashi.calls.binary_http import Request as Asked
from kumobashi.calls.errors import Side
from kumobashi.calls.header import FIELD, CallHeader
from kumobashi.calls.posting import Answered, NoAnswer, NotConnected, Poster
from kumobashi.calls.seen import seen_of_late
from kumobashi.calls.showing import Shown
from kumobashi.calls.signing import PATH, sign_call
from kumobashi.calls.taking import Entrance
from kumobashi.calls.wire import PROBLEM_TYPE
from kumobashi.crypto.canonical import digest
from kumobashi.crypto.errors import SignatureReplayed
from kumobashi.kernel import new_id
from tests.unit.calls.sites_here import NEAR, TENANT, WAYS, City, Office, city, open_socket, run


class System:
    """The system that answers, as its vendor wrote it."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.seconds = 0.0

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/api/v1/payments/search", self.find, methods=["POST"]),
                Route("/api/v1/payments/{payment}", self.get, methods=["GET"]),
            ]
        )

    async def get(self, request: Request) -> Response:
        self.asked.append({"url": str(request.url), **dict(request.headers)})
        await asyncio.sleep(self.seconds)
        said = {"result": [{"payment": "17", "shimei": "架空　太郎", "amount": 1200}]}
        return JSONResponse(said, headers={"etag": '"7"', "set-cookie": "a=b"})

    async def find(self, request: Request) -> Response:
        body = await request.body()
        self.asked.append({"body": body})
        return Response(body * 2, media_type="application/octet-stream", status_code=201)


@asynccontextmanager
async def _running(folder: Path, way: str) -> AsyncIterator[tuple[City, System]]:
    system = System()
    async with city(folder, way) as held, run(system.app(), open_socket()) as url:
        held.places["cloud"].office.base = f"{url}/api"
        yield held, system


@pytest.fixture(params=WAYS)
async def running(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[tuple[City, System]]:
    async with _running(tmp_path, request.param) as found:
        yield found


@pytest.fixture(params=["direct", "through a relay"])
async def handed(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[tuple[City, System]]:
    """Where the last gateway is handed the call, so that somebody can stand in between."""
    async with _running(tmp_path, request.param) as found:
        yield found


def _problem(answered: Any) -> dict[str, Any]:
    assert answered.fields["content-type"] == PROBLEM_TYPE, answered.body
    found: dict[str, Any] = json.loads(answered.body)
    assert found["status"] == answered.status
    assert found["detail"]
    assert found["side"] in set(Side)
    return found


def _records(held: City, site: str) -> list[dict[str, Any]]:
    files = sorted((held.places[site].folder / site).glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_bytes().splitlines()]


async def test_a_system_gets_the_answer_of_the_other(running: tuple[City, System]) -> None:
    held, system = running
    answered = await held.ask(headers={"accept": "application/json", "cookie": "no=1"})
    assert answered.status == 200
    assert json.loads(answered.body)["result"][0]["amount"] == 1200
    assert answered.fields["etag"] == '"7"'
    assert "set-cookie" not in answered.fields
    (asked,) = system.asked
    assert asked["url"].endswith("/api/v1/payments/17?year=2026")
    assert asked["accept"] == "application/json"
    assert asked["kumobashi-asker"] == "arrears"
    assert "cookie" not in asked
    assert "authorization" not in asked


async def test_bodies_of_any_bytes_go_both_ways(running: tuple[City, System]) -> None:
    held, system = running
    body = bytes(range(256)) * 1000
    answered = await held.ask("/payments/search", method="POST", body=body)
    assert (answered.status, answered.body) == (201, body * 2)
    assert system.asked == [{"body": body}]


async def test_both_gateways_keep_who_asked_and_what_was_signed(
    running: tuple[City, System],
) -> None:
    held, _ = running
    await held.ask()
    asking, answering = _records(held, "hall"), _records(held, "cloud")
    assert sorted(r["event"] for r in asking) == ["call.answered", "call.asked"]
    assert sorted(r["event"] for r in answering) == ["call.answered", "call.asked"]
    # Both kept the same signatures: neither can say that it was otherwise.
    by_event = {r["event"]: r["digest"] for r in asking}
    assert by_event == {r["event"]: r["digest"] for r in answering}
    text = json.dumps(asking + answering, ensure_ascii=False)
    assert "/payments/17" not in text
    assert "架空　太郎" not in text


async def test_nothing_goes_on_without_permission(running: tuple[City, System]) -> None:
    held, system = running
    cases: list[tuple[dict[str, Any], str, int]] = [
        ({"headers": {"kumobashi-system": "unknown"}}, "call.system_unproven", 401),
        ({"headers": {"authorization": "Bearer wrong"}}, "call.system_unproven", 401),
        ({"headers": {"authorization": "Basic shown-by-the-system"}}, "call.system_unproven", 401),
        ({"method": "DELETE"}, "call.operation_not_permitted", 403),
        ({"path": "/other"}, "call.operation_not_permitted", 403),
        ({"path": "/payments/17/secret"}, "call.operation_not_permitted", 403),
        ({"path": "/payments/%2e%2e"}, "call.operation_not_permitted", 403),
        ({"path": "/payments/a%2Fb"}, "call.operation_not_permitted", 403),
        ({"path": "/payments//17"}, "call.operation_not_permitted", 403),
        ({"version": "v2"}, "call.operation_not_permitted", 403),
    ]
    for wish, code, status in cases:
        answered = await held.ask(**wish)
        assert (_problem(answered)["code"], answered.status) == (code, status), wish
        assert _problem(answered)["side"] == "asker"
    held.places["hall"].office.is_declared = False
    assert _problem(await held.ask())["code"] == "call.not_permitted"
    held.places["hall"].office.why = NotCovered(link="payment-status", state="withdrawn")
    assert _problem(await held.ask())["code"] == "call.link_not_ready"
    assert system.asked == []


@pytest.mark.parametrize(
    ("there", "code", "side"),
    [
        (Office(is_declared=False), "call.not_permitted", "asker"),
        (
            Office(why=NotCovered(link="payment-status", state="withdrawn")),
            "call.link_not_ready",
            "answering_gateway",
        ),
        (
            Office(link=replace(NEAR, plan="sha256:" + 64 * "2")),
            "call.plan_differs",
            "answering_gateway",
        ),
        (Office(link=replace(NEAR, purpose="other")), "call.plan_differs", "answering_gateway"),
        (Office(link=replace(NEAR, sites=("hall",))), "call.not_here", "answering_gateway"),
    ],
)
async def test_the_answering_side_decides_for_itself(
    running: tuple[City, System], there: Office, code: str, side: str
) -> None:
    held, system = running
    office = held.places["cloud"].office
    office.link, office.why, office.is_declared = there.link, there.why, there.is_declared
    problem = _problem(await held.ask())
    assert (problem["code"], problem["side"]) == (code, side)
    assert system.asked == []
    # Its refusal is signed and kept on both sides.
    assert [r["event"] for r in _records(held, "cloud")] == ["call.answered"]


async def test_items_that_the_asker_may_not_see_do_not_leave(
    running: tuple[City, System],
) -> None:
    held, _ = running
    office = held.places["cloud"].office
    shown = Shown(at="/result", kept=frozenset({"payment"}), blanked=frozenset({"shimei"}))
    get, find = NEAR.operations
    office.link = replace(NEAR, operations=(replace(get, shown=shown), find))
    answered = await held.ask()
    assert json.loads(answered.body) == {"result": [{"payment": "17", "shimei": None}]}
    assert "etag" not in answered.fields


async def test_each_fault_names_its_side(running: tuple[City, System]) -> None:
    held, system = running
    office = held.places["cloud"].office
    base = office.base
    office.base = "http://127.0.0.1:9"  # nobody listens
    problem = _problem(await held.ask())
    assert (problem["code"], problem["side"]) == ("call.service_away", "answerer")
    office.base, system.seconds = base, 5.0
    problem = _problem(await held.ask(headers={"kumobashi-budget": "300"}))
    assert (problem["code"], problem["side"]) == ("call.service_silent", "answerer")
    system.seconds = 0.0
    held.places["cloud"].office.link = replace(NEAR, largest_answer_bytes=20)
    problem = _problem(await held.ask())
    assert (problem["code"], problem["side"]) == ("call.answer_too_large", "answerer")


async def test_what_is_changed_on_the_way_reaches_nobody(handed: tuple[City, System]) -> None:
    """A peer between the two changes one thing after the other; the system is never asked."""
    held, system = handed
    cloud = held.places["cloud"]
    seen: list[tuple[dict[str, str], bytes]] = []

    async def listen(scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        body = message["body"]
        while message.get("more_body"):
            message = await receive()
            body += message["body"]
        seen.append(({k.decode(): v.decode() for k, v in scope["headers"]}, body))
        await JSONResponse({}, status_code=599)(scope, receive, send)

    cloud.tamper = listen
    await held.ask()
    cloud.tamper = None
    fields, body = seen[-1]
    header = CallHeader.decode(fields[FIELD])

    async def hand_over(fields: dict[str, str], body: bytes) -> str:
        kept = {k: v for k, v in fields.items() if k not in {"content-length", "host"}}
        came = await held.poster.send(
            "POST", cloud.url + PATH, headers=kept, body=body, seconds=5, largest=10_000
        )
        found: str = json.loads(came.body)["code"]
        return found

    for name in (FIELD, "signature", "signature-input", "content-digest", "content-type"):
        less = {k: v for k, v in fields.items() if k != name}
        assert await hand_over(less, body) == "crypto.signature_missing", name
    assert await hand_over(fields, body + b"\x00") == "crypto.body_altered"
    for changed in (
        replace(header, asker="welfare"),
        replace(header, answering_site="hall"),
        replace(header, plan="sha256:" + 64 * "9"),
        replace(header, budget_ms=9_999_999),
    ):
        more = fields | {FIELD: changed.encode()}
        assert await hand_over(more, body) == "crypto.signature_invalid"
    other = fields | {FIELD: replace(header, call="f" + header.call[1:]).encode()}
    assert await hand_over(other, body) == "crypto.signature_invalid"
    assert await hand_over(fields | {FIELD: "format=2"}, body) == "call.header_unreadable"
    stranger = fields | {FIELD: replace(header, asking_site="nowhere").encode()}
    assert await hand_over(stranger, body) == "call.foreign"
    assert system.asked == []


async def test_a_call_is_taken_once(running: tuple[City, System]) -> None:
    held, system = running
    cloud = held.places["cloud"]
    entrance, takes = held.entrances["cloud"], []
    take = entrance.take

    def spy(fields: Any, body: bytes, *, fetched_from: str | None = None) -> Any:
        takes.append((dict(fields), body, fetched_from))
        return take(fields, body, fetched_from=fetched_from)

    entrance.take = spy  # type: ignore[method-assign]
    assert (await held.ask()).status == 200
    fields, body, fetched_from = takes[0]
    kept = {k: v for k, v in fields.items() if k not in {"content-length", "host"}}
    if fetched_from:  # whoever holds it offers it again
        came = await held.peers["cloud"].answer(kept, body, fetched_from)
    else:
        came = await held.poster.send(
            "POST", cloud.url + PATH, headers=kept, body=body, seconds=5, largest=10_000
        )
    assert json.loads(came.body)["code"] == "crypto.signature_replayed"
    assert len(system.asked) == 1
    # Nor by a process that was started since.
    anew = Entrance(TENANT, "cloud", cloud.clock, entrance.sites)
    anew.remember(seen_of_late(cloud.folder / "cloud", cloud.clock.now()))
    with pytest.raises(SignatureReplayed):
        anew.take(kept, body, fetched_from=fetched_from)
    if held.places["hall"].connects_to == ("relay",) or fetched_from == "relay":
        assert b"payments" not in body  # the relay saw nothing but a sealed text
        assert kept["content-type"] == "application/jose"


async def test_no_site_asks_for_a_system_of_another(running: tuple[City, System]) -> None:
    held, system = running
    there = held.directory.systems["arrears"]
    held.directory.systems["arrears"] = replace(there, site="cloud")
    problem = _problem(await held.ask())
    assert (problem["code"], problem["side"]) == ("call.foreign", "asking_gateway")
    assert system.asked == []


async def test_a_call_in_the_middle_of_a_change_is_answered_and_asked_once(
    running: tuple[City, System],
) -> None:
    held, system = running
    assert (await held.ask()).status == 200
    here, there = (held.places[name].office for name in ("hall", "cloud"))
    changed = replace(NEAR, plan="sha256:" + 64 * "2")
    there.link = changed
    asking = asyncio.create_task(held.ask())
    await asyncio.sleep(0.4)
    assert not asking.done()
    here.link = changed
    assert (await asking).status == 200
    assert len(system.asked) == 2


async def test_a_call_that_broke_off_and_found_nobody_afterwards_may_have_been_done(
    handed: tuple[City, System], monkeypatch: pytest.MonkeyPatch
) -> None:
    held, system = handed
    hop = held.places["relay" if held.places["hall"].connects_to == ("relay",) else "cloud"]
    begin, ends = Poster.begin, [NoAnswer(is_late=False), NotConnected()]

    async def breaks(self: Poster, method: str, url: str, **more: Any) -> Answered:
        if url != hop.url + PATH:
            return await begin(self, method, url, **more)
        if len(ends) == 2:
            await begin(self, method, url, **more)
        raise ends.pop(0)

    monkeypatch.setattr(Poster, "begin", breaks)
    problem = _problem(await held.ask())

    assert problem["code"] == "call.peer_silent"  # and nobody asks another site
    assert len(system.asked) == 1


async def test_what_is_signed_but_not_for_here_or_not_for_now_is_refused(tmp_path: Path) -> None:
    """The asking site itself signs, with its own key; the system is never asked."""
    async with _running(tmp_path, "direct") as (held, system):
        assert (await held.ask()).status == 200
        system.asked.clear()
        (line, *_) = [r for r in _records(held, "cloud") if r["event"] == "call.asked"]
        header = CallHeader.decode(line["fields"][FIELD])
        body = Asked(method="GET", path="/payments/17").encode()
        hall, cloud = held.places["hall"], held.places["cloud"]
        now = hall.clock.now()

        async def send(at: timedelta = timedelta(0), **changes: Any) -> str:
            wish = replace(header, call=new_id(), sent=now + at, **changes)
            proof = sign_call(wish, digest(body), "message/bhttp", hall.sign, now + at)
            came = await held.poster.send(
                "POST", cloud.url + PATH, headers=proof.fields, body=body, seconds=5, largest=9_999
            )
            found: str = json.loads(came.body).get("code", "") if came.status != 200 else "-"
            return found

        assert await send() == "-"
        system.asked.clear()
        assert await send(at=timedelta(minutes=-10)) == "crypto.signature_expired"
        assert await send(at=timedelta(minutes=10)) == "crypto.signature_expired"
        assert await send(answering_site="hall") == "call.foreign"
        assert await send(tenant="999998") == "call.foreign"
        assert await send(asker="collection") == "call.foreign"
        assert await send(purpose="other") == "call.plan_differs"
        assert await send(service="accounts") == "call.not_permitted"
        assert system.asked == []
