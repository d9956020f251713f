"""What the console shows of one site: the workspace's links joined with the ends of the ledger.

Plans and names change with the files and the day, transfers with every commit; each is kept until
then, so that a page costs what it draws and not what there is.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from kumobashi.directory.entries import Directory
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.newest import Head, Newest
from kumobashi.exchange.overview import light_of, transfer_view
from kumobashi.exchange.reasons import Reasons
from kumobashi.exchange.records import Outgoing
from kumobashi.exchange.states import OUT_FINAL, Out
from kumobashi.exchange.views import (
    Board,
    DayView,
    HoldingView,
    Light,
    LinkRow,
    LinkView,
    OpenIncident,
    OverdueMedia,
    OverdueRequest,
    TransferView,
)
from kumobashi.kernel import Clock, KumobashiError, business_date, from_micros
from kumobashi.kernel.ids import is_fictional
from kumobashi.planning.workspace import Workspace
from kumobashi.service.overviewing import described, names_for
from kumobashi.service.planned import Planned

log = logging.getLogger(__name__)
_MANY = 500  # links; describing them takes about a second
_HISTORY = 30  # transfers on a link's page
_FRESH_SECONDS = 2.0  # how old a look at the files may be


@dataclass(frozen=True, slots=True)
class _Plain:
    """What does not depend on transfers."""

    workspace: Workspace
    on: date
    views: Mapping[str, LinkView]
    rows: tuple[LinkRow, ...]


class SiteBoard:
    """The console's port, filled from the workspace and the ledger."""

    def __init__(  # noqa: PLR0913 - what a board is drawn from
        self,
        *,
        workspace: Callable[[float], Workspace],
        directory: Directory,
        planned: Planned,
        ledger: Ledger,
        site: str,
        clock: Clock,
        reasons: Callable[[], Reasons],
        overdue: Callable[[], tuple[HoldingView, ...]] = tuple,
        overdue_media: Callable[[], tuple[OverdueMedia, ...]] = tuple,
        overdue_requests: Callable[[], tuple[OverdueRequest, ...]] = tuple,
        incidents: Callable[[], tuple[OpenIncident, ...]] = tuple,
    ) -> None:
        self._workspace = workspace
        self._directory = directory
        self._planned = planned
        self._ledger = ledger
        self._site = site
        self._clock = clock
        self._reasons = reasons
        self._overdue = overdue
        self._overdue_media = overdue_media
        self._overdue_requests = overdue_requests
        self._incidents = incidents
        self._newest = Newest(ledger)
        self._lock = threading.Lock()
        self._making = threading.Lock()
        self._held: _Plain | None = None
        self._joined: tuple[_Plain, Mapping[str, Head], tuple[LinkRow, ...]] | None = None

    def board(self) -> Board:
        """Return all links in short, as they are now."""
        plain = self._plain()
        now = self._clock.now()
        heads = self._newest.heads()
        with self._lock:
            held = self._joined
        if held is None or held[0] is not plain or held[1] is not heads:
            before, known = (held[1], held[2]) if held and held[0] is plain else ({}, plain.rows)
            rows = tuple(
                was
                if (head := heads.get(row.link)) is before.get(row.link)
                else joined(row, head, now)
                for row, was in zip(plain.rows, known, strict=True)
            )
            held = (plain, heads, rows)
            with self._lock:
                self._joined = held
        municipality = plain.workspace.municipality.municipality
        reasons = self._reasons()
        return Board(
            municipality_code=municipality.code,
            municipality_name=municipality.name,
            site=self._site,
            site_name=self._directory.site(self._site).name,
            at=now,
            # What waits turns red as time goes by; the rest stays as it was joined.
            rows=tuple(_at(row, heads, now, reasons) for row in held[2]),
            is_training=is_fictional(municipality.code),
            overdue=self._overdue(),
            overdue_media=self._overdue_media(),
            overdue_requests=self._overdue_requests(),
            incidents=self._incidents(),
        )

    def links(self, names: Sequence[str]) -> list[LinkView]:
        """Return these links with their newest transfer and nothing before it."""
        plain, heads = self._plain(), self._newest.heads()
        wanted = [heads[name].transfer for name in names if name in heads]
        rows = {row.transfer: row for row in self._ledger.several(wanted)}
        found = []
        for name in names:
            if name in plain.views:
                head = heads.get(name)
                row = rows.get(head.transfer) if head else None
                found.append(self._link(plain, name, [row] if row else []))
        return found

    def link(self, name: str) -> LinkView | None:
        """Return one link with its transfers, the newest first."""
        plain = self._plain()
        if name not in plain.views:
            return None
        return self._link(plain, name, self._ledger.outgoings(name, limit=_HISTORY + 1))

    def transfer(self, link: str, transfer: str) -> TransferView | None:
        """Return one transfer of a link, however old."""
        plain = self._plain()
        rows = self._ledger.several([transfer])
        if link not in plain.views or not rows or rows[0].link != link:
            return None
        names = names_for(plain.workspace, self._directory, link)
        return transfer_view(self._reasons().seen(rows[0]), names, self._clock.now())

    def days(self, names: Sequence[str], first: date) -> dict[str, tuple[DayView, ...]]:
        """Return how each business date from ``first`` on stands, by link."""
        found = self._newest.days(names, first=first)
        return {
            link: tuple(DayView(on=day.on, light=light_of_day(day.state)) for day in days)
            for link, days in found.items()
        }

    def _plain(self) -> _Plain:
        workspace = self._workspace(_FRESH_SECONDS)
        on = business_date(self._clock.now())
        held = self._held
        if held is not None and held.workspace is workspace and held.on == on:
            return held
        if held is None or len(held.rows) <= _MANY:
            with self._making:
                return self._make(workspace, on)
        # Thousands of plans take seconds: whoever looks meanwhile sees the links as they were.
        if self._making.acquire(blocking=False):
            threading.Thread(target=self._make_behind, args=(workspace, on), daemon=True).start()
        return held

    def _make_behind(self, workspace: Workspace, on: date) -> None:
        try:
            self._make(workspace, on)
        except KumobashiError as error:
            log.warning("links could not be described", extra={"code": error.code})
        finally:
            self._making.release()

    def _make(self, workspace: Workspace, on: date) -> _Plain:
        held = self._held
        if held is not None and held.workspace is workspace and held.on == on:
            return held  # another made it while this one waited
        views = described(
            workspace,
            self._directory,
            self._site,
            lambda link: self._planned.plan(workspace, link),
        )
        rows = tuple(link_row(workspace, self._directory, view) for view in views.values())
        self._held = made = _Plain(workspace, on, views, rows)
        return made

    def _link(self, plain: _Plain, name: str, rows: Sequence[Outgoing]) -> LinkView:
        names = names_for(plain.workspace, self._directory, name)
        now, reasons = self._clock.now(), self._reasons()
        runs = [transfer_view(reasons.seen(row), names, now) for row in rows]
        view = plain.views[name]
        if not runs:
            return view
        light = view.light if view.light is Light.BLOCKED else runs[0].light
        return replace(view, light=light, latest=runs[0], history=tuple(runs[1:]))


