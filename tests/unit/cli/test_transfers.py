"""``kumobashi transfer`` and what holds links back, against a gateway that answers from memory."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kumobashi.cli.exits import Exit
from kumobashi.exchange.errors import HasLeft
from kumobashi.testing import scenes
from tests.unit.cli.conftest import Kumobashi
from tests.unit.cli.fake_gateway import FakeGateway

NAME = "notice-attributes"
TRANSFER = "0199f000-0000-7000-8000-000000000000"
DOWN = {
    "site": "hall-exchange",
    "standing": "down",
    "cause": {"next_try": "2026-11-21T16:20:00.000000Z", "tries": 7},
    "opens": None,
    "calls_last_minute": 3,
    "calls_permitted": 600,
    "calls_declared": 12_000,
    "at_once": 16,
    "part_bytes": 4_194_304,
    "waiting": 10_000,
}


@pytest.mark.parametrize("deed", ["pause", "resume", "cancel", "send-first"])
def test_a_deed_is_done_to_one_transfer(
    kumobashi: Kumobashi, served: Path, gateway: FakeGateway, deed: str
) -> None:
    people = kumobashi("transfer", deed, TRANSFER, "--workspace", served)
    machines = kumobashi("transfer", deed, TRANSFER, "--json", "--workspace", served)

    assert people.exit_code == machines.exit_code == Exit.OK, people.output
    asked = [(method, path) for method, path, _, _ in gateway.asked]
    assert asked.count(("POST", f"/api/v1/transfers/{TRANSFER}/{deed}")) == 2
    assert "transfer" in json.loads(machines.stdout)


@pytest.mark.parametrize("rejected_only", [False, True])
def test_a_transfer_is_sent_anew(
    kumobashi: Kumobashi, served: Path, gateway: FakeGateway, *, rejected_only: bool
) -> None:
    wish = ["--rejected-only"] if rejected_only else []
    done = kumobashi("transfer", "resend", TRANSFER, *wish, "--workspace", served)

    assert done.exit_code == Exit.OK, done.output
    assert gateway.transfers[0].transfer in done.stdout
    assert gateway.asked[-1][3] == {"rejected_only": rejected_only}


def test_a_refused_deed_says_why_and_ends_with_two(
    kumobashi: Kumobashi, served: Path, gateway: FakeGateway
) -> None:
    gateway.status, gateway.problem = 409, HasLeft(state="sent").problem()

    done = kumobashi("transfer", "cancel", TRANSFER, "--workspace", served)

    assert done.exit_code == Exit.REFUSED
    assert "もう送り出しています" in done.stderr
    assert "exchange.has_left" in done.stderr


@pytest.mark.parametrize("deed", ["pause", "resume"])
def test_a_link_is_paused_and_resumed(
    kumobashi: Kumobashi, served: Path, gateway: FakeGateway, deed: str
) -> None:
    done = kumobashi("link", deed, NAME, "--json", "--workspace", served)

    assert done.exit_code == Exit.OK, done.output
    assert json.loads(done.stdout) == {"link": NAME, "paused": deed == "pause"}
    assert gateway.asked[-1][:2] == ("POST", f"/api/v1/links/{NAME}/{deed}")


def test_the_lines_show_who_does_not_answer_and_how_many_wait(
    kumobashi: Kumobashi, served: Path, gateway: FakeGateway
) -> None:
    gateway.lines = [DOWN]

    down = kumobashi("link", "lines", "--workspace", served)
    gateway.lines = [{**DOWN, "standing": "open", "cause": None}]
    up = kumobashi("link", "lines", "--json", "--workspace", served)

    assert (down.exit_code, up.exit_code) == (Exit.RED, Exit.OK)
    for word in ("応答なし", "10,000", "600 / 12,000"):
        assert word in down.stdout, down.stdout
    assert json.loads(up.stdout)["lines"][0]["waiting"] == 10_000


def test_a_cause_says_how_many_wait_for_the_same_neighbour(
    kumobashi: Kumobashi, served: Path, gateway: FakeGateway
) -> None:
    view = scenes.stopped().latest
    assert view is not None
    assert view.cause is not None
    at = datetime(2026, 11, 21, tzinfo=UTC)
    gateway.transfers = [replace(view, cause=replace(view.cause, behind=9_999, since=at))]

    done = kumobashi("link", "run", NAME, "--timeout", "0", "--workspace", served)

    assert "同じ相手を待つ転送 9,999 件" in done.stdout
