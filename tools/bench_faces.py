"""What each face costs: ``python -m tools.bench_faces --calls 4000``.

The same gateway, the same system behind it and the same client: a call as REST, as SOAP 1.1 with a
token, as SOAP with an attachment of 64 KiB, and by the internal-linkage profile, whose token is
taken once and whose tokens are counted apart. Every call is signed, verified and recorded on both
sides, which here are one gateway: the figures compare the faces with each other.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp

from kumobashi.calls.linkage.clients import ASSERTION_TYPE, Client, read_client
from kumobashi.kernel import new_id
from kumobashi.service.call_tokens import make_token
from kumobashi.service.linkage_clients import make_client
from kumobashi.testing.bench.machine import describe, fsync_per_second, load
from kumobashi.testing.city import build
from kumobashi.testing.soap_vendor import declare_ledger
from kumobashi.testing.town import Town, free_ports

SITE, API = "hall-core", "payments/v1/payments/search"
ITEMS = json.dumps({"resident_no": "0000000001", "fiscal_year": "2026"}).encode()
SOAP = (
    b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
    b'<listPayments xmlns="urn:example:payments"><fiscalYear>2026</fiscalYear></listPayments>'
    b"</s:Body></s:Envelope>"
)
MARK, FILE = b"part-17", bytes(range(256)) * 256
SWA = (
    b"--" + MARK + b"\r\nContent-Type: text/xml\r\nContent-ID: <root>\r\n\r\n" + SOAP
    + b"\r\n--" + MARK + b"\r\nContent-ID: <table>\r\n\r\n" + FILE + b"\r\n--" + MARK + b"--\r\n"
)  # fmt: skip
_SYSTEM = """
import sys, uvicorn
ROW = b'{"payment_no": "17", "levied": 5000, "paid": 0}'
ROWS = b'{"result": [' + b", ".join([ROW] * 20) + b"]}"
SOAP = b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
SOAP += b'<listPaymentsResponse xmlns="urn:example:payments">' + b"<amount>1200</amount>" * 40
SOAP += b"</listPaymentsResponse></s:Body></s:Envelope>"
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        return await send({"type": "lifespan.shutdown.complete"})
    while (await receive()).get("more_body"):
        pass
    kind, body = (b"text/xml", SOAP) if "/soap" in scope["path"] else (b"application/json", ROWS)
    headers = [(b"content-type", kind), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
uvicorn.run(app, port=int(sys.argv[1]), log_config=None, access_log=False, timeout_keep_alive=75)
"""
Json = dict[str, Any]


def main() -> None:
    """Run the benchmark and print a line for each face."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=4_000)
    parser.add_argument("--at-once", type=int, default=20)
    wish = parser.parse_args()
    (port,) = free_ports(1)
    with tempfile.TemporaryDirectory(prefix="kumo-faces-") as name, build(60) as city:
        folder = Path(name)
        print(describe(""), f"{round(fsync_per_second(folder))} fsync/s, load {load()}")

        def change(workspace: Path) -> None:
            file = workspace / "systems/collection.yaml"
            text = file.read_text("utf-8").replace(":8751/", f":{port}/")
            file.write_text(text, encoding="utf-8")
            declare_ledger(workspace, port)

        system = subprocess.Popen([sys.executable, "-c", _SYSTEM, str(port)])
        try:
            with Town.found(folder / "city", city, change=change) as town:
                _measure(town, wish.calls, wish.at_once)
        finally:
            system.kill()
            system.wait()


def _measure(town: Town, calls: int, at_once: int) -> None:
    token = make_token(town.folder, SITE, "arrears").read_text("ascii").strip()
    file = make_client(town.folder, SITE, "arrears")
    client = read_client(file.read_bytes(), "arrears")
    proof = {"authorization": f"Bearer {token}", "kumobashi-system": "arrears"}
    town.start(SITE, real=True)
    here = town.url(SITE)
    soap = f"{here}/soap/collection/ledger/v1/ledger"
    mixed = f'multipart/related; boundary={MARK.decode()}; type="text/xml"; start="<root>"'
    faces: list[tuple[str, str, bytes, Mapping[str, str]]] = [
        ("REST", f"{here}/call/collection/{API}", ITEMS,
         proof | {"content-type": "application/json"}),
        ("SOAP", soap, SOAP, proof | {"content-type": "text/xml", "soapaction": "urn:list"}),
        ("SOAP with attachment", soap, SWA, proof | {"content-type": mixed}),
    ]  # fmt: skip
    for name, url, body, headers in faces:
        _tell(name, asyncio.run(_burst(_post(url, body, headers), calls, at_once)))
    issuer = f"{here}/linkage"
    taken = asyncio.run(_burst(lambda one: _token(one, issuer, client), calls // 4, at_once))
    _tell("linkage: a token", taken)
    bearer = asyncio.run(_one_token(issuer, client))
    headers = {"authorization": f"Bearer {bearer}", "content-type": "application/json"}
    asked = _post(f"{here}/linkage/collection/{API}", ITEMS, headers)
    _tell("linkage: a call", asyncio.run(_burst(asked, calls, at_once)))


Ask = Callable[[aiohttp.ClientSession], Any]


def _post(url: str, body: bytes, headers: Mapping[str, str]) -> Ask:
    async def ask(session: aiohttp.ClientSession) -> None:
        async with session.post(url, data=body, headers=headers) as answer:
            text = await answer.read()
            if answer.status != 200 or not (b"5000" in text or b"1200" in text):  # noqa: PLR2004
                raise SystemExit(text[:400])

    return ask


async def _token(session: aiohttp.ClientSession, issuer: str, client: Client) -> str:
    address = f"{issuer}/token"
    form = {
        "grant_type": "client_credentials",
        "scope": f"collection:{API}:Read",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": client.assertion(address, new_id(), datetime.now(UTC)),
    }
    async with session.post(address, data=form) as answer:
        said: Json = await answer.json()
        if answer.status != 200:  # noqa: PLR2004 - HTTP
            raise SystemExit(said)
        return str(said["access_token"])


async def _one_token(issuer: str, client: Client) -> str:
    async with aiohttp.ClientSession() as session:
        return await _token(session, issuer, client)


async def _burst(ask: Ask, calls: int, at_once: int) -> tuple[float, list[float]]:
    times: list[float] = []
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def keep(count: int) -> None:
            for _ in range(count):
                began = time.perf_counter()
                await ask(session)
                times.append(time.perf_counter() - began)

        for _ in range(at_once):
            await ask(session)  # connections and libraries, once
        began = time.perf_counter()
        await asyncio.gather(*(keep(len(range(n, calls, at_once))) for n in range(at_once)))
        return calls / (time.perf_counter() - began), sorted(times)


def _tell(name: str, found: tuple[float, list[float]]) -> None:
    rate, times = found
    p50, p99 = (times[min(len(times) - 1, len(times) * n // 100)] * 1000 for n in (50, 99))
    print(f"{name:24} {rate:7.0f} /s   p50 {p50:6.1f} ms   p99 {p99:6.1f} ms", flush=True)


if __name__ == "__main__":
    main()