def joined(row: LinkRow, head: Head | None, now: datetime) -> LinkRow:
    """Return a link's row with what its newest transfer says."""
    if head is None:
        return row
    light = light_of(head.state, head.cause, now)
    cause = head.cause if light is not Light.APPLIED else None
    length = head.finished_at - head.started_at if head.finished_at else None
    return replace(
        row,
        light=Light.BLOCKED if row.light is Light.BLOCKED else light,
        cause_code=str(cause["code"]) if cause else None,
        cause_side=str(cause["side"]) if cause else None,
        on=head.business_date,
        started=from_micros(head.started_at),
        seconds=length / 1e6 if length is not None else None,
        rows=head.rows,
    )


def _at(row: LinkRow, heads: Mapping[str, Head], now: datetime, reasons: Reasons) -> LinkRow:
    head = heads.get(row.link)
    if head is None or head.state in OUT_FINAL or row.light is Light.BLOCKED:
        return row
    seen = reasons.seen_head(head)
    if seen is not head:
        return joined(row, seen, now)
    return replace(row, light=light_of(head.state, head.cause, now)) if row.cause_code else row


def light_of_day(state: Out) -> Light:
    """Return the light of a past day; what is not over counts as running."""
    return {
        Out.APPLIED: Light.APPLIED,
        Out.REFUSED: Light.REFUSED,
        Out.HELD: Light.HELD,
        Out.CANCELLED: Light.NEVER,
    }.get(state, Light.RUNNING)


def link_row(workspace: Workspace, directory: Directory, view: LinkView) -> LinkRow:
    """Return what a list shows of a link that never ran."""
    declared = workspace.link(view.link)
    try:
        names = names_for(workspace, directory, view.link)
        sites = tuple((site, names.sites.get(site, site)) for site in names.route)
    except KumobashiError:
        sites = ()
    return LinkRow(
        link=view.link,
        name=view.name,
        from_system=declared.from_,
        from_name=view.from_name,
        to_system=declared.to.system,
        to_name=view.to_name,
        to_site_name=view.to_site_name,
        sites=sites,
        contact=view.contact,
        mode=view.mode,
        daily=view.daily,
        deadline=view.deadline,
        light=view.light,
    )
