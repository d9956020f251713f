"""What is wrong at the source never leaves: held back, left to a person, or refused by name."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from kumobashi.testing.city import City
from kumobashi.testing.town import DAY, Refused, Town
from tests.scenario.expecting import NHI, NOTICES, expected, got, tokens, unquiet

pytestmark = [pytest.mark.scenario, pytest.mark.slow]


@pytest.fixture
def town(city: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("source")
    with Town.found(folder / "w", city) as made:
        yield made
        assert all(made.is_running(site) for site in made.running)


def on_findings(town: Town, link: str, what: str) -> None:
    town.edit(f"links/{link}.yaml", "on_findings: quarantine", f"on_findings: {what}")
    town.approve()


def characters(town: Town, what: str) -> None:
    town.edit(f"links/{NHI}.yaml", "otherwise: quarantine", f"otherwise: {what}")


def a_strange_code(town: Town) -> str:
    """Give one living resident a tax code that nobody knows; return who it is."""
    ((number,),) = town.sql(
        "integrated-db",
        "select min(resident_no) from resident_tax join resident_registry using (resident_no)"
        " where resident_status = '1'",
    )
    town.change(
        "integrated-db",
        f"update resident_tax set exemption_kind = 'x' where resident_no = '{number}'",
    )
    return str(number)


def codes(seen: dict[str, Any]) -> set[tuple[str, str]]:
    return {(finding["code"], finding["item"]) for finding in seen["findings"]}


def tax_of(town: Town, number: str) -> list[tuple[Any, ...]]:
    token = tokens(town, [number])[number]
    return town.sql(
        "notice-cloud", f"select tax_exempt from notice_attributes where token = '{token}'"
    )


def test_an_unknown_code_refuses_everything_if_the_link_says_so(town: Town) -> None:
    on_findings(town, NOTICES, "refuse")
    a_strange_code(town)
    town.start_all(but=["hall-exchange", "asp-relay", "public-cloud"])

    seen = town.run(NOTICES)

    assert (seen["state"], seen["cause"]["code"]) == ("refused", "release.findings")
    assert seen["cause"]["side"] == "hall-core"
    assert codes(seen) == {("finding.unknown_code", "tax.exemption_kind")}
    assert seen["findings_total"] == 1
    assert unquiet(town) == []


def test_an_unknown_code_holds_that_resident_back(town: Town) -> None:
    number = a_strange_code(town)
    everyone = len(list(expected(town, NOTICES).elements()))
    town.start_all()

    seen = town.run(NOTICES)

    assert (seen["state"], seen["rows_quarantined"]) == ("applied", 1)
    assert seen["rows_applied"] == everyone - 1
    assert codes(seen) == {("finding.unknown_code", "tax.exemption_kind")}
    assert tax_of(town, number) == []


def test_an_unknown_code_is_sent_as_unknown_if_the_link_says_so(town: Town) -> None:
    on_findings(town, NOTICES, "go_on")
    number = a_strange_code(town)
    town.start_all()

    seen = town.run(NOTICES)

    assert (seen["state"], seen["rows_quarantined"]) == ("applied", 0)
    assert tax_of(town, number) == [(None,)], "unknown is not 0"


def test_nobody_left_to_send_is_a_fault_and_not_a_fact(town: Town) -> None:
    town.change("consent-desk", "delete from consents")
    town.start_all()

    seen = town.run(NOTICES)

    assert (seen["state"], seen["cause"]["code"]) == ("refused", "release.nothing")
    assert town.ledger("hall-exchange").incoming() == []


@pytest.mark.parametrize(
    ("system", "statement", "code"),
    [
        ("consent-desk", "drop table consents", "storage.table_missing"),
        ("integrated-db", "drop table resident_tax", "storage.table_missing"),
        (
            "integrated-db",
            "alter table resident_tax rename exemption_kind to kind",
            "storage.column_missing",
        ),
    ],
)
def test_a_missing_table_or_column_is_named(
    town: Town, system: str, statement: str, code: str
) -> None:
    town.change(system, statement)
    town.start_all(but=["hall-exchange", "asp-relay", "public-cloud"])

    seen = town.run(NOTICES)

    assert (seen["state"], seen["cause"]["code"]) == ("refused", code)


def test_counts_outside_the_approved_bounds_wait_for_a_person(town: Town) -> None:
    approve_as_counted(town, NOTICES)
    town.change(
        "consent-desk", "delete from consents where right(resident_no, 1) in ('0', '1', '2')"
    )
    town.start_all()

    seen = town.run(NOTICES)
    assert (seen["state"], seen["light"]) == ("held", "held")
    assert seen["cause"]["code"] == "exchange.outside_bounds"
    assert town.ledger("hall-exchange").incoming() == [], "nothing has left"
    assert unquiet_but(town, "held") == []

    town.restart("hall-core")  # still held, not forgotten and not sent
    assert town.transfer(seen["transfer"])["state"] == "held"
    assert town.submit(NOTICES)["transfer"] == seen["transfer"], "asking again makes no second run"

    town.call(f"/api/v1/transfers/{seen['transfer']}/accept", {})
    applied = town.wait(seen["transfer"], lambda now: now["state"] in {"applied", "refused"})
    assert (applied["state"], applied["cause"]) == ("applied", None)
    count = town.sql("notice-cloud", "select count(*) from notice_attributes")
    assert count == [(applied["rows_released"],)]


def test_a_held_run_can_be_given_up(town: Town) -> None:
    approve_as_counted(town, NOTICES)
    town.change("consent-desk", "delete from consents where right(resident_no, 1) = '0'")
    town.start_all(but=["hall-exchange", "asp-relay", "public-cloud"])
    seen = town.run(NOTICES)
    assert seen["state"] == "held"

    town.call(f"/api/v1/transfers/{seen['transfer']}/cancel", {})

    assert town.transfer(seen["transfer"])["state"] == "cancelled"
    with pytest.raises(Refused) as refusal:
        town.call(f"/api/v1/transfers/{seen['transfer']}/accept", {})
    assert refusal.value.problem["code"] == "exchange.illegal_move"
    assert town.submit(NOTICES)["transfer"] != seen["transfer"]


def unquiet_but(town: Town, state: str) -> list[str]:
    return [line for line in unquiet(town) if f" {state} " not in line]


def approve_as_counted(town: Town, link: str) -> None:
    subprocess.run(
        [
            sys.executable,
            "-m",
            "kumobashi",
            "--workspace",
            str(town.folder),
            "plan",
            link,
            "--approve",
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )


def test_a_plan_that_has_drifted_since_approval_is_not_run(town: Town) -> None:
    town.start_all(but=["hall-exchange", "asp-relay", "public-cloud"])
    town.edit(f"rules/{NOTICES}.yaml", "top: 100", "top: 110")

    with pytest.raises(Refused) as refusal:
        town.submit(NOTICES)

    assert refusal.value.problem["code"] == "exchange.drifted"
    assert town.ledger("hall-core").outgoing() == []


def test_a_plan_that_drifts_while_a_run_is_held_is_not_sent(town: Town) -> None:
    approve_as_counted(town, NOTICES)
    town.change("consent-desk", "delete from consents where right(resident_no, 1) in ('0', '1')")
    town.start_all(but=["hall-exchange", "asp-relay", "public-cloud"])
    seen = town.run(NOTICES)
    assert seen["state"] == "held"
    town.edit(f"rules/{NOTICES}.yaml", "top: 100", "top: 110")

    town.call(f"/api/v1/transfers/{seen['transfer']}/accept", {})

    ended = town.wait(seen["transfer"], lambda now: now["state"] in {"applied", "refused"})
    assert (ended["state"], ended["cause"]["code"]) == ("refused", "exchange.drifted")


def test_nobody_approved_it(town: Town) -> None:
    (town.folder / "approvals" / f"{NOTICES}.yaml").unlink()
    town.start_all(but=["hall-exchange", "asp-relay", "public-cloud"])

    with pytest.raises(Refused) as refusal:
        town.submit(NOTICES)

    assert refusal.value.problem["status"] in {403, 409}
    assert town.ledger("hall-core").outgoing() == []


@pytest.mark.parametrize("name", ["𩸽", "〜", "葛\U000e0100", "Ñ", "\xa0"])
def test_a_character_the_receiver_cannot_hold(town: Town, name: str) -> None:
    """Refused, held back or substituted, as the link says; never a silent 〓."""
    ((number,),) = town.sql(
        "integrated-db",
        "select min(resident_no) from resident_registry where resident_status = '1'",
    )
    town.change(
        "integrated-db",
        f"update resident_registry set given_name = '{name}' where resident_no = '{number}'",
    )
    characters(town, "refuse")
    town.edit(f"links/{NHI}.yaml", ', "葛\U000e0100": "葛"', "")
    town.edit(f"links/{NHI}.yaml", "bounds: .*", "")
    town.approve()
    town.start_all(but=["hall-exchange", "asp-relay", "public-cloud"])

    seen = town.run(NHI)
    assert (seen["state"], seen["cause"]["code"]) == ("refused", "release.findings")
    assert ("finding.character_unmappable", "given_name") in codes(seen)

    town.edit(f"links/{NHI}.yaml", "otherwise: refuse", "otherwise: quarantine")
    town.approve()
    seen = town.run(NHI)
    assert seen["state"] == "applied"
    assert seen["rows_quarantined"] >= 1
    found = f"select count(*) from insured_residents where resident_no = '{number}'"
    assert town.sql("nhi", found) == [(0,)]
    assert ("finding.character_unmappable", "given_name") in codes(seen)

    town.edit(
        f"links/{NHI}.yaml",
        '"𠮷": "吉"',
        f'"𠮷": "吉", "{name[-1] if len(name) == 1 else name}": "鯱"',
    )
    town.approve()
    seen = town.run(NHI, again=True)
    assert seen["state"] == "applied"
    held = f"select given_name from insured_residents where resident_no = '{number}'"
    assert town.sql("nhi", held) == [("鯱",)]
    # The source keeps what it had.
    kept = f"select given_name from resident_registry where resident_no = '{number}'"
    assert town.sql("integrated-db", kept) == [(name,)]


def test_a_row_held_back_in_one_difference_comes_with_a_later_one(town: Town) -> None:
    town.start_all(but=["hall-exchange", "asp-relay", "public-cloud"])
    assert town.run(NHI)["mode"] == "full"
    ((number,),) = town.sql(
        "integrated-db",
        "select min(resident_no) from resident_registry where resident_status = '1'",
    )
    update = "update resident_registry set given_name = '{}' where resident_no = '{}'"
    town.change("integrated-db", update.format("𩸽", number))
    seen = town.run(NHI, again=True)
    assert (seen["mode"], seen["state"]) == ("difference", "applied")
    assert got(town, NHI) == expected(town, NHI), "held back: not there rather than outdated"

    town.change("integrated-db", update.format("花", number))
    seen = town.run(NHI, again=True)
    assert (seen["state"], seen["rows_applied"]) == ("applied", 1)
    assert got(town, NHI) == expected(town, NHI)


def test_an_unknown_link_and_nonsense_at_the_local_api(town: Town) -> None:
    town.start_all(but=["hall-exchange", "asp-relay", "public-cloud"])
    for path, body in [
        ("/api/v1/links/nothing/runs", {}),
        (f"/api/v1/links/{NOTICES}/runs", {"date": "2026-13-01"}),
        ("/api/v1/transfers/nothing", None),
        ("/api/v1/transfers/nothing/accept", {}),
    ]:
        with pytest.raises(Refused) as refusal:
            town.call(path, body)
        assert 400 <= refusal.value.problem["status"] < 500
        assert refusal.value.problem["detail"]


def test_a_run_asked_for_twice_is_one_run(town: Town) -> None:
    town.start_all(but=["hall-exchange", "asp-relay", "public-cloud"])

    first = town.submit(NHI)["transfer"]
    second = town.submit(NHI)["transfer"]
    town.wait(first)
    third = town.submit(NHI)["transfer"]

    assert first == second == third
    assert town.sql("nhi", "select count(*) from kumobashi_applied") == [(1,)]
    assert town.submit(NHI, on=DAY.replace(day=20))["transfer"] != first
