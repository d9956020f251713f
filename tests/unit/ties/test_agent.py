"""The agent permits what both accepted, and nothing else: any order of deeds and questions."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kumobashi.exchange.migrating import migrate
from kumobashi.storage.sqlite import SQLiteState
from kumobashi.testing.clocks import HandClock
from kumobashi.ties.agent import Ask, Offered, Reason, decide
from kumobashi.ties.errors import TieFailed
from kumobashi.ties.records import Tie
from kumobashi.ties.states import LIVE, TOLERANCE, Act, State
from kumobashi.ties.terms import Channel, Frequency, Terms
from tests.unit.ties.books import NOW, OFFER, ONE, SERVICE, Desk

ITEMS = sorted(OFFER.items)
OFFERED = Offered(first=SERVICE.first, last=SERVICE.last, is_deleted=False, clause=SERVICE.clause)
ASK = Ask(tie="t", items=frozenset({"name"}), channel=Channel.POST, at=NOW)


def tie(state: State = State.IN_FORCE, terms: Terms = OFFER) -> Tie:
    return Tie(
        tie="t",
        subject=ONE,
        service=SERVICE.service,
        state=state,
        reason=None,
        offered=OFFER,
        terms=terms,
        terms_at=NOW,
        since=NOW,
        revisions=1,
        head="-",
    )


def why(held: Tie, ask: Ask = ASK, *, used: int = 0, offered: Offered | None = OFFERED) -> Reason:
    return decide(held, offered, ask, used=used, now=NOW).reason


def test_every_reason_denies_alone() -> None:
    assert why(tie()) is Reason.ACCEPTED
    assert why(tie(), used=OFFER.frequency.times - 1) is Reason.ACCEPTED
    assert why(tie(), used=OFFER.frequency.times) is Reason.FREQUENCY
    assert why(tie(), replace(ASK, channel=Channel.SMS)) is Reason.CHANNEL
    assert why(tie(), replace(ASK, items=frozenset({"name", "income"}))) is Reason.ITEM
    assert why(tie(), replace(ASK, items=frozenset())) is Reason.ITEM
    assert why(tie(), replace(ASK, at=NOW - TOLERANCE * 2)) is Reason.CLOCK
    assert why(tie(), replace(ASK, at=NOW + TOLERANCE * 2)) is Reason.CLOCK
    assert why(tie(), offered=None) is Reason.SERVICE_OVER
    assert why(tie(), offered=replace(OFFERED, is_deleted=True)) is Reason.SERVICE_OVER
    over = replace(OFFERED, last=NOW.date() - timedelta(days=1))
    assert why(tie(), offered=over) is Reason.SERVICE_OVER
    past = replace(OFFER, last=NOW.date() - timedelta(days=1))
    assert why(tie(terms=past)) is Reason.TERM


@pytest.mark.parametrize("state", [one for one in State if one is not State.IN_FORCE])
def test_only_what_is_in_force_permits(state: State) -> None:
    expected = {State.WITHDRAWN: Reason.WITHDRAWN, State.ENDED: Reason.ENDED}
    assert why(tie(state)) is expected.get(state, Reason.NOT_IN_FORCE)


@contextmanager
def desk() -> Iterator[Desk]:
    with TemporaryDirectory() as folder:
        store = SQLiteState(Path(folder) / "state.db", owner="here")
        try:
            migrate(store)
            yield Desk(store, HandClock(NOW))
        finally:
            store.close()


NARROWED = st.builds(
    lambda items, channels, times, days: replace(
        OFFER,
        items=items,
        channels=channels,
        frequency=Frequency(times=times, days=days),
    ),
    st.frozensets(st.sampled_from([*ITEMS, "income"]), min_size=1),
    st.frozensets(st.sampled_from([*sorted(OFFER.channels), Channel.SMS]), min_size=1),
    st.integers(1, 4),
    st.integers(7, 28),
)
STEPS = st.lists(
    st.one_of(
        st.sampled_from([Act.RESIDENT_ACCEPT, Act.SERVICE_ACCEPT]),
        st.sampled_from([Act.RESIDENT_ACCEPT, Act.SERVICE_ACCEPT, Act.WITHDRAW, Act.END]),
        NARROWED,
        st.integers(1, 20),  # days go by
        st.tuples(
            st.frozensets(st.sampled_from([*ITEMS, "income"])), st.sampled_from(list(Channel))
        ),
        st.tuples(st.just(frozenset({"name"})), st.just(Channel.POST)),
    ),
    min_size=4,
    max_size=24,
)


@settings(max_examples=25, deadline=None)
@given(STEPS)
def test_what_is_permitted_is_within_what_both_accepted(steps: list[object]) -> None:
    with desk() as here:
        held = here.propose()
        accepted: dict[Act, Terms] = {}  # by side: what it last said yes to
        done: list[datetime] = []
        is_over = False
        for number, step in enumerate(steps):
            try:
                if isinstance(step, Act):
                    held = act(here, held, step)
                    accepted |= {step: held.terms}
                    is_over = is_over or step in {Act.WITHDRAW, Act.END}
                elif isinstance(step, Terms):
                    held = here.book.narrow(held.tie, step, here.said())
                elif isinstance(step, int):
                    here.go(timedelta(days=step))
            except TieFailed:
                assert here.reading.tie(held.tie) == held
            if not isinstance(step, tuple):
                continue
            items, channel = step
            said = here.agent.use(held.tie, items, channel, use=f"n{number}")
            if not said.is_permitted:
                continue
            done.append(here.clock.now())
            assert not is_over
            for side in (Act.RESIDENT_ACCEPT, Act.SERVICE_ACCEPT):
                terms = accepted[side]
                assert items
                assert items <= terms.items
                assert channel in terms.channels
                assert terms.covers(here.clock.now())
                window = terms.frequency.window
                assert sum(one > done[-1] - window for one in done) <= terms.frequency.times
        assert (held.state in LIVE) is not is_over
        assert here.reading.verify() == []


def act(here: Desk, held: Tie, what: Act) -> Tie:
    if what is Act.WITHDRAW:
        return here.book.withdraw(held.tie, here.said())
    if what is Act.END:
        return here.book.end(held.tie, here.said())
    return here.accept(held, what)
