"""Who is told next: one at a time, always somebody, never after somebody has taken it."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kumobashi.kernel import JST
from kumobashi.monitoring.alerts import Moment, Urgency
from kumobashi.monitoring.telling.escalating import Course, Errand, Next, Rest, called, next_of
from tests.unit.monitoring.telling.plans_for_tests import MORNING, NIGHT, alert, plan

PLAN = plan()
WAYS = {one.channel: one.way for one in PLAN.channels}


class OneFault(RuleBasedStateMachine):
    """A fault from its first alert on, while time passes and things go wrong."""

    @initialize(
        urgency=st.sampled_from([Urgency.NOW, Urgency.TODAY]),
        minutes=st.integers(0, 7 * 24 * 60),
    )
    def begins(self, urgency: Urgency, minutes: int) -> None:
        self.now = MORNING + timedelta(minutes=minutes)
        self.course = Course(alert=alert(urgency=urgency), began=self.now)
        self.rest: Rest | None = None
        self.sent: list[tuple[datetime, tuple[Errand, ...], bool]] = []
        self.told: set[Errand] = set()
        self.look()

    def look(self) -> None:
        """Do what the dispatcher does, until nothing is due."""
        for _ in range(20):
            then = next_of(PLAN, self.course, self.now)
            if then.rest:
                self.rest = then.rest
                return
            if not then.errands:
                assert then.due is not None
                assert then.due > self.now
                return
            self._send(then)
        raise AssertionError("it spins")

    def _send(self, then: Next) -> None:
        course = self.course
        self.sent.append((self.now, then.errands, course.has_failed))
        self.told |= set(then.errands)
        if course.alert.moment is Moment.ENDED:
            self.course = replace(course, sent=course.sent | set(then.errands))
        else:
            self.course = replace(
                course, steps=course.steps + 1, last=self.now, has_failed=False, has_reached=True
            )

    @rule()
    def somebody_looks(self) -> None:
        if self.rest is None:
            self.look()

    @precondition(lambda self: self.rest is None)
    @rule(minutes=st.integers(1, 300))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        self.look()

    @precondition(lambda self: self.rest is None and self.course.steps)
    @rule()
    def what_was_sent_comes_to_nothing(self) -> None:
        self.course = replace(self.course, has_failed=True, has_reached=False)
        self.look()

    @precondition(lambda self: self.rest is None)
    @rule()
    def somebody_takes_it(self) -> None:
        self.course = replace(self.course, is_acknowledged=True)
        before = len(self.sent)
        self.look()
        assert self.rest is Rest.ACKNOWLEDGED
        self.now += timedelta(days=1)
        self.look()
        assert len(self.sent) == before

    @precondition(lambda self: self.rest is None or self.rest is Rest.ACKNOWLEDGED)
    @rule()
    def it_ends(self) -> None:
        told = frozenset(self.told)
        self.sent = []
        ended = alert(urgency=self.course.alert.urgency, moment=Moment.ENDED)
        self.course = Course(alert=ended, began=self.now, told=told)
        self.rest = None
        for _ in range(200):
            self.look()
            self.now += timedelta(minutes=31)
        assert str(self.rest) == Rest.TOLD
        people = [one.person for _, errands, _ in self.sent for one in errands]
        assert sorted(people) == sorted({one.person for one in told})  # each once
        self.rest = Rest.OVER

    @invariant()
    def nobody_is_called_beside_another_unless_planned(self) -> None:
        if not hasattr(self, "sent") or self.course.alert.moment is Moment.ENDED:
            return
        for _, errands, _ in self.sent:
            people = {one.person for one in errands}
            is_planned = any(one.everyone for rule in PLAN.rules for one in rule.steps)
            assert len(people) == 1 or (is_planned and len(people) == 3)
        for (first, _, _), (second, _, is_hurried) in zip(self.sent, self.sent[1:], strict=False):
            assert is_hurried or second - first >= timedelta(minutes=10)

    @invariant()
    def what_is_urgent_never_rests_by_itself(self) -> None:
        if not hasattr(self, "sent") or self.course.alert.moment is Moment.ENDED:
            return
        if self.course.alert.urgency is Urgency.NOW:
            assert self.rest in {None, Rest.ACKNOWLEDGED}
            assert self.sent
            if self.rest is None:
                assert self.now - self.sent[-1][0] <= timedelta(minutes=30)

    @invariant()
    def hours_are_kept(self) -> None:
        for at, errands, _ in getattr(self, "sent", []):
            here = at.astimezone(JST)
            if self.course.alert.urgency is Urgency.TODAY:
                assert here.weekday() < 5
                assert time(8, 30) <= here.time() < time(17, 15)
            if self.course.alert.moment is Moment.ENDED:
                rings = {WAYS[one.channel] for one in errands} & {"sms", "telephone"}
                assert not rings or time(7) <= here.time() < time(21)


OneFault.TestCase.settings = settings(max_examples=150, stateful_step_count=25, deadline=None)
TestOneFault = OneFault.TestCase


def test_a_step_after_a_stop_of_the_machine_keeps_its_distance_to_the_next() -> None:
    course = Course(alert=alert(), began=NIGHT, steps=1, last=NIGHT)
    late = NIGHT + timedelta(hours=2)
    assert next_of(PLAN, course, late).errands == (Errand(person="sato", channel="sms"),)
    course = replace(course, steps=2, last=late)
    assert next_of(PLAN, course, late).due == late + timedelta(minutes=10)


def test_broken_ways_do_not_make_the_plan_spin() -> None:
    course = Course(alert=alert(), began=NIGHT, steps=5, last=NIGHT, has_failed=True)
    assert next_of(PLAN, course, NIGHT) == Next(due=NIGHT + timedelta(minutes=30))


@pytest.mark.parametrize(
    ("day", "expected"),
    [(date(2026, 11, 23), "sato"), (date(2026, 11, 29), "sato"), (date(2026, 11, 30), "suzuki"),
     (date(2026, 12, 21), "suzuki"), (date(2026, 11, 22), "tanaka")],
)  # fmt: skip
def test_duty_changes_by_the_week_and_leaves_out_who_is_away(day: date, expected: str) -> None:
    duty = {
        "group": "it-duty",
        "members": ["sato", "suzuki", "tanaka"],
        "turns": "weekly",
        "since": "2026-11-23",
    }
    away = [{"person": "sato", "first": "2026-12-14", "last": "2026-12-20"}]
    made = plan(groups=[duty], away=away)
    assert called(made, made.rules[0].steps[0], day) == (expected,)
    assert called(made, made.rules[0].steps[0], date(2026, 12, 14)) == ("suzuki",)


def test_if_all_are_away_they_are_called_all_the_same() -> None:
    away = [
        {"person": name, "first": "2026-11-24", "last": "2026-11-24"}
        for name in ("sato", "suzuki", "tanaka")
    ]
    made = plan(away=away)
    assert called(made, made.rules[0].steps[0], date(2026, 11, 24)) == ("sato",)


def test_a_channel_that_left_the_plan_tells_nobody_of_the_end() -> None:
    gone = frozenset({Errand(person="sato", channel="fax")})
    course = Course(alert=alert(moment=Moment.ENDED), began=NIGHT, told=gone)
    assert next_of(PLAN, course, NIGHT) == Next(rest=Rest.TOLD)


def test_a_note_is_shown_and_calls_nobody() -> None:
    course = Course(alert=alert(urgency=Urgency.NOTE), began=MORNING)
    assert next_of(PLAN, course, MORNING) == Next(rest=Rest.SHOWN)


def test_the_office_stays_closed_on_the_days_that_are_written() -> None:
    made = plan(office={"holidays": ["2026-11-24", "2026-11-25"]})
    course = Course(alert=alert(urgency=Urgency.TODAY), began=MORNING)
    due = datetime(2026, 11, 25, 23, 30, tzinfo=UTC)
    assert next_of(made, course, MORNING) == Next(due=due)
