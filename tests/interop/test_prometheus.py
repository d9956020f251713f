"""A real gateway, watched by Debian's Prometheus, Alertmanager and blackbox exporter."""

import json
import re
import shutil
import socket
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from kumobashi.crypto.private_files import write_private
from kumobashi.service.scraping import TOKEN
from kumobashi.testing.city import build
from kumobashi.testing.gateways import until
from kumobashi.testing.town import Town, free_ports
from tests.docs.examples import ROOT
from tests.docs.test_watching import QUERIES
from tests.peers.prometheus import asked, of_debian, run, running

pytestmark = [pytest.mark.interop, pytest.mark.slow]
DEPLOY = ROOT / "deploy"
SITE = "hall-core"
SECRET = "0b51f1a0c5d84d8c9d5f1e2a7b3c4d5e6f708192"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("watched") / "city"
    with build(60) as city, Town.found(folder, city) as made:
        write_private(folder / "private" / SITE / TOKEN, SECRET.encode())
        made.start(SITE, environment={"KUMO_HOST": "0.0.0.0"})  # noqa: S104 - a loopback has no far side
        yield made


@pytest.fixture
def told() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Give a receiver of notices, and what it has received."""
    received: list[dict[str, Any]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            received.append({"path": self.path, **body})
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}", received
        server.shutdown()
        thread.join()


def test_promtool_takes_our_rules_and_their_tests_hold() -> None:
    promtool = of_debian("promtool", "prometheus")
    place = DEPLOY / "prometheus"
    assert "rules found" in run(promtool, "check", "rules", "kumobashi.rules.yml", cwd=place)
    run(promtool, "check", "config", "prometheus.yml", cwd=place)
    said = run(promtool, "test", "rules", "kumobashi.rules.test.yml", cwd=place)
    assert "SUCCESS" in said


def test_a_test_of_the_rules_can_fail(tmp_path: Path) -> None:
    promtool = of_debian("promtool", "prometheus")
    for file in (DEPLOY / "prometheus").glob("*.yml"):
        shutil.copy(file, tmp_path)
    rules = tmp_path / "kumobashi.rules.yml"
    changed = rules.read_text("utf-8").replace("up{job=~", "1 - up{job=~")
    rules.write_text(changed, "utf-8")
    with pytest.raises(AssertionError, match="FAILED"):
        run(promtool, "test", "rules", "kumobashi.rules.test.yml", cwd=tmp_path)


def test_promtool_finds_nothing_to_better_in_the_page(town: Town) -> None:
    promtool = of_debian("promtool", "prometheus")
    with urllib.request.urlopen(f"{town.door(SITE)}/metrics") as answer:  # noqa: S310 - http
        page = answer.read()
    done = subprocess.run(
        [promtool.path, "check", "metrics"],
        input=page, env=promtool.starts(), capture_output=True, check=False,
    )  # fmt: skip
    lines = [line for line in done.stderr.decode().splitlines() if line.startswith("kumobashi")]
    assert lines == []


def test_alertmanager_takes_our_example() -> None:
    amtool = of_debian("amtool", "prometheus-alertmanager")
    run(amtool, "check-config", "alertmanager.yml", cwd=DEPLOY / "alertmanager")


def test_a_gateway_is_scraped_killed_and_told_of(
    town: Town, told: tuple[str, list[dict[str, Any]]], tmp_path: Path
) -> None:
    prometheus = of_debian("prometheus", "prometheus")
    manager = of_debian("prometheus-alertmanager", "prometheus-alertmanager")
    exporter = of_debian("prometheus-blackbox-exporter", "prometheus-blackbox-exporter")
    port, alert_port, probe_port = free_ports(3)
    receiver, received = told
    _write_prometheus(tmp_path, town, alert_port, probe_port)
    _write_alertmanager(tmp_path, receiver)
    blackbox = exporter.root / "etc/prometheus/blackbox.yml"
    with (
        running(
            exporter,
            f"--config.file={blackbox}",
            f"--web.listen-address=127.0.0.1:{probe_port}",
            folder=tmp_path,
            ready=f"http://127.0.0.1:{probe_port}/-/healthy",
        ),
        running(
            manager,
            "--config.file=alertmanager.yml",
            "--storage.path=alertmanager",
            f"--web.listen-address=127.0.0.1:{alert_port}",
            "--cluster.listen-address=",
            folder=tmp_path,
            ready=f"http://127.0.0.1:{alert_port}/-/ready",
        ),
        running(
            prometheus,
            "--config.file=prometheus.yml",
            "--storage.tsdb.path=prometheus",
            f"--web.listen-address=127.0.0.1:{port}",
            folder=tmp_path,
            ready=f"http://127.0.0.1:{port}/-/ready",
        ),
    ):
        site = f'site="{SITE}"'
        until("a scrape", lambda: asked(port, f"kumobashi_build_info{{{site}}}") or None, 30)
        until("links", lambda: asked(port, f"kumobashi_links{{{site}}}") or None, 30)
        until("a probe", lambda: asked(port, 'probe_success{job="kumobashi-probe"} == 1') or None)
        until("with a token", lambda: asked(port, 'up{job="kumobashi-far"} == 1') or None, 20)
        assert asked(port, 'up{job="kumobashi-far-without"} == 0')
        _every_query_is_understood(port)
        assert [one for one in received if "KumobashiGatewayDown" in json.dumps(one)] == []
        town.running[SITE].kill()

        def told_of() -> dict[str, Any] | None:
            found = [
                alert
                for notice in received
                for alert in notice["alerts"]
                if alert["labels"]["alertname"] == "KumobashiGatewayDown"
                and alert["labels"]["job"] == "kumobashi"
            ]
            return found[0] if found else None

        alert = until("the notice", told_of, 60)
    assert alert["status"] == "firing"
    assert alert["labels"]["severity"] == "now"
    assert "応答していません" in alert["annotations"]["summary"]
    assert received[0]["path"] == "/duty"


def _every_query_is_understood(port: int) -> None:
    answered = set()
    for where, query in QUERIES:
        if asked(port, query.replace("$site", ".*")):
            answered.add(where)
    assert len(answered) > 10  # of the others nothing has happened yet


def _write_prometheus(folder: Path, town: Town, alert_port: int, probe_port: int) -> None:
    rules = (DEPLOY / "prometheus/kumobashi.rules.yml").read_text("utf-8")
    rules = re.sub(r"(for|interval): \d+[ms]", r"\1: 1s", rules)  # nobody waits for minutes here
    (folder / "kumobashi.rules.yml").write_text(rules, "utf-8")
    (folder / "token").write_text(SECRET, "ascii")
    near = f"127.0.0.1:{town.ports[SITE]}"
    far = f"{_own_address()}:{town.ports[SITE]}"
    (folder / "prometheus.yml").write_text(
        f"""\
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [kumobashi.rules.yml]
alerting:
  alertmanagers: [{{static_configs: [{{targets: ["127.0.0.1:{alert_port}"]}}]}}]
