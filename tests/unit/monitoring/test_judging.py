"""What is wrong, where, on whose side: one cause each."""

import dataclasses
from datetime import timedelta
from typing import Any

import pytest

from kumobashi.directory.monitor_models import MonitorFile
from kumobashi.exchange.views import Light
from kumobashi.messages.pulses import Source
from kumobashi.monitoring.following import Following, Turn
from kumobashi.monitoring.judging import judge
from kumobashi.monitoring.locating import Seen
from kumobashi.monitoring.picture import Said, Settled
from kumobashi.monitoring.points import Pattern, Point
from kumobashi.monitoring.suspicions import Suspicion
from tests.unit.monitoring.pictures import (
    BEFORE,
    CLOUD,
    HALL,
    NOW,
    RELAY,
    TODAY,
    TONIGHT,
    all_in,
    cause,
    complaint,
    picture,
    said,
    settled,
    way,
    word,
)

RULES = MonitorFile(kumobashi=1)


def found(
    answer: Said | None, facts: Settled | None = None, rules: MonitorFile = RULES, **more: Any
) -> tuple[Suspicion, ...]:
    return judge(picture(answer, facts or settled("one"), **more), rules)


def test_nothing_is_said_when_all_is_well() -> None:
    assert found(said(way(), links=all_in("one"))) == ()


@pytest.mark.parametrize(("far", "point"), [(RELAY, Point.RELAY), (CLOUD, Point.INTERFACE)])
def test_a_way_that_ends_early_is_the_fault_of_who_does_not_answer(far: str, point: Point) -> None:
    (one,) = found(said(way(broken_to=far), links=all_in("one")))

    assert (one.point, one.side, one.links) == (point, far, frozenset({"one"}))
    assert [state for _, _, state in one.path][WAY_OF[far] :][0] == "bad"
    assert one.contact is not None


WAY_OF = {RELAY: 1, CLOUD: 2}


def test_waiting_transfers_are_laid_to_the_way_that_is_broken() -> None:
    answer = said(way(broken_to=CLOUD), causes=(cause("one", "two"),), links=all_in("one"))
    (one,) = found(answer, settled("one", "two", daily=None))

    assert one.links == {"one", "two"}
    assert one.tried is not None


def test_an_older_release_that_knows_no_pulse_is_no_fault() -> None:
    old = dataclasses.replace(way(broken_to=CLOUD), code="monitor.pulse_unknown")
    assert found(said(old, links=all_in("one"))) == ()


def test_a_peer_that_answers_again_is_no_fault_while_transfers_still_wait() -> None:
    assert found(said(way(), causes=(cause("one"),), links=all_in("one"))) == ()


def test_rows_that_are_refused_are_a_fault_of_the_import() -> None:
    refused = cause("one", code="exchange.rows_refused", light=Light.REFUSED)
    (one,) = found(said(way(), causes=(refused,), links=all_in("one")))
    assert (one.point, one.side) == (Point.IMPORT, CLOUD)


def test_a_store_behind_the_cloud_that_is_away_is_its_interface() -> None:
    away = cause("one", code="storage.unreachable")
    (one,) = found(said(way(), causes=(away,), links=all_in("one")))
    assert one.point is Point.INTERFACE


def test_what_stops_before_it_leaves_is_on_this_side() -> None:
    own = cause("one", code="conversion.file_absent", side=HALL)
    (one,) = found(said(way(), causes=(own,), links=all_in("one")))
    assert (one.point, one.side) == (Point.SENDER, HALL)


def test_a_program_log_is_point_4_and_can_wait_for_the_day() -> None:
    words = (word(RELAY), word(CLOUD, complaints=(complaint("notice_cloud.push_refused"),)))
    (one,) = found(said(way(words=words), links=all_in("one")))
    assert (one.point, one.side, one.urgency) == (Point.PROGRAM, CLOUD, "today")


def test_a_full_relay_is_the_relay_path() -> None:
    full = complaint("storage.full", source=Source.STATE)
    words = (word(RELAY, complaints=(full,)), word(CLOUD))
    (one,) = found(said(way(words=words), links=all_in("one")))
    assert (one.point, one.side, one.links) == (Point.RELAY, RELAY, frozenset({"one"}))


def test_a_silent_gateway_hides_nothing_but_what_it_alone_could_tell() -> None:
    before = {"one": BEFORE, "two": TONIGHT}
    (one,) = found(None, settled("one", "two"), applied=before)
    assert (one.point, one.side) == (Point.GATEWAY, HALL)
    assert one.overdue == {("one", TODAY)}, "the deadline is laid to it"


