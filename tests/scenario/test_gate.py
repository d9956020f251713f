"""A gate in the hall, with real gateways: what it lets leave, what it stops, what steps in."""

import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kumobashi.kernel import business_date
from kumobashi.testing.city import City
from kumobashi.testing.town import Town
from tests.scenario.expecting import NOTICES

pytestmark = [pytest.mark.scenario, pytest.mark.slow]
TODAY = business_date(datetime.now(UTC))
INSTEAD = "campaign-targets"


def refuse_what_stands_out(folder: Path) -> None:
    """Let childcare notices refuse, and name what steps in."""
    rule = folder / "rules/childcare-notices.yaml"
    text = rule.read_text("utf-8").replace("on_fail: climb", "on_fail: predicate_only")
    rule.write_text(text.replace("max_suppressed: 0.05", "max_suppressed: 0.0"), "utf-8")
    link = folder / "links/childcare-notices.yaml"
    link.write_text(f"{link.read_text('utf-8')}\nfallback: {INSTEAD}\n", "utf-8")


@pytest.fixture(scope="module")
def town(city: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("gate") / "w"
    with Town.found(folder, city, change=refuse_what_stands_out, is_gated=True) as made:
        made.start_all()
        yield made


def test_nobody_who_arrives_stands_out(town: Town) -> None:
    seen = town.run(NOTICES, TODAY)

    assert seen["state"] == "applied", (seen["cause"], seen["findings"])
    gate = seen["gate"]
    assert gate["before"]["k"] < 5 <= gate["after"]["k"]
    columns = ", ".join(gate["columns"])
    rows = town.sql("notice-cloud", f"select {columns} from notice_attributes")
    assert min(Counter(map(str, rows)).values()) == gate["after"]["k"]
    assert len(rows) == seen["rows_released"] == gate["after"]["rows"]
    balance = seen["rows_without_consent"] + seen["rows_quarantined"] + gate["suppressed"]
    assert seen["rows_extracted"] == seen["rows_released"] + balance


def test_the_next_day_it_leaves_as_coarse_as_before(town: Town) -> None:
    first = town.run(NOTICES, TODAY)["gate"]
    second = town.run(NOTICES, TODAY + timedelta(days=1))["gate"]

    assert [climb["level"] for climb in second["climbs"]] == [
        climb["level"] for climb in first["climbs"]
    ]
    assert second["chosen_on"] == first["chosen_on"] == TODAY.isoformat()


def test_what_is_refused_leaves_nothing_and_the_other_link_steps_in(town: Town) -> None:
    seen = town.run("childcare-notices", TODAY)

    assert (seen["state"], seen["cause"]["code"]) == ("refused", "release.gate_refused")
    assert seen["gate"]["outcome"] == "refused"
    assert seen["sealed_bytes"] is None
    assert (seen["fallback"], seen["fallback_code"]) == (INSTEAD, None)
    instead = town.run(INSTEAD, TODAY)
    assert instead["state"] == "applied"
    assert instead["sequence"] == 1  # the one that stepped in, not one more


def test_what_nobody_approved_does_not_step_in(town: Town) -> None:
    approval = town.folder / f"approvals/{INSTEAD}.yaml"
    kept = approval.with_suffix(".kept")
    shutil.move(approval, kept)
    try:
        seen = town.run("childcare-notices", TODAY + timedelta(days=1))
    finally:
        shutil.move(kept, approval)

    assert seen["state"] == "refused"
    assert (seen["fallback"], seen["fallback_code"]) == (INSTEAD, "planning.not_approved")
