"""Which two registers of processors are compared: what is applied for, in force, or replaced."""

from datetime import date

import pytest

from kumobashi.agreements.views import AgreementView, ProcessorView
from kumobashi.papers.comparing import parties_of, two_registers


def processor(name: str) -> ProcessorView:
    return ProcessorView(
        level=1,
        name=name,
        address="架空市",
        task="運用",
        place="東京",
        jurisdiction="JP",
        under=None,
        permission=None,
        permitted_until=None,
        fault=None,
        fault_en=None,
    )


def agreement(number: int, state: str, *names: str, supersedes: int | None = None) -> AgreementView:
    return AgreementView(
        agreement=str(number),
        number=f"8架総第{number}号",
        name="",
        state=state,
        state_ja="",
        revision=1,
        link="notice-attributes",
        applicant_section="子育て支援課",
        owner_section="市民課",
        basis="69-2-1",
        purpose="child-notices",
        items=(),
        conditions=(),
        first=date(2026, 4, 1),
        last=date(2027, 3, 31),
        plan_hash="",
        plan_number="",
        attachments=(),
        processors=tuple(map(processor, names)),
        supersedes=None if supersedes is None else str(supersedes),
        waits_for="",
        reminders=(),
        moves=(),
        head=1,
    )


FORCE = agreement(1, "in_force", "甲")


def test_what_is_applied_for_is_compared_with_what_is_in_force() -> None:
    ahead = agreement(2, "applied", "甲", "乙")
    found = two_registers([ahead, FORCE])
    assert found == (parties_of(FORCE), parties_of(ahead))


def test_what_is_in_force_is_compared_with_what_it_replaced() -> None:
    old, new = agreement(1, "expired", "甲"), agreement(2, "in_force", "乙", supersedes=1)
    assert two_registers([new, old]) == (parties_of(old), parties_of(new))


@pytest.mark.parametrize(
    "views",
    [[], [FORCE], [agreement(2, "refused", "乙"), FORCE], [agreement(2, "draft", "乙")]],
)
def test_without_two_of_them_nothing_is_compared(views: list[AgreementView]) -> None:
    assert two_registers(views) is None
