"""What waits for a neighbour: seen by people, paused and cancelled, sent in order, drained."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from kumobashi.testing.city import City
from kumobashi.testing.town import DAY, Refused, Town
from tests.scenario.expecting import NHI, NOTICES, change_some, check_settled, expected, got

pytestmark = [pytest.mark.scenario, pytest.mark.slow]
HOP = "hall-exchange"


@pytest.fixture(scope="module")
def town(city: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    def in_order(folder: Path) -> None:
        path = folder / "links" / f"{NOTICES}.yaml"
        path.write_text(path.read_text("utf-8") + "order: stream\n", encoding="utf-8")

    folder = tmp_path_factory.mktemp("waiting")
    with Town.found(folder / "w", city, part_bytes=65_536, change=in_order) as made:
        made.start_all()
        yield made


def days(count: int) -> list[date]:
    return [DAY + timedelta(days=number) for number in range(count)]


def refused(town: Town, path: str) -> str:
    with pytest.raises(Refused) as refusal:
        town.call(path, {})
    return str(refusal.value.problem["code"])


def test_a_night_without_the_neighbour_is_seen_and_drained_in_order(town: Town) -> None:
    town.running[HOP].kill()
    change_some(town, random.Random(1), NOTICES)
    first, second, third = (town.submit(NOTICES, on)["transfer"] for on in days(3))

    seen = town.wait(first, lambda now: now["cause"] is not None)
    assert seen["cause"]["code"] == "exchange.peer_unreachable"
    assert seen["cause"]["side"] == HOP
    waiting = town.transfer(third)
    assert waiting["cause"]["code"] == "exchange.waits_its_turn"
    assert waiting["light"] == "waiting", "nobody is at fault"
    (line,) = [each for each in town.call("/api/v1/lines")["lines"] if each["site"] == HOP]
    assert (line["standing"], line["waiting"]) == ("down", 1)

    assert refused(town, f"/api/v1/transfers/{third}/send-first") == "exchange.order_kept"
    assert town.call(f"/api/v1/transfers/{second}/cancel", {})["transfer"]["state"] == "cancelled"
    assert refused(town, f"/api/v1/transfers/{second}/resume") == "exchange.illegal_move"
    town.call(f"/api/v1/links/{NOTICES}/pause", {})
    assert town.transfer(first)["cause"]["code"] == "exchange.paused"

    town.start(HOP)
    town.call(f"/api/v1/links/{NOTICES}/resume", {})
    assert town.wait(first, seconds=120)["state"] == "applied"
    assert town.wait(third, seconds=120)["state"] == "applied"
    check_settled(town, third, NOTICES)
    ends = {row.transfer: row.state for row in town.ledger("hall-core").outgoing()}
    assert (ends[first], ends[second], ends[third]) == ("applied", "cancelled", "applied")
    assert refused(town, f"/api/v1/transfers/{first}/cancel") == "exchange.illegal_move"


def test_rejected_rows_are_sent_anew_once_they_are_corrected(town: Town) -> None:
    some = sorted(living(town))[:2]
    town.change(
        "integrated-db",
        "update resident_registry set family_name = '𡈽屋'"  # not in cp932, no substitute
        f" where resident_no in ('{some[0]}', '{some[1]}')",
    )
    run = town.run(NHI, again=True, seconds=120)
    held_back = sorted(missing_of(town))
    assert (run["rows_quarantined"], held_back) == (2, some)
    town.change(
        "integrated-db",
        "update resident_registry set family_name = '山田', given_name = '花子'"
        f" where resident_no = '{held_back[0]}'",
    )

    again = town.call(f"/api/v1/transfers/{run['transfer']}/resend", {"rejected_only": True})
    done = town.wait(again["transfer"]["transfer"], seconds=120)

    assert (done["state"], done["mode"]) == ("applied", "difference")
    assert done["rows_applied"] == 1, "only the row that was corrected"
    assert expected(town, NHI) == got(town, NHI)
    assert held_back[0] not in missing_of(town)
    with pytest.raises(Refused) as refusal:
        town.call(f"/api/v1/transfers/{run['transfer']}/resend", {"rejected_only": True})
    assert refusal.value.problem["code"] == "exchange.nothing_to_resend"


def missing_of(town: Town) -> set[str]:
    """Return the residents that the receiver does not have."""
    there = {row[0] for row in town.sql("nhi", "select resident_no from insured_residents")}
    return living(town) - there


def living(town: Town) -> set[str]:
    query = "select resident_no from resident_registry where resident_status = '1'"
    return {row[0] for row in town.sql("integrated-db", query)}


def test_a_paused_transfer_stays_and_goes_on_when_resumed(town: Town) -> None:
    town.call(f"/api/v1/links/{NOTICES}/pause", {})
    transfer = town.submit(NOTICES, DAY + timedelta(days=9))["transfer"]
    town.call(f"/api/v1/transfers/{transfer}/pause", {})
    town.call(f"/api/v1/links/{NOTICES}/resume", {})
    seen = town.transfer(transfer)
    assert (seen["state"], seen["cause"]["code"]) == ("extracting", "exchange.paused")

    town.call(f"/api/v1/transfers/{transfer}/resume", {})
    assert town.wait(transfer, seconds=120)["state"] == "applied"
