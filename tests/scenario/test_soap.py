"""SOAP through a real gateway: another's client, by token and by WS-Security, with attachments."""

import contextlib
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
import requests
import zeep
from zeep.transports import Transport

from kumobashi.service.call_tokens import make_token
from kumobashi.testing.city import build
from kumobashi.testing.commands import command
from kumobashi.testing.gateways import until
from kumobashi.testing.soap_vendor import declare_ledger
from kumobashi.testing.town import Town
from tests.page_examples import ADDRESS, Page, run_python, run_shell
from tests.soap_messages import ENVELOPE, V11, V12, Signer, signer

pytestmark = [pytest.mark.slow, pytest.mark.scenario]
SITE, PATH = "hall-core", "/soap/collection/ledger/v1/ledger"


class _Ledger(BaseHTTPRequestHandler):
    """The SOAP system of another vendor."""

    asked: ClassVar[list[dict[str, Any]]]
    answer: ClassVar[list[bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        content_type = self.headers["content-type"]
        action = self.headers["soapaction"]
        self.asked.append({"body": body, "type": content_type, "action": action})
        space = V12 if "application/soap+xml" in content_type else V11
        said = self.answer[0] if self.answer else (
            f'<s:Envelope xmlns:s="{space}"><s:Body><listPaymentsResponse'
            ' xmlns="urn:example:payments"><amount>1200</amount><amount>80</amount>'
            "</listPaymentsResponse></s:Body></s:Envelope>"
        ).encode()  # fmt: skip
        self.send_response(200)
        kind = "application/soap+xml" if space == V12 else "text/xml"
        self.send_header("content-type", f"{kind}; charset=utf-8")
        self.send_header("content-length", str(len(said)))
        with contextlib.suppress(BrokenPipeError):
            self.end_headers()
            self.wfile.write(said)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def system() -> Iterator[tuple[int, type[_Ledger]]]:
    class handler(_Ledger):  # noqa: N801 - one for all tests
        asked: ClassVar[list[dict[str, Any]]] = []
        answer: ClassVar[list[bytes]] = []

    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1], handler
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def town(
    tmp_path_factory: pytest.TempPathFactory, system: tuple[int, type[_Ledger]]
) -> Iterator[Town]:
    def change(folder: Path) -> None:
        declare_ledger(folder, system[0])

    folder = tmp_path_factory.mktemp("soap")
    with build(60) as city, Town.found(folder / "city", city, change=change) as town:
        make_token(town.folder, SITE, "arrears")
        town.start(SITE)
        until("the description", lambda: _described(town), 20)
        yield town


@pytest.fixture(scope="module")
def arrears(town: Town, tmp_path_factory: pytest.TempPathFactory) -> Signer:
    made = signer(tmp_path_factory.mktemp("keys"), "arrears")
    done = command("call", "certificate", "arrears", str(made.certificate), "--json",
                   folder=town.folder)  # fmt: skip
    said = json.loads(done.output)
    assert said["answers_signed_by"] == f"private/{SITE}/soap.crt"
    return made


@pytest.fixture(autouse=True)
def _forgotten(system: tuple[int, type[_Ledger]]) -> None:
    system[1].asked.clear()
    system[1].answer.clear()


def _described(town: Town) -> bool | None:
    try:
        with urllib.request.urlopen(f"{town.door(SITE)}{PATH}?wsdl", timeout=10):  # noqa: S310
            return True
    except urllib.error.HTTPError as error:
        with error:
            if b"soap.description_unknown" not in error.read():
                raise
            return None


def _token(town: Town) -> dict[str, str]:
    token = (town.folder / f"private/{SITE}/systems/arrears.token").read_text("ascii").strip()
    return {"authorization": f"Bearer {token}", "kumobashi-system": "arrears"}


def _client(town: Town, **wish: Any) -> Any:
    session = requests.Session()
    session.trust_env = False
    if "wsse" not in wish:
        session.headers.update(_token(town))
    return zeep.Client(
        f"{town.door(SITE)}{PATH}?wsdl", transport=Transport(session=session), **wish
    )


def _sent(town: Town, body: bytes, **headers: str) -> tuple[int, bytes]:
    request = urllib.request.Request(  # noqa: S310 - http, on this machine
        town.door(SITE) + PATH, data=body, headers={"content-type": "text/xml"} | headers
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - likewise
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


@pytest.mark.parametrize("port", ["P11", "P12"])
def test_anothers_client_asks_with_nothing_but_the_description(
    town: Town, system: tuple[int, type[_Ledger]], port: str
) -> None:
    client = _client(town)

    found = client.bind("LedgerService", port).listPayments(fiscalYear="2026")

    assert found == [1200, 80]
    assert b">2026<" in system[1].asked[0]["body"]
    assert "urn:list" in f"{system[1].asked[0]['action']}{system[1].asked[0]['type']}"


class _Signing:
    """Signs by one certificate, checks by another: the gateway's is not the client's."""

    def __init__(self, mine: Signer, gateway: Path) -> None:
        from zeep.wsse import utils

        self._utils = utils
        self._mine = mine.wsse()
        self._theirs = mine.wsse()
        self._theirs.cert_data = gateway.read_bytes()
        self.verified = 0

    def apply(self, envelope: Any, headers: Any) -> tuple[Any, Any]:
        from datetime import UTC, datetime, timedelta

        now, wsu = datetime.now(UTC), self._utils.WSU
        text = "%Y-%m-%dT%H:%M:%SZ"
        self._utils.get_security_header(envelope).append(
            wsu.Timestamp(
                wsu.Created(now.strftime(text)),
                wsu.Expires((now + timedelta(minutes=5)).strftime(text)),
            )
        )
        found: tuple[Any, Any] = self._mine.apply(envelope, headers)
        return found

    def verify(self, envelope: Any) -> Any:
        found = self._theirs.verify(envelope)
        self.verified += 1
        return found


def test_a_system_that_signs_needs_no_token_and_gets_a_signed_answer(
    town: Town, system: tuple[int, type[_Ledger]], arrears: Signer
) -> None:
    signing = _Signing(arrears, town.folder / f"private/{SITE}/soap.crt")
    client = _client(town, wsse=signing)

    assert client.service.listPayments(fiscalYear="2026") == [1200, 80]

    assert signing.verified == 1
    assert b"Security" not in system[1].asked[0]["body"]  # it was meant for the gateway
    body = arrears.stamped(ENVELOPE.format(space=V11))
    assert _sent(town, body)[0] == 200
    assert b"soap.signature_refused" in _sent(town, body)[1]  # once is enough
    changed = arrears.stamped(ENVELOPE.format(space=V11)).replace(b">2026<", b">2027<")
    assert b"soap.signature_refused" in _sent(town, changed)[1]
    assert len(system[1].asked) == 2


def test_attachments_pass_byte_for_byte_but_not_unsigned(
    town: Town, system: tuple[int, type[_Ledger]], arrears: Signer
) -> None:
    mark, table = "part-17", bytes(range(256)) * 400
    kind = f'multipart/related; boundary={mark}; type="text/xml"; start="<root>"'

    def message(envelope: bytes) -> bytes:
        head = f"--{mark}\r\nContent-Type: text/xml\r\nContent-ID: <root>\r\n\r\n".encode()
        file = f"\r\n--{mark}\r\nContent-ID: <table>\r\n\r\n".encode()
        return head + envelope + file + table + f"\r\n--{mark}--\r\n".encode()

    plain = message(ENVELOPE.format(space=V11).encode())
    status, _ = _sent(town, plain, **{"content-type": kind}, **_token(town))
    assert status == 200
    assert system[1].asked[0]["body"] == plain
    assert system[1].asked[0]["type"] == kind

    signed = message(arrears.stamped(ENVELOPE.format(space=V11)))
    assert b"soap.attachment_unsigned" in _sent(town, signed, **{"content-type": kind})[1]
    assert len(system[1].asked) == 1


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", b"soap.dtd_refused"),
        (ENVELOPE.format(space=V12).encode(), b"soap.version_refused"),
        (ENVELOPE.format(space=V11).encode("utf-16-le"), b"soap.charset_refused"),
        (b"{}", b"soap.envelope_unreadable"),
    ],
    ids=["dtd", "version", "charset", "json"],
)
def test_what_is_no_soap_is_a_fault_and_reaches_nobody(
    town: Town, system: tuple[int, type[_Ledger]], body: bytes, code: bytes
) -> None:
    kind = "text/xml; charset=utf-16" if code == b"soap.charset_refused" else "text/xml"

    status, said = _sent(town, body, **{"content-type": kind}, **_token(town))

    assert status == 500
    assert code in said
    assert b"faultcode" in said
    assert system[1].asked == []


