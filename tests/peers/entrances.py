"""What others put before a gateway: nginx and haproxy, ending TLS and asking for a certificate."""

import getpass
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.peers.authority import Authority
from tests.peers.running import running
from tools.debian_programs import Program, ProgramMissing, program

KINDS = ("nginx", "haproxy")
_NGINX = """\
user {user}; daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr warn;
events {{ worker_connections 512; }}
http {{
  access_log off; client_max_body_size 64m; proxy_read_timeout 60s;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {folder}/server.crt; ssl_certificate_key {folder}/server.key;
    ssl_client_certificate {folder}/clients.crt; ssl_verify_client on;
    ssl_protocols {protocols};
    location /peer/ {{ proxy_pass http://127.0.0.1:{behind}; proxy_http_version 1.1; }}
    location = /health {{ proxy_pass http://127.0.0.1:{behind}; }}
  }}
}}
"""
_HAPROXY = """\
global
  maxconn 512
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend entrance
  bind 127.0.0.1:{port} ssl crt {folder}/both.pem ca-file {folder}/clients.crt verify required \
{versions}
  http-request deny unless {{ path_beg /peer/ }} or {{ path /health }}
  default_backend gateway
backend gateway
  server one 127.0.0.1:{behind}
"""


def have(name: str, *packages: str) -> Program:
    """Return a program of others, or skip the test that wants it and say why."""
    try:
        return program(name, *packages)
    except ProgramMissing as error:
        pytest.skip(str(error))


@contextmanager
def entrance(
    kind: str, folder: Path, authority: Authority, port: int, *, behind: int, tls: str = "1.3"
) -> Iterator[None]:
    """Run nginx or haproxy at ``port`` before what listens at ``behind``, for TLS from 1.2 on.

    ``tls`` is the newest version that it speaks.
    """
    folder.mkdir(parents=True)
    shown = authority.certify("entrance")
    shown.at(folder, "server")
    (folder / "both.pem").write_bytes(shown.certificate + shown.key)
    (folder / "clients.crt").write_bytes(authority.pem)
    text = (_NGINX if kind == "nginx" else _HAPROXY).format(
        folder=folder,
        user=getpass.getuser(),
        port=port,
        behind=behind,
        protocols="TLSv1.2 TLSv1.3" if tls == "1.3" else "TLSv1.2",
        versions=f"ssl-min-ver TLSv1.2 ssl-max-ver TLSv{tls}",
    )
    config = folder / f"{kind}.conf"
    config.write_text(text, encoding="utf-8")
    found = have(kind, kind)
    words: list[str | Path] = (
        ["-p", folder, "-e", "stderr", "-c", config] if kind == "nginx" else ["-f", config]
    )
    command: list[str | Path] = [found.path, *words]
    with running(command, folder / f"{kind}.log", partial(listens, port), found.starts()):
        yield


def listens(port: int) -> bool:
    """Whether somebody takes connections at a port of this machine."""
    with socket.socket() as line:
        line.settimeout(2)
        return line.connect_ex(("127.0.0.1", port)) == 0
