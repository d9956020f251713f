"""The vendor swap in the demo: finance moves while arrears goes on asking, and calls are counted.

Figure 5-3 of the reports (収納 → 滞納 → 財務会計) with the real gateways of the demo; the programs
of the three vendors are ours, and what they hold is fictional.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from kumobashi.cli.errors import StoryStuck
from kumobashi.cli.gateways import Gateways, free_ports
from kumobashi.cli.plain_tables import plain_table
from kumobashi.cli.terminal import Terminal
from kumobashi.kernel import SystemClock

if TYPE_CHECKING:
    from kumobashi.testing.vendors import Arrears, Door, Running

_HALL, _A, _B = "hall-core", "vendor-a", "vendor-b"
_LINKS = ("arrears-payments", "arrears-finance", "finance-collection")
_CALLERS = 4
_BEFORE_SECONDS, _AFTER_SECONDS = 1.0, 1.0
_LONGEST_SECONDS = 30.0
_POSTED = 201


@dataclass(frozen=True)
class Swap:
    """What the swap came to."""

    diff: str  # of the one line
    asked: int
    answered: int
    lost: int  # answered, but in neither vendor's books, or not answered
    twice: int
    at_a: int
    at_b: int
    longest: float  # seconds that one call took
    refused: int  # postings that held more than was agreed; nobody got them

    def plain(self) -> dict[str, Any]:
        """Return it for machines."""
        return asdict(self)

    def draw(self, terminal: Terminal) -> None:
        """Show it to people."""
        said = terminal.t(
            "滞納管理が計上を続けている間に、財務会計の事業者を替えます。変わるのは1行です。",
            "Arrears keeps posting while finance changes its vendor. One line changes.",
        )
        terminal.out.print(said)
        for line in self.diff.splitlines()[2:]:
            if line[:1] in {"+", "-"}:
                style = "green" if line.startswith("+") else "red"
                terminal.out.print(Text(f"  {line}", style=style))
        table = plain_table()
        rows = (
            (("計上した照会", "Calls"), f"{self.asked:,}"),
            (("回答あり", "Answered"), f"{self.answered:,}"),
            (("失われた", "Lost"), f"{self.lost:,}"),
            (("二重に届いた", "Twice"), f"{self.twice:,}"),
            (("事業者A / 事業者B", "Vendor A / vendor B"), f"{self.at_a:,} / {self.at_b:,}"),
            (("いちばん長い照会", "Longest call"), f"{self.longest:.1f} s"),
        )
        table.show_header = False
        table.add_column(no_wrap=True)
        table.add_column(justify="right")
        for label, value in rows:
            table.add_row(terminal.t(*label), value)
        terminal.out.print(table)
        said = terminal.t(
            "財務会計に届くのは、予算科目ごとの集計と還付の支払先だけです。"
            f"ほかの人を書き添えた計上 {self.refused} 件は、送る前に断りました。",
            "Finance gets totals and payees of refunds. What named anybody else was refused"
            f" before it left: {self.refused}.",
        )
        terminal.out.print(said)


@dataclass(frozen=True)
class Vendors:
    """Where the vendors' gateways and programs will listen."""

    gateways: Mapping[str, int]  # by site
    programs: Mapping[str, int]  # "collection", and finance by site


def invite_vendors(folder: Path) -> Vendors:
    """Add two vendors' clouds to a workspace that nothing runs on yet, and publish it.

    What is approved afterwards knows them: nobody has to approve other links anew for the story.
    """
    from kumobashi.planning.publishing import publish_directory
    from kumobashi.planning.sample_vendors import VENDOR_PORTS, add_vendors
    from kumobashi.planning.sampling import set_port

    vendors = Vendors(free_ports(tuple(VENDOR_PORTS)), free_ports(("collection", _A, _B)))
    accounts = {site: vendors.programs[site] for site in (_A, _B)}
    add_vendors(folder, ports=vendors.gateways, accounts=accounts)
    set_port(folder / "systems" / "collection.yaml", 8751, vendors.programs["collection"])
    publish_directory(folder, now=SystemClock().now())
    return vendors


