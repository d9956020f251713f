"""Signed, recorded calls beside two nginx with mTLS alone: ``python -m tools.bench_nginx``.

The same system, client and machine, one after the other in one run: through two gateways, which
sign, check and record every call, and through two nginx, which do nothing but TLS with certificates
on both sides. Connections of both stay open. The ratio is the price of everything but the line.
"""

import argparse
import asyncio
import getpass
import tempfile
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from kumobashi.testing.bench.calls import CallsWish, _burst, _measured, _system
from kumobashi.testing.bench.machine import describe, fsync_per_second, load
from kumobashi.testing.gateways import until
from kumobashi.testing.town import free_ports
from tests.peers.authority import Authority
from tests.peers.entrances import listens
from tests.peers.running import running
from tools.debian_programs import program

_NGINX = """\
user {user}; daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 1000000; client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  upstream next {{ server 127.0.0.1:{to}; keepalive 64; keepalive_requests 1000000; }}
  server {{
    listen 127.0.0.1:{port} {listens};
    {tls}
    location / {{ proxy_pass {scheme}://next; proxy_http_version 1.1;
      proxy_set_header Connection ""; {shows} }}
  }}
}}
"""
_ASKS = """ssl_certificate {files}/server.crt; ssl_certificate_key {files}/server.key;
    ssl_client_certificate {files}/ca.crt; ssl_verify_client on;"""
_SHOWS = """proxy_ssl_certificate {files}/client.crt; proxy_ssl_certificate_key {files}/client.key;
      proxy_ssl_trusted_certificate {files}/ca.crt; proxy_ssl_verify on;
      proxy_ssl_name entrance; proxy_ssl_session_reuse on;"""


def main() -> None:
    """Run both and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=8_000)
    parser.add_argument("--at-once", type=int, default=20)
    said = parser.parse_args()
    wish = CallsWish(calls=said.calls, at_once=said.at_once, seconds=1)
    with tempfile.TemporaryDirectory(prefix="kumo-nginx-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        print(describe(""), f"{round(fsync_per_second(folder))} fsync/s, load {load()}")
        ours = _measured(folder / "gateways", wish, through_relay=False)["burst"]
        theirs = _between_nginx(folder, wish)
    for who, found in (("two gateways", ours), ("two nginx, mTLS", theirs)):
        print(
            f"{who:18} {found['per_second']:8} /s  p50 {found['p50_ms']}  p99 {found['p99_ms']} ms"
        )
    print(f"ratio 1/{theirs['per_second'] / ours['per_second']:.1f}")


def _between_nginx(folder: Path, wish: CallsWish) -> dict[str, Any]:
    first, second, behind = free_ports(3)
    files, authority = folder / "tls", Authority()
    authority.certify("entrance").at(files, "server")
    authority.certify("client").at(files)
    (files / "ca.crt").write_bytes(authority.pem)
    with ExitStack() as stack:
        stack.enter_context(_system(behind))
        until("the system", lambda: listens(behind) or None, 20)
        asks, shows = _ASKS.format(files=files), _SHOWS.format(files=files)
        for port, to, tls, out in ((second, behind, asks, ""), (first, second, "", shows)):
            place = folder / f"nginx-{port}"
            place.mkdir()
            text = _NGINX.format(
                user=getpass.getuser(), folder=place, port=port, to=to, tls=tls, shows=out,
                listens="ssl" if tls else "", scheme="https" if out else "http",
            )  # fmt: skip
            (place / "nginx.conf").write_text(text, encoding="utf-8")
            nginx = program("nginx", "nginx")
            words: list[str | Path] = [
                nginx.path,
                "-p",
                place,
                "-e",
                "stderr",
                "-c",
                place / "nginx.conf",
            ]
            here = partial(listens, port)
            stack.enter_context(running(words, place / "log", here, nginx.starts()))
        url = f"http://127.0.0.1:{first}/api/v1/payments/search"
        asyncio.run(_burst(url, {}, 300, wish.at_once))
        return asyncio.run(_burst(url, {}, wish.calls, wish.at_once))


if __name__ == "__main__":
    main()
