"""What we sign, an npm library verifies; what it signs, our gateways take: calls, answers, hops."""

import asyncio
import json
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from starlette.types import Receive, Scope, Send

from kumobashi.calls.binary_http import Answer, Request
from kumobashi.calls.enveloping import put_in, take_out
from kumobashi.calls.header import FIELD, CallHeader
from kumobashi.calls.posting import Answered
from kumobashi.calls.signing import PATH
from kumobashi.crypto.canonical import digest
from kumobashi.crypto.http_signatures import content_digest_header, sign_request
from kumobashi.crypto.keys import SigningKey
from kumobashi.kernel import new_id
from tests.unit.calls.sites_here import NEAR, City
from tests.unit.calls.test_calls import _running
from tests.unit.calls.test_wire_forms import HEADER
from tools import node_packages

pytestmark = pytest.mark.interop
SCRIPT = Path(__file__).parent / "others/signatures.mjs"
CALL = ["@method", "@path", "content-type", "content-digest", FIELD]
HOP = ["@method", "@authority", "@path", "@query", "content-digest", "kumobashi-site"]
ANSWER = ["@status", "content-type", "content-digest", "kumobashi-answer"]
Json = dict[str, Any]


@pytest.fixture(scope="session")
def folder() -> Path:
    try:
        node_packages.node()
        return node_packages.packages()
    except node_packages.NodeMissing as error:
        pytest.skip(str(error))


def node(folder: Path, **asked: object) -> Json:
    """Ask the library; return what it says."""
    done = subprocess.run(
        [node_packages.node(), SCRIPT], cwd=folder, input=json.dumps(asked).encode(),
        capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    found: Json = json.loads(done.stdout)
    return found


def pem(key: SigningKey) -> str:
    return key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def verdicts(
    folder: Path, message: Json, keys: Mapping[str, SigningKey], covered: Mapping[str, list[str]]
) -> dict[str, object]:
    """Return what the library says of each signer's signature; it must cover what we say."""
    said = node(
        folder,
        deed="verify",
        message=message,
        keys={key.kid: key.public.jwk() for key in keys.values()},
        required={key.kid: covered[name] for name, key in keys.items()},
    )
    return {name: said[key.kid] for name, key in keys.items()}


@pytest.mark.parametrize("way", ["direct", "through a relay"])
async def test_it_verifies_our_calls_and_the_relays_hop(
    folder: Path, tmp_path: Path, way: str
) -> None:
    async with _running(tmp_path, way) as (held, _):
        heard: list[dict[str, str]] = []

        async def listen(scope: Scope, receive: Receive, send: Send) -> None:
            heard.append({name.decode(): value.decode() for name, value in scope["headers"]})
            await held.peers["cloud"](scope, receive, send)

        held.places["cloud"].tamper = listen
        assert (await held.ask()).status == 200
        (fields,) = heard
        url = held.places["cloud"].url + PATH
        message: Json = {"method": "POST", "url": url, "headers": fields}
        signers = {"hall": held.places["hall"].sign}
        if way != "direct":
            signers["relay"] = held.places["relay"].sign
        covered = {name: {"hall": CALL, "relay": HOP}[name] for name in signers}

        assert await said(folder, message, signers, covered) == dict.fromkeys(signers, True)
        for name in {"content-digest", FIELD} & fields.keys():
            forged = message | {"headers": fields | {name: fields[name].replace("=", "=x", 1)}}
            found = await said(folder, forged, {"hall": signers["hall"]}, covered)
            assert found["hall"] is False, name


async def said(folder: Path, *wish: Any) -> dict[str, object]:
    """Ask the library while our own servers go on."""
    return await asyncio.to_thread(verdicts, folder, *wish)


def call_of(held: City) -> tuple[CallHeader, str, bytes]:
    """Return header, media type and body of a call from the hall to the cloud."""
    header = replace(HEADER, call=new_id(), sent=datetime.now(UTC), plan=NEAR.plan, agreement="")
    header = replace(header, unit=NEAR.unit, kind=NEAR.kind)
    request = Request(method="GET", path="/payments/17?year=2026", headers=(), body=b"")
    return header, *put_in(request.encode(), None)


async def handed(held: City, folder: Path, *, body: bytes | None = None) -> Answered:
    """Hand over a call that the library signed in the hall's name; return what comes back."""
    header, media_type, made = call_of(held)
    hall, url = held.places["hall"].sign, held.places["cloud"].url + PATH
    fields = {
        "content-type": media_type,
        "content-digest": content_digest_header(digest(made)),
        FIELD: header.encode(),
    }
    signed = await asyncio.to_thread(
        node, folder, deed="sign", message={"method": "POST", "url": url, "headers": fields},
        pem=pem(hall), keyid=hall.kid, name="call", fields=CALL, nonce=header.call, expires=300,
    )  # fmt: skip
    headers = {name.lower(): value for name, value in signed["headers"].items()}
    return await held.poster.send(
        "POST", url, headers=headers, body=made if body is None else body, seconds=20,
        largest=1_000_000,
    )  # fmt: skip


async def test_our_gateway_takes_its_call_and_it_verifies_our_answer(
    folder: Path, tmp_path: Path
) -> None:
    async with _running(tmp_path, "direct") as (held, system):
        came = await handed(held, folder)

        assert came.status == 200, came.body
        key = held.places["hall"].seal
        inside = take_out(came.fields["content-type"], came.body, key, is_sealed=False)
        assert json.loads(Answer.decode(inside).body)["result"][0]["amount"] == 1200
        assert len(system.asked) == 1
        message: Json = {"status": came.status, "headers": came.fields}
        signers = {"cloud": held.places["cloud"].sign}
        assert await said(folder, message, signers, {"cloud": ANSWER}) == {"cloud": True}
        other = message | {"status": 201}
        assert (await said(folder, other, signers, {"cloud": ANSWER}))["cloud"] is False


async def test_what_it_signed_for_another_body_is_refused(folder: Path, tmp_path: Path) -> None:
    async with _running(tmp_path, "direct") as (held, system):
        came = await handed(held, folder, body=b"another")

    assert json.loads(came.body)["code"] == "crypto.body_altered"
    assert system.asked == []


def test_it_verifies_the_requests_between_gateways(folder: Path) -> None:
    key = SigningKey.generate()
    url = "https://gateway.cloud.example/peer/v1/transfers/1/1?after=0&seen=a&wait=5"
    fields = sign_request(
        method="GET", target_uri=url, content_digest=digest(b""), site="hall-core", key=key,
        created=datetime.now(UTC), nonce=new_id(),
    )  # fmt: skip
    message: Json = {"method": "GET", "url": url, "headers": fields}

    assert verdicts(folder, message, {"we": key}, {"we": HOP}) == {"we": True}
    elsewhere = message | {"url": url.replace("cloud", "other")}
    assert verdicts(folder, elsewhere, {"we": key}, {"we": HOP})["we"] is False