def test_who_is_not_proven_gets_a_fault(town: Town, system: tuple[int, type[_Ledger]]) -> None:
    status, said = _sent(town, ENVELOPE.format(space=V11).encode())

    assert (status, b"call.system_unproven" in said) == (500, True)
    client = _client(town)
    client.transport.session.headers["authorization"] = "Bearer wrong"
    with pytest.raises(zeep.exceptions.Fault, match="業務システムを確かめられません"):
        client.service.listPayments(fiscalYear="2026")
    assert system[1].asked == []


def test_an_answer_with_entities_is_not_given_on(
    town: Town, system: tuple[int, type[_Ledger]]
) -> None:
    system[1].answer.append(
        b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/hostname'>]>"
        + ENVELOPE.format(space=V11).replace("2026", "&b;").encode()
    )

    _, said = _sent(town, ENVELOPE.format(space=V11).encode(), **_token(town))

    assert b"soap.answer_unreadable" in said
    assert b"faultcode>env:Server<" in said


def test_the_examples_of_the_page_run(town: Town, system: tuple[int, type[_Ledger]]) -> None:
    page, here = Page("ask-by-soap"), {ADDRESS: town.door(SITE)}
    asked, attached = page.blocks("python")
    (message,), (by_curl,) = page.blocks("xml"), page.blocks("sh")
    (town.folder / "message.xml").write_text(message, encoding="utf-8")
    (town.folder / "rows.csv").write_text("宛名番号\n0000000001\n", encoding="cp932")

    assert run_python(asked, town.folder, here).strip() == "[1200, 80]"
    assert "<amount>1200</amount>" in run_python(attached, town.folder, here)
    described = run_shell(page.curl("?wsdl"), town.folder, here)
    assert f"{town.door(SITE)}{PATH}" in described
    assert "<amount>1200</amount>" in run_shell(page.curl("message.xml"), town.folder, here)
    assert "<amount>1200</amount>" in run_shell(by_curl, town.folder, here)
    assert len(system[1].asked) == 4
    one, other = (said["body"] for said in system[1].asked if b"part-1" in said["body"])
    assert one.split(b"\r\n") == other.split(b"\r\n")
