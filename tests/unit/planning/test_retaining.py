"""What a link declares about how long the receiver may keep it: planned, hashed, refused."""

from datetime import date
from pathlib import Path

import pytest

from kumobashi.planning.plan import Plan, plan
from kumobashi.planning.sampling import write_sample
from kumobashi.planning.workspace import load

ON = date(2026, 11, 22)
LINK = "notice-attributes"


def planned(folder: Path, said: str = "") -> Plan:
    write_sample(folder)
    path = folder / "links" / f"{LINK}.yaml"
    path.write_text(path.read_text("utf-8") + said, encoding="utf-8")
    return plan(load(folder), None, LINK, on=ON)


def codes(decided: Plan) -> set[str]:
    return {reason.code for reason in decided.reasons if reason.code.startswith("planning.ret")}


def test_a_link_that_declares_nothing_is_as_it_was(tmp_path: Path) -> None:
    decided = planned(tmp_path / "w")

    assert decided.retention is None
    assert "retention" not in decided.decision, "older approvals stay good"


@pytest.mark.parametrize(
    ("said", "days", "by_law"),
    [
        ("retention: {class: service}\n", 30, False),
        ("retention: {class: service, days: 3}\n", 3, False),
        ("retention: {class: provision-record}\n", 2557, True),
        ("retention: {class: provision-record, days: 4000}\n", 4000, True),
    ],
)
def test_class_and_days_go_into_the_decision(
    tmp_path: Path, said: str, days: int, by_law: bool
) -> None:
    decided = planned(tmp_path / "w", said)

    assert decided.retention is not None
    assert (decided.retention.days, decided.retention.is_kept_by_law) == (days, by_law)
    assert codes(decided) == set()
    assert decided.hash != planned(tmp_path / "bare").hash


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("retention: {class: for-ever}\n", "planning.retention_unknown"),
        ("retention: {class: provision-record, days: 365}\n", "planning.retention_too_short"),
    ],
)
def test_what_the_table_does_not_allow_is_refused(tmp_path: Path, said: str, code: str) -> None:
    decided = planned(tmp_path / "w", said)

    assert codes(decided) == {code}
    (reason,) = [reason for reason in decided.reasons if reason.code == code]
    assert reason.where.line > 1
    assert reason.remedy_ja
    assert reason.example
