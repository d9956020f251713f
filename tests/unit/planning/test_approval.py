from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.directory.entries import Directory
from kumobashi.planning.approval import Standing, approve, drift, limits, standing
from kumobashi.planning.approvals import ApprovalFile
from kumobashi.planning.errors import ApprovalMissing, PlanRefused, WorkspaceBroken
from kumobashi.planning.measured import Measured
from kumobashi.planning.plan import plan
from kumobashi.planning.workspace import Workspace, load
from kumobashi.testing import gates
from tests.unit.planning.test_plan import LINK, ON, edit

AT = datetime(2026, 11, 20, 2, 3, 4, tzinfo=UTC)
COUNTED = Measured(
    on=ON,
    rows=1000,
    extracted=3000,
    without_consent=2000,
    bytes=20_000,
    parts=1,
    smallest_class=1,
    rows_below_five=10,
    findings=(),
    losses=(),
)


def test_an_approval_is_written_read_and_still_holds_another_day(
    folder: Path, workspace: Workspace, directory: Directory
) -> None:
    today = plan(workspace, directory, LINK, on=ON)
    approve(folder, today, by="情報政策課長", at=AT, measured=COUNTED)

    held = load(folder)
    approval = held.approvals[LINK]
    later = plan(held, directory, LINK, on=date(2027, 1, 31))

    assert drift(later, approval) == []
    assert standing(later, approval) is Standing.APPROVED
    assert (approval.by, approval.at) == ("情報政策課長", AT)
    assert limits(approval).rows == (950, 1050)
    assert limits(approval).bytes == (18_000, 22_000)


def test_what_the_approver_saw_of_the_gate_is_kept_with_the_approval(
    folder: Path, workspace: Workspace, directory: Directory
) -> None:
    today = plan(workspace, directory, LINK, on=ON)
    seen = gates.climbed(left_out=3)
    approve(folder, today, by="課長", at=AT, measured=replace(COUNTED, gate=seen))

    assert limits(load(folder).approvals[LINK]).gate == seen


def test_what_the_gate_refuses_is_approved_only_where_another_link_steps_in(
    folder: Path, workspace: Workspace, directory: Directory
) -> None:
    refused = replace(COUNTED, rows=0, bytes=0, gate=gates.refused())
    today = plan(workspace, directory, LINK, on=ON)
    assert today.link.fallback
    approve(folder, today, by="課長", at=AT, measured=refused)
    alone = replace(today, link=today.link.model_copy(update={"fallback": None}))

    with pytest.raises(PlanRefused):
        approve(folder, alone, by="課長", at=AT, measured=refused)

    assert standing(today, load(folder).approvals[LINK], refused) is Standing.REFUSED


def test_an_approval_whose_gate_cannot_be_read_is_told(
    folder: Path, workspace: Workspace, directory: Directory
) -> None:
    today = plan(workspace, directory, LINK, on=ON)
    approve(folder, today, by="課長", at=AT, measured=replace(COUNTED, gate=gates.climbed()))
    edit(folder, f"approvals/{LINK}.yaml", "chosen_on", "chosen_when")

    with pytest.raises(WorkspaceBroken) as broken:
        load(folder)

    (mistake,) = broken.value.mistakes
    assert mistake.file == f"approvals/{LINK}.yaml"
    assert "承認をやり直してください" in mistake.ja


def test_what_changed_since_is_told_in_words(
    folder: Path, workspace: Workspace, directory: Directory
) -> None:
    approve(folder, plan(workspace, directory, LINK, on=ON), by="課長", at=AT, measured=None)
    edit(folder, f"rules/{LINK}.yaml", "length: 13, ladder: [10, 6]", "length: 10")
    edit(folder, f"links/{LINK}.yaml", "on_findings: quarantine", "on_findings: go_on")

    held = load(folder)
    changes = drift(plan(held, directory, LINK, on=ON), held.approvals[LINK])

    assert [change.key for change in changes] == [
        "link.on_findings",
        "items.town_code.operation",
    ]
    assert changes[1].ja == "項目「住所コード（町丁目まで）」の操作: 先頭13桁まで → 先頭10桁まで"
    assert changes[1].en.endswith("first 13 characters → first 10 characters")
    assert standing(plan(held, directory, LINK, on=ON), held.approvals[LINK]) is Standing.DRIFTED


def test_items_that_come_and_go_are_named(
    folder: Path, workspace: Workspace, directory: Directory
) -> None:
    link = "childcare-notices"
    approve(folder, plan(workspace, directory, link, on=ON), by="課長", at=AT, measured=None)
    approval = load(folder).approvals[link]
    before = dict(approval.decision)
    before["items"] = [
        {**item, "name": "allowance"} if item["name"] == "child_allowance" else item
        for item in before["items"]
    ]

    changes = drift(
        plan(load(folder), directory, link, on=ON),
        approval.model_copy(update={"decision": before, "hash": "sha256:" + "0" * 64}),
    )

    told = {change.key: change.ja for change in changes}
    assert told["items.allowance"] == "項目「allowance」（有無）を出さなくなる"
    assert told["items.child_allowance"].endswith("（有無）を新たに出す")


def test_a_refused_plan_cannot_be_approved(
    folder: Path, workspace: Workspace, directory: Directory
) -> None:
    refused = plan(workspace, directory, "welfare-to-citizen-app", on=ON)

    with pytest.raises(PlanRefused) as caught:
        approve(folder, refused, by="課長", at=AT, measured=None)

    assert "法的根拠" in caught.value.say("ja")
    assert not list(folder.glob("approvals/*"))


def test_without_an_approval_drift_says_so(workspace: Workspace, directory: Directory) -> None:
    with pytest.raises(ApprovalMissing):
        drift(plan(workspace, directory, LINK, on=ON), None)


@given(st.integers(0, 10**9), st.integers(0, 100))
def test_what_was_approved_is_always_within_its_own_bounds(count: int, percent: int) -> None:
    approval = ApprovalFile.model_validate(
        {
            "kumobashi": 1,
            "link": LINK,
            "hash": "sha256:" + "0" * 64,
            "by": "課長",
            "at": AT,
            "counted": {"on": ON, "rows": count, "bytes": count},
            "bounds": {"rows": percent / 100, "bytes": percent / 100},
            "decision": {},
        }
    )

    low, high = limits(approval).rows or (0, 0)

    assert low <= count <= high
    assert 100 * high <= count * (100 + percent)
    assert 100 * low >= count * (100 - percent)
