"""The machine of agreements, walked whole: every state, every act."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kumobashi.agreements import Act, Book, State
from kumobashi.agreements.acting import Wish
from kumobashi.agreements.errors import AgreementFailed, IllegalAct
from kumobashi.agreements.offices import Actor
from kumobashi.agreements.states import BY_GATEWAY, FINAL, MOVES, after, check_act, possible
from kumobashi.testing.clocks import HandClock
from tests.unit.agreements import people

WHO: dict[Act, Actor] = {
    Act.EDIT: people.TANAKA,
    Act.SUBMIT: people.TANAKA,
    Act.REVIEW: people.SATO,
    Act.CONCUR: people.SUZUKI,
    Act.APPROVE: people.YAMADA,
    Act.REFUSE: people.YAMADA,
}


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    made = people.file_book(tmp_path, HandClock(people.NOW))
    yield made
    made.store.close()


def test_every_pair_that_is_not_in_the_table_is_refused_with_what_is_possible() -> None:
    for state in State:
        for act in Act:
            then = after(state, act)
            if then is not None:
                assert check_act(state, act) is then
                continue
            with pytest.raises(IllegalAct) as refused:
                check_act(state, act)
            assert refused.value.code == "agreement.illegal_act"
            for one in possible(state):
                assert one.value in refused.value.possible


def test_nothing_leaves_a_final_state_and_every_state_can_be_reached() -> None:
    assert not {state for state, _ in MOVES} & FINAL
    reached, more = {State.DRAFT}, True
    while more:
        found = {then for (now, _), then in MOVES.items() if now in reached}
        more, reached = not found <= reached, reached | found
    assert reached == set(State)


def test_every_state_and_act_has_its_words() -> None:
    for kind in (State, Act):
        words = {one.ja for one in kind}
        assert len(words) == len(kind)


def turn(state: State, act: Act) -> Actor:
    if act is Act.RETURN:
        return {
            State.APPLIED: people.SATO,
            State.OWNER_REVIEW: people.SUZUKI,
        }.get(state, people.YAMADA)
    if act in {Act.WITHDRAW, Act.REGISTER}:
        later = act is Act.REGISTER and state is not State.DRAFT
        return people.SUZUKI if later else people.TANAKA
    return WHO[act]


def test_people_make_every_move_of_the_table_and_no_other(book: Book) -> None:
    # Each state is made once; a refused act must leave it as it is, a dry run as well.
    acts = [act for act in Act if act not in BY_GATEWAY | {Act.CREATE, Act.EDIT, Act.REGISTER}]
    for state in State:
        for act in acts:
            made = people.in_state(book, state)
            by = turn(state, act)
            if after(state, act) is None:
                with pytest.raises(IllegalAct):
                    book.act(made.agreement, Wish(act=act), by)
                assert book.get(made.agreement) == made
                continue
            assert book.act(made.agreement, Wish(act=act), by, dry_run=True) == made
            done = book.act(made.agreement, Wish(act=act), by)
            wanted = after(state, act)
            # An approved term that has begun is in force at once.
            assert done.state in {wanted, State.IN_FORCE if wanted is State.DECIDED else wanted}
            assert book.get(made.agreement) == done


@pytest.mark.parametrize("act", sorted(BY_GATEWAY))
def test_nobody_does_what_is_the_gateways(book: Book, act: Act) -> None:
    for state in (State.DECIDED, State.IN_FORCE):
        made = people.in_state(book, state)
        with pytest.raises(AgreementFailed):
            book.act(made.agreement, Wish(act=act), people.SUZUKI)
        assert book.get(made.agreement) == made


def test_the_application_changes_only_while_it_is_a_draft(book: Book) -> None:
    for state in State:
        made = people.in_state(book, state)
        if state is State.DRAFT:
            changed = book.edit(made.agreement, people.APPLICATION, people.TANAKA)
            assert (changed.row.revision, changed.state) == (2, State.DRAFT)
        else:
            with pytest.raises(IllegalAct):
                book.edit(made.agreement, people.APPLICATION, people.TANAKA)
