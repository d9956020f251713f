"""What the demo shows of papers that are asked for: a disclosure answered, a leak drafted."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.table import Table
from rich.text import Text

from kumobashi.cli.local_api import LocalApi
from kumobashi.cli.terminal import Terminal
from kumobashi.kernel import SystemClock

if TYPE_CHECKING:
    from kumobashi.planning.workspace import Workspace
    from kumobashi.testing.papers_story import Told

Json = Mapping[str, Any]
PAGES: Final = {"disclosed": "開示決定通知書.html", "drafted": "漏えい等速報（案）.html"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Papers:
    """The story when it is over."""

    steps: "tuple[Told, ...]"

    def plain(self) -> dict[str, object]:
        """Return what machines are told; neither numbers nor pages."""
        answered, drafted = (self._found(what) for what in ("answered", "drafted"))
        return {
            "transfers": len(answered["answer"]["transfers"]),
            "blanks": len(drafted["paper"]["blanks"]),
            "pages": sorted(PAGES.values()),
        }

    def draw(self, terminal: Terminal) -> None:
        """Say who did what, and which pages lie there."""
        from kumobashi.testing.agreement_story import PEOPLE

        table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
        for step in self.steps:
            who = terminal.t(PEOPLE[step.who][0], step.who)
            table.add_row(Text("✓", "green"), _SAID[step.what](terminal, step.found), who)
        terminal.out.print(table)
        pages = terminal.t("」「", ", ").join(PAGES.values())
        said = terminal.t(
            f"連携設定フォルダの「{pages}」を印刷できます。", f"In the workspace, to print: {pages}"
        )
        terminal.out.print(said)

    def _found(self, what: str) -> Json:
        return next(step.found for step in self.steps if step.what == what)


def tell_papers(api: LocalApi, workspace: "Workspace", site: str, link: str) -> Papers:
    """Let two people of the sample answer a request and draft a report; write the pages."""
    from kumobashi.identity import Accounts
    from kumobashi.testing.agreement_story import Staff
    from kumobashi.testing.papers_story import disclosed, leaked

    clock = SystemClock()
    accounts = Accounts(
        workspace.folder / "private" / site,
        tenant=workspace.municipality.municipality.code,
        site=site,
        clock=clock,
    )
    staff = Staff(accounts, clock)
    try:
        staff.enrol()
        steps = (
            *disclosed(api.requests, staff),
            *leaked(api.incidents, staff, link, clock.now()),
        )
    finally:
        staff.leave()
        accounts.close()
    for step in steps:
        if step.page is not None:
            _write(workspace.folder / PAGES[step.what], step.page)
    return Papers(steps=steps)


def _write(path: Path, page: str) -> None:
    path.write_text(page, encoding="utf-8", newline="\n")


def _answered(terminal: Terminal, found: Json) -> str:
    lines = found["answer"]["transfers"]
    seen = [line["presence"] for line in lines]
    counts = {one: seen.count(one) for one in ("included", "possible", "absent")}
    return terminal.t(
        f"証跡から記録を作成: 転送 {len(lines)} 件（含まれた {counts['included']}、"
        f"除けない {counts['possible']}、含まれない {counts['absent']}）",
        f"composed from the evidence: {len(lines)} transfers ({counts['included']} included,"
        f" {counts['possible']} possible, {counts['absent']} not)",
    )


def _drafted(terminal: Terminal, found: Json) -> str:
    blanks = len(found["paper"]["blanks"])
    return terminal.t(f"速報の下書き（要記入 {blanks} か所）", f"prompt report, {blanks} blanks")


def _noted(terminal: Terminal, found: Json) -> str:
    prompt, final = (one["due_day"] for one in found["incident"]["clocks"])
    return terminal.t(
        f"漏えい等の事案を記録（速報 {prompt}、確報 {final} まで）",
        f"noted an incident (reports by {prompt} and {final})",
    )


_SAID: Final[Mapping[str, Callable[[Terminal, Json], str]]] = {
    "received": lambda terminal, _found: terminal.t(
        "開示請求を受付（窓口で本人確認）", "received a request for disclosure"
    ),
    "answered": _answered,
    "disclosed": lambda terminal, _found: terminal.t("開示を決定", "granted"),
    "noted": _noted,
    "drafted": _drafted,
    "closed": lambda terminal, _found: terminal.t(
        "訓練なので別の人が終了", "closed by another: it was an exercise"
    ),
}
