"""The console's port for campaigns: counted when somebody looks, and kept for a while."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from kumobashi.console.ports import CampaignRow, CampaignTable
from kumobashi.exchange.views import Words
from kumobashi.kernel import Clock, KumobashiError, business_date
from kumobashi.planning.campaign_story import (
    CampaignLine,
    of_which_moment,
    percent,
    rule_of,
    tells,
)
from kumobashi.planning.workspace import Workspace
from kumobashi.service.campaign_counts import campaign_lines

_KEPT = timedelta(minutes=10)


class CampaignDesk:
    """Counts the campaigns whose people are at one site; asked from several threads."""

    def __init__(self, *, workspace: Callable[[], Workspace], site: str, clock: Clock) -> None:
        self._workspace = workspace
        self._site = site
        self._clock = clock
        self._lock = threading.Lock()
        self._held: tuple[Workspace, CampaignTable] | None = None

    def table(self) -> CampaignTable:
        """Return the error table of today, at most ten minutes old."""
        with self._lock:
            workspace, now = self._workspace(), self._clock.now()
            if self._held is None or not self._is_good(*self._held, workspace, now):
                self._held = (workspace, self._counted(workspace, now))
            return self._held[1]

    def _is_good(
        self, of: Workspace, table: CampaignTable, workspace: Workspace, now: datetime
    ) -> bool:
        if table.failed:
            return False
        return of is workspace and table.on == business_date(now) and now - table.at < _KEPT

    def _counted(self, workspace: Workspace, now: datetime) -> CampaignTable:
        chosen = [
            campaign
            for _, campaign in sorted(workspace.campaigns.items())
            if workspace.dataset(campaign.datasets[campaign.subject.dataset])[0].site == self._site
            and rule_of(workspace, campaign) is not None
        ]
        on, failed, lines = business_date(now), None, list[CampaignLine]()
        try:
            lines = campaign_lines(workspace, chosen, on=on, now=now)
        except KumobashiError as error:  # the page says so; the next look tries again
            failed = Words(ja=error.say("ja"), en=error.say("en"))
        return CampaignTable(
            on=on,
            at=now,
            people=max((line.counted.counts.people for line in lines), default=0),
            rows=tuple(map(_row, lines)),
            failed=failed,
        )


def _row(line: CampaignLine) -> CampaignRow:
    counts, consenting = line.counted.counts, line.counted.consenting
    return CampaignRow(
        code=line.campaign.campaign,
        name=line.campaign.name,
        kind=line.counted.verdict.value if line.has_coarsened else "exact",
        verdict=_words(line.verdict),
        error=_words(line.error),
        exact=counts.exact,
        told=counts.coarsened,
        wrong=counts.wrong,
        missed=counts.missed,
        consenting_wrong=consenting.wrong,
        consenting_missed=consenting.missed,
        precision=percent(counts.precision),
        recall=percent(counts.recall),
        data=_words(of_which_moment(line)),
        is_stopped=line.stopped is not None,
        tells=_words(tells(line)),
    )


def _words(said: tuple[str, str]) -> Words:
    return Words(ja=said[0], en=said[1])
