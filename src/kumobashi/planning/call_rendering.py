"""A plan of an online link for people at a terminal: who asks whom what, what comes back, how."""

from collections.abc import Iterator

from rich.text import Text

from kumobashi.planning.call_items import CallItem
from kumobashi.planning.call_story import CallStory
from kumobashi.planning.columns import row_of
from kumobashi.planning.sentences import CLASSES, why
from kumobashi.planning.verdict_rendering import VerdictView


class CallView(VerdictView[CallStory]):
    """One plan of an online link that rich can print."""

    def _told(self) -> Iterator[Text]:
        yield from self._facts()
        yield from self._operations()
        yield from self._items()
        yield from self._way()

    def _facts(self) -> Iterator[Text]:
        plan, story = self.story.plan, self.story
        yield from self._row("だれが何を", "Who and what", story.sentence(self.lang))
        yield from self._row("許される理由", "Why it may", self._t(*why(plan)))
        yield from self._row(
            "判定番号",
            "Decision",
            self._t(
                f"{plan.number} ／ 基準日 {plan.on.isoformat()}",
                f"{plan.number}, base date {plan.on.isoformat()}",
            ),
        )
        if approval := story.approval:
            said = f"{approval.by} {approval.at.date().isoformat()}"
            yield from self._row("承認", "Approved", said)

    def _operations(self) -> Iterator[Text]:
        yield from self._title("何を照会するか", "What is asked")
        for one in self.story.plan.operations:
            said = f"{one.method} /{one.version}{one.path}"
            yield from self._hung(Text(f"  {one.name}  "), said)
        given = self._names(self.story.plan.requested) or self._t("なし", "nothing")
        yield from self._row("渡す項目", "It gives", given)

    def _items(self) -> Iterator[Text]:
        yield from self._title("回答で何を受けるか", "What the answers tell")
        kind = 6 if self.lang == "ja" else 10
        room = self.width - 2 - 2 * 2 - kind
        widths = (room * 45 // 100, room * 55 // 100, kind)
        heads = ("項目", "回答", "区分") if self.lang == "ja" else ("Item", "Answer", "Class")
        yield row_of(heads, widths, "dim")[0]
        for item in self.story.plan.items:
            cells = (
                self._t(item.ja, item.item),
                self._t(item.source_ja, item.source),
                self._t(CLASSES[item.sensitivity], item.sensitivity),
            )
            yield from row_of(cells, widths)
        if hidden := self.story.plan.hidden:
            head = Text("  " + self._t("隠す項目: ", "Hidden: "), "dim")
            yield from self._hung(head, self._names(hidden), "dim")

    def _names(self, items: tuple[CallItem, ...]) -> str:
        names = dict.fromkeys(self._t(item.ja, item.item) for item in items)
        return self._t("、", ", ").join(names)

    def _way(self) -> Iterator[Text]:
        yield from self._title("どう届くか", "Which way")
        yield from self._hung(Text("  "), self._t(self.story.way_ja, self.story.way_en))
        for number, door in enumerate(self.story.doors, 1):
            yield from self._door(number, door)
        largest = f"{self.story.plan.link.largest_answer_bytes:,}"
        yield Text()
        yield from self._row(
            "回答の大きさ", "Answer", self._t(f"{largest} バイトまで", f"up to {largest} bytes")
        )

    def _to_run(self) -> tuple[str, str]:
        asker = self.story.plan.link.to
        said = self._t(f"照会できます（{asker} のサイトのゲートウェイから）", f"{asker} may ask")
        return said, self._t("。", ".")
