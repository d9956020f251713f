"""An entrance that wants a client certificate: breaking off or with a page, it is one refusal."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from kumobashi.crypto.client_tls import ClientTls, Shown
from kumobashi.exchange.entrances import NotLetIn, is_shut, look, shown_at
from tests.peers.authority import Authority

PAGE = (
    "<html><head><title>400 {0}</title></head><body><center><h1>400 Bad Request</h1></center>"
    "<center>{0}</center><hr><center>nginx/1.22.1</center></body></html>"
)


class _Entrance(BaseHTTPRequestHandler):
    """Answers as nginx does when the page is set, else as a gateway."""

    page: ClassVar[str] = ""

    def do_GET(self) -> None:
        text = (self.page or '{"site": "cloud"}').encode()
        self.send_response(400 if self.page else 200)
        self.send_header("content-type", "text/html" if self.page else "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """Say nothing of connections that it broke off."""


class _Opened:
    """An entrance with TLS on this machine, and the files of somebody who comes to it."""

    def __init__(self, authority: Authority, folder: Path, port: int) -> None:
        self.authority, self.folder = authority, folder
        self.url = f"https://127.0.0.1:{port}"
        folder.mkdir(exist_ok=True)
        (folder / "authorities.crt").write_bytes(authority.pem)

    def shown(self) -> Shown:
        found = ClientTls(self.folder).towards("cloud", self.url)
        assert found is not None
        return found


@contextmanager
def opened(
    folder: Path, *, newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3, page: str = "",
    asks: bool = True,
) -> Iterator[_Opened]:  # fmt: skip
    authority = Authority()
    authority.certify("entrance").at(folder, "server")
    (folder / "clients.crt").write_bytes(authority.pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.crt", folder / "server.key")
    context.maximum_version = newest
    if asks:
        context.load_verify_locations(folder / "clients.crt")
        context.verify_mode = ssl.CERT_REQUIRED

    class handler(_Entrance):  # noqa: N801 - one for each test
        pass

    handler.page = page
    with _Server(("127.0.0.1", 0), handler) as server:
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield _Opened(authority, folder / "tls", server.server_address[1])
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_one_that_breaks_off_is_understood_in_both_versions_of_tls(
    tmp_path: Path, newest: ssl.TLSVersion
) -> None:
    with opened(tmp_path, newest=newest) as there:
        with pytest.raises(NotLetIn) as none:
            look(there.url, there.shown())
        Authority("別の認証局").certify("hall").at(there.folder)
        with pytest.raises(NotLetIn) as foreign:
            look(there.url, there.shown())
        assert is_shut(there.url, there.shown())
        there.authority.certify("hall").at(there.folder)
        found = look(there.url, there.shown())

        assert not is_shut(there.url, there.shown())
    assert (none.value.shown, foreign.value.shown) == (False, True)
    assert found.tls == {"TLSv1_2": "TLSv1.2", "TLSv1_3": "TLSv1.3"}[newest.name]
    assert found.expires is not None
    assert found.shown_until is not None


@pytest.mark.parametrize(
    "said", ["No required SSL certificate was sent", "The SSL certificate error"]
)
def test_one_that_answers_with_a_page_is_the_same_refusal(tmp_path: Path, said: str) -> None:
    with opened(tmp_path, page=PAGE.format(said), asks=False) as there, pytest.raises(NotLetIn):
        look(there.url, there.shown())


def test_another_page_and_another_fault_of_tls_are_no_refusal_of_ours(tmp_path: Path) -> None:
    with opened(tmp_path, page=PAGE.format("Bad Request"), asks=False) as there:
        assert look(there.url, there.shown()).shown_until is None
        (there.folder / "authorities.crt").write_bytes(Authority("知らない").pem)
        with pytest.raises(ssl.SSLCertVerificationError):
            look(there.url, there.shown())
        assert not is_shut(there.url, there.shown())
    assert not is_shut(there.url, there.shown())  # nobody listens any more
    with pytest.raises(ConnectionError):
        look(there.url, there.shown())


def test_no_common_cipher_is_not_taken_for_our_certificate(tmp_path: Path) -> None:
    with opened(tmp_path, newest=ssl.TLSVersion.TLSv1_2, asks=False) as there:
        shown = there.shown()
        shown.context.minimum_version = ssl.TLSVersion.TLSv1_3
        with pytest.raises(ssl.SSLError):
            look(there.url, shown)
        assert not is_shut(there.url, shown)


def test_files_that_cannot_be_used_open_nothing(tmp_path: Path) -> None:
    (tmp_path / "client.crt").write_text("架空", encoding="utf-8")
    (tmp_path / "client.key").write_text("架空", encoding="utf-8")
    (tmp_path / "client.key").chmod(0o600)

    with pytest.raises(NotLetIn) as refused:
        shown_at("https://127.0.0.1:9", "cloud", ClientTls(tmp_path))

    assert not refused.value.shown
    assert shown_at("http://127.0.0.1:9", "cloud", ClientTls(tmp_path)) is None
