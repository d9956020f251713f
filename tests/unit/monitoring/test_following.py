"""From look to look: told once, over once, and never for a blip."""

from hypothesis import given
from hypothesis import strategies as st

from kumobashi.exchange.views import Words
from kumobashi.monitoring.following import CONFIRM, REST, Following, Turn
from kumobashi.monitoring.points import Point
from kumobashi.monitoring.suspicions import Suspicion
from tests.unit.monitoring.pictures import CLOUD, NOW, TODAY

NO = Words(ja="", en="")


def suspicion(key: str = f"way:{CLOUD}", **more: object) -> Suspicion:
    values = {"point": Point.INTERFACE, "code": "a.b", "side": CLOUD, "side_name": "雲"}
    return Suspicion(key=key, what=NO, remedy=NO, since=NOW, **{**values, **more})  # type: ignore[arg-type]


def follow(looks: list[bool], every: float = 5.0) -> list[Turn]:
    following, turns = Following(), []
    for number, is_seen in enumerate(looks):
        seen = [suspicion()] if is_seen else []
        turns += [change.turn for change in following.follow(number * every, seen)]
    return turns


def test_a_fault_that_lasts_is_opened_once_and_ends_once() -> None:
    assert follow([False] * 3 + [True] * 60 + [False] * 30) == [Turn.OPENED, Turn.ENDED]


@given(st.lists(st.booleans(), max_size=300))
def test_openings_and_endings_take_turns(looks: list[bool]) -> None:
    turns = follow(looks)
    begins = [turn in {Turn.OPENED, Turn.REOPENED} for turn in turns]
    assert begins == [number % 2 == 0 for number in range(len(turns))]


@given(st.lists(st.integers(min_value=1, max_value=5), min_size=1, max_size=60))
def test_what_never_lasts_long_enough_is_never_told(lengths: list[int]) -> None:
    looks = [seen for length in lengths for seen in [*[True] * length, False]]
    assert follow(looks) == []
    assert CONFIRM >= 5 * 5.0


def test_a_fault_that_flaps_is_told_less_and_less() -> None:
    looks = ([True] * 8 + [False] * 8) * 60  # 40 s there, 40 s gone, for 80 minutes
    assert REST < 5.0 * 8
    assert len(follow(looks)) <= 16


def test_what_is_certain_is_told_at_once() -> None:
    change = Following().follow(0.0, [suspicion(is_certain=True)])
    assert [one.turn for one in change] == [Turn.OPENED]


def test_a_deadline_that_is_missed_while_it_lasts_makes_it_worse_once() -> None:
    following = Following()
    for tick in range(8):
        following.follow(tick * 5.0, [suspicion()])
    late = suspicion(overdue=frozenset({("one", TODAY)}))

    turns = [c.turn for tick in range(8, 12) for c in following.follow(tick * 5.0, [late])]

    assert turns == [Turn.WORSENED]


def test_what_was_told_with_its_cause_is_not_told_as_overdue_again() -> None:
    following = Following()
    missed = frozenset({("one", TODAY)})
    for tick in range(8):
        following.follow(tick * 5.0, [suspicion(overdue=missed)])
    for tick in range(8, 30):
        following.follow(tick * 5.0, [])
    alone = suspicion(f"overdue:{TODAY}", point=Point.OVERDUE, overdue=missed, is_certain=True)

    assert following.follow(160.0, [alone]) == ()


def test_a_watch_that_sees_nothing_keeps_what_only_the_gateway_can_tell() -> None:
    following = Following()
    for tick in range(8):
        following.follow(tick * 5.0, [suspicion()])

    blind = [following.follow(40.0 + tick * 5, [], blind=True) for tick in range(40)]

    assert all(changes == () for changes in blind)


def test_a_watch_that_was_stopped_goes_on_with_the_same_fault() -> None:
    first = Following()
    opened = next(c for tick in range(8) for c in first.follow(tick * 5.0, [suspicion()]))
    second = Following()
    second.resume(opened.fault, opened.suspicion, 1_000.0)

    changes = [c for tick in range(30) for c in second.follow(1_000.0 + tick * 5, [])]

    assert [(c.turn, c.fault) for c in changes] == [(Turn.ENDED, opened.fault)]
