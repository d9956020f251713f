"""An incident (漏えい等の事案): what happened to which transfers, who was told of it. Pure.

    open → prompt report filed → final report filed → closed

An incident that need not be reported is closed with the reason. Nothing here names a person: notes
that hold a long run of digits, as numbers of residents are, are refused.
"""

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from kumobashi.crypto.canonical import canonical
from kumobashi.kernel import from_wire, to_wire
from kumobashi.papers.errors import IncidentMove, IncidentUnfit

LONGEST_NOTE: Final = 2_000
_LONGEST_OFFICE: Final = 100
_MOST_TRANSFERS: Final = 500
_MOST_PERSONS: Final = 200_000_000
_AHEAD: Final = timedelta(minutes=5)  # clocks of two machines
_DIGITS: Final = re.compile(r"[0-9]{7,}")


class Kind(StrEnum):
    """What became of the data (漏えい・滅失・毀損)."""

    LEAK = "leak"
    LOSS = "loss"
    DAMAGE = "damage"


class Place(StrEnum):
    """Where it happened, which decides whether what was taken was sealed."""

    SENDER = "sender"  # tables of the sending site
    ROUTE = "route"  # lines and relays
    MEDIA = "media"
    RECEIVER = "receiver"  # tables of the receiving site
    UNKNOWN = "unknown"