def test_what_nothing_explains_is_overdue_once_for_all_of_a_deadline() -> None:
    last_night = {"one": (BEFORE, Light.APPLIED)}
    links = last_night | {"two": last_night["one"]}
    (one,) = found(said(way(), links=links), settled("one", "two"))
    assert (one.point, one.links, one.is_certain) == (
        Point.OVERDUE,
        frozenset({"one", "two"}),
        True,
    )


def test_a_broken_way_explains_what_is_overdue() -> None:
    last_night = {"one": (BEFORE, Light.APPLIED)}
    (one,) = found(said(way(broken_to=CLOUD), links=last_night))
    assert (one.point, one.overdue) == (Point.INTERFACE, frozenset({("one", TODAY)}))


def test_announced_work_is_not_told() -> None:
    rules = MonitorFile.model_validate(
        {
            "kumobashi": 1,
            "planned": [
                {
                    "sites": [CLOUD],
                    "begins": (NOW - timedelta(hours=1)).isoformat(),
                    "ends": (NOW + timedelta(hours=1)).isoformat(),
                    "reason": "保守",
                }
            ],
        }
    )
    assert found(said(way(broken_to=CLOUD), links=all_in("one")), rules=rules) == ()


def test_a_cut_line_explains_the_way_behind_it() -> None:
    rules = MonitorFile.model_validate(
        {
            "kumobashi": 1,
            "parts": [{"part": "line", "kind": "access_line", "name": "回線", "side": "通信会社"}],
            "probes": [{"probe": "p", "ask": "tcp://192.0.2.1:22", "over": ["line"]}],
        }
    )
    cut = {"p": Seen(over=("line",), reached=False)}
    answer = said(way(broken_to=RELAY), causes=(cause("one", side=RELAY),), links=all_in("one"))
    (one,) = found(answer, rules=rules, probes=cut)
    assert (one.pattern, one.links) == (Pattern.SINGLE_LINE, frozenset({"one"}))


def test_one_clock_that_is_off_is_blamed_alone() -> None:
    words = (word(RELAY), word(CLOUD, off=2.5))
    (one,) = found(said(way(words=words), links=all_in("one")))
    assert (one.point, one.side) == (Point.CLOCK, CLOUD)


def test_when_all_others_agree_it_is_the_own_clock() -> None:
    words = (word(RELAY, off=-3600), word(CLOUD, off=-3600.2))
    (one,) = found(said(way(words=words), links=all_in("one")))
    assert (one.point, one.side) == (Point.CLOCK, HALL)


def test_a_site_that_always_asked_is_missed() -> None:
    heard = {CLOUD: NOW - timedelta(minutes=5)}
    (one,) = found(said(way(), links=all_in("one"), heard=heard))
    assert (one.point, one.side) == (Point.SILENCE, CLOUD)


def test_a_link_that_never_ran_is_due_from_the_next_deadline_on() -> None:
    due = NOW.replace(hour=21) - timedelta(days=1)  # 6:00 in Japan
    for first, is_missed in (
        (due - timedelta(minutes=1), True),
        (due + timedelta(minutes=1), False),
    ):
        facts = settled("one")
        facts = dataclasses.replace(
            facts, links={"one": dataclasses.replace(facts.links["one"], first=first)}
        )
        assert bool(found(said(way()), facts)) is is_missed


def test_a_rerun_of_what_is_in_is_not_overdue() -> None:
    running = {"one": (NOW, Light.RUNNING)}
    assert found(said(way(), links=running), applied={"one": TONIGHT}) == ()


def test_what_a_site_says_first_and_a_receipt_later_is_one_fault() -> None:
    words = (word(RELAY), word(CLOUD, complaints=(complaint("storage.full", source=Source.STATE),)))
    early = said(way(words=words), links=all_in("one"))
    late = said(way(words=words), links=all_in("one"), causes=(cause("one", code="storage.full"),))
    following = Following(confirm=25, rest=30)
    turns = [
        change.turn
        for tick, answer in enumerate([early] * 6 + [late] * 6 + [early] * 3 + [late] * 3)
        for change in following.follow(tick * 5.0, found(answer))
    ]

    assert turns.count(Turn.OPENED) == 1
    assert set(turns) <= {Turn.OPENED, Turn.CHANGED}
