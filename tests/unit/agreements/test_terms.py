"""When an agreement holds, begins, ends and is reminded of; clocks; numbers; the register."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.agreements import Act, Book, Processor, State, processors
from kumobashi.agreements.acting import Wish
from kumobashi.agreements.attaching import ALL_BYTES, LARGEST_BYTES, MOST, Attachments
from kumobashi.agreements.contents import Application, Attachment
from kumobashi.agreements.errors import (
    AgreementEnded,
    AgreementForged,
    AgreementMissing,
    ApplicationUnfit,
    AttachmentLost,
    AttachmentUnfit,
    ClockBehind,
    IllegalAct,
    NotCovered,
    NotInForce,
    NumberTaken,
    OtherLink,
    OutsideTerm,
    PlanDrifted,
    ProcessorsNotPermitted,
)
from kumobashi.agreements.models import lines_of, wish_of
from kumobashi.agreements.reading import covering, still
from kumobashi.agreements.records import Agreement
from kumobashi.agreements.terms import Wanted, reminders
from kumobashi.agreements.views import acts_for, steps_of, view_of
from kumobashi.kernel import business_date
from kumobashi.testing.clocks import HandClock
from tests.unit.agreements import people

LINK = people.APPLICATION.link


@pytest.fixture
def clock() -> HandClock:
    return HandClock(people.NOW)


@pytest.fixture
def book(tmp_path: Path, clock: HandClock) -> Iterator[Book]:
    made = people.file_book(tmp_path, clock)
    yield made
    made.store.close()


def wanted(book: Book, **more: object) -> Wanted:
    today = business_date(book.clock.now())
    plain = {"link": LINK, "plan_hash": people.HASH, "business_date": today, "today": today}
    return Wanted(**{**plain, **more})  # type: ignore[arg-type]


def covered(book: Book, number: str | None = None, **more: object) -> Agreement:
    want = wanted(book, **more)
    return book.store.write(lambda held: covering(held, book.trusted, want, number=number))


def test_only_what_is_in_force_covers_its_own_link_plan_and_days(book: Book) -> None:
    with pytest.raises(AgreementMissing):
        covered(book)
    made = people.in_state(book, State.IN_FORCE)

    assert covered(book).agreement == made.agreement
    assert covered(book, made.row.number).agreement == made.agreement
    assert covered(book, business_date=date(2026, 11, 1)).agreement == made.agreement
    with pytest.raises(OutsideTerm):
        covered(book, business_date=date(2026, 10, 31))
    with pytest.raises(OutsideTerm):
        covered(book, today=date(2027, 4, 1))
    with pytest.raises(PlanDrifted):
        covered(book, plan_hash=people.OTHER_HASH)
    with pytest.raises(OtherLink):
        covered(book, made.row.number, link="another-link")
    with pytest.raises(AgreementMissing):
        covered(book, link="another-link")


@pytest.mark.parametrize("state", [state for state in State if state is not State.IN_FORCE])
def test_no_other_state_covers_anything(book: Book, state: State) -> None:
    made = people.in_state(book, state)
    with pytest.raises(NotCovered):
        covered(book)
    with pytest.raises(NotCovered) as refused:
        covered(book, made.agreement)
    over = {State.EXPIRED, State.REFUSED, State.WITHDRAWN}
    assert isinstance(refused.value, AgreementEnded if state in over else NotInForce)


def test_a_change_takes_the_place_of_what_it_changes(book: Book) -> None:
    old = people.in_state(book, State.IN_FORCE)
    application = replace(
        people.APPLICATION,
        supersedes=old.agreement,
        plan=replace(people.APPLICATION.plan, hash=people.OTHER_HASH),
    )
    assert covered(book, old.row.number).agreement == old.agreement
    new = people.in_state(book, State.IN_FORCE, application)

    assert book.get(old.agreement).state is State.EXPIRED
    assert covered(book, old.row.number, plan_hash=people.OTHER_HASH).agreement == new.agreement
    # What began under the old one does not go on under the new one.
    with pytest.raises(AgreementEnded):
        book.store.write(lambda held: still(held, book.trusted, old.agreement, wanted(book)))
    with pytest.raises(IllegalAct):
        book.create(application, people.TANAKA)


def test_of_two_changes_the_later_one_stands(book: Book) -> None:
    old = people.in_state(book, State.IN_FORCE)
    application = replace(people.APPLICATION, supersedes=old.agreement)
    first, second = (book.create(application, people.TANAKA) for _ in range(2))
    for made in (first, second):
        for act, by in people.WAY:
            book.act(made.agreement, Wish(act=act), by)
    states = [book.get(one.agreement).state for one in (old, first, second)]
    assert states == [State.EXPIRED, State.EXPIRED, State.IN_FORCE]
    assert covered(book, old.row.number).agreement == second.agreement


def test_a_change_that_was_taken_back_before_it_began_replaces_nothing(book: Book) -> None:
    old = people.in_state(book, State.IN_FORCE)
    application = replace(people.APPLICATION, supersedes=old.agreement)
    good, bad = (book.create(application, people.TANAKA) for _ in range(2))
    book.act(bad.agreement, Wish(act=Act.WITHDRAW), people.TANAKA)
    assert covered(book, old.row.number).agreement == old.agreement
    for act, by in people.WAY:
        book.act(good.agreement, Wish(act=act), by)
    assert covered(book, old.row.number).agreement == good.agreement


def test_it_begins_on_its_first_day_and_ends_at_midnight_in_japan(
    book: Book, clock: HandClock
) -> None:
    made = people.in_state(book, State.DECIDED)  # from 1 December on
    clock.at = datetime(2026, 11, 30, 14, 59, 59, tzinfo=UTC)
    assert book.due() == []
    clock.at = datetime(2026, 11, 30, 15, 0, tzinfo=UTC)
    assert book.due() == [made.agreement]
    begun = book.keep_up(made.agreement)
    assert begun
    assert begun.state is State.IN_FORCE
    assert book.keep_up(made.agreement) is None
    clock.at = datetime(2027, 3, 31, 14, 59, 59, tzinfo=UTC)
    assert covered(book).agreement == made.agreement
    clock.at = datetime(2027, 3, 31, 15, 0, tzinfo=UTC)
    with pytest.raises(OutsideTerm):  # before anybody has written that it ended
        covered(book)
    over = book.keep_up(made.agreement)
    assert over
    assert (over.state, over.head.by) == (State.EXPIRED, "gateway")
    assert book.unsettled() == [made.agreement]
    book.settle(made.agreement)
    assert book.unsettled() == []


def test_a_clock_that_is_behind_keeps_everything_back_but_a_withdrawal(
    book: Book, clock: HandClock
) -> None:
    made = people.in_state(book, State.APPLIED)
    clock.at = people.NOW - timedelta(seconds=1)
    with pytest.raises(ClockBehind) as refused:
        book.act(made.agreement, Wish(act=Act.REVIEW), people.SATO)
    assert refused.value.retryable
    assert book.get(made.agreement) == made

    gone = book.act(made.agreement, Wish(act=Act.WITHDRAW), people.TANAKA)
    assert (gone.head.at, gone.head.clock) == (made.head.at, clock.at)
    assert book.get(made.agreement) == gone

    clock.at = people.NOW
    again = people.in_state(book, State.APPLIED)
    done = book.act(again.agreement, Wish(act=Act.REVIEW), people.SATO)
    assert done.state is State.OWNER_REVIEW, "the same moment is no earlier one"


def test_numbers_are_given_in_order_and_kept_when_sent_back(book: Book, clock: HandClock) -> None:
    first = people.in_state(book, State.APPLIED)
    assert people.in_state(book, State.DRAFT).row.number is None
    second = people.in_state(book, State.APPLIED)
    assert (first.name, second.name) == ("8架総第1号", "8架総第2号")
    book.act(first.agreement, Wish(act=Act.RETURN), people.SATO)
    again = book.act(first.agreement, Wish(act=Act.SUBMIT), people.TANAKA)
    assert again.name == "8架総第1号"

    own = people.in_state(book, State.DRAFT)
    for taken in ("8架総第1号",):
        with pytest.raises(NumberTaken):
            book.act(own.agreement, Wish(act=Act.SUBMIT), people.TANAKA, number=taken)
    done = book.act(own.agreement, Wish(act=Act.SUBMIT), people.TANAKA, number="8架総第3号")
    assert done.name == "8架総第3号"
    assert people.in_state(book, State.APPLIED).name == "8架総第4号"
    clock.at = datetime(2027, 3, 31, 15, 0, tzinfo=UTC)  # 1 April in Japan
    assert people.in_state(book, State.APPLIED).name == "9架総第1号"


SUB = Processor(
    name="乙社",
    address="架空市2",
    task="監視",
    place="東",
    jurisdiction="JP",
    under="甲社",
    permission="8架総第9号",
    permitted_until=date(2026, 12, 31),
)
TOP = Processor(name="甲社", address="架空市1", task="運用", place="東", jurisdiction="JP")


@pytest.mark.parametrize(
    ("change", "is_good"),
    [
        ({}, True),
        ({"permission": None}, False),
        ({"permitted_until": None}, False),
        ({"permitted_until": date(2026, 11, 22)}, True),
        ({"permitted_until": date(2026, 11, 21)}, False),
    ],
)
def test_a_processor_without_permission_keeps_it_from_coming_into_force(
    book: Book, clock: HandClock, change: dict[str, object], *, is_good: bool
) -> None:
    register = [TOP, replace(SUB, **change)]  # type: ignore[arg-type]
    made = book.create(people.APPLICATION, people.TANAKA, register=register)
    for act, by in people.WAY:
        made = book.act(made.agreement, Wish(act=act), by)
    assert (made.state is State.IN_FORCE) is is_good
    found = reminders(made, people.OFFICES, clock.now())
    assert any(one.kind == "blocked" for one in found) is not is_good
    if is_good:
        return
    with pytest.raises(NotInForce):
        covered(book)
    fixed = book.register(made.agreement, [TOP, SUB], people.SUZUKI)
    assert fixed.state is State.IN_FORCE, "nothing else was in its way"


def test_a_permission_that_runs_out_shows_in_the_list(book: Book, clock: HandClock) -> None:
    made = book.create(people.APPLICATION, people.TANAKA, register=[TOP, SUB])
    for act, by in people.WAY:
        made = book.act(made.agreement, Wish(act=act), by)
    clock.at = datetime(2027, 1, 1, tzinfo=UTC)
    (told,) = [
        one for one in reminders(made, people.OFFICES, clock.now()) if one.kind == "permission"
    ]
    assert told.is_red
    with pytest.raises(ProcessorsNotPermitted):
        processors.check_permitted(made.register, date(2027, 1, 1), number=made.name)


def test_a_register_is_a_tree() -> None:
    for bad in (
        [SUB],  # under nobody
        [TOP, TOP],
        [replace(TOP, under="乙社"), SUB],  # a ring
    ):
        with pytest.raises(ApplicationUnfit):
            processors.check_register(bad)
    deep = replace(SUB, name="丙社", under="乙社")
    assert processors.level_of(deep, [TOP, SUB, deep]) == 3


def test_waiting_and_ending_are_reminded_of(book: Book, clock: HandClock) -> None:
    made = people.in_state(book, State.APPLIED)
    for days, is_red in ((7, False), (8, True)):
        (one,) = reminders(made, people.OFFICES, people.NOW + timedelta(days=days))
        assert (one.is_red, "市民課" in one.ja) == (is_red, True)
    made = people.in_state(book, State.IN_FORCE)  # until 31 March
    for day, count, is_red in (
        (date(2026, 12, 30), 0, False),
        (date(2026, 12, 31), 1, False),
        (date(2027, 3, 24), 1, True),
        (date(2027, 3, 31), 1, True),
    ):
        at = datetime(day.year, day.month, day.day, 3, tzinfo=UTC)
        found = reminders(made, people.OFFICES, at)
        assert [one.kind for one in found] == ["ending"] * count
        assert any(one.is_red for one in found) is is_red


@given(
    name=st.text(min_size=1, max_size=20),
    purpose=st.text(max_size=50),
    conditions=st.lists(st.text(max_size=20), max_size=3),
    size=st.integers(min_value=0, max_value=2**40),
)
def test_an_application_is_read_as_it_was_written(
    name: str, purpose: str, conditions: list[str], size: int
) -> None:
    surrogates = any("\ud800" <= letter <= "\udfff" for letter in name + purpose)
    if surrogates or any("\ud800" <= x <= "\udfff" for one in conditions for x in one):
        return
    made = replace(
        people.APPLICATION,
        purpose=purpose,
        conditions=tuple(conditions),
        attachments=(Attachment(name=name, digest=people.HASH, size=size),),
    )
    assert Application.decode(made.encode()) == made


@given(st.text(max_size=12))
def test_no_name_of_an_attachment_leads_anywhere(name: str) -> None:
    from kumobashi.agreements.attaching import check_name

    try:
        assert check_name(name) == name
    except AttachmentUnfit:
        return
    assert not set(name) & set("/\\:\0")
    assert name not in {"", ".", ".."}


@pytest.mark.parametrize(
    "name",
    [
        "../key",
        "/etc/x",
        "a\\b",
        "..",
        ".",
        ".hidden",
        "a:b",
        "x\n",
        "\u202efdp.exe",
        "",
        "a" * 101,
    ],
)
def test_names_that_mislead_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(AttachmentUnfit):
        Attachments(tmp_path / "files").keep(name, b"x")
    assert not (tmp_path / "files").exists()


def test_attachments_are_kept_and_changes_are_noticed(tmp_path: Path) -> None:
    files = Attachments(tmp_path / "files")
    made = files.keep("図面 第1号.pdf", b"%PDF-1.7")
    assert files.keep("別の名前.pdf", b"%PDF-1.7").digest == made.digest
    assert files.read(made) == b"%PDF-1.7"
    (place,) = (tmp_path / "files").iterdir()
    assert place.stat().st_mode & 0o077 == 0
    place.write_bytes(b"%PDF-1.8")
    with pytest.raises(AttachmentLost):
        files.read(made)
    assert files.keep("図面 第1号.pdf", b"%PDF-1.7") == made, "a spoilt file is written again"
    place.unlink()
    with pytest.raises(AttachmentLost):
        files.read(made)


def test_attachments_have_limits(tmp_path: Path) -> None:
    files = Attachments(tmp_path / "files")
    one = Attachment(name="a", digest=people.HASH, size=1)
    many = tuple(replace(one, name=str(n)) for n in range(MOST))
    large = (replace(one, size=ALL_BYTES),)
    for body, held in ((b"", ()), (bytes(LARGEST_BYTES + 1), ()), (b"x", many), (b"x", large)):
        with pytest.raises(AttachmentUnfit):
            files.keep("b", body, held)
    assert files.keep("0", b"x", many).size == 1, "one of the same name is replaced"


def test_what_people_send_is_told_by_its_first_mistake() -> None:
    good = {
        "link": LINK,
        "owner_section": "市民課",
        "purpose": "目的",
        "first": "2026-11-01",
        "last": "2027-03-31",
    }
    assert wish_of(good).first == date(2026, 11, 1)
    for change in (
        {"last": "2026-10-31"},
        {"first": "きのう"},
        {"purpose": ""},
        {"conditions": [""]},
        {"more": 1},
        {"link": "../x"},
    ):
        with pytest.raises(ApplicationUnfit) as refused:
            wish_of({**good, **change})
        assert refused.value.reason
    with pytest.raises(ApplicationUnfit):
        lines_of([{"name": "甲社"}])


def test_the_steps_are_drawn_as_they_were_gone(book: Book, clock: HandClock) -> None:
    for state in State:
        made = people.in_state(book, state)
        view = view_of(made, people.OFFICES, clock.now(), business_date(clock.now()))
        steps = steps_of(view)
        assert len(steps) == 6
        way = [step.state for step in steps]
        now = [step.state for step in steps if step.standing == "now"]
        is_over = state in {State.EXPIRED, State.REFUSED, State.WITHDRAWN}
        assert now == ([] if is_over else [way[min(way.index(state) + 1, 5)]])
    back = book.act(
        people.in_state(book, State.OWNER_REVIEW).agreement, Wish(act=Act.RETURN), people.SUZUKI
    )
    view = view_of(back, people.OFFICES, clock.now(), business_date(clock.now()))
    assert [step.standing for step in steps_of(view)] == ["done", "now", *["ahead"] * 4]


def test_everybody_is_offered_just_what_they_may_do(book: Book, clock: HandClock) -> None:
    made = people.in_state(book, State.APPLIED)
    now = clock.now()
    assert set(acts_for(made, people.OFFICES, people.TANAKA, now)) == {Act.WITHDRAW}
    assert set(acts_for(made, people.OFFICES, people.SATO, now)) == {Act.REVIEW, Act.RETURN}
    assert set(acts_for(made, people.OFFICES, people.YAMADA, now)) == set()
    assert set(acts_for(made, people.OFFICES, people.actor("nobody"), now)) == set()


def test_forged_rows_do_not_cover(book: Book) -> None:
    import sqlalchemy as sa

    from kumobashi.agreements.sql import agreements

    made = people.in_state(book, State.DRAFT)
    forged = sa.update(agreements).values(state="in_force", number="8架総第7号")
    book.store.write(lambda held: held.execute(forged))
    for number in (None, "8架総第7号", made.agreement):
        with pytest.raises(AgreementForged):
            covered(book, number)
