"""The list of plans and the record: every row on one page, what waits for somebody first."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from kumobashi.console.plan_listing import (
    PlanWish,
    listed_entries,
    listed_plans,
    plan_wish_of,
    standings,
)
from kumobashi.console.ports import Entry, PlanRow, Proposal
from kumobashi.exchange.views import Words
from kumobashi.planning.approval import Standing

AT = datetime(2026, 11, 22, tzinfo=UTC)


def row(number: int, standing: Standing, *, is_proposed: bool = False) -> PlanRow:
    link = f"link-{number:03}"
    asked = Proposal(link=link, hash="h", by="sato", shown="佐藤", at=AT)
    return PlanRow(
        link=link,
        name=f"業務{number:03} → 国保",
        standing=standing,
        number=f"{number:04}-{number:04}",
        approved_by="鈴木" if standing is Standing.APPROVED else "",
        approved_at=AT if standing is Standing.APPROVED else None,
        proposal=asked if is_proposed else None,
    )


ROWS = st.lists(st.tuples(st.sampled_from(Standing), st.booleans()), max_size=180).map(
    lambda drawn: [row(n, standing, is_proposed=asked) for n, (standing, asked) in enumerate(drawn)]
)


@given(rows=ROWS)
def test_every_plan_stands_on_exactly_one_page(rows: list[PlanRow]) -> None:
    pages = listed_plans(rows, PlanWish()).pages
    seen = [
        held.link
        for page in range(1, pages + 1)
        for held in listed_plans(rows, PlanWish(page=page)).rows
    ]
    assert sorted(seen) == sorted(held.link for held in rows)


@given(rows=ROWS)
def test_what_is_asked_for_comes_before_what_is_not(rows: list[PlanRow]) -> None:
    shown = listed_plans(rows, PlanWish()).rows
    asked = [held.proposal is not None for held in shown]
    assert asked == sorted(asked, reverse=True)


@given(rows=ROWS)
def test_the_standings_of_the_chips_are_those_of_their_pages(rows: list[PlanRow]) -> None:
    for standing, count in standings(rows):
        assert listed_plans(rows, PlanWish(standing=standing)).found == count


def test_a_search_finds_by_name_number_and_person_however_it_is_typed() -> None:
    rows = [row(1, Standing.APPROVED), row(2, Standing.REFUSED)]
    for typed, found in (
        ("００１", {"link-001"}),
        ("0002-0002", {"link-002"}),
        ("鈴木", {"link-001"}),
        ("国保 link", {"link-001", "link-002"}),
        ("税", set()),
    ):
        shown = listed_plans(rows, plan_wish_of({"q": typed}))
        assert {held.link for held in shown.rows} == found, typed


def test_the_record_is_searched_and_paged() -> None:
    entries = [
        Entry(at=AT, what=Words(ja="承認", en="approved"), link=f"link-{n:03}", who="鈴木")
        for n in range(120)
    ]
    entries.append(Entry(at=AT, what=Words(ja="発行", en="published"), link=None, who="架空市"))
    assert listed_entries(entries, PlanWish(page=3)).rows == tuple(entries[100:])
    assert listed_entries(entries, PlanWish(q="Published")).found == 1
