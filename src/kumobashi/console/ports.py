"""What the console asks of the floors above: views, at once or piece by piece, and deeds.

A page asks only for what it draws, so that thousands of links cost no more than a page of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from kumobashi.agreements import Act, State
from kumobashi.agreements.auditing import Fault
from kumobashi.agreements.views import AgreementView
from kumobashi.exchange.views import Board, DayView, LinkView, TransferView, Words
from kumobashi.planning.approval import Standing
from kumobashi.ties import Act as TieAct
from kumobashi.ties import Service, Terms, Tie
from kumobashi.ties.held import Held
from kumobashi.ties.services import Known

if TYPE_CHECKING:
    from kumobashi.planning.explaining import Explanation  # it runs rules: a relay loads no DuckDB


class BoardSource(Protocol):
    """Gives the links of one site; called in worker threads."""

    def board(self) -> Board:
        """Return all links in short, as they are now."""

    def links(self, names: Sequence[str]) -> Sequence[LinkView]:
        """Return these links with their newest transfer; unknown ones are left out."""

    def link(self, name: str) -> LinkView | None:
        """Return one link with its transfers, the newest first."""

    def transfer(self, link: str, transfer: str) -> TransferView | None:
        """Return one transfer of a link, however old."""

    def days(self, names: Sequence[str], first: date) -> Mapping[str, Sequence[DayView]]:
        """Return how each business date from ``first`` on stands, by link, the oldest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Somebody asks for the approval of a plan as it was then."""

    link: str
    hash: str
    by: str  # name of the account
    shown: str  # how pages call them
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow:
    """A plan as the list shows it."""

    link: str
    name: str
    standing: Standing
    number: str
    approved_by: str
    approved_at: datetime | None
    proposal: Proposal | None  # open, and of the plan as it is now


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the record: who did what, when."""

    at: datetime
    what: Words
    link: str | None
    who: str


class PlanSource(Protocol):
    """Gives plans and takes decisions on them; called in worker threads."""

    def plans(self) -> Sequence[PlanRow]:
        """Return the plans of all links of this site."""

    def plan(self, link: str) -> Mapping[str, Any] | None:
        """Return a plan as ``kumobashi plan --json`` gives it."""

    def explanation(self, link: str) -> "Explanation | None":
        """Return the rule of a link as a fictional resident goes through it."""

    def proposal(self, link: str) -> Proposal | None:
        """Return the open proposal of a plan as it is now."""

    def propose(self, link: str, digest: str, *, by: str, shown: str) -> None:
        """Ask for the approval of the plan with this hash; raise when it has changed."""

    def approve(self, link: str, digest: str, *, by: str, shown: str) -> None:
        """Approve what another has proposed; raise when it has changed, or is one's own."""

    def record(self) -> Sequence[Entry]:
        """Return what was changed, the newest first."""

    @property
    def directory_version(self) -> int:
        """The version of the signed directory that this site has."""

    def picture(self) -> str | None:
        """Return the workspace drawn as SVG, if somebody draws it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignRow:
    """One notice: how far a cloud would miss whom it means, choosing from coarsened data."""

    code: str
    name: str
    kind: str  # pinpoint, general, unfit; exact: it has no coarsened condition
    verdict: Words
    error: Words
    exact: int  # persons, whether they consented or not
    told: int
    wrong: int
    missed: int
    consenting_wrong: int  # those who would really be told, and should not
    consenting_missed: int
    precision: str
    recall: str
    data: Words  # of which moment the data are, or why they may not be used
    is_stopped: bool
    tells: Words  # what the code itself says of a person


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignTable:
    """All notices of a site, as counted at a moment."""

    on: date
    at: datetime
    people: int
    rows: tuple[CampaignRow, ...]
    failed: Words | None  # why nothing could be counted


class CampaignSource(Protocol):
    """Counts campaigns; called in worker threads."""

    def table(self) -> CampaignTable:
        """Return the table of today, not older than some minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One act that somebody may do to an agreement now; as a deputy for ``instead_of``."""

    act: Act
    instead_of: str | None
    shown: str  # how pages call whom they act for; empty for oneself


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftForm:
    """What the form of an application begins with, and what may be chosen in it."""

    fields: Mapping[str, str]
    sections: Sequence[str]  # that may own the data
    links: Sequence[tuple[str, str]]  # id and name
    may_apply: bool


class DraftSource(Protocol):
    """Takes applications from a form; called in worker threads."""

    def blank(self, link: str, *, account: str) -> DraftForm:
        """Return the form of a new application, of a link where one is named."""

    def filled(self, agreement: str, *, account: str) -> DraftForm:
        """Return the form with what a draft says; raise ``AgreementUnknown``, ``IllegalAct``."""

    def keep(self, fields: Mapping[str, str], *, account: str, agreement: str | None) -> str:
        """Keep a draft, new or written anew, and return its id.

        Raises:
            ApplicationUnfit, LinkUnknown, PlanRefused, NotAMember …: nothing was kept.
        """

    def attach(self, agreement: str, name: str, body: bytes, *, account: str) -> None:
        """Attach a file to a draft.

        Raises:
            AttachmentUnfit, NotYours, IllegalAct …: nothing was kept.
        """

    def register(self, agreement: str, body: bytes, *, account: str) -> None:
        """Replace the register of processors by what a file (YAML) says.

        Raises:
            ApplicationUnfit: with the first mistakes of the file.
            NotYours, IllegalAct …: likewise nothing was kept.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRow:
    """A service, and how many stand how to it: by status of residents, by state of ties."""

    service: Service
    statuses: Mapping[str, int]
    states: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class TiedResident:
    """One resident's services and ties, the newest tie first; whose they are is left out."""

    known: Sequence[Known]
    ties: Sequence[Tie]
    services: Mapping[str, Service]  # by id; deleted ones are not among them
    transfers: Mapping[str, Sequence[Mapping[str, Any]]]  # by tie, the newest first


