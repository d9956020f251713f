"""Media in the plan: off unless a link says otherwise, and the only way where no line leads."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from kumobashi.planning.errors import WorkspaceBroken
from kumobashi.planning.plan import Plan, plan
from kumobashi.planning.plan_json import as_json
from kumobashi.planning.publishing import publish_directory
from kumobashi.planning.workspace import load
from tests.unit.planning.test_plan import LINK, ON, edit

NOW = datetime(2026, 11, 22, tzinfo=UTC)
LAST = "contact: vendor-b"


def planned(folder: Path, on: date = ON) -> Plan:
    return plan(load(folder), publish_directory(folder, now=NOW), LINK, on=on)


def permit(folder: Path, said: str = "courier: {longest_days: 7}") -> None:
    edit(folder, f"links/{LINK}.yaml", LAST, f"{said}\n{LAST}")


def cut_off(folder: Path, zone: str = "mynumber") -> None:
    line = "{site: hall-exchange, by: designated_communication}"
    edit(folder, "sites/hall-core.yaml", line, "{site: public-cloud, by: courier}")
    edit(folder, "sites/public-cloud.yaml", "zone: internet", f"zone: {zone}")
    rules = folder / "policy/who_may.csv"
    text = rules.read_text(encoding="utf-8")
    rules.write_text(text.replace(",mynumber,internet,", f",mynumber,{zone},"), encoding="utf-8")


def test_permitting_media_is_a_decision_that_is_approved_anew(folder: Path) -> None:
    before = planned(folder)
    permit(folder)
    after = planned(folder)

    assert as_json(before)["courier"] is None
    assert as_json(after)["courier"] == {"longest_days": 7}
    assert "courier" not in before.decision["link"]
    assert after.decision["link"]["courier"] == {"longest_days": 7}
    assert before.is_permitted
    assert after.is_permitted
    assert [(hop.to_site, hop.by) for hop in before.hops] == [
        (hop.to_site, hop.by) for hop in after.hops
    ]


@pytest.mark.parametrize("days", ["0", "32", "soon"])
def test_days_that_are_none_are_refused(folder: Path, days: str) -> None:
    permit(folder, f"courier: {{longest_days: {days}}}")

    with pytest.raises(WorkspaceBroken):
        load(folder)


def test_a_site_without_a_line_is_reached_only_if_the_link_permits_media(folder: Path) -> None:
    cut_off(folder)
    refused = planned(folder)
    permit(folder)
    permitted = planned(folder)

    assert [reason.code for reason in refused.reasons] == ["planning.media_not_permitted"]
    assert permitted.is_permitted
    assert [(hop.to_site, hop.by) for hop in permitted.hops] == [("public-cloud", "courier")]


def test_media_do_not_cross_into_another_zone(folder: Path) -> None:
    cut_off(folder, zone="internet")
    permit(folder)

    assert "policy.flow_forbidden" in {reason.code for reason in planned(folder).reasons}
