"""What every plan at a terminal begins and ends with: the answer, reasons, what to type next."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Generic, TypeVar

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from kumobashi.directory.models import By
from kumobashi.kernel import Language
from kumobashi.planning.approval import Standing
from kumobashi.planning.columns import hung
from kumobashi.planning.doors import Door
from kumobashi.planning.folding import fold, padded
from kumobashi.planning.pace import hours_en, hours_ja
from kumobashi.planning.sentences import STANDINGS
from kumobashi.planning.told import Told
from kumobashi.policy.deciding import Reason

_LABEL, _NARROWEST = 14, 60  # columns
T = TypeVar("T", bound=Told)


class VerdictView(ABC, Generic[T]):
    """One plan that rich can print; ``lang`` is ``"ja"`` or ``"en"``."""

    def __init__(self, story: T, *, lang: Language = "ja") -> None:
        self.story = story
        self.lang = lang
        self.width = 100

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Give the lines one below the other."""
        self.width = max(options.max_width, _NARROWEST)
        for line in self.lines():
            line.no_wrap = True
            line.overflow = "ignore"
            yield line

    def lines(self) -> Iterator[Text]:
        """Give everything that is said, folded to the width."""
        plan = self.story.plan
        yield from self._headline()
        for reason in plan.reasons:
            yield from self._reason(reason, "×", "red")
        for caution in plan.cautions:
            yield from self._reason(caution, "!", "yellow")
        for change in self.story.changes:
            yield from self._hung(Text("  ≠ ", "yellow"), change.say(self.lang), "yellow")
        if plan.is_permitted:
            yield from self._told()
        yield from self._next_step()

    @abstractmethod
    def _told(self) -> Iterator[Text]:
        """Give the rest of the story, of a plan that permits its link."""

    def _t(self, ja: str, en: str) -> str:
        return ja if self.lang == "ja" else en

    # -- pieces of text ---------------------------------------------------------------------------

    def _hung(self, head: Text, text: str, style: str = "") -> Iterator[Text]:
        """Give a sentence behind its head, within the width."""
        return hung(head, text, self.width, style)

    def _row(self, ja: str, en: str, text: str) -> Iterator[Text]:
        yield from self._hung(Text("  " + padded(self._t(ja, en), _LABEL), "dim"), text)

    def _title(self, ja: str, en: str, note: str = "") -> Iterator[Text]:
        yield Text()
        yield from self._hung(Text(f"  {self._t(ja, en)}", "bold"), note)

    # -- the answer -------------------------------------------------------------------------------

    def _headline(self) -> Iterator[Text]:
        plan = self.story.plan
        ja, en, style = STANDINGS[self.story.standing]
        head = Text(self._t(ja, en), style)
        rest = (
            self._t("：", ": ")
            + f"{plan.from_name} → {plan.to_name}"
            + self._t(f"（{plan.to_site_name}）", f" ({plan.to_site_name})")
        )
        first, *more = fold(rest, max(self.width - head.cell_len, 20))
        yield Text.assemble(head, first)
        yield from (Text(line) for line in more)

    def _reason(self, reason: Reason, mark: str, style: str) -> Iterator[Text]:
        where = reason.where.ja() if self.lang == "ja" else reason.where.en()
        said = self._t(f"{reason.ja}（{where}）", f"{reason.en} ({where})")
        yield from self._hung(Text(f"  {mark} ", f"bold {style}"), said, "bold")
        if article := self._t(reason.article_ja, reason.article_en):
            source = ""
            if origin := reason.origin:
                source = self._t(
                    f"（{origin.file} {origin.row}行目、{origin.valid_from.isoformat()}から"
                    f"{'' if origin.is_verified else '、原典との照合は未確認'}）",
                    f" ({origin.file}, row {origin.row}, from {origin.valid_from.isoformat()}"
                    f"{'' if origin.is_verified else ', not yet compared with the source'})",
                )
            yield from self._hung(Text(f"    {self._t('根拠: ', 'Source: ')}"), article + source)
        if remedy := self._t(reason.remedy_ja, reason.remedy_en):
            yield from self._hung(Text("    "), remedy)
        if reason.example:
            head = Text(f"    {self._t('例: ', 'Example: ')}", "cyan")
            yield from self._hung(head, reason.example, "cyan")

    # -- the way ----------------------------------------------------------------------------------

    def _door(self, number: int, door: Door) -> Iterator[Text]:
        """Give one connection on the way."""
        if door.by is By.COURIER:
            said = self._t(
                f"{door.from_name}〔{door.from_zone.ja}〕 → {door.to_name}"
                f"〔{door.to_zone.ja}〕 {door.by.ja}（回線はない）、ここで開く",
                f"{door.from_name} ({door.from_zone.value}) → {door.to_name}"
                f" ({door.to_zone.value}) on media, no line; opened here",
            )
            yield from self._hung(Text(f"  {number} "), said)
            return
        zones = self._t(
            f"{door.from_name}〔{door.from_zone.ja}〕 → {door.to_name}〔{door.to_zone.ja}〕"
            f" {door.by.ja}、TCP {door.port} 番"
            + ("、封をしたまま通す" if door.is_relay else "、ここで開く"),
            f"{door.from_name} ({door.from_zone.value}) → {door.to_name}"
            f" ({door.to_zone.value}) by {door.by.value}, TCP port {door.port}"
            + (", passed on sealed" if door.is_relay else ", opened here"),
        )
        yield from self._hung(Text(f"  {number} "), zones)
        if hours := door.profile.open:
            when = self._t(
                f"受付 {hours_ja(hours)}。時間外は開くまで待ちます。",
                f"open {hours_en(hours)}; it waits while it is closed.",
            )
            yield from self._hung(Text("    "), when)

    # -- what to type -----------------------------------------------------------------------------

    def _next_step(self) -> Iterator[Text]:
        link = self.story.plan.link.link
        match self.story.standing:
            case Standing.REFUSED:
                said = self._t("直してからもう一度: ", "Correct it and try again: ")
                command = f"kumobashi plan {link}"
            case Standing.UNAPPROVED | Standing.DRIFTED:
                said = self._t("承認: ", "To approve: ")
                command = f"kumobashi plan {link} --approve"
            case Standing.APPROVED:
                said, command = self._to_run()
        nothing = self._t("この点検は何も送りません。", "Nothing was sent. ")
        yield from self._hung(Text(""), f"{nothing}{said}{command}", "dim")

    def _to_run(self) -> tuple[str, str]:
        """Return what to do with an approved link, and the command."""
        link = self.story.plan.link.link
        return self._t("実行: ", "To run: "), f"kumobashi link run {link}"
