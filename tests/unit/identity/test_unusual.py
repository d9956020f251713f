"""Unusual access: a quiet month shows nothing, and each planted day is shown by its rule alone."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kumobashi.identity.unusual import KEPT, Habits, Look, Rule
from kumobashi.kernel import JST

END = datetime(2026, 11, 24, 18, tzinfo=JST)  # a Tuesday
STAFF = {"sato": "operator", "suzuki": "operator", "kato": "approver", "ito": "auditor"}
COUNTER = "post:ties/resident"


def quiet(seed: int, days: int = 85) -> Iterator[Look]:
    """Ordinary weeks: counters open on weekdays, busy days, overtime, wrong pages now and then."""
    chance = random.Random(seed)
    for back in range(days, -1, -1):
        day = END - timedelta(days=back)
        if day.isoweekday() > 5:
            continue
        for name, role in STAFF.items():
            busy = 2 if day.day <= 5 else 1  # the first days of a month
            for _ in range(chance.randint(4, 16) * busy if role == "operator" else 2):
                at = day.replace(hour=chance.randint(8, 19), minute=chance.randint(0, 59))
                yield Look(by=name, at=at.astimezone(UTC), role=role, code=COUNTER)
            if chance.random() < 0.1:
                yield Look(
                    by=name, at=day, role=role, code="get:accounts", is_refused=True,
                    is_of_person=False,
                )  # fmt: skip


def habits(seed: int = 1) -> Habits:
    seen = Habits()
    for look in quiet(seed):
        seen.add(look)
    return seen


@pytest.mark.parametrize("seed", range(20))
def test_a_quiet_month_shows_nothing(seed: int) -> None:
    assert habits(seed).findings(END) == []


@pytest.mark.parametrize("seed", range(5))
def test_a_day_of_far_too_many_looks(seed: int) -> None:
    seen = habits(seed)
    for minute in range(110):
        at = END.replace(hour=10) + timedelta(minutes=minute)
        seen.add(Look(by="sato", at=at, role="operator", code=COUNTER))

    (found,) = seen.findings(END)

    assert (found.rule, found.by, found.day) == (Rule.MANY, "sato", END.date())
    assert found.usual is not None
    assert found.count > 3 * found.usual


def test_a_night_and_a_weekend() -> None:
    seen = habits()
    night, sunday = END.replace(hour=2), END - timedelta(days=2)
    seen.add(Look(by="suzuki", at=night, role="operator", code=COUNTER))
    seen.add(Look(by="kato", at=sunday, role="approver", code=COUNTER))

    found = seen.findings(END)

    assert [(one.rule, one.by) for one in found] == [(Rule.HOURS, "suzuki"), (Rule.HOURS, "kato")]


def test_who_works_at_night_is_not_shown_for_it() -> None:
    seen = habits()
    for back in (40, 35, 3):
        at = (END - timedelta(days=back)).replace(hour=23)
        seen.add(Look(by="suzuki", at=at, role="operator", code=COUNTER))

    assert seen.findings(END) == []


def test_asking_again_and_again_for_what_is_refused() -> None:
    seen = habits()
    for count in (1, 10):  # as records have it: the first, the tenth
        seen.add(
            Look(
                by="ito",
                at=END,
                role="auditor",
                code="get:plans",
                is_refused=True,
                is_of_person=False,
                times=count,
            )
        )
    (found,) = seen.findings(END)
    assert (found.rule, found.by, found.count) == (Rule.REFUSED, "ito", 10)


def test_trying_many_doors_once_each() -> None:
    seen = habits()
    for number in range(5):
        code = f"get:page{number}"
        seen.add(
            Look(by="ito", at=END, role="auditor", code=code, is_refused=True, is_of_person=False)
        )
    assert [one.rule for one in seen.findings(END)] == [Rule.REFUSED]


def test_one_question_of_a_provider_s_person_for_a_resident() -> None:
    seen = habits()
    asked = Look(by="cloud-a", at=END, role="data-centre", code=COUNTER, is_refused=True)
    seen.add(asked)
    (found,) = seen.findings(END)
    assert (found.rule, found.by) == (Rule.OUTSIDE, "cloud-a")


def test_somebody_who_was_away_for_long() -> None:
    seen = Habits()
    for back in (80, 0):
        at = END - timedelta(days=back)
        seen.add(Look(by="ito", at=at.replace(hour=10), role="auditor", code=COUNTER))
    found = [one for one in seen.findings(END) if one.rule is Rule.RETURN]
    assert [(one.by, one.count) for one in found] == [("ito", 80)]


def test_a_finding_keeps_its_name_and_old_days_go() -> None:
    seen = habits()
    seen.add(Look(by="cloud-a", at=END, role="data-centre", code=COUNTER, is_refused=True))
    before = [one.id for one in seen.findings(END)]
    assert before

    seen.forget(END)
    assert [one.id for one in seen.findings(END)] == before
    seen.forget(END + KEPT + timedelta(days=2))
    assert seen.findings(END) == []


@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_records_does_not_matter(chance: random.Random) -> None:
    looks = [*quiet(3, days=40), Look(by="x", at=END, role="vendor", code=COUNTER, is_refused=True)]
    shuffled = looks.copy()
    chance.shuffle(shuffled)
    one, other = Habits(), Habits()
    for look, again in zip(looks, shuffled, strict=True):
        one.add(look)
        other.add(again)
    assert one.findings(END) == other.findings(END) != []