class Doubt(StrEnum):
    """What people know of a question."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class State(StrEnum):
    """How an incident stands."""

    OPEN = "open"
    PROMPTED = "prompted"
    REPORTED = "reported"
    CLOSED = "closed"


class Act(StrEnum):
    """What is done to one."""

    OPEN = "open"
    AMEND = "amend"
    TELL = "tell"
    FILE_PROMPT = "file_prompt"
    FILE_FINAL = "file_final"
    CLOSE = "close"


class Closing(StrEnum):
    """Why one was closed."""

    REPORTED = "reported"
    NOT_REPORTABLE = "not_reportable"
    MISTAKEN = "mistaken"


KINDS_JA: Mapping[Kind, str] = {Kind.LEAK: "漏えい", Kind.LOSS: "滅失", Kind.DAMAGE: "毀損"}
PLACES_JA: Mapping[Place, str] = {
    Place.SENDER: "送り側の表",
    Place.ROUTE: "経路・中継",
    Place.MEDIA: "媒体",
    Place.RECEIVER: "受け取り側の表",
    Place.UNKNOWN: "不明",
}
STATES_JA: Mapping[State, str] = {
    State.OPEN: "報告前",
    State.PROMPTED: "速報済",
    State.REPORTED: "確報済",
    State.CLOSED: "終了",
}
ACTS_JA: Mapping[Act, str] = {
    Act.OPEN: "記録",
    Act.AMEND: "追記・訂正",
    Act.TELL: "他の機関への連絡",
    Act.FILE_PROMPT: "速報",
    Act.FILE_FINAL: "確報",
    Act.CLOSE: "終了",
}
CLOSINGS_JA: Mapping[Closing, str] = {
    Closing.REPORTED: "報告済み",
    Closing.NOT_REPORTABLE: "報告の対象でない",
    Closing.MISTAKEN: "漏えい等ではなかった",
}
MOVES: Mapping[State, Mapping[Act, State]] = {
    State.OPEN: {
        Act.AMEND: State.OPEN,
        Act.TELL: State.OPEN,
        Act.FILE_PROMPT: State.PROMPTED,
        Act.FILE_FINAL: State.REPORTED,  # all was known at once: one report does for both
        Act.CLOSE: State.CLOSED,
    },
    State.PROMPTED: {
        Act.AMEND: State.PROMPTED,
        Act.TELL: State.PROMPTED,
        Act.FILE_FINAL: State.REPORTED,
        Act.CLOSE: State.CLOSED,
    },
    State.REPORTED: {
        Act.AMEND: State.REPORTED,
        Act.TELL: State.REPORTED,
        Act.CLOSE: State.CLOSED,
    },
    State.CLOSED: {},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An office that was told (個人情報保護委員会, 都道府県, 警察, 委託元 …)."""

    office: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One incident as its last revision has it."""

    incident: str  # UUIDv7
    link: str
    transfers: tuple[str, ...]  # none: every transfer of the link that may have left
    noticed: datetime  # the first moment at which anybody of the municipality knew
    kinds: tuple[Kind, ...]
    place: Place = Place.UNKNOWN
    improper: Doubt = Doubt.UNKNOWN
    property: Doubt = Doubt.UNKNOWN  # whether damage to property is feared
    persons: int | None = None  # as people counted them; none: as the platform does
    note: str = ""
    told: tuple[Told, ...] = ()
    filed: Mapping[str, datetime] = field(default_factory=dict)  # by report
    closing: Closing | None = None
    state: State = State.OPEN
    number: int = 1  # of the revision

    def encode(self) -> str:
        """Return what a revision keeps of it."""
        return canonical(
            {
                "link": self.link,
                "transfers": list(self.transfers),
                "noticed": to_wire(self.noticed),
                "kinds": [kind.value for kind in self.kinds],
                "place": self.place.value,
                "improper": self.improper.value,
                "property": self.property.value,
                "persons": self.persons,
                "note": self.note,
                "told": [{"office": one.office, "at": to_wire(one.at)} for one in self.told],
                "filed": {report: to_wire(at) for report, at in self.filed.items()},
                "closing": self.closing.value if self.closing else None,
            }
        ).decode("utf-8")

    @classmethod
    def decode(cls, incident: str, number: int, state: State, text: str) -> "Incident":
        """Read what :meth:`encode` wrote; raise ``ValueError``, ``KeyError`` otherwise."""
        said: dict[str, Any] = json.loads(text)
        return cls(
            incident=incident,
            number=number,
            state=state,
            link=said["link"],
            transfers=tuple(said["transfers"]),
            noticed=from_wire(said["noticed"]),
            kinds=tuple(map(Kind, said["kinds"])),
            place=Place(said["place"]),
            improper=Doubt(said["improper"]),
            property=Doubt(said["property"]),
            persons=said["persons"],
            note=said["note"],
            told=tuple(Told(office=one["office"], at=from_wire(one["at"])) for one in said["told"]),
            filed={report: from_wire(at) for report, at in said["filed"].items()},
            closing=Closing(said["closing"]) if said["closing"] else None,
        )

    def plain(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "incident": self.incident,
            "state": self.state.value,
            "revision": self.number,
            **json.loads(self.encode()),
        }


def after(state: State, act: Act) -> State | None:
    """Return the state that an act leads to; none where it is not possible."""
    return MOVES[state].get(act)


def check_new(found: Incident, now: datetime) -> Incident:
    """Return a new or amended incident; raise ``IncidentUnfit`` for a field that cannot be."""
    _check_time("noticed", found.noticed, now)
    if not found.kinds or len(set(found.kinds)) != len(found.kinds):
        raise _unfit("kind", "1つ以上、それぞれ1度", "one or more, each once")
    if len(found.transfers) > _MOST_TRANSFERS or len(set(found.transfers)) != len(found.transfers):
        raise _unfit("transfer", f"{_MOST_TRANSFERS} 件まで、それぞれ1度", "too many, or one twice")
    if found.persons is not None and not 0 <= found.persons <= _MOST_PERSONS:
        raise _unfit("persons", "0以上の人数", "a number from 0")
    _check_text("note", found.note, LONGEST_NOTE, may_be_empty=True)
    if any(at < found.noticed for at in (*found.filed.values(), *(t.at for t in found.told))):
        raise _unfit("noticed", "報告や連絡より後の日時です", "it is later than a report was filed")
    return found


def told_of(found: Incident, office: str, at: datetime, now: datetime) -> Incident:
    """Return the incident with one more office told; raise ``IncidentUnfit``."""
    _check_text("office", office, _LONGEST_OFFICE, may_be_empty=False)
    _check_after("at", at, found, now)
    return replace(found, told=(*found.told, Told(office=office, at=at)))


def filed_of(found: Incident, report: str, at: datetime, now: datetime) -> Incident:
    """Return the incident with a report filed; raise ``IncidentUnfit``."""
    _check_after("filed", at, found, now)
    earlier = found.filed.get("prompt")
    if earlier is not None and at < earlier:
        raise _unfit("filed", "速報より前の日時です", "it is before the prompt report")
    filed = {**found.filed, report: at}
    filed.setdefault("prompt", at)
    return replace(found, filed=filed)


def closed_of(found: Incident, closing: Closing, note: str) -> Incident:
    """Return the incident closed; unreported it needs a note that says why."""
    is_reported = found.state is State.REPORTED
    if (closing is Closing.REPORTED) != is_reported:
        said = "確報の前は not_reportable か mistaken、確報のあとは reported です"
        raise _unfit("reason", said, "reported after the final report, another reason before it")
    _check_text("note", note, LONGEST_NOTE, may_be_empty=is_reported)
    kept = "\n".join(filter(None, (found.note, note)))
    if len(kept) > LONGEST_NOTE:
        raise _unfit("note", f"あわせて {LONGEST_NOTE} 字まで", f"at most {LONGEST_NOTE} together")
    return replace(found, closing=closing, note=kept)


def check_move(found: Incident, act: Act) -> State:
    """Return the state that an act leads to; raise ``IncidentMove``."""
    then = after(found.state, act)
    if then is None:
        raise IncidentMove(
            state=STATES_JA[found.state],
            state_en=found.state.value,
            act=ACTS_JA[act],
            act_en=act.value,
        )
    return then


def _check_after(name: str, at: datetime, found: Incident, now: datetime) -> None:
    _check_time(name, at, now)
    if at < found.noticed:
        raise _unfit(name, "知った日時より前です", "it is before the incident was noticed")


def _check_time(name: str, at: datetime, now: datetime) -> None:
    if at > now + _AHEAD:
        raise _unfit(name, "未来の日時です", "it lies in the future")


def _check_text(name: str, text: str, longest: int, *, may_be_empty: bool) -> None:
    plain = unicodedata.normalize("NFKC", text)
    if len(text) > longest or not (text.strip() or may_be_empty):
        raise _unfit(name, f"1〜{longest} 字", f"1 to {longest} characters")
    if any(unicodedata.category(letter) == "Cc" and letter != "\n" for letter in text):
        raise _unfit(name, "制御文字があります", "it holds control characters")
    if _DIGITS.search(re.sub(r"[\s\-‐－ー−]", "", plain) if name == "note" else plain):
        raise _unfit(
            name,
            "7桁以上の数字があります。住民の番号や氏名は書かないでください",
            "it holds 7 or more digits: write no numbers or names of residents",
        )


def _unfit(name: str, reason: str, reason_en: str) -> IncidentUnfit:
    return IncidentUnfit(field=name, reason=reason, reason_en=reason_en)
