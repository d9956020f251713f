"""Every OpenAPI document that we serve, tried by schemathesis against a gateway that runs.

It makes requests from the document, good ones and bad ones, and compares each answer with it: a
status that is documented, its media type, its schema, and never a failure of the server.
"""

import http.client
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kumobashi.cli.gateways import free_ports
from kumobashi.planning.sampling import SAMPLE_PORTS, write_sample
from kumobashi.testing.gateways import GatewayProcess

pytestmark = [pytest.mark.slow]
# GovStack's calls answer 400 for a service that is not there, however well it is named.
CONFIG = """
# Of a token, an assertion or a call only the profile's own codes tell what is wrong with it.
[[operations]]
include-path-regex = "^/linkage/"
checks.positive_data_acceptance.enabled = false
checks.unsupported_method.enabled = false
[[operations]]
include-operation-id = "getOpenAPI"
checks.positive_data_acceptance.enabled = false
"""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    ports = free_ports(tuple(SAMPLE_PORTS))
    folder = write_sample(tmp_path_factory.mktemp("openapi") / "city", ports=ports)
    url = f"http://127.0.0.1:{ports['hall-core']}"
    hall = GatewayProcess(folder, "hall-core", url)
    try:
        hall.wait_ready()
        yield url, (folder / "private/hall-core/api.token").read_text("ascii").strip()
    finally:
        hall.stop()


@pytest.mark.parametrize(
    ("document", "operations"),
    [
        ("/directory/v1/openapi.yaml", 5),
        ("/api/v1/openapi.yaml", 17),
        ("/linkage/openapi.yaml", 4),
    ],
)
def test_a_served_document_is_what_the_gateway_does(
    gateway: tuple[str, str], document: str, operations: int, tmp_path: Path
) -> None:
    url, token = gateway
    config = tmp_path / "schemathesis.toml"
    config.write_text(CONFIG, encoding="utf-8")
    command = [
        sys.executable, "-m", "schemathesis.cli", "--config-file", str(config),
        "run", f"{url}{document}", "-H", f"Authorization: Bearer {token}",
        "--max-examples", "15", "--seed", "1",
        "--phases", "examples,coverage,fuzzing", "--generation-database", "none", "--no-color",
    ]  # fmt: skip

    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )

    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    tried = re.search(r"Tested: ([0-9]+)", done.stdout)
    assert tried, done.stdout
    assert int(tried[1]) == operations


def test_brackets_within_brackets_are_a_bad_request(gateway: tuple[str, str]) -> None:
    url, token = gateway
    line = http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)
    try:
        line.request(
            "POST",
            "/api/v1/links/notice-attributes/runs",
            body="[" * 100_000,
            headers={"Authorization": f"Bearer {token}"},
        )
        answer = line.getresponse()
        said = json.loads(answer.read())
    finally:
        line.close()

    assert (answer.status, said["code"]) == (400, "service.bad_request")
