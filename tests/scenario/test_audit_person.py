"""An auditor's question with real gateways: who was sent this resident's data, who deleted it."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from kumobashi.kernel import JST, business_date
from kumobashi.service.person_report import as_html, cells
from kumobashi.testing.city import City
from kumobashi.testing.gateways import until
from kumobashi.testing.town import Refused, Town
from tests.scenario.accounts import account
from tests.scenario.expecting import NOTICES, tokens

pytestmark = [pytest.mark.scenario, pytest.mark.slow]
NOW = datetime.now(UTC)
TODAY, YEAR = business_date(NOW), NOW.astimezone(JST).year
NOBODY = "999999999999999"


@pytest.fixture(scope="module")
def town(city: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with Town.found(tmp_path_factory.mktemp("audited") / "w", city) as made:
        made.start_all()
        run = made.run(NOTICES, TODAY)
        assert run["state"] == "applied", (run["cause"], run["findings"])
        yield made


@pytest.fixture(scope="module")
def auditor(town: Town) -> Callable[[], dict[str, str]]:
    return account(town, "kansa", "auditor")


def ask(town: Town, said: dict[str, str], number: str, year: int = YEAR) -> dict[str, Any]:
    return town.call("/api/v1/audit/person", {**said, "number": number, "year": year})


def test_whoever_was_in_the_transfer_is_told_apart_from_who_was_not(
    town: Town, auditor: Callable[[], dict[str, str]]
) -> None:
    arrived = {row[0] for row in town.sql("notice-cloud", "select token from notice_attributes")}
    numbers = [
        row[0] for row in town.sql("integrated-db", "select resident_no from resident_registry")
    ]
    by_number = tokens(town, numbers)
    sent = next(number for number in numbers if by_number[number] in arrived)

    found = ask(town, auditor(), sent)
    (line,) = found["transfers"]
    assert (line["presence"], line["grounds"]) == ("included", "snapshot"), line
    assert line["basis"] == "69-2-1"
    assert line["holding"]["state"] == "held"
    assert {one["name"] for one in line["items"]} >= {"token"}
    page = as_html(found, "ja")
    assert "含まれた" in page
    assert "69-2-1" in cells(line, "ja")[3]
    for text in (json.dumps(found), page):
        assert sent not in text
        assert by_number[sent] not in text

    # Zeros left out, full width and blanks: the same resident, never "not included".
    wide = sent.translate(str.maketrans("0123456789", "０１２３４５６７８９"))
    other_auditor = account(town, "kansa2", "auditor")
    for typed in (sent.lstrip("0"), f" 0{sent} ", wide):
        (same,) = ask(town, other_auditor(), typed)["transfers"]
        assert (same["presence"], same["grounds"]) == ("included", "snapshot"), same

    (other,) = ask(town, auditor(), NOBODY)["transfers"]
    assert (other["presence"], other["grounds"]) == ("possible", "number_unknown")

    who = auditor()
    done = subprocess.run(
        [
            *(sys.executable, "-m", "kumobashi", "audit", "person", "--year", str(YEAR)),
            *("--number-stdin", "--account", who["account"], "--password-stdin", "--lang", "ja"),
        ],
        input=f"{sent}\n{who['password']}\n{who['code']}\n",
        capture_output=True,
        encoding="utf-8",
        cwd=town.folder,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "含まれた" in done.stdout
    assert sent not in done.stdout + done.stderr

    logged = "".join(process.tail(10_000) for process in town.running.values())
    assert sent not in logged
    state = (town.folder / "var/hall-core/state.db").read_bytes()
    assert b"person.audited" in state or b"person.audited" in _wal(town)


def _wal(town: Town) -> bytes:
    path = town.folder / "var/hall-core/state.db-wal"
    return path.read_bytes() if path.exists() else b""


def test_the_deletion_stands_with_its_proof(town: Town) -> None:
    clerk = account(town, "kikaku", "approver")
    (line,) = ask(town, clerk(), NOBODY)["transfers"]
    transfer = line["transfer"]
    town.call(f"/api/v1/deletions/{transfer}/request", clerk())
    until(
        "the deletion",
        lambda: town.call(f"/api/v1/deletions/{transfer}")["state"] == "deleted" or None,
        30,
    )
    (after,) = ask(town, clerk(), NOBODY)["transfers"]
    assert after["holding"]["deleted"], after["holding"]
    assert after["holding"]["receipt"]
    assert (after["presence"], after["grounds"]) == ("possible", "nothing_kept")


def test_who_may_not_and_what_cannot_be_asked(town: Town) -> None:
    with pytest.raises(Refused) as nobody:
        ask(town, {}, NOBODY)
    assert nobody.value.problem["code"] == "service.account_needed"
    viewer = account(town, "etsuran", "operator")
    with pytest.raises(Refused) as refused:
        ask(town, viewer(), NOBODY)
    assert refused.value.problem["code"] == "identity.not_permitted"
    assert NOBODY not in json.dumps(refused.value.problem)
