"""What the policy is asked, and what it answers: plain values."""

from dataclasses import dataclass
from datetime import date

from kumobashi.kernel import Zone
from kumobashi.policy.levels import Held
from kumobashi.policy.reading import Origin


@dataclass(frozen=True, slots=True)
class Where:
    """A key in a file that people write."""

    file: str
    line: int
    key: str = ""

    def ja(self) -> str:
        """Return the place as people say it."""
        return f"{self.file} {self.line}行目" + (f" {self.key}" if self.key else "")

    def en(self) -> str:
        """Return the place in English."""
        return f"{self.file}, line {self.line}" + (f", {self.key}" if self.key else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """One connection on the way."""

    from_zone: Zone
    to_zone: Zone
    by: str
    by_ja: str
    from_ja: str  # names of the sites
    to_ja: str
    where: Where


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """The legal basis that a link states."""

    code: str
    consent: str | None
    ordinance: str | None
    note: str | None
    until: date | None
    proviso: str | None = None  # how it was checked that nobody's rights are unjustly harmed


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A dataset that a link reads: its information reaches the receiver, if only as a selection."""

    dataset: str  # "integrated-db.residents"
    layout: str
    ja: str
    where: Where
    is_judged: bool = False  # a campaign tells by it who is meant: that is a flag (有無)

    def forms(self, items: "tuple[AskedItem, ...]") -> "list[tuple[str, AskedItem | None]]":
        """Return in which forms its information leaves, each with its item; selecting is a flag."""
        found: list[tuple[str, AskedItem | None]] = [
            (item.form, item) for item in items if item.dataset == self.dataset
        ]
        return [*found, ("flag", None)] if self.is_judged or not found else found


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """The system that receives: to whose business it belongs, and where it runs."""

    unit: str | None  # as its file says
    business: str | None  # its business number, for a file that says no unit
    is_outside: bool  # it runs on a cloud, not in the hall
    jurisdiction: str
    certifications: tuple[Held, ...]
    ja: str
    en: str
    where: Where  # its file
    at_site: Where


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedItem:
    """One released item: how sensitive its source is, and in which form it leaves."""

    name: str
    ja: str
    sensitivity: str
    form: str
    where: Where
    dataset: str | None = None  # where it comes from; nothing: it is made from no column


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Everything a decision rests on."""

    model: str
    from_ja: str
    to_ja: str
    from_en: str
    to_en: str
    hops: tuple[Crossing, ...]
    from_zone: Zone
    to_zone: Zone  # where the items become readable; relays carry them sealed
    basis: Basis | None
    has_consent: bool  # the release rule asks for each resident's consent
    is_scheduled: bool
    items: tuple[AskedItem, ...]
    sources: tuple[Source, ...]
    receiver: Receiver
    link: Where
    at_basis: Where
    purpose: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why not, or what to mind: sentence, place, article, remedy, a line that would be right."""

    code: str
    ja: str
    en: str
    where: Where
    remedy_ja: str = ""
    remedy_en: str = ""
    article_ja: str = ""
    article_en: str = ""
    example: str = ""
    origin: Origin | None = None  # the row of the table that says so


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Permitted when there is no reason against it; cautions do not stop."""

    reasons: tuple[Reason, ...]
    cautions: tuple[Reason, ...]
    rows: tuple[Origin, ...] = ()  # every row that was asked and answered, for or against

    @property
    def is_permitted(self) -> bool:
        """Whether the flow may run."""
        return not self.reasons
