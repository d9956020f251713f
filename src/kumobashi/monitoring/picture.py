"""What a watch knows at one look: the gateway's answer, or its silence, and its own probes.

Read from the gateway's JSON once, here; inside, the values are trusted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kumobashi.exchange.views import ContactView, Light, Words
from kumobashi.kernel import from_wire
from kumobashi.messages.pulses import Source
from kumobashi.monitoring.locating import Seen


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFacts:
    """A site as people call it."""

    name: str
    contact: str | None  # id


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkFacts:
    """What seldom changes of a link."""

    name: str
    daily: str | None  # "01:20", Japanese time
    deadline: str | None
    sites: tuple[str, ...]  # on the way, the sender first
    contact: str | None  # id
    first: datetime | None = None  # when the watch first saw it


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What seldom changes; kept by the watch, so that it can tell when the gateway is gone."""

    version: str = ""
    municipality: str = ""
    sites: Mapping[str, SiteFacts] = field(default_factory=dict)
    contacts: Mapping[str, ContactView] = field(default_factory=dict)
    links: Mapping[str, LinkFacts] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """One thing that a site says is wrong with it."""

    code: str
    source: Source
    link: str | None
    count: int
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What one site said to a pulse."""

    site: str
    came: datetime
    left: datetime
    complaints: tuple[Complaint, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """The newest pulse along one way."""

    to_site: str
    way: tuple[str, ...]
    at: datetime
    seconds: float
    code: str | None
    broken_from: str | None
    broken_to: str | None
    broken_since: datetime | None
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseSeen:
    """Why transfers wait or were refused, with all links it stops."""

    code: str
    side: str
    light: Light
    stage: str  # state of the first transfer
    what: Words
    remedy: Words
    since: datetime
    tries: int
    next_try: datetime | None
    links: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the gateway answered."""

    site: str
    at: datetime
    incarnation: str
    ways: tuple[Way, ...]
    heard: Mapping[str, datetime]
    complaints: tuple[Complaint, ...]  # its own
    links: Mapping[str, tuple[datetime, Light]]  # newest transfer: when it began, and its light
    causes: tuple[CauseSeen, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """All of it at one moment, by the clock of the watch."""

    site: str
    now: datetime
    said: Said | None  # none: the gateway did not answer
    silent_since: datetime | None
    settled: Settled = field(default_factory=Settled)
    probes: Mapping[str, Seen] = field(default_factory=dict)
    applied: Mapping[str, datetime] = field(default_factory=dict)  # newest run seen to be in


def read_said(answer: Mapping[str, Any]) -> Said:
    """Return what a gateway said; raise ``KeyError``, ``TypeError``, ``ValueError`` for others."""
    return Said(
        site=str(answer["site"]),
        at=from_wire(answer["at"]),
        incarnation=str(answer["incarnation"]),
        ways=tuple(_way(one) for one in answer["ways"]),
        heard={site: from_wire(at) for site, at in answer["heard"].items()},
        complaints=tuple(_complaint(one) for one in answer["troubles"]),
        links={
            link: (from_wire(started), Light(light))
            for link, (started, light) in answer["links"].items()
        },
        causes=tuple(_cause(one) for one in answer["causes"]),
    )


def read_settled(version: str, settled: Mapping[str, Any]) -> Settled:
    """Return the settled part of an answer; raises as :func:`read_said`."""
    return Settled(
        version=version,
        municipality=str(settled["municipality"][1]),
        sites={
            name: SiteFacts(name=one["name"], contact=one["contact"])
            for name, one in settled["sites"].items()
        },
        contacts={name: ContactView(**one) for name, one in settled["contacts"].items()},
        links={
            name: LinkFacts(
                name=one["name"],
                daily=one["daily"],
                deadline=one["deadline"],
                sites=tuple(one["sites"]),
                contact=one["contact"],
                first=from_wire(one["first"]) if "first" in one else None,
            )
            for name, one in settled["links"].items()
        },
    )


def _complaint(said: Mapping[str, Any]) -> Complaint:
    return Complaint(
        code=said["code"],
        source=Source(said["source"]),
        link=said["link"],
        count=said["count"],
        first=from_wire(said["first"]),
        last=from_wire(said["last"]),
    )


def _way(said: Mapping[str, Any]) -> Way:
    since = said["broken_since"]
    return Way(
        to_site=said["to_site"],
        way=tuple(said["way"]),
        at=from_wire(said["at"]),
        seconds=float(said["seconds"]),
        code=said["code"],
        broken_from=said["broken_from"],
        broken_to=said["broken_to"],
        broken_since=from_wire(since) if since else None,
        words=tuple(
            Word(
                site=word["site"],
                came=from_wire(word["came"]),
                left=from_wire(word["left"]),
                complaints=tuple(_complaint(one) for one in word["troubles"]),
            )
            for word in said["words"]
        ),
    )


def _cause(said: Mapping[str, Any]) -> CauseSeen:
    return CauseSeen(
        code=said["code"],
        side=said["side"],
        light=Light(said["light"]),
        stage=said["stage"],
        what=Words(**said["what"]),
        remedy=Words(**said["remedy"]),
        since=from_wire(said["since"]),
        tries=said["tries"],
        next_try=from_wire(said["next_try"]) if said["next_try"] else None,
        links=tuple(said["links"]),
    )
