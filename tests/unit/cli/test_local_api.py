"""Where a command finds the gateway of its own machine."""

import re
from pathlib import Path

import pytest

from kumobashi.cli.local_api import open_local_api
from kumobashi.planning.workspace import load
from kumobashi.service.errors import GatewayDown
from tests.unit.cli.fake_gateway import FakeGateway

SITE = "hall-core"


def behind_a_proxy(workspace: Path) -> None:
    """Let the site be known by the address of a proxy, where nobody is."""
    file = workspace / f"sites/{SITE}.yaml"
    text = re.sub(r"(?m)^url: .*$", "url: https://127.0.0.1:9", file.read_text("utf-8"))
    file.write_text(text, encoding="utf-8")


def test_a_gateway_behind_a_proxy_is_asked_where_it_listens(
    workspace: Path, gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    behind_a_proxy(workspace)
    with pytest.raises(GatewayDown):
        open_local_api(load(workspace), SITE).lines()

    monkeypatch.setenv("KUMO_HOST", "127.0.0.1")
    monkeypatch.setenv("KUMO_PORT", str(gateway.port))

    assert open_local_api(load(workspace), SITE).lines() == {"lines": [], "paused_links": []}


@pytest.mark.parametrize(
    ("host", "asked"),
    [
        ("0.0.0.0", "http://127.0.0.1:8741"),  # noqa: S104 - nothing is bound
        ("::", "http://[::1]:8741"),
    ],
)
def test_one_that_listens_everywhere_is_asked_on_this_machine(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, host: str, asked: str
) -> None:
    monkeypatch.setenv("KUMO_HOST", host)
    monkeypatch.setenv("KUMO_PORT", "8741")

    assert open_local_api(load(workspace), SITE).url == asked
