"""What the plan of an online link decides: items, hiding, both directions, way, directory."""

from dataclasses import replace
from datetime import UTC, date, datetime
from io import StringIO
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from kumobashi.console.story import story_of
from kumobashi.directory.entries import Directory
from kumobashi.planning import publishing
from kumobashi.planning.approval import Standing, approve, drift, standing
from kumobashi.planning.call_items import answer_keys, request_keys
from kumobashi.planning.call_json import call_json
from kumobashi.planning.call_plan import CallPlan, call_plan
from kumobashi.planning.call_rendering import CallView
from kumobashi.planning.call_story import tell_call
from kumobashi.planning.deciding import plan_of
from kumobashi.planning.errors import LinkUnknown, PlanRefused
from kumobashi.planning.overview import PlansView
from kumobashi.planning.page import page_of
from kumobashi.planning.workspace import Workspace, load
from tests.unit.planning.conftest import NOW
from tests.unit.planning.test_workspace_mistakes import change

ON = date(2026, 11, 21)
AT = datetime(2026, 11, 20, 2, 3, 4, tzinfo=UTC)
ASKS, HIDES = "arrears-payments", "finance-collection"
SYSTEM = "systems/collection.yaml"


def planned(folder: Path, link: str) -> CallPlan:
    """Publish the folder's directory anew and plan a link."""
    directory = publishing.publish_directory(folder, now=NOW)
    return call_plan(load(folder), directory, link, on=ON)


def codes(plan: CallPlan) -> set[str]:
    return {reason.code for reason in plan.reasons}


def test_the_sample_is_ready_and_says_who_asks_about_what(
    workspace: Workspace, directory: Directory
) -> None:
    asks, hides = (call_plan(workspace, directory, link, on=ON) for link in (ASKS, HIDES))

    assert (asks.reasons, asks.cautions, hides.reasons) == ((), (), ())
    assert (asks.unit, asks.kinds) == ("tax-collection", ("collection-payments",))
    assert hides.kinds == ("collection-totals", "collection-refunds")
    assert [item.item for item in asks.requested] == ["resident_no", "fiscal_year"]
    assert {item.item for item in hides.hidden} == {
        "refund_no",
        "resident_no",
        "tax_item",
        "reason",
    }
    assert {item.item for item in hides.items} & set(workspace.calls[HIDES].hide) == set()


def test_either_kind_of_link_is_planned_by_its_name(
    workspace: Workspace, directory: Directory
) -> None:
    assert isinstance(plan_of(workspace, directory, ASKS, on=ON), CallPlan)
    assert not isinstance(plan_of(workspace, directory, "resident-to-nhi", on=ON), CallPlan)
    with pytest.raises(LinkUnknown, match="nothing"):
        plan_of(workspace, directory, "nothing", on=ON)


def test_what_the_receivers_level_forbids_is_refused_until_it_is_hidden(folder: Path) -> None:
    kinds = "policy/information_kinds.csv"
    change(folder, kinds, "collection-refunds,3B,internal", "collection-refunds,3B,core")

    refused = planned(folder, HIDES)

    assert codes(refused) == {"policy.level_mask"}
    told = refused.reasons[0]
    assert told.where.file == f"calls/{HIDES}.yaml"
    assert told.example.startswith("hide: [refund_no, resident_no, tax_item, reason, ")
    assert "hide" in told.remedy_ja
    with pytest.raises(PlanRefused):
        approve(folder, refused, by="課長", at=AT, measured=None)

    more = ", ".join(dict.fromkeys(reason.where.key.split(".")[1] for reason in refused.reasons))
    change(folder, f"calls/{HIDES}.yaml", "tax_item, reason]", f"tax_item, reason, {more}]")
    assert "policy.level_mask" not in codes(planned(folder, HIDES)) - {"policy.not_listed"}