class TieSource(Protocol):
    """Shows ties, and does what a resident wants; called in worker threads."""

    @property
    def is_hall(self) -> bool:
        """Whether residents are known here by their numbers; else by the codes of a system."""

    def systems(self) -> Sequence[str]:
        """Return the systems of this site."""

    def services(self, words: str) -> Sequence[ServiceRow]:
        """Return services whose texts hold all words, by id."""

    def resident(self, number: str, *, by: str) -> TiedResident:
        """Return one resident; raise ``ResidentUnknown``, ``ResidentUnclear`` and the like."""

    def resident_of(self, tie: str) -> TiedResident:
        """Return the resident of a tie; raise ``TieUnknown``, ``TieTouched``."""

    def tie(self, tie: str) -> Tie:
        """Return a tie; raise ``TieUnknown``, ``TieTouched``."""

    def held(self, system: str, code: str, *, by: str) -> Sequence[Held]:
        """Return what the hall told of one resident of a system here; raise ``TieTouched``."""

    def do(self, act: TieAct, tie: str, *, by: str, seen: str, terms: Terms | None = None) -> Tie:
        """Do something for the resident; raise ``TieMove``, ``TermsUnlike`` and the like."""


class AgreementPage(Protocol):
    """A page of the list; ``after`` asks for the next."""

    @property
    def views(self) -> Sequence[AgreementView]:
        """Those that could be read."""

    @property
    def unreadable(self) -> Sequence[Fault]:
        """Those that were tampered with."""

    @property
    def after(self) -> str | None:
        """The last id, when there are more."""


class AgreementSource(Protocol):
    """Gives agreements, and does what people may do to them; called in worker threads."""

    def listed(
        self, *, states: Sequence[State] = (), text: str = "", after: str = "", limit: int = 50
    ) -> AgreementPage:
        """Return a page of at most ``limit``, the newest first."""

    def show(self, agreement: str) -> AgreementView:
        """Return one; raise ``AgreementUnknown`` or ``AgreementForged``."""

    def offers(self, agreement: str, account: str) -> Sequence[Offer]:
        """Return what an account may do to it now, for itself or as a deputy."""

    def do(
        self,
        agreement: str,
        act: Act,
        *,
        account: str,
        instead_of: str | None,
        note: str,
        condition: str,
        seen: int,
    ) -> None:
        """Do it in one durable step; raise what refuses it."""

    def file(self, agreement: str, number: int) -> tuple[str, bytes]:
        """Return name and bytes of an attachment, counted from 1; raise ``AttachmentLost``."""

    def paper(self, agreement: str, paper: str) -> str:
        """Return the application or the notice of decision as HTML."""


class LinkDeed(StrEnum):
    """What somebody may do on the page of a link."""

    PAUSE = "pause"  # the link
    RESUME = "resume"
    CANCEL = "cancel"  # one transfer
    RESEND = "resend"
    RESEND_REJECTED = "resend-rejected"  # only rows that were set aside, and what has changed


OF_LINK = frozenset({LinkDeed.PAUSE, LinkDeed.RESUME})


@dataclass(frozen=True, slots=True, kw_only=True)
class Possible:
    """What could be done about a link and one of its transfers at this moment."""

    deeds: tuple[LinkDeed, ...]
    paused: datetime | None  # since when the link is
    newest: str  # its newest transfer, empty while there is none


class DeedSource(Protocol):
    """Does what people ask for on a link's page."""

    def possible(self, link: str, transfer: str | None) -> Possible:
        """Return what could be done now; called in worker threads."""

    async def do(self, deed: LinkDeed, link: str, transfer: str, *, by: str) -> None:
        """Do it in one durable step; the evidence names the account ``by``.

        Raises:
            KumobashiError: what refuses it; nothing was changed.
        """