scrape_configs:
  - job_name: kumobashi
    static_configs: [{{targets: ["{near}"]}}]
  - job_name: kumobashi-far
    authorization: {{credentials_file: token}}
    static_configs: [{{targets: ["{far}"]}}]
  - job_name: kumobashi-far-without
    static_configs: [{{targets: ["{far}"]}}]
  - job_name: kumobashi-probe
    metrics_path: /probe
    params: {{module: [http_2xx]}}
    static_configs: [{{targets: ["http://{near}/health"]}}]
    relabel_configs:
      - {{source_labels: [__address__], target_label: __param_target}}
      - {{source_labels: [__param_target], target_label: instance}}
      - {{target_label: __address__, replacement: "127.0.0.1:{probe_port}"}}
""",
        "utf-8",
    )


def _write_alertmanager(folder: Path, receiver: str) -> None:
    text = (DEPLOY / "alertmanager/alertmanager.yml").read_text("utf-8")
    text = text.replace("127.0.0.1:9095", receiver).replace("group_wait: 10s", "group_wait: 1s")
    (folder / "alertmanager.yml").write_text(text, "utf-8")


def _own_address() -> str:
    """Return an address of this machine that is not loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trial:
        try:
            trial.connect(("192.0.2.1", 9))  # sends nothing
            address = str(trial.getsockname()[0])
        except OSError:
            address = "127.0.0.1"
    if address.startswith("127."):
        pytest.skip("this machine has no address but its own loopback")
    return address
