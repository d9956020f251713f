"""What people do with incidents (漏えい等の事案), as JSON in and JSON out.

The local API and the terminal ask the same desk: the one where a gateway runs, the other where it
does not, for an incident may be the very reason why it was stopped.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from kumobashi.directory.entries import Directory
from kumobashi.directory.errors import DirectoryFailed
from kumobashi.exchange.auditing import trusted_directory
from kumobashi.exchange.migrating import migrate
from kumobashi.identity import Accounts
from kumobashi.identity.roles import Deed
from kumobashi.kernel import Clock, from_wire
from kumobashi.papers.book import IncidentBook
from kumobashi.papers.breach import breach_report
from kumobashi.papers.clocks import Level
from kumobashi.papers.incidents import Closing, Doubt, Incident, Kind, Place
from kumobashi.papers.matter import check_rules, facts_of
from kumobashi.papers.printing import FOLDER, render
from kumobashi.papers.rules import REPORTS
from kumobashi.planning.publishing import FILE, trusted_key
from kumobashi.planning.workspace import Workspace
from kumobashi.service.errors import AccountNeeded, BadRequest
from kumobashi.service.exposing import Exposing
from kumobashi.service.settings import read_settings
from kumobashi.service.signing_in import signed_in
from kumobashi.service.stating import open_state
from kumobashi.storage.state import StateStore

Said = Mapping[str, Any]
Answer = dict[str, Any]


DEEDS: Final[Mapping[str, Deed | None]] = {
    "open": Deed.NOTE_INCIDENT,
    "amend": Deed.NOTE_INCIDENT,
    "tell": Deed.NOTE_INCIDENT,
    "file": Deed.ANSWER_FOR_INCIDENT,
    "close": Deed.ANSWER_FOR_INCIDENT,
    "list": None,
    "show": None,
    "report": None,
}
"""What each deed needs somebody to sign in for; none: nothing is written by it."""


class IncidentDesk:
    """The incidents of one site; whoever writes signs in, also where no gateway runs."""

    def __init__(
        self,
        store: StateStore,
        *,
        tenant: str,
        site: str,
        workspace: Callable[[], Workspace],
        directory: Directory | None,
        clock: Clock,
        accounts: Accounts,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._tenant = tenant
        self._site = site
        self._workspace = workspace
        self._directory = directory
        self._clock = clock
        self._book = IncidentBook(store, tenant=tenant, clock=clock)

    def do(self, deed: str, said: Said) -> Answer:
        """Do one deed of :data:`DEEDS`, as the account that the body signs in as.

        Raises:
            IncidentFailed, PaperFailed, LinkUnknown: it was not done.
            AccountNeeded, IdentityFailed: nobody signed in who may do it.
            BadRequest: the body lacks a field, or there is no such deed.
        """
        if deed not in DEEDS:
            raise BadRequest(field="deed", expected=", ".join(DEEDS))
        by, needed = "", DEEDS[deed]
        if needed is not None:
            account = signed_in(self._accounts, said, needed)
            if account is None:
                raise AccountNeeded
            by = f"account:{account}"
        work: Callable[[Said, str], Answer] = getattr(self, deed)
        return work(said, by)

    def open(self, said: Said, by: str) -> Answer:
        """Note a new incident."""
        new = Incident(
            incident="",
            link=_text(said, "link"),
            transfers=_texts(said, "transfers"),
            noticed=self._moment(said, "noticed"),
            kinds=tuple(_choice(one, Kind, "kinds") for one in _texts(said, "kinds")),
            place=_choice(said.get("place", "unknown"), Place, "place"),
            improper=_choice(said.get("improper", "unknown"), Doubt, "improper"),
            property=_choice(said.get("property", "unknown"), Doubt, "property"),
            persons=_count(said, "persons"),
            note=_note(said),
        )
        self._exposing().check(new.link, new.transfers)
        check_rules(new)
        return self._told(self._book.open(new, by=by))

    def list(self, said: Said, _by: str) -> Answer:
        """Return the incidents with their clocks, the worst first."""
        found, wrong = self._book.all(closed=said.get("all") is True)
        told = [self._told(one)["incident"] for one in found]
        for one in told:
            del one["transfers_exposed"]
        told.sort(key=_worst, reverse=True)
        return {
            "site": self._site,
            "incidents": told,
            "faults": [one.problem() for one in wrong],
        }

    def show(self, said: Said, _by: str) -> Answer:
        """Return one incident with its history."""
        found = self._book.one(_text(said, "incident"))
        return {**self._told(found), "history": self._book.history(found.incident)}

    def amend(self, said: Said, by: str) -> Answer:
        """Change what is known; what the body does not say stays."""
        readers: dict[str, Callable[[], Any]] = {
            "transfers": lambda: _texts(said, "transfers"),
            "kinds": lambda: tuple(_choice(one, Kind, "kinds") for one in _texts(said, "kinds")),
            "noticed": lambda: self._moment(said, "noticed"),
            "place": lambda: _choice(said["place"], Place, "place"),
            "improper": lambda: _choice(said["improper"], Doubt, "improper"),
            "property": lambda: _choice(said["property"], Doubt, "property"),
            "persons": lambda: _count(said, "persons"),
            "note": lambda: _note(said),
        }
        given = {name: read() for name, read in readers.items() if said.get(name) is not None}
        if not given:
            raise BadRequest(field="body", expected=", ".join(readers))
        held = self._book.one(_text(said, "incident"))
        if "transfers" in given:
            self._exposing().check(held.link, given["transfers"])
        check_rules(replace(held, **given))
        made = self._book.amend(held.incident, lambda one: replace(one, **given), by=by)
        return self._told(made)

    def tell(self, said: Said, by: str) -> Answer:
        """Note that another office was told."""
        at = self._moment(said, "at") if said.get("at") else self._clock.now()
        return self._told(
            self._book.tell(_text(said, "incident"), _text(said, "office"), at, by=by)
        )

    def file(self, said: Said, by: str) -> Answer:
        """Note that a report was filed, and when; return it as it is drawn up then."""
        report, at = _report(said), self._moment(said, "filed")
        self._book.file(_text(said, "incident"), report, at, by=by)
        return self.report(said, by)

    def report(self, said: Said, _by: str) -> Answer:
        """Draw up a report."""
        report = _report(said)
        found = self._book.one(_text(said, "incident"))
        matter = self._exposing().matter(found)
        paper = breach_report(matter, report, now=self._clock.now())
        page = render(paper, folder=self._workspace().folder / FOLDER)
        return {"paper": paper.plain(), "html": page}

    def close(self, said: Said, by: str) -> Answer:
        """Close an incident."""
        reason = _choice(said.get("reason"), Closing, "reason")
        return self._told(self._book.close(_text(said, "incident"), reason, _note(said), by=by))

    # -- inside ---------------------------------------------------------------------------------

    def _exposing(self) -> Exposing:
        return Exposing(
            self._store,
            tenant=self._tenant,
            site=self._site,
            workspace=self._workspace(),
            directory=self._directory,
            clock=self._clock,
        )

    def _told(self, found: Incident) -> Answer:
        facts = facts_of(self._exposing().matter(found), self._clock.now())
        return {"incident": facts}

    def _moment(self, said: Said, name: str) -> datetime:
        try:
            return from_wire(_text(said, name))
        except ValueError:
            raise BadRequest(field=name, expected="a time with a zone") from None


@contextmanager
def desk_of(workspace: Workspace, site: str, clock: Clock) -> Iterator[IncidentDesk]:
    """Open the state of a site whose gateway does not run, or shares it, and give its desk.

    Raises:
        AlreadyRunning: a gateway has the file.
    """
    tenant = workspace.municipality.municipality.code
    with closing(open_state(read_settings(workspace.folder, site), tenant)) as store:
        migrate(store)
        folder = workspace.folder / "private" / site
        with closing(Accounts(folder, tenant=tenant, site=site, clock=clock)) as accounts:
            yield IncidentDesk(
                store,
                tenant=tenant,
                site=site,
                workspace=lambda: workspace,
                directory=_directory(workspace, site),
                clock=clock,
                accounts=accounts,
            )


def _directory(workspace: Workspace, site: str) -> Directory | None:
    """Return the directory, also when its time is over; none: there is none that is signed."""
    kept = workspace.folder / "var" / site / FILE
    path = kept if kept.exists() else workspace.folder / FILE
    with suppress(OSError, DirectoryFailed):
        token = path.read_text(encoding="ascii").strip()
        return trusted_directory(token, trusted_key(workspace.folder))
    return None


def _worst(told: Answer) -> tuple[int, int]:
    levels = [Level[one["level"].upper()] for one in told["clocks"]]
    left = [one["days_left"] for one in told["clocks"] if one["filed"] is None]
    return int(max(levels)), -min(left, default=0)


def _report(said: Said) -> str:
    report = said.get("report")
    if report not in REPORTS:
        raise BadRequest(field="report", expected=", ".join(REPORTS))
    return str(report)


def _text(said: Said, name: str) -> str:
    value = said.get(name)
    if not isinstance(value, str) or not value:
        raise BadRequest(field=name, expected="a text")
    return value


def _texts(said: Said, name: str) -> tuple[str, ...]:
    value = said.get(name, [])
    if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
        raise BadRequest(field=name, expected="a list of texts")
    return tuple(value)


def _note(said: Said) -> str:
    value = said.get("note") or ""
    if not isinstance(value, str):
        raise BadRequest(field="note", expected="a text")
    return value


def _count(said: Said, name: str) -> int | None:
    value = said.get(name)
    if value is not None and type(value) is not int:
        raise BadRequest(field=name, expected="a whole number")
    return value


def _choice(value: object, kind: Any, name: str) -> Any:  # noqa: ANN401 - an enum, and one of it
    try:
        return kind(value)
    except ValueError:
        raise BadRequest(field=name, expected=", ".join(one.value for one in kind)) from None
