"""A plan for people at a terminal, told as a story.

The first line answers: 送れます or 送れません. Then, when refused, each reason with its place and
what to do; else who gives what to whom, why, what becomes of each item, and the rest of the story.
Lines are folded here and not by rich, which would begin them with 。 or end them with （.
"""

from collections.abc import Iterator

from rich.text import Text

from kumobashi.planning.columns import row_of
from kumobashi.planning.gate_rendering import gate_lines
from kumobashi.planning.measured import ItemLoss
from kumobashi.planning.plan import Plan
from kumobashi.planning.sentences import (
    CLASSES,
    characters,
    classes,
    counted,
    done,
    kept,
    not_counted,
    why,
)
from kumobashi.planning.story import ItemStory, Story
from kumobashi.planning.verdict_rendering import VerdictView


class PlanView(VerdictView[Story]):
    """One plan of a bulk link that rich can print."""

    @property
    def plan(self) -> Plan:
        """The plan that is told."""
        return self.story.plan

    def _told(self) -> Iterator[Text]:
        yield from self._facts()
        yield from self._items()
        yield from self._counted()
        yield from self._gate()
        yield from self._campaigns()
        yield from self._way()

    # -- the story --------------------------------------------------------------------------------

    def _facts(self) -> Iterator[Text]:
        plan, story = self.plan, self.story
        yield from self._row("だれが何を", "Who and what", story.sentence(self.lang))
        yield from self._row("許される理由", "Why it may", self._t(*why(story.plan)))
        if said := kept(story):
            yield from self._row("保持期間", "Retention", self._t(*said))
        yield from self._row(
            "判定番号",
            "Decision",
            self._t(
                f"{plan.number} ／ 規則 第{plan.rule_version}版 ／ 基準日 {plan.on.isoformat()}",
                f"{plan.number}, rule version {plan.rule_version}, base date {plan.on.isoformat()}",
            ),
        )
        if approval := story.approval:
            yield from self._row(
                "承認", "Approved", f"{approval.by} {approval.at.date().isoformat()}"
            )

    def _items(self) -> Iterator[Text]:
        note = self._t(
            f" ― 架空の住民{f' {self.story.person} ' if self.story.person else ''}の例",
            f" – an invented resident, {self.story.person}",
        )
        yield from self._title(
            "何がどう変わって出るか", "What becomes of each item", note if self.story.person else ""
        )
        heads = (
            ("項目", "元の値", "出る値", "どうなるか", "区分")
            if self.lang == "ja"
            else ("Item", "Before", "After", "What is done", "Class")
        )
        kind = 6 if self.lang == "ja" else 10
        room = self.width - 2 - 4 * 2 - kind
        widths = (room * 28 // 100, room * 25 // 100, room * 22 // 100, room * 25 // 100, kind)
        yield row_of(heads, widths, "dim")[0]
        for item in self.story.items:
            yield from row_of(self._cells_of(item), widths)
        if self.story.dropped:
            names = "、".join(dict.fromkeys(item.ja for item in self.story.dropped))
            head = Text("  " + self._t("出さない項目: ", "Kept back: "), "dim")
            yield from self._hung(head, names, "dim")

    def _cells_of(self, item: ItemStory) -> tuple[str, ...]:
        kind = self._t(CLASSES[item.sensitivity], item.sensitivity)
        said = self._t(*done(item))
        return (self._t(item.ja, item.name), item.before, item.after, said, kind)

    def _counted(self) -> Iterator[Text]:
        m = self.story.measured
        yield from self._title("どれだけ出るか、文字は保たれるか", "How much, and which characters")
        if m is None:
            style = "yellow" if self.story.why_not_counted else "dim"
            yield from self._hung(Text("  "), self._t(*not_counted(self.story)), style)
        else:
            yield from self._hung(Text("  "), self._t(*counted(m)))
            if m.gate is None and m.smallest_class is not None and m.rows_below_five is not None:
                yield from self._hung(Text("  "), self._t(*classes(m)))
        yield from self._hung(Text("  "), self._t(*characters(self.story)))
        for held in m.losses if m else ():
            said, style = self._loss(held)
            yield from self._hung(Text("  "), said, style)

    def _loss(self, held: ItemLoss) -> tuple[str, str]:
        loss, charset = held.loss, self.plan.link.characters.charset
        shown, rows = f"「{loss.text}」{loss.code_point}", f"{loss.rows:,}"
        if loss.substitute is not None:
            said = self._t(
                f"文字 {held.ja}: {shown} →「{loss.substitute}」 {rows} 件",
                f"{held.item}: {shown} → {loss.substitute}, {rows} rows",
            )
            return said, ""
        offered = "・".join(loss.candidates)
        said = self._t(
            f"× 文字 {held.ja}: {shown} は {charset} にありません（{rows} 件"
            + (f"、候補 {offered}）" if offered else "）"),
            f"× {held.item}: {shown} is not in {charset} ({rows} rows"
            + (f"; candidates {offered})" if offered else ")"),
        )
        return said, "yellow"

    def _gate(self) -> Iterator[Text]:
        if self.story.measured and (gate := self.story.measured.gate):
            yield from gate_lines(gate, width=self.width, lang=self.lang)

    def _campaigns(self) -> Iterator[Text]:
        if self.story.campaigns:
            from kumobashi.planning.campaign_rendering import campaign_lines  # noqa: PLC0415 - DuckDB

            yield from campaign_lines(self.story, width=self.width, lang=self.lang)

    def _way(self) -> Iterator[Text]:
        yield from self._title("どこを通るか", "Which way")
        if not self.story.doors:
            said = self._t(
                f"{self.plan.from_site_name}の中で渡します。開ける扉はありません。",
                f"It stays inside {self.plan.from_site_name}; no door is opened.",
            )
            yield from self._hung(Text("  "), said)
        for number, door in enumerate(self.story.doors, 1):
            yield from self._door(number, door)
        if courier := self.plan.link.courier:
            said = self._t(
                f"媒体でも運べます（2人の持出許可が要り、返却は {courier.longest_days} 日以内）。",
                "Media may carry it too: two persons permit it, and they are back within"
                f" {courier.longest_days} days.",
            )
            yield from self._hung(Text("  ＋ " if self.lang == "ja" else "  + "), said)
        yield from self._title("相手に頼むこと", "What others must do")
        for ask in self.story.asks:
            call = f" 連絡先 {ask.contact.name} {ask.contact.phone}" if ask.contact else ""
            said = self._t(f"{ask.whom}: {ask.ja}{call}", f"{ask.whom} must {ask.en}")
            yield from self._hung(Text("  ・"), said)
        yield Text()
        time = self.story.expected
        unknown = self._t("数えていないため見込めません。", "unknown: nothing was counted.")
        said = self._t(time.said_ja, time.said_en) if time else unknown
        yield from self._row("かかる時間", "Time", said)
        if pace := self.story.pace:
            yield from self._row("分け方", "Parts", self._t(pace.said_ja, pace.said_en))
