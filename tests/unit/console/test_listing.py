"""Lists of thousands of links: filters, order, pages, days as squares, and calls by cause."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.console.history import strip, year_of
from kumobashi.console.listing import Sort, Wish, choices, in_order, kept, listed, wish_of
from kumobashi.console.morning import MOST_NAMED, calls
from kumobashi.exchange.views import RED, ContactView, DayView, Light, LinkRow, Overview
from kumobashi.testing import scenes
from kumobashi.testing.boards import row_of
from kumobashi.testing.views import NOW, overview_of

Console = Callable[..., Any]
DESK = ContactView(name="窓口", phone="000-0000-0000", hours="24時間")


def row(number: int = 0, light: Light = Light.APPLIED, **other: Any) -> LinkRow:
    plain = LinkRow(
        link=f"link-{number}",
        name=f"業務{number}",
        from_system="integrated-db",
        from_name="統合DB",
        to_system="notice-cloud",
        to_name="お知らせ配信",
        to_site_name="公共クラウド",
        sites=(("hall-core", "庁内"), ("public-cloud", "公共クラウド")),
        contact=DESK,
        mode="full",
        daily=None,
        deadline=None,
        light=light,
    )
    return replace(plain, **other)


rows = st.lists(
    st.builds(
        row,
        st.integers(0, 10_000),
        st.sampled_from(Light),
        rows=st.none() | st.integers(0, 10**6),
        seconds=st.none() | st.floats(0, 1e5),
        started=st.none() | st.integers(0, 10**6).map(lambda ago: NOW - timedelta(seconds=ago)),
    ),
    max_size=40,
)


@given(rows, st.sampled_from(Sort), st.integers(1, 7))
def test_the_pages_together_are_all_that_was_found(
    held: list[LinkRow], sort: Sort, per_page: int
) -> None:
    first = listed(held, Wish(sort=sort), per_page=per_page)

    pages = [
        listed(held, Wish(sort=sort, page=number + 1), per_page=per_page)
        for number in range(first.pages)
    ]

    assert [one for page in pages for one in page.rows] == in_order(held, sort)
    assert {page.found for page in pages} == {len(held)}
    assert all(page.first == 1 + per_page * number for number, page in enumerate(pages))


@given(rows)
def test_what_has_no_value_comes_last(held: list[LinkRow]) -> None:
    for sort, name in ((Sort.ROWS, "rows"), (Sort.SLOWEST, "seconds"), (Sort.NEWEST, "started")):
        values: list[Any] = [getattr(one, name) for one in in_order(held, sort)]
        known = [one for one in values if one is not None]
        assert values == sorted(known, reverse=True) + [None] * (len(values) - len(known))


@given(st.dictionaries(st.sampled_from(["q", "state", "sort", "page", "site"]), st.text()))
def test_whatever_is_typed_is_a_wish_and_its_address_says_the_same(typed: dict[str, str]) -> None:
    wish = wish_of(typed)

    again = wish_of({key: str(value) for key, value in wish.but(page=wish.page).items()})

    assert again == replace(wish, site=again.site, q=again.q)
    assert wish.page >= 1


@pytest.mark.parametrize(
    ("wish", "found"),
    [
        (Wish(site="asp-relay"), [2]),
        (Wish(system="nhi"), [3]),
        (Wish(system="integrated-db"), [1, 2, 3, 4]),
        (Wish(contact="別の窓口"), [4]),
        (Wish(state="held"), [2]),
        (Wish(q="業務 ３"), [3]),
        (Wish(q="業務", state="held", site="public-cloud"), []),
    ],
)
def test_a_filter_keeps_what_it_names(wish: Wish, found: list[int]) -> None:
    held = [
        row(1),
        row(2, Light.HELD, sites=(("asp-relay", "中継"),)),
        row(3, to_system="nhi", to_name="国保"),
        row(4, contact=replace(DESK, name="別の窓口")),
    ]

    assert [one.link for one in kept(held, wish)] == [f"link-{number}" for number in found]


def test_filters_offer_what_is_there_by_its_name() -> None:
    offered = choices([row(1), row(2, contact=None)])

    assert offered["site"] == [("public-cloud", "公共クラウド"), ("hall-core", "庁内")]
    assert [value for value, _ in offered["system"]] == ["notice-cloud", "integrated-db"]
    assert offered["contact"] == [("窓口", "窓口")]


def test_one_cloud_that_is_down_is_one_call() -> None:
    down = [
        row(n, Light.STOPPED, cause_code="peer.unreachable", cause_side="public-cloud")
        for n in range(300)
    ]
    other = row(400, Light.STOPPED, cause_code="peer.unreachable", cause_side="asp-relay")
    refused = [row(n, Light.REFUSED, cause_side="public-cloud") for n in (500, 501)]

    found = calls([*refused, other, *down, row(600), row(601, Light.WAITING)])

    assert [len(call.rows) for call in found] == [300, 1, 1, 1]
    assert [call.light for call in found] == [*[Light.STOPPED] * 2, *[Light.REFUSED] * 2]
    assert (len(found[0].named), found[0].unnamed) == (MOST_NAMED, 300 - 1 - MOST_NAMED)


@given(rows)
def test_no_link_that_calls_for_people_is_forgotten(held: list[LinkRow]) -> None:
    called = [one for call in calls(held) for one in call.rows]

    wanted = [one for one in held if one.light in RED | {Light.HELD}]
    assert sorted(called, key=repr) == sorted(wanted, key=repr)


def test_the_morning_tells_of_many_links_once(console: Console) -> None:
    stop = scenes.stopped()
    many = [replace(stop, link=f"{stop.link}-{n}", name=f"通知{n}") for n in range(20)]

    page = console(lambda: overview_of(*many)).get("/").text

    assert (
        page.count("公共クラウド側が応答していません。") == 1 + 12
    )  # the call, and rows of the table
    assert "ほか 19件" in page
    assert '<a href="/links?state=stopped&amp;site=public-cloud">ほか 14件</a>' in page


@given(st.dictionaries(st.dates(date(2025, 1, 1), date(2026, 11, 22)), st.sampled_from(Light)))
def test_squares_are_days_in_a_row_and_end_today(held: dict[date, Light]) -> None:
    today = date(2026, 11, 22)
    days = [DayView(on=on, light=light) for on, light in sorted(held.items())]

    year, month = year_of(days, today), strip(days, today)

    for squares, length in ((year, 365), (month, 30)):
        assert [one.on for one in squares.days] == [
            today - timedelta(days=back) for back in range(length - 1, -1, -1)
        ]
        assert sum(count for _, count in squares.counts) == len(
            [one for one in squares.days if one.light]
        )
    assert sum(bars.count("M") for _, bars in month.shapes) == 30
    assert {name for name, _ in month.shapes} <= {*Light, "none"}
    assert all(one.weekday == one.on.isoweekday() % 7 for one in year.days)
    assert len({(one.week, one.weekday) for one in year.days}) == 365


def test_language_and_calendar_are_remembered_without_being_carried(console: Console) -> None:
    browser = console(scenes.morning)
    assert "令和8年11月22日（日）" in browser.get("/").text

    browser.get("/?dates=western")
    assert "2026年11月22日（日）" in browser.get("/").text
    browser.get("/links?lang=en")

    page = browser.get("/").text
    assert '<html lang="en">' in page
    assert "Sun 22 Nov 2026 7:42" in page
    assert "lang=en" not in page
    browser.get("/?lang=ja&dates=era")
    assert "令和8年11月22日（日）" in browser.get("/").text


def test_findings_are_saved_as_json(console: Console) -> None:
    answer = console(scenes.every_light).get("/links/vaccination-reminders/findings.json")

    document = json.loads(answer.body)
    assert document["total"] == len(document["findings"]) == 132
    assert set(document["findings"][0]) == {"code", "line", "item", "expected", "got", "rows"}


def test_a_long_list_has_pages_that_keep_the_wish(console: Console) -> None:
    def long() -> Overview:
        return overview_of(
            *(replace(scenes.applied(), link=f"l-{n}", name=f"業務{n}") for n in range(120))
        )

    page = console(long).get("/links?q=業務&sort=name&page=2").text

    assert "120件のうち 51〜100件目です。" in page
    assert 'rel="next" href="/links?q=%E6%A5%AD%E5%8B%99&amp;sort=name&amp;page=3"' in page
    assert page.count('<th scope="row"') == 50
    assert row_of(scenes.applied()).light is Light.APPLIED
