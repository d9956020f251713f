"""Who may do what: four eyes, deputies, sections, locked accounts."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from kumobashi.agreements import Act, Book, Offices, State
from kumobashi.agreements.acting import Wish
from kumobashi.agreements.errors import (
    AccountLocked,
    AgreementChanged,
    AgreementsNotSet,
    ApplicantDecides,
    DeputyNotNamed,
    NotAMember,
    ReviewerConcurs,
    WrongSection,
)
from kumobashi.agreements.offices import Member, Power, offices_of
from kumobashi.directory.agreement_models import AgreementRules
from kumobashi.identity.roles import Role
from kumobashi.testing.clocks import HandClock
from tests.unit.agreements import people
from tests.unit.agreements.people import actor


@pytest.fixture
def clock() -> HandClock:
    return HandClock(people.NOW)


@pytest.fixture
def book(tmp_path: Path, clock: HandClock) -> Iterator[Book]:
    made = people.file_book(tmp_path, clock)
    yield made
    made.store.close()


OGAWA = actor("ogawa")  # has every power, of the section that owns the data


def test_who_applied_neither_reviews_nor_concurs_nor_decides(book: Book) -> None:
    application = replace(people.APPLICATION, applicant_section="市民課")
    made = book.create(application, OGAWA)
    made = book.act(made.agreement, Wish(act=Act.SUBMIT), OGAWA)
    with pytest.raises(ApplicantDecides):
        book.act(made.agreement, Wish(act=Act.REVIEW), OGAWA)
    made = book.act(made.agreement, Wish(act=Act.REVIEW), people.SATO)
    with pytest.raises(ApplicantDecides):
        book.act(made.agreement, Wish(act=Act.CONCUR), OGAWA)
    made = book.act(made.agreement, Wish(act=Act.CONCUR), people.SUZUKI)
    for act in (Act.APPROVE, Act.REFUSE):
        with pytest.raises(ApplicantDecides):
            book.act(made.agreement, Wish(act=act), OGAWA)
    assert book.get(made.agreement) == made


def test_whoever_wrote_a_line_of_it_is_an_applicant_even_rounds_later(book: Book) -> None:
    made = book.create(replace(people.APPLICATION, applicant_section="市民課"), OGAWA)
    offices = replace(
        people.OFFICES,
        members={
            **people.OFFICES.members,
            "aoki": Member(account="aoki", section="市民課", powers=frozenset({Power.APPLY})),
        },
    )
    book.offices = lambda: offices
    aoki = actor("aoki", Role.OPERATOR)
    made = book.act(made.agreement, Wish(act=Act.SUBMIT), aoki)
    made = book.act(made.agreement, Wish(act=Act.RETURN, note="期間を直す"), people.SATO)
    made = book.edit(made.agreement, made.application, aoki)
    made = book.act(made.agreement, Wish(act=Act.SUBMIT), aoki)

    with pytest.raises(ApplicantDecides):
        book.act(made.agreement, Wish(act=Act.REVIEW), OGAWA)


def test_who_reviewed_does_not_concur_not_even_as_a_deputy(book: Book) -> None:
    made = people.in_state(book, State.APPLIED)
    made = book.act(made.agreement, Wish(act=Act.REVIEW), OGAWA)
    with pytest.raises(ReviewerConcurs):
        book.act(made.agreement, Wish(act=Act.CONCUR), OGAWA)

    made = people.in_state(book, State.OWNER_REVIEW)  # sato reviewed, and is suzuki's deputy
    deputy = replace(people.SATO, instead_of="suzuki", instead_role=Role.APPROVER)
    with pytest.raises(ReviewerConcurs):
        book.act(made.agreement, Wish(act=Act.CONCUR), deputy)


def test_who_reviewed_an_earlier_round_may_concur_in_this_one(book: Book) -> None:
    made = people.in_state(book, State.APPLIED)
    made = book.act(made.agreement, Wish(act=Act.REVIEW), OGAWA)
    made = book.act(made.agreement, Wish(act=Act.RETURN), people.SUZUKI)
    made = book.act(made.agreement, Wish(act=Act.SUBMIT), people.TANAKA)
    made = book.act(made.agreement, Wish(act=Act.REVIEW), people.SATO)

    assert book.act(made.agreement, Wish(act=Act.CONCUR), OGAWA).head.act is Act.CONCUR


def test_a_deputy_acts_within_the_dates_and_the_history_names_both(
    book: Book, clock: HandClock
) -> None:
    made = people.in_state(book, State.OWNER_REVIEW)
    kato = actor("kato", instead_of="suzuki", instead_role=Role.APPROVER)
    for day in (datetime(2026, 12, 1, tzinfo=UTC), datetime(2026, 11, 30, 15, 0, tzinfo=UTC)):
        clock.at = day  # 15:00 UTC is midnight in Japan
        with pytest.raises(DeputyNotNamed):
            book.act(made.agreement, Wish(act=Act.CONCUR), kato)
    clock.at = datetime(2026, 11, 30, 14, 59, tzinfo=UTC)
    done = book.act(made.agreement, Wish(act=Act.CONCUR), kato).head

    assert (done.by, done.instead_of, done.section) == ("kato", "suzuki", "総務課")
    assert done.persons == {"kato", "suzuki"}


def test_the_deputy_of_an_applicant_cannot_decide_for_another(book: Book) -> None:
    kato = actor("kato", Role.APPROVER, instead_of="tanaka", instead_role=Role.OPERATOR)
    made = book.create(people.APPLICATION, kato)
    made = book.act(made.agreement, Wish(act=Act.SUBMIT), people.TANAKA)
    made = book.act(made.agreement, Wish(act=Act.REVIEW), people.SATO)
    again = actor("kato", instead_of="suzuki", instead_role=Role.APPROVER)
    with pytest.raises(ApplicantDecides):
        book.act(made.agreement, Wish(act=Act.CONCUR), again)


def test_a_locked_account_a_lost_power_and_a_lost_role_cannot_act(book: Book) -> None:
    made = people.in_state(book, State.APPLIED)
    wish = Wish(act=Act.REVIEW)
    with pytest.raises(AccountLocked):
        book.act(made.agreement, wish, replace(people.SATO, is_locked=True))
    with pytest.raises(NotAMember):  # only looks by now
        book.act(made.agreement, wish, replace(people.SATO, role=Role.VIEWER))
    with pytest.raises(NotAMember):
        book.act(made.agreement, wish, actor("nobody"))
    without = {k: v for k, v in people.OFFICES.members.items() if k != "sato"}
    book.offices = lambda: replace(people.OFFICES, members=without)
    with pytest.raises(NotAMember):
        book.act(made.agreement, wish, people.SATO)
    assert book.get(made.agreement) == made


def test_a_deputy_of_somebody_who_has_no_account_or_role_any_more_cannot_act(book: Book) -> None:
    made = people.in_state(book, State.OWNER_REVIEW)
    for role in (None, Role.VIEWER):
        deputy = actor("kato", instead_of="suzuki", instead_role=role)
        with pytest.raises(NotAMember):
            book.act(made.agreement, Wish(act=Act.CONCUR), deputy)


def test_other_sections_neither_apply_nor_review_nor_take_back(book: Book) -> None:
    hara = actor("hara")
    with pytest.raises(WrongSection):
        book.create(people.APPLICATION, hara)
    made = people.in_state(book, State.APPLIED)
    for act in (Act.REVIEW, Act.WITHDRAW, Act.RETURN):
        with pytest.raises(WrongSection):
            book.act(made.agreement, Wish(act=act), hara)
    mori = actor("mori", Role.OPERATOR)  # of the applicants' section
    assert book.act(made.agreement, Wish(act=Act.WITHDRAW), mori).state is State.WITHDRAWN


def test_after_the_decision_every_office_may_stop_it(book: Book) -> None:
    for by in (people.TANAKA, people.SATO, people.SUZUKI, people.YAMADA):
        made = people.in_state(book, State.IN_FORCE)
        done = book.act(made.agreement, Wish(act=Act.WITHDRAW, note="事故"), by)
        assert (done.state, done.head.by) == (State.WITHDRAWN, by.account)


def test_what_has_changed_since_it_was_seen_is_not_decided(book: Book) -> None:
    made = people.in_state(book, State.APPLIED)
    book.act(made.agreement, Wish(act=Act.REVIEW), people.SATO)
    with pytest.raises(AgreementChanged):
        book.act(made.agreement, Wish(act=Act.CONCUR), people.SUZUKI, seen=made.head.number)


def test_nobody_applies_where_nobody_is_named(book: Book) -> None:
    book.offices = Offices
    with pytest.raises(AgreementsNotSet):
        book.create(people.APPLICATION, people.TANAKA)


def test_the_file_becomes_the_offices() -> None:
    rules = AgreementRules.model_validate(
        {
            "required": True,
            "letters": "架総",
            "members": {"suzuki": {"section": "総務課", "may": ["concur"], "title": "課長"}},
            "deputies": [
                {"deputy": "kato", "for": "suzuki", "from": "2026-11-01", "to": "2026-11-30"}
            ],
            "warn_days": [7, 30],
        }
    )
    made = offices_of(rules)
    assert made.members["suzuki"].powers == {Power.CONCUR}
    assert made.deputies[0].last == date(2026, 11, 30)
    assert (made.warn_days, made.is_required) == ((30, 7), True)
    assert made.days[State.APPLIED] == 7
