"""A resident's name is planted in whatever a gateway is sent: no line of its log has it."""

import contextlib
import json
import re
import socket
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest

from kumobashi.service.call_tokens import make_token
from kumobashi.testing.city import build
from kumobashi.testing.gateways import until
from kumobashi.testing.town import Town

pytestmark = [pytest.mark.slow, pytest.mark.scenario]
SITE = "hall-core"
NAME, ROMAN, NUMBER = "山田太郎", "yamada-tarou", "123456789018"
FORGED = '\n{"level":"info","message":"forged"}\n'
FORMS = (
    NAME.encode(),
    NAME.encode("cp932"),
    NAME.encode("utf-8").decode("latin-1").encode(),
    urllib.parse.quote(NAME).encode(),
    json.dumps(NAME).strip('"').encode(),
    ROMAN.encode(),
    NUMBER.encode(),
    b"forged",
)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("planted") / "city"
    with build(60) as city, Town.found(folder, city) as made:
        make_token(made.folder, SITE, "arrears")
        made.start(SITE)
        yield made


def sent(town: Town, head: str, body: bytes = b"", *, raw: bytes = b"") -> bytes:
    """Send a request byte by byte as it is, and return the beginning of what comes back."""
    held = raw or (
        head.replace("\n", "\r\n").encode() + f"content-length: {len(body)}\r\n\r\n".encode() + body
    )
    with socket.create_connection(("127.0.0.1", town.ports[SITE]), timeout=10) as line:
        line.sendall(held)
        with contextlib.suppress(OSError):
            return line.recv(4096)
    return b""


def requests(town: Town) -> Iterator[tuple[str, bytes, bytes]]:
    """Yield heads, bodies and whole requests with names at every place."""
    folder = town.folder / "private" / SITE
    api = (folder / "api.token").read_text("ascii").strip()
    system = (folder / "systems/arrears.token").read_text("ascii").strip()
    quoted = urllib.parse.quote(NAME)
    body = json.dumps({"date": NAME, "resident_no": NUMBER, ROMAN: NAME}).encode()
    here = "host: localhost\n"
    token = f"authorization: Bearer {api}\n"
    asking = f"authorization: Bearer {system}\nkumobashi-system: arrears\n"
    peer = (
        f"kumobashi-site: {ROMAN}\ncontent-digest: sha-256=:{NUMBER}:\n"
        f'signature-input: kumo=("@method");keyid="{ROMAN}"\nsignature: kumo=:{NUMBER}:\n'
    )
    for path in (
        f"/{quoted}",
        f"/links/{ROMAN}",
        f"/api/v1/transfers/{quoted}",
        f"/metrics?{ROMAN}",
    ):
        yield f"GET {path} HTTP/1.1\n{here}{token}x-name: {ROMAN}\n", b"", b""
    yield f"POST /api/v1/links/{ROMAN}/runs HTTP/1.1\n{here}{token}", body, b""
    yield f"POST /api/v1/links/notice-attributes/runs HTTP/1.1\n{here}{token}", body, b""
    yield f"POST /api/v1/consents/{ROMAN} HTTP/1.1\n{here}{token}", body, b""
    yield f"POST /peer/v1/transfers HTTP/1.1\n{here}{peer}", body, b""
    yield f"POST /peer/v1/calls HTTP/1.1\n{here}{peer}kumobashi-call: {ROMAN}\n", body, b""
    yield f"POST /peer/v1/pulse HTTP/1.1\n{here}{peer}", body, b""
    for service in ("collection/payments/v1/payments/search", f"{ROMAN}/{quoted}/v1/{NUMBER}"):
        yield f"POST /call/{service} HTTP/1.1\n{here}{asking}traceparent: {ROMAN}\n", body, b""
    yield "", b"", f"GET /{NAME} HTTP/1.1\r\nhost: {NAME}\r\n\r\n".encode()
    yield "", b"", f"{NAME} / HTTP/9.9\r\n\r\n".encode("cp932")
    yield "", b"", f"GET / HTTP/1.1\r\nhost: localhost\r\nx: {FORGED}\r\n\r\n".encode()
    yield "", b"", b"POST /call/x HTTP/1.1\r\ncontent-length: 99\r\n\r\n" + NAME.encode()


def test_what_is_sent_to_a_gateway_is_not_in_its_log(town: Town) -> None:
    answered = [sent(town, head, body, raw=raw) for head, body, raw in requests(town)]
    assert sum(one.startswith(b"HTTP/1.1 4") for one in answered) > 8
    # What a gateway logs as its own error: a name stands where its files are.
    broken = town.folder / "links" / f"{ROMAN}.yaml"
    broken.write_text(f"kumobashi: 1\nlink: {ROMAN}\nname: {NAME}\nfrom: {NAME}\n", "utf-8")
    with contextlib.suppress(Exception):
        town.call("/api/v1/overview")
    held = until("the log tells of it", lambda: _log(town) or None, 20)
    broken.unlink()
    town.running[SITE].stop()
    held = _log(town)
    for form in FORMS:
        assert form not in held
    for line in held.decode().splitlines():
        said = json.loads(line)
        assert set(said) >= {"at", "level", "logger", "message", "process"}
        assert re.fullmatch(r"[\x20-\x7e…]+", line)


def _log(town: Town) -> bytes:
    return Path(town.folder / "var" / f"{SITE}.log").read_bytes()
