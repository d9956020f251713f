"""A week that a watch has seen, and a fault in its last night that goes on: for pictures and tests.

The cloud does not answer from 02:10 on. What the pages show of it was judged by the real rules.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from kumobashi.directory.monitor_models import MonitorFile
from kumobashi.exchange.views import Words
from kumobashi.kernel import to_wire
from kumobashi.monitoring.book import FaultBook, watch_file
from kumobashi.monitoring.faults import EntryKind
from kumobashi.monitoring.following import Change, Turn
from kumobashi.monitoring.health import Hours
from kumobashi.monitoring.judging import judge
from kumobashi.monitoring.picture import Picture, read_said, read_settled
from kumobashi.monitoring.suspicions import Suspicion
from kumobashi.service.fault_desk import FaultDesk
from kumobashi.testing.clocks import HandClock
from kumobashi.testing.quiet_month import CLOUD, HERE, RELAY, QuietMonth

FAULT: Final = "01a20bc7-0000-7000-8000-0000004f2a91"
_TENANT: Final = "999997"
_BEFORE: Final = timedelta(hours=5, minutes=32)  # before now the cloud went silent
_EVERY: Final = timedelta(minutes=10)
_WAYS: Final = {
    "mail": ("メール（渡した）", "by mail (handed over)"),
    "missed": ("電話（出ない）", "by telephone (no answer)"),
    "answered": ("電話（1を押した）", "by telephone (pressed 1)"),
}
_LINKS: Final = (
    "住民基本台帳ほか → お知らせ属性",
    "通知の対象者 → お知らせ配信",
    "予防接種の未接種児 → お知らせ配信",
    "住民基本台帳ほか → 子育て通知",
)


def watched_night(folder: Path, clock: HandClock) -> FaultDesk:
    """Write what a watch has noted until ``clock``'s time; return the desk of the pages."""
    now, file = clock.at, watch_file(folder)
    book = FaultBook(file, tenant=_TENANT, site=HERE, clock=clock)
    hours = Hours(file, _TENANT)
    week = QuietMonth(links=len(_LINKS), seed=5, begin=now - timedelta(days=7))
    plain = week.settled()
    for link, name in zip(plain["links"].values(), _LINKS, strict=True):
        link["name"] = name
    settled = read_settled("1", plain)
    silent_since = now - _BEFORE
    found: tuple[Suspicion, ...] = ()
    for number in range(timedelta(days=7) // _EVERY + 1):
        at = week.begin + number * _EVERY
        answer = week.answer(at)
        if answer is not None and at >= silent_since:
            answer = {**answer, "ways": [_broken(answer["ways"][0], silent_since)], "causes": []}
        said = read_said(answer) if answer else None
        picture = Picture(site=HERE, now=at, said=said, silent_since=None, settled=settled)
        hours.look(picture)
        if said and at >= silent_since and not found:
            found = judge(replace(picture, now=at), MonitorFile(kumobashi=1))
    hours.flush()
    _tell(book, clock, found[0], silent_since)
    clock.at = now
    book.looked("1", plain)
    book.close()
    return FaultDesk(folder, tenant=_TENANT, site=HERE, clock=clock)


def _broken(way: Mapping[str, Any], since: datetime) -> dict[str, Any]:
    words = [word for word in way["words"] if word["site"] != CLOUD]
    gap = {"broken_from": RELAY, "broken_to": CLOUD, "code": "exchange.peer_unreachable"}
    return {**way, **gap, "broken_since": to_wire(since), "words": words}


def _tell(book: FaultBook, clock: HandClock, seen: Suspicion, since: datetime) -> None:
    def at(minutes: int) -> None:
        clock.at = (since + timedelta(minutes=minutes)).astimezone(UTC)

    def told(who: str, how: str) -> None:
        book.told(
            FAULT, Words(ja=f"{who}（情報政策課） {_WAYS[how][0]}", en=f"{who} {_WAYS[how][1]}")
        )

    at(1)
    book.turn(Change(turn=Turn.OPENED, fault=FAULT, suspicion=seen))
    told("佐藤", "mail")
    at(11)
    told("佐藤", "missed")
    told("鈴木", "answered")
    at(12)
    book.take(FAULT, by="情報政策課 鈴木")
    at(25)
    book.note(
        FAULT,
        EntryKind.MEASURE,
        "クラウドの窓口に電話。機器の交換中に電源の故障。6時ごろに知らせるとのこと",
        by="情報政策課 鈴木",
    )
