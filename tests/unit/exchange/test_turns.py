"""Whose turn it is, and what a person may do while something waits."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.evidence.sql import waiting
from kumobashi.exchange.deeds import Deed, Deeds
from kumobashi.exchange.errors import HasLeft, IllegalMove, OrderKept, Paused
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.migrating import migrate
from kumobashi.exchange.preparing import READ_IN, snapshot_of
from kumobashi.exchange.ranks import FIRST, RANKS, RISES_EVERY, rank_now
from kumobashi.exchange.reasons import Reasons
from kumobashi.exchange.records import Outgoing
from kumobashi.exchange.rounds import Round
from kumobashi.exchange.sql import metadata, outgoing
from kumobashi.exchange.states import LEFT, OUT_FINAL, Out
from kumobashi.exchange.turns import Turns
from kumobashi.kernel import to_wire
from kumobashi.storage.sqlite import SQLiteState

NOW = datetime(2026, 11, 21, 16, 20, tzinfo=UTC)
SEALED = {Out.SEALED}


class Clock:
    at = NOW

    def now(self) -> datetime:
        return self.at


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SQLiteState]:
    made = SQLiteState(tmp_path_factory.mktemp("turns") / "state.db", owner="here")
    migrate(made)
    yield made
    made.close()


@pytest.fixture
def ledger(store: SQLiteState) -> Ledger:
    for table in metadata.sorted_tables:
        store.write(lambda held, table=table: held.execute(sa.delete(table)) and None)  # type: ignore[misc]
    return Ledger(store, "999997", Clock())


def add(
    ledger: Ledger,
    link: str,
    day: int = 1,
    *,
    state: Out = Out.SEALED,
    rank: int = RANKS["normal"],
    in_order: bool = False,
    to_site: str = "there",
) -> Outgoing:
    on = (NOW.date() + timedelta(days=day)).isoformat()
    row, _ = ledger.start(
        link,
        on,
        mode="full",
        plan_hash="sha256:0",
        again=True,
        to_site=to_site,
        rank=rank,
        in_order=in_order,
    )
    return put(ledger, row, state)


def put(ledger: Ledger, row: Outgoing, state: Out) -> Outgoing:
    change = sa.update(outgoing).where(outgoing.c.transfer == row.transfer)
    ledger.store.write(lambda held: held.execute(change.values(state=state.value)).rowcount)
    return ledger.outgoing(row.transfer)


def turns(
    ledger: Ledger, limit: int = 10, beside: frozenset[tuple[str, int]] = frozenset()
) -> list[str]:
    found = Turns(ledger).sending(SEALED, beside, limit, to_sites={"there"})
    return [job.key[0] for job in found.jobs]


# -- turns --------------------------------------------------------------------------------------


def test_links_take_turns_and_each_keeps_its_own_order(ledger: Ledger) -> None:
    many = [add(ledger, "many", day).transfer for day in range(1, 6)]
    few = [add(ledger, "few", day).transfer for day in range(1, 3)]

    assert turns(ledger) == [many[0], few[0], many[1], few[1], *many[2:]]
    assert turns(ledger, limit=2) == [many[0], few[0]]


def test_what_is_worked_on_and_what_goes_elsewhere_has_no_turn(ledger: Ledger) -> None:
    first, second = add(ledger, "a", 1), add(ledger, "a", 2)
    add(ledger, "b", to_site="elsewhere")
    add(ledger, "c", state=Out.SENT)

    assert turns(ledger, beside=frozenset({(first.transfer, 1)})) == [second.transfer]


def test_rank_goes_before_age(ledger: Ledger) -> None:
    low = add(ledger, "low", rank=RANKS["low"])
    normal = add(ledger, "normal")
    high = add(ledger, "high", rank=RANKS["high"])
    last = add(ledger, "normal", 2)
    Deeds(ledger).send_first(last.transfer)

    assert turns(ledger) == [row.transfer for row in (last, high, normal, low)]
    assert ledger.outgoing(last.transfer).rank == FIRST


def test_what_has_waited_long_is_not_overtaken_by_what_is_urgent_and_new(ledger: Ledger) -> None:
    old = add(ledger, "low", rank=RANKS["low"])
    later = Ledger(ledger.store, "999997", at(NOW + 2 * RISES_EVERY))
    urgent = [add(later, "high", day, rank=RANKS["high"]) for day in range(1, 4)]
    young = add(later, "low", 2, rank=RANKS["low"])

    went = turns(later, limit=2)

    assert went == [old.transfer, urgent[0].transfer], "its link takes turns with the urgent one"
    assert turns(later)[-1] == young.transfer
    before = Ledger(ledger.store, "999997", at(NOW - timedelta(days=1)))
    assert turns(before)[0] == urgent[0].transfer, "a clock that was set back lets nothing rise"


@given(
    st.lists(st.tuples(st.sampled_from([FIRST, *RANKS.values()]), st.integers(0, 300)), min_size=1)
)
def test_nothing_is_starved_and_nothing_rises_above_what_a_person_put_first(
    waiting: list[tuple[int, int]],
) -> None:
    for rank, minutes in waiting:
        now = rank_now(rank, timedelta(minutes=minutes))
        assert now <= rank
        assert now >= min(rank, RANKS["high"])
        assert now <= rank_now(rank, timedelta(minutes=max(0, minutes - 1)))
        if minutes >= 60:
            assert now <= RANKS["high"]


@pytest.mark.parametrize("state", sorted(set(Out) - OUT_FINAL))
def test_a_link_that_keeps_its_order_waits_for_whatever_is_not_over(
    ledger: Ledger, state: Out
) -> None:
    before = add(ledger, "stream", 1, in_order=True)
    after = add(ledger, "stream", 2, in_order=True)
    put(ledger, before, state)

    assert turns(ledger) == ([before.transfer] if state is Out.SEALED else [])
    seen = Reasons(turns=Turns(ledger)).seen(ledger.outgoing(after.transfer))
    assert seen.cause is not None
    assert seen.cause["code"] == "exchange.waits_its_turn"
    assert before.transfer in seen.cause["ja"]


@pytest.mark.parametrize("end", sorted(OUT_FINAL))
def test_when_the_one_before_is_over_the_next_goes(ledger: Ledger, end: Out) -> None:
    before = add(ledger, "stream", 1, in_order=True)
    after = add(ledger, "stream", 2, in_order=True)
    put(ledger, before, end)

    assert turns(ledger) == [after.transfer]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), min_size=1, max_size=12))
def test_everything_has_its_turn_once_and_streams_in_order(
    store: SQLiteState, wanted: list[tuple[str, bool]]
) -> None:
    for table in metadata.sorted_tables:
        store.write(lambda held, table=table: held.execute(sa.delete(table)) and None)  # type: ignore[misc]
    ledger = Ledger(store, "999997", Clock())
    rows = [add(ledger, link, day, in_order=link == "a") for day, (link, _) in enumerate(wanted)]

    went: list[str] = []
    while next_ := turns(ledger, limit=1):
        put(ledger, ledger.outgoing(next_[0]), Out.APPLIED)
        went += next_

    assert sorted(went) == sorted(row.transfer for row in rows)
    for link in "abc":
        mine = [row.transfer for row in rows if row.link == link]
        assert [transfer for transfer in went if transfer in mine] == mine


def test_what_was_put_off_comes_when_it_is_due(ledger: Ledger) -> None:
    row = add(ledger, "a")
    cause = {"code": "x", "side": "y", "next_try": to_wire(NOW + timedelta(seconds=30)), "tries": 1}
    ledger.move_out(row.transfer, None, cause=cause)

    found = Turns(ledger).sending(SEALED, frozenset(), 10)
    assert (list(found.jobs), found.again_in) == ([], 30.0)

    later = Ledger(ledger.store, "999997", at(NOW + timedelta(seconds=31)))
    assert [job.is_retry for job in Turns(later).sending(SEALED, frozenset(), 10).jobs] == [True]
    # A clock that ran ahead and was set back, by a day or by a minute, strands nothing.
    for back in (timedelta(days=1), timedelta(minutes=1)):
        assert turns(Ledger(ledger.store, "999997", at(NOW - back))) == [row.transfer]


def at(moment: datetime) -> Clock:
    clock = Clock()
    clock.at = moment
    return clock


# -- looking round ------------------------------------------------------------------------------


def test_few_are_waited_upon_and_many_are_looked_at_in_turn() -> None:
    keys = [(f"{number:03}", 1) for number in range(10)]

    def behind(after: tuple[str, int], limit: int) -> list[tuple[str, int]]:
        return [key for key in keys if key > after][:limit]

    quiet = Round(behind)
    assert len(quiet.find(frozenset(), 4, few=10).jobs) == 10
    assert not quiet.is_crowded

    crowded = Round(behind)
    seen: list[tuple[str, int]] = []
    while jobs := crowded.find(frozenset(), 4, few=3).jobs:
        seen += [job.key for job in jobs]
    assert (seen, crowded.is_crowded) == (keys, True)
    pauses = []
    for _ in range(8):
        while crowded.find(frozenset(), 4, few=3).jobs:
            pass
        pauses.append(crowded._pause)
    assert pauses == sorted(pauses)
    assert pauses[-1] == 20.0


# -- deeds --------------------------------------------------------------------------------------


@pytest.mark.parametrize("deed", Deed)
@pytest.mark.parametrize("state", Out)
def test_every_deed_in_every_state(ledger: Ledger, deed: Deed, state: Out) -> None:
    row = add(ledger, "a", state=state)
    deeds = Deeds(ledger)
    do = {
        Deed.PAUSE: deeds.pause,
        Deed.RESUME: deeds.resume,
        Deed.CANCEL: deeds.cancel,
        Deed.SEND_FIRST: deeds.send_first,
    }[deed]

    if state in OUT_FINAL:
        with pytest.raises(IllegalMove):
            do(row.transfer)
    elif state in LEFT and deed is not Deed.RESUME:
        with pytest.raises(HasLeft) as refusal:
            do(row.transfer)
        assert state.value in refusal.value.say("ja")
    else:
        do(row.transfer)
        after = ledger.outgoing(row.transfer)
        assert after.state is (Out.CANCELLED if deed is Deed.CANCEL else state)
        return
    assert ledger.outgoing(row.transfer) == row, "a refused deed changes nothing"


def test_a_paused_transfer_has_no_turn_and_says_so(ledger: Ledger) -> None:
    row, deeds = add(ledger, "a"), Deeds(ledger)
    assert deeds.pause(row.transfer) == deeds.pause(row.transfer), "twice does no harm"

    assert turns(ledger) == []
    with pytest.raises(Paused):
        deeds.begin_to_close(row.transfer)
    with pytest.raises(Paused):
        deeds.refuse_paused(row.transfer)
    seen = Reasons(turns=Turns(ledger)).seen(ledger.outgoing(row.transfer))
    assert seen.cause is not None
    assert seen.cause["code"] == "exchange.paused"

    deeds.resume(row.transfer)
    assert turns(ledger) == [row.transfer]


def test_a_paused_link_keeps_its_transfers_and_no_others(ledger: Ledger) -> None:
    row, other = add(ledger, "a"), add(ledger, "b")
    deeds = Deeds(ledger)
    deeds.pause_link("a")
    deeds.pause_link("a")

    assert turns(ledger) == [other.transfer]
    assert list(deeds.paused_links()) == ["a"]
    with pytest.raises(Paused):
        deeds.begin_to_close(row.transfer)

    deeds.resume_link("a")
    deeds.resume_link("a")
    assert turns(ledger) == [row.transfer, other.transfer]


def test_what_may_have_been_closed_is_neither_cancelled_nor_paused(ledger: Ledger) -> None:
    row, deeds = add(ledger, "a"), Deeds(ledger)
    deeds.begin_to_close(row.transfer)
    deeds.begin_to_close(row.transfer)

    for deed in (deeds.cancel, deeds.pause, deeds.send_first):
        with pytest.raises(HasLeft):
            deed(row.transfer)
    deeds.refuse_paused(row.transfer)  # it goes on


def test_what_was_cancelled_is_never_closed(ledger: Ledger) -> None:
    row, deeds = add(ledger, "a"), Deeds(ledger)
    deeds.cancel(row.transfer)

    with pytest.raises(IllegalMove):
        deeds.begin_to_close(row.transfer)
    with pytest.raises(IllegalMove):
        deeds.refuse_paused(row.transfer)


def test_nothing_overtakes_on_a_link_that_keeps_its_order(ledger: Ledger) -> None:
    add(ledger, "a", 1, in_order=True)
    row = add(ledger, "a", 2, in_order=True)

    with pytest.raises(OrderKept):
        Deeds(ledger).send_first(row.transfer)


def said_of(ledger: Ledger) -> list[dict[str, object]]:
    query = sa.select(waiting.c.body).order_by(waiting.c.entry)
    bodies = ledger.store.read(lambda held: list(held.execute(query).scalars()))
    return [json.loads(body) for body in bodies]


def test_each_deed_is_in_the_evidence_log_once_and_says_that_a_person_did_it(
    ledger: Ledger,
) -> None:
    row, other, deeds = add(ledger, "a"), add(ledger, "b"), Deeds(ledger)
    before = len(said_of(ledger))
    for _ in range(2):
        deeds.pause(row.transfer)
    deeds.send_first(row.transfer)
    for _ in range(2):
        deeds.resume(row.transfer)
    for _ in range(2):
        deeds.pause_link("a")
    deeds.begin_to_close(other.transfer)
    for _ in range(2):
        deeds.resume_link("a")
    deeds.cancel(row.transfer)

    said = said_of(ledger)[before:]

    assert [(one["event"], one.get("after")) for one in said] == [
        ("transfer.paused", None),
        ("transfer.put_first", None),
        ("transfer.resumed", None),
        ("link.paused", None),
        ("link.resumed", None),
        ("transfer.moved", "cancelled"),
    ]
    assert {one["by"] for one in said} == {"operator"}


def test_a_bundle_that_has_left_may_be_handed_over_again(ledger: Ledger) -> None:
    row, deeds = add(ledger, "a", state=Out.SENT), Deeds(ledger)

    deeds.refuse_paused(row.transfer)
    deeds.begin_to_close(row.transfer)

    assert ledger.outgoing(row.transfer) == row


def test_what_was_cut_anew_keeps_the_name_of_what_it_left_behind(ledger: Ledger) -> None:
    row = add(ledger, "a")
    again = ledger.move_out(row.transfer, None, attempt=2, facts={READ_IN: row.attempt})

    assert snapshot_of(again) == snapshot_of(row) == row.transfer
    assert snapshot_of(replace(row, attempt=2)) == f"{row.transfer}.2"
