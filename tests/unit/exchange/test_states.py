"""The states of a transfer: every move that is allowed, and that every other one is not."""

import random

import pytest

from kumobashi.exchange.errors import IllegalMove
from kumobashi.exchange.patience import wait_after
from kumobashi.exchange.states import (
    IN_FINAL,
    IN_MOVES,
    OUT_FINAL,
    OUT_MOVES,
    In,
    Out,
    check_in,
    check_out,
    is_under_way,
)


@pytest.mark.parametrize("now", Out)
@pytest.mark.parametrize("then", Out)
def test_every_move_of_a_sender(now: Out, then: Out) -> None:
    if then in OUT_MOVES[now]:
        check_out(now, then)
    else:
        with pytest.raises(IllegalMove) as refusal:
            check_out(now, then)
        assert now.value in refusal.value.say("ja")


@pytest.mark.parametrize("now", In)
@pytest.mark.parametrize("then", In)
def test_every_move_of_a_bundle(now: In, then: In) -> None:
    if then in IN_MOVES[now]:
        check_in(now, then)
    else:
        with pytest.raises(IllegalMove):
            check_in(now, then)


def test_what_is_final_never_moves_and_everything_else_can_end() -> None:
    assert {state for state in Out if not OUT_MOVES[state]} == OUT_FINAL
    assert {state for state in In if not IN_MOVES[state]} == IN_FINAL
    for state in Out:
        assert ends(state, OUT_MOVES) & OUT_FINAL, state
    for bundle in In:
        assert ends(bundle, IN_MOVES) & IN_FINAL, bundle


def ends(start: object, moves: object) -> set[object]:
    reached, todo = {start}, [start]
    while todo:
        for state in moves[todo.pop()]:  # type: ignore[index]
            if state not in reached:
                reached.add(state)
                todo.append(state)
    return reached


def test_applied_is_only_reached_by_way_of_every_receipt() -> None:
    for state, behind in OUT_MOVES.items():
        assert (Out.APPLIED in behind) == (state is Out.VALIDATED)
    for bundle, next_ in IN_MOVES.items():
        assert (In.APPLIED in next_) == (bundle is In.VALIDATED)


def test_nothing_that_was_sent_can_be_cancelled() -> None:
    before = {state for state, behind in OUT_MOVES.items() if Out.CANCELLED in behind}

    assert before == {Out.EXTRACTING, Out.HELD, Out.SEALED}


def test_a_held_transfer_waits_for_a_person_and_not_for_the_gateway() -> None:
    assert {state for state in Out if not is_under_way(state)} == OUT_FINAL | {Out.HELD}


def test_waits_grow_to_a_limit_and_differ() -> None:
    one, other = random.Random(1), random.Random(2)
    first = [wait_after(tries, one) for tries in range(1, 41)]
    second = [wait_after(tries, other) for tries in range(1, 41)]

    assert 0 < first[0] <= 0.5
    assert all(15 <= wait <= 30 for wait in first[10:])
    assert first != second, "gateways that failed together do not come back together"
    assert sum(first[:6]) < 30
