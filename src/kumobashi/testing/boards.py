"""Shows made views of ``scenes`` as the console asks for them: a board over an overview."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime

from kumobashi.console.ports import LinkDeed, Possible
from kumobashi.exchange.views import (
    Board,
    DayView,
    Light,
    LinkRow,
    LinkView,
    Overview,
    TransferView,
)
from kumobashi.kernel import Clock


class SceneBoard:
    """The console's port over one overview, which is asked for anew each time."""

    def __init__(self, overview: Callable[[], Overview]) -> None:
        self._overview = overview

    def board(self) -> Board:
        """Return all links in short."""
        shown = self._overview()
        return Board(
            municipality_code=shown.municipality_code,
            municipality_name=shown.municipality_name,
            site=shown.site,
            site_name=shown.site_name,
            at=shown.at,
            rows=tuple(row_of(link) for link in shown.links),
            is_training=True,
            overdue=shown.overdue,
            overdue_media=shown.overdue_media,
            overdue_requests=shown.overdue_requests,
            incidents=shown.incidents,
        )

    def links(self, names: Sequence[str]) -> list[LinkView]:
        """Return these links."""
        return [link for name in names if (link := self.link(name))]

    def link(self, name: str) -> LinkView | None:
        """Return one link."""
        return next((link for link in self._overview().links if link.link == name), None)

    def transfer(self, link: str, transfer: str) -> TransferView | None:
        """Return one transfer of a link."""
        view = self.link(link)
        runs = (view.latest, *view.history) if view and view.latest else ()
        return next((run for run in runs if run.transfer == transfer), None)

    def days(self, names: Sequence[str], first: date) -> Mapping[str, Sequence[DayView]]:
        """Return the days of the transfers that the scene holds."""
        return {
            view.link: tuple(
                DayView(on=run.business_date, light=run.light)
                for run in (*reversed(view.history), view.latest)
                if run and run.business_date >= first
            )
            for view in self.links(names)
        }


class SceneDeeds:
    """The console's port for deeds over a scene, in which nothing but a pause changes."""

    def __init__(self, board: SceneBoard, clock: Clock) -> None:
        self._board = board
        self._clock = clock
        self._paused: dict[str, datetime] = {}

    def possible(self, link: str, transfer: str | None) -> Possible:
        """Return what the light of a transfer permits."""
        run = self._board.transfer(link, transfer) if transfer else None
        view = self._board.link(link)
        deeds = [LinkDeed.RESUME if link in self._paused else LinkDeed.PAUSE]
        if run and run.light in {Light.APPLIED, Light.REFUSED}:
            deeds.append(LinkDeed.RESEND)
            if run.rows_set_aside or run.rows_quarantined:
                deeds.append(LinkDeed.RESEND_REJECTED)
        elif run:
            deeds.append(LinkDeed.CANCEL)
        newest = view.latest.transfer if view and view.latest else ""
        return Possible(deeds=tuple(deeds), paused=self._paused.get(link), newest=newest)

    async def do(self, deed: LinkDeed, link: str, transfer: str, *, by: str) -> None:  # noqa: ARG002 - as the port has it
        """Pause or resume the link."""
        if deed is LinkDeed.PAUSE:
            self._paused[link] = self._clock.now()
        elif deed is LinkDeed.RESUME:
            self._paused.pop(link, None)


def row_of(link: LinkView) -> LinkRow:
    """Return a link in short."""
    run = link.latest
    cause = run.cause if run and run.light is not Light.APPLIED else None
    return LinkRow(
        link=link.link,
        name=link.name,
        from_system=link.from_name,
        from_name=link.from_name,
        to_system=link.to_name,
        to_name=link.to_name,
        to_site_name=link.to_site_name,
        sites=tuple((hop.site, hop.name) for hop in run.hops) if run else (),
        contact=link.contact,
        mode=link.mode,
        daily=link.daily,
        deadline=link.deadline,
        light=link.light,
        cause_code=cause.code if cause else None,
        cause_side=cause.side if cause else None,
        on=run.business_date if run else None,
        started=run.started if run else None,
        seconds=run.seconds if run else None,
        rows=(run.rows_applied if run.rows_applied is not None else run.rows_released)
        if run
        else None,
    )
