"""The night of the demo: which links run for which day, and what it came to.

The day before yesterday the register goes to 国保 as a whole; a day of births, deaths and moves
later the difference follows, then what leaves for the public cloud. One link stops, because its
receiver's database does not answer; one never starts, because the plan refuses it.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from kumobashi.cli.local_api import LocalApi, open_local_api
from kumobashi.cli.picture import OVER
from kumobashi.cli.terminal import Terminal
from kumobashi.cli.watching import Watching
from kumobashi.exchange.views import Light, TransferView
from kumobashi.kernel import SystemClock, business_date

if TYPE_CHECKING:
    from kumobashi.cli.fault_story import ToldFault
    from kumobashi.cli.gateways import Gateways
    from kumobashi.cli.papers_story import Papers
    from kumobashi.cli.swap_story import Swap, Vendors
    from kumobashi.planning.campaign_story import CampaignLine
    from kumobashi.planning.workspace import Workspace
    from kumobashi.release.comparing import Way
    from kumobashi.release.gate_report import GateReport

_HALL = "hall-core"
_REGISTER = ("hall-core", "integrated-db")
_REFUSED = "welfare-to-citizen-app"
_STOPPED = "childcare-notices"
_GATED = "notice-attributes"
_PREDICATE_ONLY = "campaign-targets"
_STOPS_WITHIN_SECONDS = 40.0
_CHANGED_PER_DAY = 340 / 400_000  # of the residents, as in a city of Chiba's kind


@dataclass(kw_only=True)
class Night:
    """One night of the city in ``folder``, whose gateways are running."""

    terminal: Terminal
    folder: Path
    residents: int
    seed: int
    done: list[TransferView] = field(default_factory=list)
    campaigns: "list[CampaignLine]" = field(default_factory=list)
    ways: "Sequence[Way]" = ()
    as_written: "GateReport | None" = None  # what the gate says of the rule as it is written
    agreement: dict[str, str] = field(default_factory=dict)
    has_papers: bool = False  # whether a request is answered and a report drafted
    papers: "Papers | None" = None
    swapped: "Swap | None" = None
    failed: "ToldFault | None" = None
    _workspace: "Workspace | None" = None

    @property
    def workspace(self) -> "Workspace":
        """The workspace, read once."""
        if self._workspace is None:
            from kumobashi.planning.workspace import load

            self._workspace = load(self.folder)
        return self._workspace

    @property
    def today(self) -> date:
        """The day it is in Japan."""
        return business_date(SystemClock().now())

    def approve(self) -> None:
        """Approve every link that the plan permits, with its counts."""
        from kumobashi.cli.plan import published
        from kumobashi.planning.approval import approve
        from kumobashi.planning.plan import plan
        from kumobashi.service.counting import counting

        directory = published(self.folder)
        decided = [plan(self.workspace, directory, n, on=self.today) for n in self.workspace.links]
        permitted = [one for one in decided if one.is_permitted]
        with counting(self.workspace, permitted) as counts:
            for one in permitted:
                measured = counts[one.link.link].result()
                now = SystemClock().now()
                approve(self.folder, one, by="架空市 情報政策課", at=now, measured=measured)

    def agree(self) -> None:
        """Let an application for a link go from desk to desk, until its notice can be printed."""
        from kumobashi.cli.agreement_story import tell_agreement

        self._title("申請から決定通知まで", "From an application to the notice of decision")
        paper = self.folder / "決定通知書.html"
        self.agreement = tell_agreement(self.terminal, self.workspace, _GATED, self.today, paper)

    def run(self) -> None:
        """Run the links of both days."""
        api = open_local_api(self.workspace, _HALL)
        before, yesterday = self.today - timedelta(days=2), self.today - timedelta(days=1)
        self._title(f"{before} の夜", f"The night of {before}")
        self._link(api, "resident-to-nhi", before)
        self._change(yesterday)
        self._title(f"{yesterday} の夜", f"The night of {yesterday}")
        self._link(api, "resident-to-nhi", yesterday)
        self._link(api, _STOPPED, yesterday, until={Light.WAITING, Light.STOPPED})
        self._link(api, _GATED, yesterday)
        self._link(api, _PREDICATE_ONLY, yesterday)
        self._link(api, "vaccination-reminders", yesterday)
        # The link that stops is waited for: time to count notices in, and to answer who asks.
        with ThreadPoolExecutor(2, "beside") as beside:
            counting = beside.submit(self._count)
            answering = beside.submit(self._answer, api) if self.has_papers else None
            self._link(api, _STOPPED, yesterday, until={Light.STOPPED}, is_again=True)
            counting.result()
            self.papers = answering.result() if answering else None
        self._left_to_people(api)
        if self.papers and not self.terminal.as_json:
            self._title("本人からの請求と、漏えい等の報告", "What is asked for, and a leak")
            self.papers.draw(self.terminal)
        self._refused()

    def swap(self, gateways: "Gateways", vendors: "Vendors") -> None:
        """Let a system move to another vendor while others go on asking it."""
        from kumobashi.cli.swap_story import tell_swap

        self._title("事業者の乗り換え（財務会計）", "Finance changes its vendor")
        self.swapped = tell_swap(self.folder, gateways, self.today, vendors)
        if not self.terminal.as_json:
            self.swapped.draw(self.terminal)

    def fail(self, gateways: "Gateways", url: str) -> None:
        """Let a cloud stop, from the first alert to the report."""
        from kumobashi.cli.fault_story import tell_fault

        self._title("障害：最初の知らせから報告まで", "A fault, from the first alert to the report")
        code = self.workspace.municipality.municipality.code
        self.failed = tell_fault(self.folder, gateways, tenant=code, url=url)
        if not self.terminal.as_json:
            self.failed.draw(self.terminal)

    def conclude(self, *, url: str, seconds: float) -> None:
        """Say what the night came to, and where to look."""
        from kumobashi.cli.campaign_tables import error_table
        from kumobashi.cli.gate_story import gate_story
        from kumobashi.cli.summary import as_json, draw

        if self.terminal.as_json:
            from kumobashi.planning.campaign_story import line_json, ways_json

            told = as_json(self.done, residents=self.residents, url=url, seconds=seconds)
            notices = [line_json(line) for line in self.campaigns]
            gate = self.as_written.facts() if self.as_written else None
            told["agreement"] = self.agreement
            told["swap"] = self.swapped.plain() if self.swapped else None
            told["fault"] = self.failed.plain() if self.failed else None
            told["papers"] = self.papers.plain() if self.papers else None
            compared = {"gate_as_written": gate, "ways": ways_json(self.ways)}
            self.terminal.emit({**told, "campaigns": notices, **compared})
            return
        self._title("出す前に測り、粗くし、それでも困るものは符号だけ", "Measured before it leaves")
        newest = {view.link: view for view in self.done}
        for part in gate_story(
            self.terminal, self.as_written, newest[_GATED], newest[_PREDICATE_ONLY], self.ways
        ):
            self.terminal.out.print(part)
        self._title("粗くしたデータで送れる通知", "Which notices coarsened data are good for")
        self.terminal.out.print(error_table(self.terminal, self.campaigns))
        self._title("まとめ", "Summary")
        names = {name: link.name for name, link in self.workspace.links.items()}
        for part in draw(self.terminal, self.done, names, url=url, seconds=seconds):
            self.terminal.out.print(part)

    def _count(self) -> None:
        """Count whom the notices mean and how far coarse data miss them, and ask the gate."""
        from kumobashi.cli.plan import published
        from kumobashi.planning.plan import plan
        from kumobashi.service.campaign_counts import campaign_lines, campaigns_of_plan
        from kumobashi.service.counting import counted

        now, workspace = SystemClock().now(), self.workspace
        chosen = [campaign for _, campaign in sorted(workspace.campaigns.items())]
        self.campaigns = campaign_lines(workspace, chosen, on=self.today, now=now)
        decided = plan(workspace, published(self.folder), _GATED, on=self.today)
        self.as_written = counted(workspace, decided, as_written=True).gate
        left = next(view.gate for view in self.done if view.link == _GATED)
        _, self.ways = campaigns_of_plan(workspace, decided.link, on=self.today, now=now, gate=left)

    def _answer(self, api: LocalApi) -> "Papers":
        from kumobashi.cli.papers_story import tell_papers

        return tell_papers(api, self.workspace, _HALL, _GATED)

    def _title(self, ja: str, en: str) -> None:
        if not self.terminal.as_json:
            self.terminal.out.print(Text(f"\n── {self.terminal.t(ja, en)} ──", "bold"))

    def _link(
        self,
        api: LocalApi,
        name: str,
        on: date,
        *,
        until: AbstractSet[Light] = frozenset(),
        is_again: bool = False,
    ) -> None:
        """Run a link, or look at it again, and show it until it is over."""
        declared = self.workspace.link(name)
        site = self.workspace.sites[self.workspace.systems[declared.to.system].site]
        watching = Watching(
            terminal=self.terminal,
            api=api,
            name=declared.name,
            to_site=site.name,
            timeout=_STOPS_WITHIN_SECONDS if until else None,
            until=OVER | until,
            is_short=is_again,
        )
        watched = watching.watch(api.run(name, on=on.isoformat(), again=False, full=False))
        if not self.terminal.as_json:
            self.terminal.out.print()
        others = [view for view in self.done if view.transfer != watched.transfer.transfer]
        self.done = [*others, watched.transfer]

    def _change(self, on: date) -> None:
        """Let a day pass in the register."""
        from kumobashi.cli.city import let_a_day_pass

        wanted = max(20, round(self.residents * _CHANGED_PER_DAY))
        store = self.folder / "var" / _REGISTER[0] / "data" / f"{_REGISTER[1]}.duckdb"
        said = let_a_day_pass(store, seed=self.seed, residents=wanted, on=on)
        if not self.terminal.as_json:
            self.terminal.out.print(
                self.terminal.t(
                    f"翌日: 出生・転入 {said.inserted} 人、転居 {said.updated} 人、"
                    f"死亡・転出 {said.removed} 人",
                    f"A day later: {said.inserted} born or moved in, {said.updated} moved,"
                    f" {said.removed} died or moved out",
                )
            )

    def _left_to_people(self, api: LocalApi) -> None:
        """Say whom no link carried, and which office sees to them."""
        measures = self.workspace.municipality.protective_measures
        newest = {one["link"]: one for one in reversed(api.individual_lists())}
        if self.terminal.as_json or measures is None or not newest:
            return
        office = self.workspace.municipality.contacts[measures.contact].name
        self._title("自動では出さなかった人（支援措置）", "Whom no link carried (protected)")
        for link, one in newest.items():
            name = self.terminal.t(self.workspace.links[link].name, link)
            people = self.terminal.t(f"{one['people']:,} 人", f"{one['people']:,} people")
            self.terminal.out.print(f"{name}  {people}", highlight=False)
        said = self.terminal.t(
            f"{office}が一人ずつ対応します: kumobashi individual list",
            f"{office} sees to each of them: kumobashi individual list",
        )
        self.terminal.out.print(said)

    def _refused(self) -> None:
        """Show why one link may not run at all."""
        from kumobashi.cli.plan import published
        from kumobashi.planning.fictional import example_of
        from kumobashi.planning.plan import plan
        from kumobashi.planning.rendering import PlanView
        from kumobashi.planning.story import tell

        if self.terminal.as_json:
            return
        self._title("送らない連携", "A link that is not sent")
        decided = plan(self.workspace, published(self.folder), _REFUSED, on=self.today)
        example = example_of(self.workspace, decided.link, on=decided.on)
        story = tell(self.workspace, decided, example=example)
        self.terminal.out.print(PlanView(story, lang=self.terminal.lang))
