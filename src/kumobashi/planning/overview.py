"""Many plans at a terminal, one line each: which may run, which wait, which are refused and why."""

from collections.abc import Iterator, Sequence

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from kumobashi.kernel import Language
from kumobashi.planning.approval import Standing
from kumobashi.planning.columns import row_of
from kumobashi.planning.folding import fold
from kumobashi.planning.sentences import SHORT, STANDINGS
from kumobashi.planning.told import Told

_NARROWEST = 60  # columns
_HEADS_JA = ("連携", "判定", "根拠", "そのまま", "粗く", "符号", "出さない", "見込み")
_HEADS_EN = ("Link", "Answer", "Basis", "Kept", "Crse", "Tokn", "Not sent", "Time")
_WIDTHS = (12, 13, 8, 4, 4, 8, 6)
_COUNTED = (("kept", "derived"), ("coarsened", "flag"), ("token",), ("dropped",))


class PlansView:
    """Many plans as one table: the worst first, then by name."""

    def __init__(self, stories: Sequence[Told], *, lang: Language = "ja") -> None:
        order = [Standing.REFUSED, Standing.DRIFTED, Standing.UNAPPROVED, Standing.APPROVED]
        self.stories = sorted(stories, key=lambda s: (order.index(s.standing), s.plan.link.name))
        self.lang = lang

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Give the answer, the table, the reasons against, and what to type next."""
        for line in self.lines(max(options.max_width, _NARROWEST)):
            line.no_wrap = True
            line.overflow = "ignore"
            yield line

    def _t(self, ja: str, en: str) -> str:
        return ja if self.lang == "ja" else en

    def lines(self, width: int) -> Iterator[Text]:
        """Give the lines."""
        counts = {s: sum(story.standing is s for story in self.stories) for s in Standing}
        ready = counts[Standing.APPROVED] + counts[Standing.UNAPPROVED]
        said = self._t(
            f"連携 {len(self.stories)} のうち 送れます {ready}"
            f"（承認待ち {counts[Standing.UNAPPROVED]}）、"
            f"変更あり {counts[Standing.DRIFTED]}、送れません {counts[Standing.REFUSED]}",
            f"{ready} of {len(self.stories)} links may run"
            f" ({counts[Standing.UNAPPROVED]} to approve), {counts[Standing.DRIFTED]} changed,"
            f" {counts[Standing.REFUSED]} refused",
        )
        yield from (Text(line, "bold") for line in fold(said, width))
        yield Text()
        heads = _HEADS_JA if self.lang == "ja" else _HEADS_EN
        widths = (width - 2 - 2 * len(_WIDTHS) - sum(_WIDTHS), *_WIDTHS)
        yield row_of(heads, widths, "dim")[0]
        for story in self.stories:
            style = STANDINGS[story.standing][2].removeprefix("bold ")
            yield from row_of(self._row(story), widths, second=style)
        for story in self.stories:
            for reason in story.plan.reasons:
                yield Text()
                head = Text(f"  × {story.plan.link.link}  ", "red")
                first, *more = fold(self._t(reason.ja, reason.en), max(width - head.cell_len, 20))
                yield Text.assemble(head, first)
                yield from (Text(" " * head.cell_len + line) for line in more)
        yield Text()
        said = self._t("この点検は何も送りません。くわしく: ", "Nothing was sent. In full: ")
        yield Text(f"{said}kumobashi plan {self.stories[0].plan.link.link}", "dim")

    def _row(self, story: Told) -> tuple[str, ...]:
        plan = story.plan
        basis = plan.link.legal_basis.code if plan.link.legal_basis else self._t("なし", "none")
        seconds = story.expected.seconds if story.expected else None
        return (
            plan.link.name if self.lang == "ja" else plan.link.link,
            self._t(*SHORT[story.standing]),
            basis,
            *(f"{sum(story.forms.get(form, 0) for form in forms)}" for forms in _COUNTED),
            self._t("―", "-") if seconds is None else f"{seconds:.0f} {self._t('秒', 's')}",
        )
