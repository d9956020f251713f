"""A fault in the demo: the public cloud stops, the watch tells, a clerk sees to it, the report.

The gateways and the watch are real; who telephones and what is found is fictional.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from rich.table import Table
from rich.text import Text

from kumobashi.cli.errors import StoryStuck
from kumobashi.cli.gateways import Gateways
from kumobashi.cli.terminal import Terminal
from kumobashi.kernel import SystemClock
from kumobashi.monitoring.book import FaultBook, watch_file
from kumobashi.monitoring.faults import EntryKind, Fault
from kumobashi.monitoring.wording import KINDS, moment

T = TypeVar("T")
_HALL, _CLOUD = "hall-core", "public-cloud"
_CLERK = "情報政策課 佐藤"
_LONGEST_SECONDS = 60.0
_LOOK_SECONDS = 0.2
_ENQUIRY = "窓口に1件の問い合わせ。お知らせの内容が前日のままとのこと"
_MEASURE = "クラウドの窓口に電話。機器の交換後に起動を忘れていたとのこと"
_CAUSE = "クラウド側の機器交換の手順の誤り。手順書に起動の確認を加える"


@dataclass(frozen=True)
class ToldFault:
    """The fault as its record has it at the end."""

    fault: Fault
    found_after: float  # seconds from the stop to the alert
    report: str  # address

    def plain(self) -> dict[str, Any]:
        """Return it for machines."""
        seen = self.fault.seen
        return {
            "fault": self.fault.id,
            "point": seen.point.value,
            "side": seen.side,
            "code": seen.code,
            "links": sorted(seen.links),
            "found_after": round(self.found_after, 1),
            "standing": self.fault.standing.value,
            "timeline": [entry.kind.value for entry in self.fault.entries],
            "report": self.report,
        }

    def draw(self, terminal: Terminal) -> None:
        """Show it to people."""
        seen, t = self.fault.seen, terminal.t
        told = t(
            f"{seen.side_name}のゲートウェイを止めました。{self.found_after:.0f} 秒後の知らせ:",
            f"The gateway of {seen.side} was stopped; told after {self.found_after:.0f} s:",
        )
        terminal.out.print(told)
        terminal.out.print(Text(f"  {t(seen.what.ja, seen.what.en)}", "bold red"))
        if seen.contact:
            who = seen.contact
            called = t("連絡先", "Call")
            terminal.out.print(f"  {called}: {who.name} {who.phone}（{who.hours}）", markup=False)
        timeline = Table.grid(padding=(0, 2, 0, 0))
        for entry in self.fault.entries:
            kind = KINDS[entry.kind]
            by = f"（{entry.by}）" if entry.by else ""
            done = Text(f"  {moment(entry.at)}  {t(kind.ja, kind.en)}", "dim", no_wrap=True)
            said = Text.assemble(t(entry.words.ja, entry.words.en), (by, "dim"), overflow="fold")
            timeline.add_row(done, said)
        terminal.out.print(timeline)
        terminal.out.print(t(f"報告書: {self.report}", f"Report: {self.report}"), markup=False)


def tell_fault(folder: Path, gateways: Gateways, *, tenant: str, url: str) -> ToldFault:
    """Stop the public cloud, wait for the watch, see to it, start it, close the record.

    Raises:
        StoryStuck: nothing was told, or it was not seen to be over.
    """
    clock, file = SystemClock(), watch_file(folder / "var" / _HALL)
    book = FaultBook(file, tenant=tenant, site=_HALL, clock=clock)
    try:
        gateways.watch(_HALL, "--every", "1", "--confirm", "4")
        _until(book.last_look)
        gateways.stop_one(_CLOUD)
        stopped = time.monotonic()
        fault = _until(lambda: _stopped(book))
        found_after = time.monotonic() - stopped
        book.take(fault.id, by=_CLERK)
        book.note(fault.id, EntryKind.ENQUIRY, _ENQUIRY, by=_CLERK)
        book.note(fault.id, EntryKind.MEASURE, _MEASURE, by=_CLERK)
        gateways.start_one(_CLOUD)
        _until(lambda: f if (f := book.get(fault.id)).ended else None)
        closed = book.close_record(fault.id, _CAUSE, by=_CLERK)
        report = f"{url}faults/{fault.id}/report"
        return ToldFault(fault=closed, found_after=found_after, report=report)
    finally:
        book.close()


def _stopped(book: FaultBook) -> Fault | None:
    """Return the fault of the way to the cloud, once the watch has opened it."""
    found = book.listed(side=_CLOUD, open_only=True)
    return next((one for one in found if one.seen.key.startswith("way:")), None)


def _until(look: Callable[[], T | None]) -> T:
    end = time.monotonic() + _LONGEST_SECONDS
    while (found := look()) is None:
        if time.monotonic() > end:
            raise StoryStuck(seconds=_LONGEST_SECONDS)
        time.sleep(_LOOK_SECONDS)
    return found
