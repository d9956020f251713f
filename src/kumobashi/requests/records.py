"""A request as the table has it; whose it is stays sealed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Self

import sqlalchemy as sa

from kumobashi.crypto.canonical import canonical, digest
from kumobashi.evidence.revisions import Facts, Revision, bound
from kumobashi.kernel import from_micros, to_wire
from kumobashi.requests.deadlines import RULES, Due, Extension, Rules, Step, Stop, due_of
from kumobashi.requests.errors import RequestTouched
from kumobashi.requests.receivers import Receiver
from kumobashi.requests.states import OPEN, Kind, Outcome, State


class Applicant(StrEnum):
    """Who asks."""

    SELF = "self"
    GUARDIAN = "guardian"  # 法定代理人
    PROXY = "proxy"  # 任意代理人

    @property
    def ja(self) -> str:
        """The Japanese name."""
        return {
            Applicant.SELF: "本人",
            Applicant.GUARDIAN: "法定代理人",
            Applicant.PROXY: "任意代理人",
        }[self]


class Identity(StrEnum):
    """How it was checked who asks."""

    COUNTER = "counter"  # documents shown at the counter
    MAILED = "mailed"  # copies and a resident record by post
    SIGNED = "signed"  # an electronic signature

    @property
    def ja(self) -> str:
        """The Japanese name."""
        return {
            Identity.COUNTER: "窓口で本人確認書類",
            Identity.MAILED: "郵送された写しと住民票",
            Identity.SIGNED: "電子署名",
        }[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What is proposed, or decided."""

    outcome: Outcome
    clauses: tuple[str, ...] = ()
    reason: str | None = None  # digest of the sentence
    answer: str | None = None  # digest of the record that is disclosed
    by: str  # the account that proposed it, or decided it alone

    @property
    def hash(self) -> str:
        """The digest that whoever decides names."""
        return digest(canonical(_plain(self)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What is known of a request beside its state: days, names of links, digests, accounts."""

    links: tuple[str, ...] = ()  # empty: all that left this site
    applicant: Applicant = Applicant.SELF
    identity: Identity | None = None
    last_on: date  # of the last act
    stops: tuple[Stop, ...] = ()
    extension: Extension | None = None
    answer: str | None = None  # digest of what was composed last
    proposal: Ruling | None = None
    decision: Ruling | None = None
    decided_on: date | None = None
    decided_by: str | None = None
    days_late: int = 0
    carried_out_on: date | None = None
    carried_out_at: datetime | None = None  # runs that began later went without, or corrected
    carried_out_by: str | None = None
    suspended: tuple[str, ...] | None = None  # names of links; empty: all; none: nothing is
    receivers: tuple[Receiver, ...] = ()  # who had the resident's data then
    lift_asked_by: str | None = None
    lifted_on: date | None = None
    lifted_by: str | None = None
    section_asked: bool = False  # a protected person's section was asked

    def encode(self) -> str:
        """Return the text of the column."""
        return canonical(_plain(self)).decode()

    @classmethod
    def decode(cls, text: str) -> Self:
        """Return what a column says; raises ``ValueError``, ``KeyError`` or ``TypeError``."""
        said = json.loads(text)
        return cls(
            links=tuple(said["links"]),
            applicant=Applicant(said["applicant"]),
            identity=Identity(said["identity"]) if said["identity"] else None,
            last_on=date.fromisoformat(said["last_on"]),
            stops=tuple(
                Stop(asked=date.fromisoformat(one["asked"]), came=_day(one["came"]))
                for one in said["stops"]
            ),
            extension=_extension(said["extension"]),
            answer=said["answer"],
            proposal=_ruling(said["proposal"]),
            decision=_ruling(said["decision"]),
            decided_on=_day(said["decided_on"]),
            decided_by=said["decided_by"],
            days_late=int(said["days_late"]),
            carried_out_on=_day(said["carried_out_on"]),
            carried_out_at=_moment(said.get("carried_out_at")),  # none of these in older rows
            carried_out_by=said.get("carried_out_by"),
            suspended=_names(said.get("suspended")),
            receivers=tuple(map(Receiver.decode, said.get("receivers", ()))),
            lift_asked_by=said.get("lift_asked_by"),
            lifted_on=_day(said.get("lifted_on")),
            lifted_by=said.get("lifted_by"),
            section_asked=said["section_asked"] is True,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request of a resident."""

    request: str
    subject: str
    kind: Kind
    state: State
    received_on: date
    details: Details
    texts: Mapping[str, str] = field(default_factory=dict)  # sentences of notices, by their use
    since: datetime
    revisions: int
    head: str

    def due(self, today: date, rules: Rules = RULES) -> Due:
        """Return when it must be decided."""
        return due_of(
            self.received_on,
            rules.of(self.kind, self.received_on),
            rules.closed,
            stops=self.details.stops,
            extension=self.details.extension,
            today=today,
        )

    @property
    def is_open(self) -> bool:
        """Whether a decision is still owed."""
        return self.state in OPEN

    def suspends(self, link: str) -> bool:
        """Whether the resident's rows may not leave by a link."""
        held = self.details
        is_over = held.suspended is None or held.lifted_on is not None
        return not is_over and (not held.suspended or link in held.suspended)

    def plain(self, today: date) -> dict[str, Any]:
        """Return it as JSON with its deadline; whose it is is left out."""
        due, held = self.due(today), self.details
        return {
            "request": self.request,
            "kind": self.kind.value,
            "kind_ja": self.kind.ja,
            "state": self.state.value,
            "state_ja": self.state.ja,
            "received_on": self.received_on.isoformat(),
            **_plain(held),
            "proposal_hash": held.proposal.hash if held.proposal else None,
            "texts": dict(self.texts),
            "due": {**_plain(due), "is_late": self.is_open and due.is_late(today)},
            "days_left": due.days_left(today) if self.is_open else None,
            "since": to_wire(self.since),
            "revisions": self.revisions,
            "head": self.head,
        }


def kept(row: sa.Row[Any]) -> Facts:
    """Return what every revision repeats of a row; of sentences only the digest."""
    return {
        "subject": bound(bytes(row.salt), row.subject),
        "kind": row.kind,
        "state": row.state,
        "received_on": row.received_on,
        "facts": row.facts,
        "texts": digest(row.texts.encode()),
    }


def verify_head(row: sa.Row[Any], revision: Revision | None) -> None:
    """Raise :class:`RequestTouched` unless a row says what its last revision says."""
    what = ""
    if revision is None:
        what = "missing"
    elif not digest(revision.body) == revision.hash == row.head:
        what = "altered"
    else:
        held = {**kept(row), "record": row.request, "number": row.revisions}
        if any(revision.said.get(name) != value for name, value in held.items()):
            what = "the row says otherwise"
    if what:
        raise RequestTouched(record=row.request, number=row.revisions, what=what)


def request_of(row: sa.Row[Any], revision: Revision | None) -> Request:
    """Return a row that says what its last revision says; raise ``RequestTouched``."""
    verify_head(row, revision)
    try:
        return Request(
            request=row.request,
            subject=row.subject,
            kind=Kind(row.kind),
            state=State(row.state),
            received_on=date.fromisoformat(row.received_on),
            details=Details.decode(row.facts),
            texts=json.loads(row.texts),
            since=from_micros(row.since),
            revisions=row.revisions,
            head=row.head,
        )
    except (ValueError, KeyError, TypeError):
        raise RequestTouched(record=row.request, number=row.revisions, what="unreadable") from None


def _plain(value: Any) -> dict[str, Any]:  # noqa: ANN401 - any of the dataclasses here
    """Return a dataclass as JSON has it."""

    def told(one: object) -> object:
        if isinstance(one, date):
            return one.isoformat()
        if isinstance(one, dict):
            return {name: told(inner) for name, inner in one.items()}
        if isinstance(one, list | tuple):
            return [told(inner) for inner in one]
        return one.value if isinstance(one, StrEnum) else one

    return {name: told(one) for name, one in asdict(value).items()}


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _names(said: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if said is None else tuple(said)


def _extension(said: Mapping[str, Any] | None) -> Extension | None:
    if said is None:
        return None
    return Extension(
        step=Step(said["step"]),
        told=date.fromisoformat(said["told"]),
        days=said["days"],
        until=_day(said["until"]),
    )


def _ruling(said: Mapping[str, Any] | None) -> Ruling | None:
    if said is None:
        return None
    return Ruling(
        outcome=Outcome(said["outcome"]),
        clauses=tuple(said["clauses"]),
        reason=said["reason"],
        answer=said["answer"],
        by=said["by"],
    )