def tell_swap(folder: Path, gateways: Gateways, on: date, vendors: Vendors) -> Swap:
    """Let the vendors' clouds begin and arrears ask, and move finance meanwhile.

    Raises:
        StoryStuck: nobody answers; the logs of the gateways tell why.
    """
    from kumobashi.planning.moving import prepare, put_in_place
    from kumobashi.testing.vendors import OTHERS, Arrears, total

    with _running(folder, gateways, on, vendors) as (finance, door):
        _until(lambda: door.ask("POST", "finance/postings/v1/totals", total(0))[0] == _POSTED)
        for one in finance.values():
            one.asked.clear()
        stop = threading.Event()
        callers = [Arrears(door, first, stop) for first in range(1, _CALLERS + 1)]
        for caller in callers:
            caller.start()
        try:
            time.sleep(_BEFORE_SECONDS)
            now = SystemClock().now()
            ready = prepare(folder, "finance", _B, by="架空市 情報政策課", now=now, on=on)
            put_in_place(folder, ready, now=now)
            _until(lambda: bool(finance[_B].asked))
            time.sleep(_AFTER_SECONDS)
        finally:
            stop.set()
            for caller in callers:
                caller.join(_LONGEST_SECONDS)
        careless = total(1) | {"debtor": OTHERS[0]}
        status, _ = door.ask("POST", "finance/postings/v1/totals", careless)
        refused = int(status == 403)  # noqa: PLR2004 - HTTP
        return _counted(ready.rewrite.diff(), callers, finance, refused)


def _counted(
    diff: str, callers: "list[Arrears]", finance: "Mapping[str, Running]", refused: int
) -> Swap:
    """Compare what arrears was told with what stands in the books of both vendors."""
    posted = [one for caller in callers for one in caller.posted]
    books = Counter(given["budget_item"] for one in finance.values() for _, given in one.asked)
    answered = [one for one in posted if one.status == _POSTED]
    return Swap(
        diff=diff,
        asked=len(posted),
        answered=len(answered),
        lost=len(posted) - len(answered) + sum(f"N{one.number}" not in books for one in answered),
        twice=sum(count - 1 for count in books.values()),
        at_a=len(finance[_A].asked),
        at_b=len(finance[_B].asked),
        longest=max((one.seconds for one in posted), default=0.0),
        refused=refused,
    )


@contextmanager
def _running(
    folder: Path, gateways: Gateways, on: date, vendors: Vendors
) -> "Iterator[tuple[dict[str, Running], Door]]":
    """Run the vendors' programs and the gateways of their clouds, as the workspace says."""
    from kumobashi.planning.approval import approve
    from kumobashi.planning.deciding import plan_of
    from kumobashi.planning.publishing import load_directory
    from kumobashi.planning.workspace import load
    from kumobashi.service.call_tokens import make_token
    from kumobashi.testing.vendors import Collection, Door, Finance, running

    now = SystemClock().now()
    with ExitStack() as stack:
        stack.enter_context(running(Collection, vendors.programs["collection"]))
        finance = {
            site: stack.enter_context(running(Finance, vendors.programs[site])) for site in (_A, _B)
        }
        directory = load_directory(folder, now=now)
        urls = {site: f"http://127.0.0.1:{port}" for site, port in vendors.gateways.items()}
        gateways.add(urls)
        workspace = load(folder)
        for link in _LINKS:
            decided = plan_of(workspace, directory, link, on=on)
            approve(folder, decided, by="架空市 情報政策課", at=now, measured=None)
        make_token(folder, _HALL, "arrears", anew=True)
        gateways.wait_ready()
        port = int(workspace.sites[_HALL].url.rpartition(":")[2])
        yield finance, Door.of(folder, _HALL, port, "arrears")


def _until(look: Callable[[], bool]) -> None:
    end = time.monotonic() + _LONGEST_SECONDS
    while not look():
        if time.monotonic() > end:
            raise StoryStuck(seconds=_LONGEST_SECONDS)
        time.sleep(0.05)
