"""Requests of residents with real gateways: answered from the evidence, decided, printed."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from kumobashi.kernel import business_date
from kumobashi.testing.city import City
from kumobashi.testing.town import Refused, Town
from tests.scenario.accounts import account
from tests.scenario.expecting import NOTICES, tokens

pytestmark = [pytest.mark.scenario, pytest.mark.slow]
TODAY = business_date(datetime.now(UTC))
Json = dict[str, Any]
_NAMES = count(1)


@pytest.fixture(scope="module")
def town(city: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with Town.found(tmp_path_factory.mktemp("requests") / "w", city, is_gated=True) as made:
        made.start_all()
        run = made.run(NOTICES, TODAY)
        assert run["state"] == "applied", (run["cause"], run["findings"])
        yield made


def fresh(town: Town, role: str) -> dict[str, str]:
    """Return somebody new, who signs in once, by a code that does not end at this moment."""
    signs = account(town, f"{role[:4]}{next(_NAMES)}", role)
    signs()
    return signs()


def do(town: Town, deed: str, who: dict[str, str] | None = None, **said: object) -> Json:
    return town.call(f"/api/v1/requests/{deed}", {**said, **(who or {})})


def one(found: Json) -> Json:
    (request,) = found["requests"]
    return dict(request)


def new(town: Town, number: str, kind: str = "disclosure", **said: object) -> Json:
    wish = {"applicant": "self", "identity": "counter", **said}
    return do(town, "new", fresh(town, "operator"), number=number, kind=kind, **wish)


def refusal(town: Town, call: Callable[[], object]) -> str:
    with pytest.raises(Refused) as refused:
        call()
    return str(refused.value.problem["code"])


def sent(town: Town, nth: int) -> str:
    """Return the number of somebody who was in the transfer and is not protected."""
    there = arrived(town)
    query = "select resident_no from resident_registry order by 1"
    numbers = [row[0] for row in town.sql("integrated-db", query)]
    by_number = tokens(town, numbers)
    return str([number for number in numbers if by_number[number] in there][nth])


def protected(town: Town) -> str:
    query = (
        "select resident_no from support_measures"
        " where support_from <= current_date and support_to >= current_date and ended_on is null"
    )
    return str(town.sql("integrated-db", query)[0][0])


def kumobashi(
    town: Town, *words: str, said: dict[str, str] | None = None, exit_code: int = 0
) -> str:
    signing = f"{said['password']}\n{said['code']}\n" if said else ""
    options = ("--account", said["account"], "--password-stdin") if said else ()
    done = subprocess.run(
        [sys.executable, "-m", "kumobashi", "request", *words, *options, "--lang", "ja"],
        input=signing,
        capture_output=True,
        encoding="utf-8",
        cwd=town.folder,
        timeout=60,
        check=False,
    )
    assert done.returncode == exit_code, done.stderr
    return done.stdout + done.stderr


def test_a_disclosure_is_answered_from_the_evidence_and_printed(town: Town, tmp_path: Path) -> None:
    number = sent(town, 0)
    clerk = fresh(town, "operator")
    typed = subprocess.run(
        [
            *(sys.executable, "-m", "kumobashi", "request", "new", "disclosure", "--json"),
            *("--identity", "counter", "--number-stdin", "--password-stdin"),
            *("--account", clerk["account"]),
        ],
        input=f"{number}\n{clerk['password']}\n{clerk['code']}\n",
        capture_output=True,
        encoding="utf-8",
        cwd=town.folder,
        timeout=60,
        check=False,
    )
    assert typed.returncode == 0, typed.stderr
    assert number not in typed.stdout + typed.stderr
    request = one(json.loads(typed.stdout))
    assert request["due"]["counted"] == (TODAY + timedelta(days=30)).isoformat()
    chief = account(town, "suzuki", "approver")

    file, page = tmp_path / "answer.json", tmp_path / "notice.html"
    shown = kumobashi(town, "answer", request["request"], "--output", str(file), said=chief())
    assert "含まれた 1" in shown
    answer = json.loads(file.read_bytes())
    (line,) = answer["transfers"]
    assert (line["presence"], line["basis"], line["holding"]["state"]) == (
        "included",
        "69-2-1",
        "held",
    )
    (receiver,) = answer["receivers"]
    assert receiver["deletion"] == f"kumobashi deletion request {line['transfer']}"
    assert kumobashi(
        town, "answer", request["request"], "--output", str(file), said=chief(), exit_code=64
    )  # a file that is there stays

    decided = kumobashi(town, "decide", request["request"], "--outcome", "granted", said=chief())
    assert "決定済み 全部認める" in decided
    printing = ("print", request["request"], "--output", str(page), "--answer")
    kumobashi(town, *printing, str(file))
    html = page.read_text("utf-8")
    for said in ("保有個人情報開示決定通知書", "69-2-1", "保持中", one_digest(town, request)):
        assert said in html

    answer["transfers"] = []  # somebody makes the record shorter
    file.chmod(0o600)
    file.write_text(json.dumps(answer), encoding="utf-8")
    assert "決定に添えたもの" in kumobashi(town, *printing, str(file), exit_code=2)

    listed = kumobashi(town, "list")
    assert request["request"] in listed
    (entry,) = [
        one
        for one in do(town, "show", request=request["request"])["revisions"]
        if one["act"] == "decide"
    ]
    assert entry["by"] == "account:suzuki"
    for text in (shown, decided, html, listed, file.read_text("utf-8")):
        assert number not in text
    assert not any(number in process.tail(10_000) for process in town.running.values())
    for name in ("state.db", "state.db-wal"):
        path = town.folder / "var/hall-core" / name
        assert not path.exists() or number.encode() not in path.read_bytes()


def one_digest(town: Town, request: Json) -> str:
    digest = one(do(town, "show", request=request["request"]))["decision"]["answer"]
    assert digest.startswith("sha256:")
    return str(digest)


def test_a_suspension_names_who_holds_the_data_and_the_deletion_that_is_there(
    town: Town, tmp_path: Path
) -> None:
    number = sent(town, 3)
    found = new(town, number, "suspension")
    assert found["warnings"] == ["no_disclosure"]  # nothing was disclosed here before
    request, chief = one(found)["request"], account(town, "mori", "approver")
    answer = do(town, "answer", chief(), request=request)["answer"]
    do(town, "decide", chief(), request=request, outcome="granted")
    (receiver,) = answer["receivers"]
    html = do(town, "paper", request=request, answer=answer)["html"]
    assert "利用停止決定通知書" in html
    assert receiver["transfer"] in html
    words = receiver["deletion"].split()
    assert words[:3] == ["kumobashi", "deletion", "request"]
    town.call(f"/api/v1/deletions/{words[3]}")  # there is such a holding
    assert refusal(town, lambda: do(town, "carry_out", chief(), request=request)) == (
        "request.decider_carries_out"
    )
    clerk = account(town, "ito", "operator")
    done = one(do(town, "carry_out", clerk(), request=request))
    assert done["state"] == "carried_out"
    assert [(far["state"], far["by"]) for far in done["receivers"]] == [("waiting", "run")]


def test_a_suspended_resident_leaves_with_no_run_until_two_lift_it(town: Town) -> None:
    number = sent(town, 4)
    (token,) = tokens(town, [number]).values()
    request = one(new(town, number, "suspension", links=[NOTICES]))["request"]
    do(town, "decide", fresh(town, "approver"), request=request, outcome="granted")
    do(town, "carry_out", fresh(town, "operator"), request=request)
    corrected = one(new(town, sent(town, 5), "correction", links=[NOTICES]))["request"]
    do(town, "decide", fresh(town, "approver"), request=corrected, outcome="granted")
    do(town, "carry_out", fresh(town, "operator"), request=corrected)
    clerk = account(town, "abe", "operator")
    assert refusal(town, lambda: do(town, "close", clerk(), request=request)) == (
        "request.receivers_open"
    )

    second = town.run(NOTICES, TODAY + timedelta(days=1))

    assert second["state"] == "applied", (second["cause"], second["findings"])
    assert token not in arrived(town)
    (far,) = one(do(town, "show", request=corrected))["receivers"]
    assert (far["state"], far["on"], far["transfer"]) == (
        "confirmed",
        TODAY.isoformat(),
        second["transfer"],
    )
    shown = kumobashi(town, "show", request)
    assert f"✓ {NOTICES}" in shown
    assert second["transfer"] in shown
    assert number not in shown
    paper = do(town, "paper", request=request, paper="receivers")["html"]
    assert "利用停止の実施について" in paper
    do(town, "close", clerk(), request=request)
    do(town, "ask_lift", clerk(), request=request, reason="本人の申出")
    do(town, "lift", fresh(town, "approver"), request=request)
    third = town.run(NOTICES, TODAY + timedelta(days=2))
    assert third["state"] == "applied", (third["cause"], third["findings"])
    assert token in arrived(town)
    assert third["left_to_people"] == second["left_to_people"], "nobody had to see to her"


def arrived(town: Town) -> set[str]:
    return {row[0] for row in town.sql("notice-cloud", "select token from notice_attributes")}


def test_a_refusal_needs_two_and_who_may_what(town: Town) -> None:
    request = one(new(town, sent(town, 1), "suspension"))["request"]
    wish = {"outcome": "refused", "clauses": ["101-2"], "reason": "提供は法令によるため"}
    chief = account(town, "kato", "approver")
    found = one(do(town, "propose", chief(), request=request, **wish))
    confirm = {"request": request, "proposal": found["proposal_hash"]}
    assert refusal(town, lambda: do(town, "confirm", chief(), **confirm)) == "request.same_person"
    clerk = fresh(town, "operator")
    assert refusal(town, lambda: do(town, "confirm", clerk, **confirm)) == "identity.not_permitted"
    assert refusal(town, lambda: do(town, "confirm", **confirm)) == "service.account_needed"
    done = one(do(town, "confirm", fresh(town, "approver"), **confirm))
    assert (done["state"], done["decision"]["outcome"]) == ("decided", "refused")
    assert "利用停止をしない旨" in do(town, "paper", request=request)["html"]
    viewer = fresh(town, "viewer")
    body = {"number": "1", "kind": "disclosure", "applicant": "self"}
    assert refusal(town, lambda: do(town, "new", viewer, **body)) == "identity.not_permitted"


def test_whoever_asks_for_a_protected_person_is_stopped(town: Town) -> None:
    number = protected(town)
    for typed in (number, number.lstrip("0"), f" {number}"):
        code = refusal(town, partial(new, town, typed, applicant="proxy"))
        assert code == "request.subject_protected"
    found = new(town, number, applicant="proxy", section_asked="福祉課", dry_run=True)
    assert (found["warnings"], found["requests"]) == (["protected"], [])
    assert new(town, number)["warnings"] == ["protected"]  # by the resident: a warning
    assert refusal(town, lambda: new(town, number)) == "request.twice"


def test_who_died_is_not_asked_for_and_a_wrong_number_is_said(town: Town) -> None:
    number = sent(town, 2)
    town.call("/api/v1/consents/died", {"resident_no": number})
    assert refusal(town, lambda: new(town, number)) == "request.subject_gone"
    wrong = new(town, "99999999999999")
    assert wrong["warnings"] == ["number_unknown"]
    request = one(wrong)["request"]
    found = do(town, "answer", fresh(town, "approver"), request=request)
    assert {line["presence"] for line in found["answer"]["transfers"]} == {"possible"}
    assert refusal(town, lambda: new(town, "1", links=["nothing"])) == "planning.link_unknown"
    assert kumobashi(town, "verify").strip() == "請求の記録は書いたときのままです。"
