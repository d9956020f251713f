import subprocess
import sys
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.console import formatting
from kumobashi.console.listing import Sort, folded, in_order
from kumobashi.console.reading import Mark, bars, dots, effect, overdue, reached, way
from kumobashi.console.reconciling import Balance, Count, Verdict
from kumobashi.exchange.views import RED, Light, LinkView
from kumobashi.testing import scenes
from kumobashi.testing.boards import row_of
from kumobashi.testing.views import NOW, Run


@given(st.permutations(scenes.every_light().links))
def test_red_comes_first_in_whatever_order_links_arrive(links: list[LinkView]) -> None:
    reds = [link.light in RED for link in in_order(map(row_of, links), Sort.URGENT)]

    assert reds == sorted(reds, reverse=True)


@given(st.text(alphabet=[chr(code) for code in range(0x3041, 0x3097)]))
def test_hiragana_is_found_as_katakana(text: str) -> None:
    assert folded(text) == folded("".join(chr(ord(letter) + 0x60) for letter in text))


def test_the_effect_is_as_of_the_last_day_applied() -> None:
    told = effect(scenes.stopped())

    assert (told.rows, told.as_of, told.people) == (38_214, date(2026, 11, 21), True)
    assert effect(scenes.refused()).as_of is None


def test_the_deadline_is_the_first_after_the_start() -> None:
    link = scenes.stopped()

    assert overdue(link, NOW) == timedelta(hours=1, minutes=42)
    assert overdue(replace(link, deadline="02:00"), NOW) is None  # the next day's
    assert overdue(scenes.applied(), NOW) is None


def test_the_way_is_stuck_at_one_place_only() -> None:
    marks = [stop.mark for stop in way(Run.view(_stopped_run()))]

    assert marks == [Mark.DONE, Mark.DONE, Mark.DONE, Mark.STUCK]


def _stopped_run() -> Run:
    newest = scenes.stopped().latest
    assert newest is not None
    return Run(link="l", light=Light.STOPPED, done=3, parts=(7, 12), cause=newest.cause)


@pytest.mark.parametrize(
    ("light", "done", "marks"),
    [
        (Light.APPLIED, 8, "done done done done"),
        (Light.REFUSED, 6, "done done stuck todo"),
        (Light.STOPPED, 3, "stuck todo todo todo"),
        (Light.RUNNING, 5, "done now todo todo"),
        (Light.WAITING, 3, "todo todo todo todo"),
    ],
)
def test_dots_follow_the_receipts(light: Light, done: int, marks: str) -> None:
    found = dots(Run(link="l", light=light, done=done).view())

    assert " ".join(dot.mark for dot in found) == marks


def test_no_transfer_has_no_receipt() -> None:
    assert {dot.mark for dot in dots(None)} == {Mark.AHEAD}


def test_bars_stay_on_the_line() -> None:
    for bar in bars(Run(link="l").view().stages):
        assert 0 <= bar.start <= 1000
        assert 4 <= bar.width <= 1000
    assert {bar.width for bar in bars(Run(link="l", done=0).view().stages)} == {0}


@pytest.mark.parametrize(
    ("left", "right", "adds_up", "verdict", "difference"),
    [
        (10, (7, 2, 1), True, Verdict.AGREES, 0),
        (10, (7, 2, 0), True, Verdict.DIFFERS, -1),
        (10, (7, 2, None), True, Verdict.OPEN, -1),
        (10, (7, 4, None), True, Verdict.DIFFERS, 1),
        (10, (10, 10, 10), False, Verdict.AGREES, 0),
        (10, (10, None, None), False, Verdict.OPEN, 0),
        (10, (10, 9, None), False, Verdict.DIFFERS, -1),
        (None, (10, 9, 8), False, Verdict.OPEN, 0),
    ],
)
def test_counts_agree_differ_or_are_open(
    left: int | None,
    right: tuple[int | None, ...],
    adds_up: bool,
    verdict: Verdict,
    difference: int,
) -> None:
    line = Balance(
        left=Count(label="a", value=left),
        right=tuple(Count(label="b", value=value) for value in right),
        adds_up=adds_up,
        unit="rows",
    )

    assert (line.verdict, line.difference) == (verdict, difference)


@pytest.mark.parametrize(
    ("on", "text"),
    [
        (date(2026, 11, 22), "令和8年11月22日（日）"),
        (date(2019, 5, 1), "令和元年5月1日（水）"),
        (date(2019, 4, 30), "平成31年4月30日（火）"),
        (date(1989, 1, 7), "昭和64年1月7日（土）"),
        (date(1868, 10, 22), "1868-10-22"),
    ],
)
def test_days_are_told_by_era(on: date, text: str) -> None:
    assert formatting.day(on, "ja") == text


@given(st.floats(min_value=0, max_value=1e7))
def test_sixty_is_never_shown(span: float) -> None:
    text = formatting.seconds(span, "ja")

    assert "60.0秒" not in text
    assert "60秒" not in text
    assert "60分" not in text


def test_a_relay_can_show_the_console() -> None:
    heavy = "{'duckdb', 'pyarrow', 'numpy'} & {*sys.modules}"
    code = f"import sys, kumobashi.console; sys.exit(bool({heavy}))"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_a_receiver_has_signed_for_has_reached_it() -> None:
    stopped = scenes.stopped().latest
    assert stopped
    before = reached(stopped)
    signed = Run(link="a", light=Light.STOPPED, done=7, cause=stopped.cause).view()

    after = reached(signed)

    assert before
    assert (before.site, after and after.site) == ("asp-relay", "public-cloud")
