"""A flood becomes a few letters: no more than may be, and nothing is dropped."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from kumobashi.monitoring.telling.flooding import WINDOW, Sent, Waiting, gather
from tests.unit.monitoring.telling.plans_for_tests import MORNING


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 30),
    st.booleans(),
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 50), st.integers(0, 2)), max_size=20),
)
def test_whatever_comes_no_more_letters_go_than_may_and_each_errand_goes_once(
    most: int, one_by_one: bool, bursts: list[tuple[int, int, int]]
) -> None:
    waiting: list[Waiting] = []
    sent: list[Sent] = []
    carried: list[str] = []
    number = 0
    arrives = {minute: (count, rank) for minute, count, rank in bursts}
    for minute in range(600):
        now = MORNING + timedelta(minutes=minute)
        count, rank = arrives.get(minute, (0, 0))
        for _ in range(count):
            number += 1
            person = "sato" if number % 3 else "suzuki"
            waiting.append(Waiting(errand=str(number), person=person, rank=rank))
        for letter in gather(waiting, sent, most=most, now=now, one_by_one=one_by_one):
            sent.append(Sent(at=now, person=letter.person))
            carried += letter.errands
        gone = set(carried)
        waiting = [one for one in waiting if one.errand not in gone]
        assert len([one for one in sent if one.at > now - WINDOW]) <= most
    assert sorted(carried, key=int) == [str(one) for one in range(1, number + 1)]


def test_a_flood_behind_few_letters_does_not_trickle() -> None:
    waiting = [Waiting(errand=str(number), person="sato", rank=0) for number in range(100)]
    assert [len(one.errands) for one in gather(waiting, [], most=2, now=MORNING)] == [100]
    calm = gather(waiting, [], most=20, now=MORNING)
    assert [len(one.errands) for one in calm] == [1] * 9 + [91]


def test_one_call_says_what_waits_for_one_person() -> None:
    waiting = [
        Waiting(errand=str(number), person="sato" if number < 3 else "suzuki", rank=0)
        for number in range(4)
    ]
    letters = gather(waiting, [], most=20, now=MORNING, one_by_one=False)
    assert [one.errands for one in letters] == [("0", "1", "2"), ("3",)]


def test_what_is_urgent_goes_first() -> None:
    waiting = [
        Waiting(errand="later", person="sato", rank=1),
        Waiting(errand="now", person="sato", rank=0),
    ]
    assert gather(waiting, [], most=2, now=MORNING)[0].errands[0] == "now"
