"""What the directory says about sites, systems and contacts: values that gateways work with.

Unlike the files of the workspace it names no tables and no databases: the structure of a store is
nobody's business but its own site's (report 001, item 7).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from kumobashi.crypto.keys import VerifyKey
from kumobashi.directory.errors import SiteUnknown, SystemUnknown
from kumobashi.directory.models import By, NetworkModel, SiteKind
from kumobashi.directory.profile_models import Weekday
from kumobashi.kernel import Zone


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionEntry:
    """A connection that a site opens."""

    site: str
    by: By


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificationEntry:
    """What a list or an auditor says about a site."""

    name: str
    number: str | None = None
    valid_to: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactEntry:
    """Whom to call."""

    name: str
    phone: str
    hours: str
    mail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursEntry:
    """When a site takes calls, in Japanese time (``directory.opening``)."""

    days: tuple[Weekday, ...]
    opens: str  # "08:30"
    closes: str  # "17:15"; earlier than ``opens``: on the next day
    closed: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileEntry:
    """What a site can take; directories of before say nothing, and these count."""

    answer_seconds: int = 120
    requests_per_minute: int = 12_000
    at_once: int = 16
    formats: tuple[str, ...] = ("parquet", "csv")
    unclosed_bytes: int = 64 * 1024**3
    unclosed_transfers: int = 10_000
    open: HoursEntry | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteEntry:
    """A site with its public keys; the first of each is the one in use, the others are leaving."""

    name: str
    kind: SiteKind
    zone: Zone
    role: str  # "endpoint" or "relay"
    provider: str
    jurisdiction: str
    url: str
    connects_to: tuple[ConnectionEntry, ...]
    largest_part_bytes: int
    contact: str
    sign: tuple[dict[str, str], ...]  # JWK
    seal: tuple[str, ...]  # age1…
    certifications: tuple[CertificationEntry, ...] = ()
    profile: ProfileEntry = ProfileEntry()

    @property
    def verify_keys(self) -> dict[str, VerifyKey]:
        """The keys its signatures are checked with, by ``kid``."""
        keys = [VerifyKey.from_jwk(jwk) for jwk in self.sign]
        return {key.kid: key for key in keys}

    @property
    def kid(self) -> str:
        """The thumbprint of the signing key in use."""
        return VerifyKey.from_jwk(self.sign[0]).kid

    @property
    def recipient(self) -> str:
        """The age recipient in use."""
        return self.seal[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetEntry:
    """A dataset by the layout its rows have."""

    layout: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationEntry:
    """One thing that a service may be asked: a method and the template of a path."""

    method: str  # "GET"
    path: str  # "/payments/{payment}", below the service's version


@dataclass(frozen=True, slots=True, kw_only=True)
class InterfaceEntry:
    """One version of a service's interface; old and new ones stand side by side."""

    operations: dict[str, OperationEntry]  # by name: an OpenAPI operationId, a WSDL operation
    document: str | None = None  # sha256:… of its OpenAPI or WSDL document
    last_day: date | None = None  # on which it may be asked


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceEntry:
    """What a system answers when it is called (サービス)."""

    name: str  # in Japanese
    kind: str  # "rest" or "soap"
    interfaces: dict[str, InterfaceEntry]  # by version: "v1"
    test_only: bool = False  # takes calls that say they are tests, and no others


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemEntry:
    """A system, where it runs and what it offers or takes."""

    name: str
    site: str
    kind: str
    business: str | None
    contact: str
    datasets: dict[str, DatasetEntry]
    services: dict[str, ServiceEntry] = field(default_factory=dict)
    standby: tuple[str, ...] = ()  # sites where it runs too; calls go there when ``site`` is away


@dataclass(frozen=True, slots=True, kw_only=True)
class MunicipalityEntry:
    """The tenant."""

    code: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """Everything that gateways must agree on; equal versions are equal documents."""

    format: int
    version: int
    issued: datetime
    expires: datetime
    municipality: MunicipalityEntry
    network_model: NetworkModel
    sites: dict[str, SiteEntry]
    systems: dict[str, SystemEntry]
    contacts: dict[str, ContactEntry]

    def site(self, name: str) -> SiteEntry:
        """Return a site, or raise :class:`SiteUnknown`."""
        try:
            return self.sites[name]
        except KeyError:
            raise SiteUnknown(site=name) from None

    def system(self, name: str) -> SystemEntry:
        """Return a system, or raise :class:`SystemUnknown`."""
        try:
            return self.systems[name]
        except KeyError:
            raise SystemUnknown(system=name) from None

    def dataset(self, system: str, dataset: str) -> DatasetEntry:
        """Return a dataset, or raise :class:`SystemUnknown`."""
        try:
            return self.system(system).datasets[dataset]
        except KeyError:
            raise SystemUnknown(system=f"{system}.{dataset}") from None

    def contact_of(self, site: str) -> ContactEntry | None:
        """Return whom to call about a site."""
        return self.contacts.get(self.site(site).contact)

    def keys_of(self, site: str) -> Mapping[str, VerifyKey]:
        """Return the keys that a site's signatures are checked with."""
        return self.site(site).verify_keys

    def owner_of(self, kid: str) -> str | None:
        """Return the site that a signing key belongs to."""
        for name, site in self.sites.items():
            if kid in site.verify_keys:
                return name
        return None
