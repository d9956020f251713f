"""Who is told next, by which way, and when. Pure: the plan, what was done and the time go in.

Steps keep their distance from each other also after a stop of the machine, so that nobody is called
together with somebody else unless the plan says so. A step is brought forward only when what the
one before sent came to nothing, and never the first of a new round: if all ways are broken, the
plan does not spin.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from kumobashi.directory.alert_models import AlertRule, AlertsFile, Step
from kumobashi.directory.alert_people import Duty
from kumobashi.kernel import business_date
from kumobashi.monitoring.alerts import Alert, Moment, Urgency
from kumobashi.monitoring.telling.quiet import office_opens, quiet_ends

_GENTLEST = ("mail", "webhook", "sms", "telephone")
_RINGING = frozenset({"sms", "telephone"})  # what wakes people
_DAYS = {"daily": 1, "weekly": 7}


class Rest(StrEnum):
    """Why nobody else is told of an alert."""

    ACKNOWLEDGED = "acknowledged"  # somebody sees to it
    OVER = "over"  # the fault ended
    TOLD = "told"  # all were told that had to be
    REPLACED = "replaced"  # a newer alert of the same fault goes on
    SHOWN = "shown"  # a note: in the list, and in the next daily letter


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """One person to be told by one channel; no person: the channel has one receiver."""

    person: str
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How far the telling of one alert has come."""

    alert: Alert
    began: datetime
    steps: int = 0  # taken, over all rounds
    last: datetime | None = None  # when the last one was
    has_failed: bool = False  # nothing that it sent got through
    has_reached: bool = False  # a channel accepted something
    is_acknowledged: bool = False
    is_over: bool = False
    told: frozenset[Errand] = frozenset()  # of an end: who was told of the beginning
    sent: frozenset[Errand] = frozenset()  # of an end: who was told of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """What to do now, and when to look again; at rest: never."""

    errands: tuple[Errand, ...] = ()
    due: datetime | None = None
    rest: Rest | None = None


def next_of(plan: AlertsFile, course: Course, now: datetime) -> Next:
    """Return what follows for one alert."""
    if course.alert.moment is Moment.ENDED:
        return _end_of(plan, course, now)
    if course.is_over or course.is_acknowledged:
        return Next(rest=Rest.OVER if course.is_over else Rest.ACKNOWLEDGED)
    rule = rule_of(plan, course.alert)
    if rule is None:
        return Next(rest=Rest.SHOWN)
    is_urgent = course.alert.urgency is Urgency.NOW
    at = course.steps % len(rule.steps)
    if not is_urgent and course.steps and not at and course.has_reached:
        return Next(rest=Rest.TOLD)
    due = _due(rule, course, at, now)
    if not is_urgent:
        due = office_opens(plan.office, max(due, now))
    if due > now:
        return Next(due=due)
    step = rule.steps[at]
    people = called(plan, step, business_date(now))
    errands = tuple(Errand(person=who, channel=one) for one in step.by for who in people)
    return Next(errands=errands, due=now)


def later(plan: AlertsFile, course: Course, then: Next, now: datetime) -> Next:
    """Return ``then`` with the time of what follows behind it."""
    if not then.errands or course.alert.moment is Moment.ENDED:
        return then
    done = replace(course, steps=course.steps + 1, last=now, has_failed=False)
    return replace(then, due=next_of(plan, done, now).due)


def rule_of(plan: AlertsFile, alert: Alert) -> AlertRule | None:
    """Return the first rule that fits; none: a note that nobody is called for."""
    for rule in plan.rules:
        if alert.urgency.value not in rule.urgency:
            continue
        if rule.sides and alert.side not in rule.sides:
            continue
        if rule.links and not set(rule.links) & set(alert.links):
            continue
        return rule
    return None


def called(plan: AlertsFile, step: Step, today: date) -> tuple[str, ...]:
    """Return who is meant by a step on a day; if all are away, they are called all the same."""
    if step.to is None:
        return ("",)
    duty = next((one for one in plan.groups if one.group == step.to), None)
    order = _in_turn(duty, today) if duty else (step.to,)
    away = {one.person for one in plan.away if one.first <= today <= one.last}
    present = tuple(one for one in order if one not in away) or order
    return present if step.everyone else (present[step.turn % len(present)],)


def _in_turn(duty: Duty, today: date) -> tuple[str, ...]:
    if duty.turns is None or duty.since is None:
        return duty.members
    turns = (today - duty.since).days // _DAYS[duty.turns]
    first = turns % len(duty.members)
    return duty.members[first:] + duty.members[:first]


def _due(rule: AlertRule, course: Course, at: int, now: datetime) -> datetime:
    if course.last is None:
        return course.began + timedelta(minutes=rule.steps[0].after_minutes)
    if not at:
        return course.last + timedelta(minutes=rule.again_minutes)
    if course.has_failed:
        return now
    gap = rule.steps[at].after_minutes - rule.steps[at - 1].after_minutes
    return course.last + timedelta(minutes=gap)


def _end_of(plan: AlertsFile, course: Course, now: datetime) -> Next:
    """Tell of the end those who know of the beginning, each once, by the gentlest way."""
    chosen: dict[str, Errand] = {}
    ways = {one.channel: one.way for one in plan.channels}
    known = [one for one in course.told if one.channel in ways]  # the plan may have changed
    for one in sorted(known, key=lambda one: (_GENTLEST.index(ways[one.channel]), one.channel)):
        chosen.setdefault(one.person or f"-{one.channel}", one)
    left = [one for one in chosen.values() if one not in course.sent]
    if not left:
        return Next(rest=Rest.TOLD)
    allowed = {one: _end_may_go(plan, course.alert, ways[one.channel], now) for one in left}
    ready = tuple(one for one in left if allowed[one] <= now)
    return Next(errands=ready, due=now if ready else min(allowed.values()))


def _end_may_go(plan: AlertsFile, alert: Alert, way: str, now: datetime) -> datetime:
    at = now if alert.urgency is Urgency.NOW else office_opens(plan.office, now)
    return quiet_ends(plan.quiet, at) if way in _RINGING else at