def test_nothing_is_asked_without_a_basis_a_row_or_for_another_purpose(folder: Path) -> None:
    file = f"calls/{ASKS}.yaml"
    change(folder, file, 'code: "61"', 'code: "69-2-1"')
    assert "policy.no_consent" in codes(planned(folder, ASKS))
    change(folder, file, 'code: "69-2-1"', 'code: "61"')
    change(folder, file, "purpose: tax-collection", "purpose: statistics")
    assert "policy.not_listed" in codes(planned(folder, ASKS))
    text = (folder / file).read_text(encoding="utf-8")
    (folder / file).write_text(
        text.replace(text[text.index("legal_basis:") : text.index("answer_seconds")], ""),
        encoding="utf-8",
    )
    assert "policy.no_basis" in codes(planned(folder, ASKS))


def test_a_call_into_the_hall_waits_and_is_fetched(folder: Path) -> None:
    change(folder, "systems/arrears.yaml", "site: hall-core", "site: public-cloud")

    found = planned(folder, ASKS)

    assert found.is_fetched
    assert found.ways[0].is_fetched
    assert [hop.to_site for hop in found.hops] == ["hall-exchange", "asp-relay", "public-cloud"]
    assert "routing.only_inward" not in codes(found)
    # What comes out of the hall is judged as what is sent out of it.
    assert "policy.item_forbidden" in codes(found)
    assert {"payment_no", "resident_no", "levied"} <= {
        reason.where.key.partition(".")[2] for reason in found.reasons
    }
    assert "取りに来ます" in tell_call(load(folder), found).way_ja


def test_what_the_asking_system_gives_is_judged_on_its_way_out(folder: Path) -> None:
    change(folder, "systems/collection.yaml", "site: hall-core", "site: public-cloud")
    (folder / "links/resident-to-collection.yaml").unlink()

    found = planned(folder, ASKS)

    assert not found.is_fetched
    assert [hop.from_site for hop in found.hops] == ["hall-core", "hall-exchange", "asp-relay"]
    forbidden = [r for r in found.reasons if r.where.key == "request.resident_no"]
    assert [reason.code for reason in forbidden] == ["policy.item_forbidden"]
    assert forbidden[0].where.file == SYSTEM
    assert not any(r.where.key == "request.fiscal_year" for r in found.reasons)


def test_media_carry_no_calls_and_no_way_is_told(folder: Path) -> None:
    hop = "{site: hall-exchange, by: designated_communication}"
    change(folder, "sites/hall-core.yaml", hop, "{site: public-cloud, by: courier}")
    change(folder, "systems/arrears.yaml", "site: hall-core", "site: public-cloud")
    assert "routing.no_way" in codes(planned(folder, ASKS))

    change(folder, "systems/arrears.yaml", "site: public-cloud", "site: hall-core")
    change(folder, "systems/collection.yaml", "site: hall-core", "site: public-cloud")
    (folder / "links/resident-to-collection.yaml").unlink()
    assert "planning.media_carry_no_calls" in codes(planned(folder, ASKS))


def test_every_site_where_the_service_runs_is_planned(folder: Path) -> None:
    change(
        folder,
        SYSTEM,
        "services: #",
        "standby: [{site: public-cloud, base: {payments: 'http://127.0.0.1:1/a'}}]\nservices: #",
    )

    found = planned(folder, ASKS)

    assert [way.site for way in found.ways] == ["hall-core", "public-cloud"]
    assert found.decision["standby"]["public-cloud"]["fetched"] is False
    assert any(r.where.key == "request.resident_no" for r in found.reasons)
    assert "公共クラウド" in tell_call(load(folder), found).way_ja


def test_a_directory_that_says_otherwise_is_stale(folder: Path, directory: Directory) -> None:
    assert codes(call_plan(load(folder), None, ASKS, on=ON)) == {"planning.no_directory"}
    change(folder, "interfaces/collection-payments-v1.yaml", "一人の納付", "納付")
    found = call_plan(load(folder), directory, ASKS, on=ON)
    assert codes(found) == {"planning.directory_stale"}
    assert "collection.payments" in found.reasons[0].en
    other = replace(directory, systems={**directory.systems})
    other.systems.pop("arrears")
    assert codes(call_plan(load(folder), other, HIDES, on=ON)) == set()
    assert codes(planned(folder, ASKS)) == set()


def test_a_layout_that_is_over_ends_the_link(folder: Path, directory: Directory) -> None:
    workspace = load(folder)
    early = call_plan(workspace, directory, ASKS, on=date(2026, 3, 31))

    assert "planning.layout_not_valid" in codes(early)


