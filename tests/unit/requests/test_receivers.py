"""How far a receiver is after a request was carried out."""

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from kumobashi.requests.receivers import Run, Told, how
from tests.unit.requests.books import NHI, TODAY

DUE = TODAY + timedelta(days=30)
days = st.integers(0, 60).map(lambda after: TODAY + timedelta(days=after))


@st.composite
def runs(draw: st.DrawFn) -> list[Run]:
    """Return runs as a ledger has them: what was applied has left."""
    made = []
    for number, on in enumerate(sorted(draw(st.lists(days, max_size=4)))):
        has_left = draw(st.booleans())
        is_applied = has_left and draw(st.booleans())
        made.append(Run(transfer=f"t{number}", on=on, has_left=has_left, is_applied=is_applied))
    return made


@given(runs(), days)
def test_a_run_tells_and_its_receipt_confirms(later: list[Run], today: date) -> None:
    far = how(NHI, later, due=DUE, today=today)

    applied = [run for run in later if run.is_applied]
    if applied:
        assert (far.told, far.on, far.transfer) == (
            Told.CONFIRMED,
            applied[0].on,
            applied[0].transfer,
        )
    elif today > DUE:
        assert far.told is Told.OVERDUE
    else:
        has_left = any(run.has_left for run in later)
        assert far.told is (Told.TOLD if has_left else Told.WAITING)


@given(runs(), days)
def test_a_run_confirms_nothing_at_a_receiver_of_paper(later: list[Run], today: date) -> None:
    paper = replace(NHI, by_run=False)

    assert how(paper, later, due=DUE, today=today) == how(paper, [], due=DUE, today=today)
    told = paper.noted(TODAY, is_confirmed=False)
    assert how(told, later, due=DUE, today=DUE).told is Told.TOLD
    done = told.noted(DUE, is_confirmed=True)
    assert (done.told_on, done.confirmed_on) == (TODAY, DUE)
    assert how(done, [], due=DUE, today=DUE + timedelta(days=99)).told is Told.CONFIRMED
