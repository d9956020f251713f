"""Incidents with real gateways: what left, to how many, sealed to which key, deleted or not."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from kumobashi.kernel import business_date, to_wire
from kumobashi.testing.city import City
from kumobashi.testing.gateways import until
from kumobashi.testing.town import Refused, Town
from tests.scenario.accounts import account
from tests.scenario.expecting import NOTICES

pytestmark = [pytest.mark.scenario, pytest.mark.slow]
NOW = datetime.now(UTC)
TODAY = business_date(NOW)
_NAMES = count(1)
NOTICED = to_wire(NOW - timedelta(hours=2))


@pytest.fixture(scope="module")
def town(city: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with Town.found(tmp_path_factory.mktemp("leaked") / "w", city) as made:
        made.start_all()
        for again in (False, True):
            run = made.run(NOTICES, TODAY, again=again)
            assert run["state"] == "applied", (run["cause"], run["findings"])
        yield made


def fresh(town: Town, role: str = "operator") -> dict[str, str]:
    """Return somebody new, who signs in once, by a code that does not end at this moment."""
    signs = account(town, f"{role[:4]}{next(_NAMES)}", role)
    signs()
    return signs()


def ask(town: Town, deed: str, who: dict[str, str] | None = None, **said: object) -> dict[str, Any]:
    return town.call(f"/api/v1/incidents/{deed}", {**said, **(who or {})})


def opened(town: Town, **said: object) -> dict[str, Any]:
    body = {"link": NOTICES, "noticed": NOTICED, "kinds": ["leak"], **said}
    found: dict[str, Any] = ask(town, "open", fresh(town), **body)["incident"]
    return found


def test_persons_are_counted_and_several_transfers_are_an_upper_bound(town: Town) -> None:
    held = town.sql("notice-cloud", "select count(*) from notice_attributes")[0][0]
    both = opened(town)
    first, second = both["transfers_exposed"]
    assert first["rows"] == second["rows"] == held
    assert both["persons"] == {
        "at_least": held,
        "at_most": held * 2,
        "is_exact": False,
        "is_counted": False,
    }
    one = opened(town, transfers=[first["transfer"]])
    assert one["persons"]["is_exact"]
    assert one["persons"]["at_most"] == held
    many = next(row for row in one["thresholds"] if row["code"] == "many")
    assert (many["met"], one["must_report"]) == ("yes", "yes")


def test_the_seal_and_the_keys_are_told_before_and_after_deletion(town: Town) -> None:
    found = opened(town, place="route")
    assert found["open_text"] is False
    newest = found["transfers_exposed"][0]
    assert newest["sealed_to"].startswith("sha256:")
    assert newest["recipient"].startswith("age1")
    assert newest["recipient_state"] == "in_use"
    assert newest["receiver"] == "held"
    assert newest["items"]
    assert "public_assistance" in newest["special_items"]

    clerk = account(town, "kikaku", "approver")
    transfer = newest["transfer"]
    town.call(f"/api/v1/deletions/{transfer}/request", clerk())
    until(
        "the deletion",
        lambda: town.call(f"/api/v1/deletions/{transfer}")["state"] == "deleted" or None,
        30,
    )
    shown = ask(town, "show", incident=found["incident"])["incident"]
    after = next(one for one in shown["transfers_exposed"] if one["transfer"] == transfer)
    assert after["receiver"] == "deleted"
    assert after["receipt"]
    assert (after["key_at_sender"], after["parts_at_sender"]) == ("gone", "gone")
    page = ask(town, "report", incident=found["incident"], report="prompt")
    assert "消去済（署名あり）" in page["html"]
    assert "封緘されていた" in page["html"]
    assert page["html"].count("<mark>") == len(page["paper"]["blanks"])
    other = ask(town, "amend", fresh(town), incident=found["incident"], place="receiver")[
        "incident"
    ]
    assert other["open_text"] is True


def test_who_writes_signs_in_and_an_open_incident_is_told_with_its_clocks(town: Town) -> None:
    body = {"link": NOTICES, "noticed": NOTICED, "kinds": ["leak"]}
    for who, code in (
        (None, "service.account_needed"),
        (fresh(town, "viewer"), "identity.not_permitted"),
    ):
        with pytest.raises(Refused) as refused:
            ask(town, "open", who, **body)
        assert refused.value.problem["code"] == code
    chief = account(town, "kikuchi", "approver")
    found = ask(town, "open", chief(), **body)["incident"]
    told = {one["incident"]: one for one in town.call("/api/v1/overview")["incidents"]}
    clocks = told[found["incident"]]["clocks"]
    assert [one["report"] for one in clocks if one["level"] == "calm"] == ["prompt", "final"]
    closing = {"incident": found["incident"], "reason": "mistaken", "note": "誤検知だった"}
    with pytest.raises(Refused) as refused:
        ask(town, "close", chief(), **closing)
    assert refused.value.problem["code"] == "incident.same_person"
    ask(town, "close", fresh(town, "approver"), **closing)
    left = {one["incident"] for one in town.call("/api/v1/overview")["incidents"]}
    assert found["incident"] not in left


def test_a_transfer_of_another_link_is_refused_and_nothing_is_kept(town: Town) -> None:
    before = len(ask(town, "list", all=True)["incidents"])
    with pytest.raises(Refused) as refused:
        opened(town, transfers=["019aa8d1-5b7c-7000-8000-0123456789ab"])
    assert refused.value.problem["code"] == "incident.unfit"
    assert len(ask(town, "list", all=True)["incidents"]) == before


def test_the_terminal_tells_the_same_whether_the_gateway_runs_or_not(town: Town) -> None:
    found = opened(town, noticed=to_wire(NOW - timedelta(days=8)), note="委託先から連絡")

    def terminal(
        *words: str, who: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        signing = ("--account", who["account"], "--password-stdin") if who else ()
        return subprocess.run(
            [sys.executable, "-m", "kumobashi", "incident", *words, *signing],
            input=f"{who['password']}\n{who['code']}\n" if who else "",
            capture_output=True,
            encoding="utf-8",
            cwd=town.folder,
            timeout=60,
            check=False,
        )

    running = terminal("list", "--json")
    assert running.returncode == 1, running.stderr  # the prompt report is late
    town.running["hall-core"].kill()
    try:
        stopped = terminal("list", "--json")
        assert stopped.returncode == 1, stopped.stderr
        assert json.loads(stopped.stdout) == json.loads(running.stdout)
        filed = to_wire(NOW)
        filing = ("report", found["incident"], "--kind", "prompt", "--filed", filed)
        assert terminal(*filing).returncode != 0  # nobody says who
        assert terminal(*filing, who=fresh(town)).returncode != 0  # an operator may not
        chief = account(town, "yamada", "approver")
        done = terminal(*filing, who=chief())
        assert done.returncode == 0, done.stderr
    finally:
        town.start("hall-core")
    shown = ask(town, "show", incident=found["incident"])
    assert shown["incident"]["state"] == "prompted"
    assert shown["incident"]["clocks"][0]["was_late"]
    noted, filed_by = (one["by"] for one in shown["history"])
    assert noted.startswith("account:oper")
    assert filed_by == "account:yamada"
    state = (town.folder / "var/hall-core/state.db").read_bytes()
    wal = town.folder / "var/hall-core/state.db-wal"
    state += wal.read_bytes() if wal.exists() else b""
    assert b'"event":"incident.moved"' in state
    logged = "".join(process.tail(10_000) for process in town.running.values())
    assert "委託先から連絡" not in logged
