"""A quiet time has no alert, and what is planted in it has one."""

import dataclasses
from datetime import timedelta
from typing import Any

from kumobashi.monitoring.following import Following, Turn
from kumobashi.monitoring.judging import judge
from kumobashi.monitoring.picture import Picture, Said, read_said, read_settled
from kumobashi.testing.quiet_month import CLOUD, HERE, QuietMonth

EVERY = timedelta(seconds=5)
DAY = 17_280  # looks


def turns(month: QuietMonth, looks: int, spoil: Any = None) -> list[tuple[Turn, str]]:
    following, settled = Following(), read_settled("1", month.settled())
    rules, silent = month.rules(), None
    found: list[tuple[Turn, str]] = []
    for number, (now, answer) in enumerate(month.answers(looks, EVERY)):
        said: Said | None = read_said(answer) if answer else None
        if said and spoil:
            said = spoil(number, said)
        silent = None if said else silent or now
        picture = Picture(site=HERE, now=now, said=said, silent_since=silent, settled=settled)
        tick = number * EVERY.total_seconds()
        changes = following.follow(tick, judge(picture, rules), blind=said is None)
        found += [(c.turn, c.suspicion.key) for c in changes if c.turn is not Turn.CHANGED]
    return found


def test_days_with_lost_pulses_restarts_and_retries_have_no_alert() -> None:
    month = QuietMonth(links=6, seed=7)

    assert turns(month, 2 * DAY) == []
    assert min(month.lost, month.restarts, month.retries) > 0, (
        "there was something to be calm about"
    )


def test_an_announced_maintenance_is_not_told() -> None:
    month = QuietMonth(links=4, works_after=timedelta(hours=1))

    assert turns(month, 5 * 720) == []


def test_one_cloud_that_is_down_for_an_hour_is_one_fault() -> None:
    def spoil(number: int, said: Said) -> Said:
        if not 500 <= number < 1_220:
            return said
        cut = [
            dataclasses.replace(
                way,
                broken_from=way.way[-2],
                broken_to=CLOUD,
                code="exchange.peer_unreachable",
                broken_since=way.at,
                words=way.words[:-1],
            )
            for way in said.ways
        ]
        return dataclasses.replace(said, ways=tuple(cut))

    assert turns(QuietMonth(links=6, seed=3), 2_000, spoil) == [
        (Turn.OPENED, f"way:{CLOUD}"),
        (Turn.ENDED, f"way:{CLOUD}"),
    ]
