"""Pictures for tests of judging: a way of three sites, a few links, at one moment."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from kumobashi.exchange.views import ContactView, Light, Words
from kumobashi.messages.pulses import Source
from kumobashi.monitoring.picture import (
    CauseSeen,
    Complaint,
    LinkFacts,
    Picture,
    Said,
    Settled,
    SiteFacts,
    Way,
    Word,
)

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)  # noon in Japan
TODAY = date(2026, 11, 24)
TONIGHT = datetime(2026, 11, 23, 16, 21, tzinfo=UTC)  # 1:21 in Japan: the night's run
BEFORE = TONIGHT - timedelta(days=1)
HALL, RELAY, CLOUD = "hall", "relay", "cloud"
WAY = (HALL, RELAY, CLOUD)
DESK = ContactView(name="架空窓口", phone="000-000-0000", hours="24時間")
NO_ANSWER = "exchange.peer_unreachable"


def settled(*links: str, daily: str | None = "01:20", deadline: str | None = "06:00") -> Settled:
    return Settled(
        version="1",
        municipality="架空市",
        sites={site: SiteFacts(name=f"サイト{site}", contact="desk") for site in WAY},
        contacts={"desk": DESK},
        links={
            link: LinkFacts(
                name=f"連携{link}", daily=daily, deadline=deadline, sites=WAY, contact="desk"
            )
            for link in links
        },
    )


def word(site: str, *, off: float = 0.0, complaints: tuple[Complaint, ...] = ()) -> Word:
    at = NOW + timedelta(seconds=off)
    return Word(site=site, came=at, left=at, complaints=complaints)


def way(*, broken_to: str | None = None, words: tuple[Word, ...] | None = None) -> Way:
    reached = WAY[1 : WAY.index(broken_to)] if broken_to else WAY[1:]
    near = WAY[WAY.index(broken_to) - 1] if broken_to else None
    return Way(
        to_site=CLOUD,
        way=WAY,
        at=NOW,
        seconds=0.02,
        code=NO_ANSWER if broken_to else None,
        broken_from=near,
        broken_to=broken_to,
        broken_since=NOW - timedelta(seconds=40) if broken_to else None,
        words=words if words is not None else tuple(word(site) for site in reached),
    )


def cause(
    *links: str, code: str = NO_ANSWER, side: str = CLOUD, light: Light = Light.WAITING
) -> CauseSeen:
    return CauseSeen(
        code=code,
        side=side,
        light=light,
        stage="sent",
        what=Words(ja="応答がありません。", en="No answer."),
        remedy=Words(ja="連絡してください。", en="Call."),
        since=NOW - timedelta(minutes=1),
        tries=3,
        next_try=NOW + timedelta(seconds=5),
        links=links,
    )


def complaint(code: str, *, source: Source = Source.LOG, link: str | None = None) -> Complaint:
    first = NOW - timedelta(minutes=2)
    return Complaint(code=code, source=source, link=link, count=4, first=first, last=NOW)


def said(
    *ways: Way,
    causes: tuple[CauseSeen, ...] = (),
    links: dict[str, tuple[datetime, Light]] | None = None,
    heard: dict[str, datetime] | None = None,
    complaints: tuple[Complaint, ...] = (),
) -> Said:
    return Said(
        site=HALL,
        at=NOW,
        incarnation="1",
        ways=ways,
        heard=heard or {},
        complaints=complaints,
        links=links if links is not None else {},
        causes=causes,
    )


def picture(answer: Said | None, facts: Settled, **more: Any) -> Picture:
    silent = None if answer else NOW - timedelta(minutes=1)
    return Picture(site=HALL, now=NOW, said=answer, silent_since=silent, settled=facts, **more)


def all_in(*links: str) -> dict[str, tuple[datetime, Light]]:
    return dict.fromkeys(links, (TONIGHT, Light.APPLIED))
