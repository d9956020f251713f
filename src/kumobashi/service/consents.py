"""The ledger of consents of a site, put together: its store, its secret, the workspace's texts.

The site that turns resident numbers into tokens has the ledger; no other site has the secret.
"""

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from datetime import date
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kumobashi.consent.channels.book import ChannelBook, Senders
from kumobashi.consent.channels.ports import Sender
from kumobashi.consent.channels.sealing import Vault
from kumobashi.consent.channels.states import Channel
from kumobashi.consent.errors import KeyOfConsentsMissing, PurposeUnknown
from kumobashi.consent.ledger import ConsentLedger, Texts
from kumobashi.consent.reading import Reading
from kumobashi.consent.snapshot import Snapshot, Terms
from kumobashi.consent.source import LedgerStore
from kumobashi.consent.states import Tier
from kumobashi.consent.subjects import Subjects, check_number
from kumobashi.consent.texts import ConsentText
from kumobashi.crypto.keys import TokenKey
from kumobashi.exchange.migrating import migrate
from kumobashi.kernel import Clock, business_date
from kumobashi.planning.workspace import Workspace
from kumobashi.release.rules import Consent, ReleaseRule
from kumobashi.requests.reading import Reading as RequestReading
from kumobashi.service.channels import keep_letters_only, keys_folder, senders_of
from kumobashi.service.errors import ResidentUnclear, ResidentUnknown
from kumobashi.service.register import candidates
from kumobashi.service.residents import Residents
from kumobashi.service.settings import read_settings
from kumobashi.service.stating import open_state
from kumobashi.service.suspending import Suspension
from kumobashi.storage.erasable import ErasableSecrets
from kumobashi.storage.state import StateStore
from kumobashi.ties import Book
from kumobashi.ties import Channel as TieChannel
from kumobashi.ties.asked import Asked
from kumobashi.ties.reading import Reading as TieReading
from kumobashi.ties.snapshot import Snapshot as TieSnapshot
from kumobashi.ties.source import TieStore

if TYPE_CHECKING:
    from kumobashi.consent.identifying import Register

_NUMBERS = ("resident_no", "into")  # of a body: whose numbers these are

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


def ties_asked(rule: ReleaseRule) -> Asked | None:
    """Return what a rule asks of ties; none: nothing."""
    if rule.ties is None:
        return None
    channel = TieChannel(rule.ties.channel)
    return Asked(service=rule.ties.service, items=rule.tied_items, channel=channel)


class Consents:
    """What one site knows of consents."""

    def __init__(
        self,
        store: StateStore,
        *,
        tenant: str,
        site: str,
        secret: bytes | None,
        clock: Clock,
        keys: ErasableSecrets | None = None,
    ) -> None:
        """``keys`` are the site's erasable ones; without them it keeps no addresses."""
        self._store = store
        self._tenant = tenant
        self._site = site
        self._secret = secret
        self._clock = clock
        self.texts: Texts = dict  # of the workspace, as soon as somebody reads it
        self.residents: Residents | None = None  # likewise
        self.senders: Senders = dict  # likewise
        self.register: Register = lambda _said: ()
        self._keys = keys
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
    def channels(self) -> ChannelBook:
        """The book of addresses; raises ``KeyOfConsentsMissing`` where nothing can be sealed."""
        if self._secret is None or self._keys is None:
            raise KeyOfConsentsMissing(site=self._site)
        return ChannelBook(
            self._store,
            tenant=self._tenant,
            subjects=Subjects(self._secret, self._tenant),
            vault=Vault(self._secret, self._tenant, self._keys),
            senders=self._senders,
            clock=self._clock,
        )

    def tidy_channels(self) -> None:
        """Destroy the keys of addresses that have ended, wherever they did; none here: nothing."""
        if self._secret is not None and self._keys is not None:
            self.channels.tidy()
            waiting = self.channels.waiting(Channel.POST)
            keep_letters_only(self._keys.root.parent, waiting)

    @cached_property
    def ties(self) -> Book:
        """The book of ties, whose residents are sealed as those of the ledger are."""
        return Book(self._store, tenant=self._tenant, clock=self._clock)

    @cached_property
    def snapshot(self) -> Snapshot:
        """What counts now for all residents at once."""
        return Snapshot(self.ledger)

    def _senders(self) -> Mapping[Channel, Sender]:
        return self.senders()  # likewise

    def _texts(self) -> Mapping[str, ConsentText]:
        return self.texts()  # whoever reads the workspace comes after the ledger

    def with_numbers(self, said: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a body with the numbers of residents in it as the register writes them.

        Raises:
            ResidentUnknown, ResidentUnclear, StorageFailed: nothing may be kept under one of them.
        """
        numbers = {name: said[name] for name in _NUMBERS if isinstance(said.get(name), str)}
        return {**said, **{name: self.named(typed) for name, typed in numbers.items()}}

    def guessed(self, said: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the same, without a word where nobody has a number: who asks is not known yet."""
        with suppress(ResidentUnknown, ResidentUnclear):
            return self.with_numbers(said)
        return said

    def named(self, typed: str) -> str:
        """Return a resident's number as the register writes it.

        Raises:
            SubjectUnfit, and all that ``Residents.named`` raises.
        """
        number = check_number(unicodedata.normalize("NFKC", typed).strip())
        if self.residents is None:
            return number
        return self.residents.named(number, is_kept=self._is_kept)

    def _is_kept(self, number: str) -> bool:
        ties = TieReading(self.ties.store, tenant=self._tenant)
        is_tied = ties.of_resident(self.ledger.subjects.seal(number))
        return bool(is_tied or Reading(self.ledger).of_resident(number))

    def suspension(self, link: str) -> Suspension | None:
        """Return whose rows may not leave by a link; none: this site receives no requests."""
        if self._secret is None:
            return None
        requests = RequestReading(self._store, tenant=self._tenant)
        return Suspension(requests, self.ledger, link)

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

    @cached_property
    def tied(self) -> TieSnapshot:
        """Whose ties let their rows leave now, for all residents at once."""
        opened = self.ledger.subjects.opened
        return TieSnapshot(self._store, tenant=self._tenant, opened=opened)

    def tie_source(self, rule: ReleaseRule) -> TieStore | None:
        """Return where a run of a rule reads its ties; none: it does not ask them.

        Raises:
            KeyOfConsentsMissing: they cannot be asked, so nothing may leave.
        """
        asked = ties_asked(rule)
        if asked is None:
            return None
        return TieStore(self.tied, asked, tenant=self._tenant, clock=self._clock)


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
        keys = ErasableSecrets(keys_folder(workspace.folder, site)) if secret else None
        consents = Consents(store, tenant=tenant, site=site, secret=secret, clock=clock, keys=keys)
        consents.texts = lambda: workspace.consents
        consents.residents = Residents(lambda: workspace, site)
        consents.senders = lambda: senders_of(workspace, site)
        consents.register = partial(candidates, workspace)
        consents.systems = lambda: sites_of(workspace)
        yield consents
