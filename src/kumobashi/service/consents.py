"""The ledger of consents of a site, put together: its store, its secret, the workspace's texts.

The site that turns resident numbers into tokens has the ledger; no other site has the secret.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import date
from functools import cached_property
from pathlib import Path

from kumobashi.consent.errors import KeyOfConsentsMissing, PurposeUnknown
from kumobashi.consent.ledger import ConsentLedger, Texts
from kumobashi.consent.snapshot import Snapshot, Terms
from kumobashi.consent.source import LedgerStore
from kumobashi.consent.states import Tier
from kumobashi.consent.subjects import Subjects
from kumobashi.consent.texts import ConsentText
from kumobashi.crypto.keys import TokenKey
from kumobashi.exchange.migrating import migrate
from kumobashi.kernel import Clock, business_date
from kumobashi.planning.workspace import Workspace
from kumobashi.release.rules import Consent, ReleaseRule
from kumobashi.service.settings import read_settings
from kumobashi.service.stating import open_state
from kumobashi.storage.state import StateStore
from kumobashi.ties import Book

Systems = Callable[[], Mapping[str, str]]


def token_secret(workspace: Path, site: str) -> bytes | None:
    """Return the secret that a site makes tokens from; none: it makes none."""
    path = workspace / "private" / site / "token.key"
    return TokenKey.load(path).secret if path.exists() else None


def sites_of(workspace: Workspace) -> Mapping[str, str]:
    """Return the systems of a workspace, each with its site."""
    return {name: system.site for name, system in workspace.systems.items()}


def terms_of(consent: Consent, texts: Mapping[str, ConsentText], on: date) -> Terms:
    """Return what a rule's consent rests on today; raise ``PurposeUnknown``."""
    purpose = consent.purpose or ""
    if purpose not in texts:
        raise PurposeUnknown(purpose=purpose)
    return Terms(
        purpose=purpose,
        tiers=frozenset(map(Tier, consent.of_tiers)),
        versions=texts[purpose].accepted(on),
    )


class Consents:
    """What one site knows of consents."""

    def __init__(
        self, store: StateStore, *, tenant: str, site: str, secret: bytes | None, clock: Clock
    ) -> None:
        self._store = store
        self._tenant = tenant
        self._site = site
        self._secret = secret
        self._clock = clock
        self.texts: Texts = dict  # of the workspace, as soon as somebody reads it
        self.systems: Systems = dict  # of the workspace too, each with its site

    def is_elsewhere(self, system: str) -> bool:
        """Whether the workspace has a system, at another site than this."""
        return self.systems().get(system, self._site) != self._site

    @property
    def is_here(self) -> bool:
        """Whether this site can have a ledger."""
        return self._secret is not None

    @cached_property
    def ledger(self) -> ConsentLedger:
        """The ledger; raises ``KeyOfConsentsMissing`` where the site has no secret."""
        if self._secret is None:
            raise KeyOfConsentsMissing(site=self._site)
        return ConsentLedger(
            self._store,
            tenant=self._tenant,
            subjects=Subjects(self._secret, self._tenant),
            texts=self._texts,
            clock=self._clock,
        )

    @cached_property
    def ties(self) -> Book:
        """The book of ties, whose residents are sealed as those of the ledger are."""
        return Book(self._store, tenant=self._tenant, clock=self._clock)

    @cached_property
    def snapshot(self) -> Snapshot:
        """What counts now for all residents at once."""
        return Snapshot(self.ledger)

    def _texts(self) -> Mapping[str, ConsentText]:
        return self.texts()  # whoever reads the workspace comes after the ledger

    def source(self, rule: ReleaseRule) -> LedgerStore | None:
        """Return where a run of a rule reads its consents; none: it does not ask the ledger.

        Raises:
            PurposeUnknown, KeyOfConsentsMissing: it cannot be asked, so nothing may leave.
        """
        if rule.consent is None or not rule.consent.ledger:
            return None
        on = business_date(self._clock.now())
        terms = terms_of(rule.consent, self.texts(), on)
        return LedgerStore(self.snapshot, terms, tenant=self._tenant, clock=self._clock)


@contextmanager
def consents_of(workspace: Workspace, site: str, clock: Clock) -> Iterator[Consents]:
    """Open the state of a site whose gateway does not run, or shares it, and give its consents.

    Raises:
        AlreadyRunning: a gateway has the file.
    """
    tenant = workspace.municipality.municipality.code
    with closing(open_state(read_settings(workspace.folder, site), tenant)) as store:
        migrate(store)
        secret = token_secret(workspace.folder, site)
        consents = Consents(store, tenant=tenant, site=site, secret=secret, clock=clock)
        consents.texts = lambda: workspace.consents
        consents.systems = lambda: sites_of(workspace)
        yield consents