def test_the_hash_is_that_of_the_decision_and_drift_is_told_in_words(
    folder: Path, workspace: Workspace, directory: Directory
) -> None:
    first = call_plan(workspace, directory, HIDES, on=ON)
    approve(folder, first, by="課長", at=AT, measured=None)
    approval = load(folder).approvals[HIDES]
    assert approval.bounds is None

    # Budgets, addresses and contacts are no decision.
    change(
        folder, f"calls/{HIDES}.yaml", "contact: tax-office", "contact: it-desk\nanswer_seconds: 5"
    )
    change(folder, SYSTEM, 'http://127.0.0.1:8751/api" #', 'http://127.0.0.1:8799/other" #')
    later = call_plan(load(folder), directory, HIDES, on=date(2027, 1, 31))
    assert standing(later, approval) is Standing.APPROVED

    change(folder, f"calls/{HIDES}.yaml", "tax_item, reason]", "tax_item]")
    drifted = call_plan(load(folder), directory, HIDES, on=ON)
    assert standing(drifted, approval) is Standing.DRIFTED
    told = {change.key: change.ja for change in drift(drifted, approval)}
    assert told["items.collection-refunds.reason"] == "項目「還付の事由」（そのまま）を新たに出す"
    assert "隠す項目" in told["hidden"]


def test_members_that_leave_and_members_that_are_blanked_are_named_as_in_json(folder: Path) -> None:
    change(
        folder,
        f"calls/{HIDES}.yaml",
        "hide: [refund_no, resident_no, tax_item, reason]",
        "hide: [reason]",
    )
    workspace = load(folder)
    plan = call_plan(workspace, None, HIDES, on=ON)

    totals, refunds = plan.operations
    kept, blanked = answer_keys(workspace, plan.link, refunds)
    assert blanked == {"reason"}
    assert "payee_name" in kept
    assert not blanked & kept
    assert answer_keys(workspace, plan.link, totals)[1] == frozenset()
    assert request_keys(workspace, refunds) == frozenset()


def test_a_number_in_the_path_is_cautioned_about(folder: Path) -> None:
    interface = "interfaces/collection-payments-v1.yaml"
    change(folder, interface, "/payments/search:", "/payments/{resident_no}:")

    found = planned(folder, ASKS)

    assert found.is_permitted
    assert [caution.code for caution in found.cautions] == ["planning.item_in_path"]


@pytest.mark.parametrize("lang", ["ja", "en"])
@pytest.mark.parametrize("link", [ASKS, HIDES])
def test_it_is_told_at_a_terminal_on_paper_and_to_machines(
    workspace: Workspace, directory: Directory, link: str, lang: str
) -> None:
    is_ja = lang == "ja"
    told = tell_call(workspace, call_plan(workspace, directory, link, on=ON))
    out = StringIO()
    console = Console(file=out, width=100)
    console.print(CallView(told, lang="ja" if is_ja else "en"))
    console.print(PlansView([told], lang="ja" if is_ja else "en"))
    page = page_of(workspace, [told], at=NOW, lang="ja" if is_ja else "en")

    text = out.getvalue()
    assert all(cell_len(line) <= 100 for line in text.splitlines())
    for item in (*told.plan.items, *told.plan.hidden):
        assert (item.ja if is_ja else item.item) in text
        assert (item.ja if is_ja else item.item) in page
    assert told.plan.hash in page
    assert "127.0.0.1:8751" not in text + page + str(call_json(told))

    drawn = story_of(call_json(told))
    assert drawn.number == told.plan.number
    assert [item.name for item in drawn.dropped] == [item.name for item in told.plan.hidden]


def test_a_refused_one_is_told_with_its_reasons(folder: Path) -> None:
    change(folder, "systems/arrears.yaml", "site: hall-core", "site: public-cloud")
    told = tell_call(load(folder), planned(folder, ASKS))
    out = StringIO()
    Console(file=out, width=100).print(CallView(told))

    assert out.getvalue().startswith("送れません")
    assert f"calls/{ASKS}.yaml" in out.getvalue()
