"""What stands beside our gateways: two nginx, one after the other, with mutual TLS between them.

They pass bytes on. They sign nothing, check nothing of what is in them, and record nothing; what
they cost is the price of a hop and of its encryption.
"""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from kumobashi.testing.bench.errors import PipelineFailed
from kumobashi.testing.town import free_ports

_WAIT_SECONDS = 10.0
_CONFIG = """\
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 1000000;
    upstream next {{ server {next}; keepalive 256; keepalive_requests 1000000; }}
    server {{
        listen 127.0.0.1:{port} {listen};
        {server}
        location / {{
            proxy_pass {scheme}://next{path};
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            {proxy}
        }}
    }}
}}
"""
_SERVER = """ssl_certificate {certificates}/cert.pem;
        ssl_certificate_key {certificates}/key.pem;
        ssl_client_certificate {certificates}/cert.pem;
        ssl_verify_client on;"""
_PROXY = """proxy_ssl_certificate {certificates}/cert.pem;
            proxy_ssl_certificate_key {certificates}/key.pem;
            proxy_ssl_trusted_certificate {certificates}/cert.pem;
            proxy_ssl_name localhost;
            proxy_ssl_verify on;"""


@contextmanager
def nginx_before(url: str, folder: Path) -> Iterator[str | None]:
    """Give an address that reaches ``url`` through both, or nothing where there is no nginx.

    Raises:
        PipelineFailed: they did not start.
    """
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        yield None
        return
    asked = urlsplit(url)
    near, far = free_ports(2)
    _certify(folder)
    ways = {
        "far": _config(folder / "far", far, asked.netloc, "http", asked.path, is_near=False),
        "near": _config(folder / "near", near, f"127.0.0.1:{far}", "https", "/", is_near=True),
    }
    started: list[subprocess.Popen[bytes]] = []
    try:
        for held in ways.values():
            words = [program, "-c", str(held / "nginx.conf"), "-e", str(held / "error.log")]
            started.append(subprocess.Popen(words, stderr=subprocess.DEVNULL))  # noqa: S603 - found
        for port in (far, near):
            _wait(port)
        yield f"http://127.0.0.1:{near}/"
    finally:
        for one in started:
            one.terminate()
        for one in started:
            one.wait()


def _config(folder: Path, port: int, next_: str, scheme: str, path: str, *, is_near: bool) -> Path:
    folder.mkdir()
    (folder / "nginx.conf").write_text(
        _CONFIG.format(
            folder=folder,
            port=port,
            listen="" if is_near else "ssl",
            server="" if is_near else _SERVER.format(certificates=folder.parent),
            proxy=_PROXY.format(certificates=folder.parent) if is_near else "",
            scheme=scheme,
            path=path,
            next=next_,
        ),
        "utf-8",
    )
    return folder


def _certify(folder: Path) -> None:
    """Write a key and a certificate that is its own authority, for both of them."""
    folder.mkdir(parents=True)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "cert.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(private)


def _wait(port: int) -> None:
    """Wait until somebody listens."""
    end = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < end:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise PipelineFailed(way="nginx", says="it does not listen")
