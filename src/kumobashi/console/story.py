"""A plan's JSON, as ``kumobashi plan --json`` gives it, read for the page; pure and tolerant.

What is missing is left out of the page, what is new is passed over: the plan may learn to tell more
before this page learns to draw it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kumobashi.exchange.views import Words
from kumobashi.planning.approval import Standing
from kumobashi.release.gate_report import GateReport, report_of

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why not, or what to mind; where it stands and what to write."""

    what: Words
    article: Words
    remedy: Words
    place: str  # "links/welfare.yaml:12"
    example: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What becomes of one item."""

    name: str
    ja: str
    form: str
    operation: Words
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """A site on the way, and the door that leads into it."""

    name: str
    zone: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanStory:
    """What the page of a plan draws."""

    link: str
    name: str
    is_online: bool  # a system asks another; nothing is counted, and no gate measures it
    standing: Standing
    hash: str
    number: str
    on: str
    sentence: Words
    reasons: tuple[Reason, ...]
    cautions: tuple[Reason, ...]
    changes: tuple[Words, ...]
    items: tuple[Item, ...]
    dropped: tuple[Item, ...]
    way: tuple[Stop, ...]
    basis: Words
    measured: Mapping[str, int | None]
    untied: Mapping[str, int]  # whom no tie lets through, by reason
    gate: GateReport | None  # none: not counted, or the rule has no gate
    seconds: float | None
    approved_by: str
    approved_at: str  # RFC 3339

    @property
    def is_permitted(self) -> bool:
        """Whether it may be approved."""
        return self.standing is not Standing.REFUSED

    @property
    def has_examples(self) -> bool:
        """Whether an invented resident is shown before and after."""
        return any(item.before or item.after for item in self.items)


def story_of(document: Json) -> PlanStory:
    """Read a plan's JSON.

    >>> story_of({"link": "a", "standing": "refused", "reasons": [{"ja": "根拠がない"}]}).number
    ''
    """
    decision = _map(document, "decision")
    digest = str(document.get("hash") or "")
    short = digest.removeprefix("sha256:")[:8].upper()
    approval, expected = _map(document, "approval"), _map(document, "expected")
    counted = _map(document, "measured")
    items = _list(document, "items") or _list(decision, "items")
    return PlanStory(
        link=str(document.get("link", "")),
        name=str(document.get("name") or document.get("link", "")),
        is_online=document.get("kind") == "call",
        standing=Standing(document.get("standing", Standing.REFUSED)),
        hash=digest,
        number=f"{short[:4]}-{short[4:]}" if short else "",
        on=str(document.get("on", "")),
        sentence=_words(document.get("story")),
        reasons=tuple(_reason(held) for held in _list(document, "reasons")),
        cautions=tuple(_reason(held) for held in _list(document, "cautions")),
        changes=tuple(_words(held) for held in _list(document, "changes")),
        items=tuple(_item(held) for held in items),
        dropped=tuple(_item(held) for held in _list(document, "dropped")),
        way=_way(_list(document, "doors") or _list(decision, "route")),
        basis=_words(document.get("basis")),
        measured={key: held for key, held in counted.items() if isinstance(held, int)},
        untied={key: held for key, held in _map(counted, "untied").items() if type(held) is int},
        gate=_gate(counted),
        seconds=_number(expected.get("seconds")),
        approved_by=str(approval.get("by", "")),
        approved_at=str(approval.get("at", "")),
    )


def _gate(counted: Json) -> GateReport | None:
    """Read the gate's figures; those of another release, which are different, are left out."""
    try:
        return report_of(_map(counted, "gate")) if _map(counted, "gate") else None
    except (KeyError, TypeError, ValueError):
        return None


def _reason(held: Json) -> Reason:
    file, line = held.get("file"), held.get("line")
    return Reason(
        what=_words(held),
        article=_words(held.get("article")),
        remedy=_words(held.get("remedy")),
        place=f"{file}:{line}" if file and line else str(file or ""),
        example=str(held.get("example") or ""),
    )


def _item(held: Json) -> Item:
    name = str(held.get("name", ""))
    return Item(
        name=name,
        ja=str(held.get("ja") or name),
        form=str(held.get("form", "")),
        operation=_words(held.get("operation")),
        before=str(held.get("before") or ""),
        after=str(held.get("after") or ""),
    )


def _way(doors: Sequence[Json]) -> tuple[Stop, ...]:
    if not doors:
        return ()
    first = doors[0]
    start = Stop(name=str(first.get("from", "")), zone=str(first.get("from_zone", "")), by="")
    return (
        start,
        *(
            Stop(
                name=str(door.get("to", "")),
                zone=str(door.get("to_zone", "")),
                by=str(door.get("by", "")),
            )
            for door in doors
        ),
    )


def _words(held: object) -> Words:
    if isinstance(held, Mapping):
        ja, en = str(held.get("ja") or ""), str(held.get("en") or "")
        return Words(ja=ja or en, en=en or ja)
    text = held if isinstance(held, str) else ""
    return Words(ja=text, en=text)


def _map(held: Json, key: str) -> Json:
    found = held.get(key)
    return found if isinstance(found, Mapping) else {}


def _list(held: Json, key: str) -> list[Json]:
    found = held.get(key)
    if not isinstance(found, list | tuple):
        return []
    return [entry for entry in found if isinstance(entry, Mapping)]


def _number(held: object) -> float | None:
    return float(held) if isinstance(held, int | float) else None
