"""What a network lets through, tried with real listeners on addresses of this machine."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from kumobashi.planning.net_rules import net_rules
from kumobashi.planning.sampling import write_sample
from kumobashi.planning.workspace import Workspace, load
from kumobashi.service.net_probe import Found, Tried, probes_from, try_all
from kumobashi.testing.town import free_ports

SITES = ("hall-core", "hall-exchange", "asp-relay", "public-cloud")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    ports = dict(zip(SITES, free_ports(4), strict=True))
    folder = write_sample(tmp_path / "city", ports=ports)
    for number, site in enumerate(SITES, 2):
        file = folder / f"sites/{site}.yaml"
        text = file.read_text("utf-8").replace("//127.0.0.1:", f"//127.0.0.{number}:")
        file.write_text(text, encoding="utf-8")
    return load(folder)


@pytest.fixture
def listens(workspace: Workspace) -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def _listen(stack: ExitStack, host: str, port: int) -> None:
    listener = stack.enter_context(socket.socket())
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen()


def _tried(workspace: Workspace, site: str) -> dict[tuple[str, int], Tried]:
    found = try_all(probes_from(workspace, net_rules(workspace), site))
    return {(one.probe.host, one.probe.port): one for one in found}


def _at(workspace: Workspace, site: str) -> tuple[str, int]:
    host, _, port = workspace.sites[site].url.removeprefix("http://").partition(":")
    return host, int(port)


def test_what_is_allowed_and_open_and_what_is_not_and_closed_is_right(
    workspace: Workspace, listens: ExitStack
) -> None:
    _listen(listens, *_at(workspace, "hall-exchange"))

    tried = _tried(workspace, "hall-core")

    assert all(one.is_right for one in tried.values())
    first = tried[_at(workspace, "hall-exchange")]
    assert (first.probe.is_allowed, first.found) == (True, Found.OPEN)
    assert "notice-attributes" in first.probe.links
    away = tried[_at(workspace, "public-cloud")]
    assert (away.probe.is_allowed, away.found) == (False, Found.REFUSED)
    assert len(tried) > 30  # and the ports that often stand open


def test_a_way_around_the_relay_and_a_forgotten_port_are_found(
    workspace: Workspace, listens: ExitStack
) -> None:
    _listen(listens, *_at(workspace, "public-cloud"))
    _listen(listens, "127.0.0.3", 8080)

    wrong = {at: one for at, one in _tried(workspace, "hall-core").items() if not one.is_right}

    assert set(wrong) == {
        _at(workspace, "public-cloud"),  # open, and should not be
        ("127.0.0.3", 8080),
        _at(workspace, "hall-exchange"),  # allowed, and nobody answers
    }
    assert wrong[_at(workspace, "hall-exchange")].found is Found.REFUSED
