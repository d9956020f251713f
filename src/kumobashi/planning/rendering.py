"""A plan for people at a terminal, and for machines.

The first line answers: 送れます or 送れません. Then, when refused, each reason with its place and
what to do; else the way, the basis, the items before and after, and what was counted.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from kumobashi.directory.models import By
from kumobashi.kernel import Language
from kumobashi.planning.approval import Change, Standing, drift, standing
from kumobashi.planning.approvals import ApprovalFile
from kumobashi.planning.measured import ItemLoss, Measured
from kumobashi.planning.plan import Plan
from kumobashi.policy.deciding import Reason

_FORMS = {
    "kept": ("そのまま", "as it is"),
    "coarsened": ("抽象化", "coarsened"),
    "flag": ("有無", "flag"),
    "token": ("符号", "token"),
    "derived": ("計算", "computed"),
}
_CLASSES = {  # sensitivity
    "public": "公開",
    "attribute": "属性",
    "personal": "個人",
    "identifier": "番号",
    "special": "要配慮",
}
_KIB, _MIB = 1024, 1024 * 1024


class PlanView:
    """A plan that rich can print; ``lang`` is ``"ja"`` or ``"en"``."""

    def __init__(
        self,
        plan: Plan,
        *,
        measured: Measured | None = None,
        approval: ApprovalFile | None = None,
        lang: Language = "ja",
    ) -> None:
        self.plan = plan
        self.measured = measured
        self.approval = approval
        self.lang = lang
        self.standing = standing(plan, approval)
        self.changes: Sequence[Change] = (
            drift(plan, approval) if approval and self.standing is Standing.DRIFTED else ()
        )

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Give the parts one below the other."""
        yield self._headline()
        yield from (
            Padding(self._reason(reason, "×", "red"), (0, 0, 0, 2)) for reason in self.plan.reasons
        )
        yield from (
            Padding(self._reason(caution, "!", "yellow"), (0, 0, 0, 2))
            for caution in self.plan.cautions
        )
        for change in self.changes:
            yield Text(f"  ≠ {change.say(self.lang)}", style="yellow")
        if self.plan.is_permitted:
            yield Padding(self._facts(), (0, 0, 0, 2))
            yield Padding(self._items(), (1, 0, 0, 2))
            if self.plan.left_out:
                left = self._t("出さない項目: ", "Kept back: ") + "、".join(self.plan.left_out)
                yield Padding(Text(left, style="dim"), (0, 0, 1, 2))
            yield from (Padding(line, (0, 0, 0, 2)) for line in self._counted())
        yield self._next_step()

    def _t(self, ja: str, en: str) -> str:
        return ja if self.lang == "ja" else en

    def _headline(self) -> Text:
        words = {
            Standing.APPROVED: (self._t("送れます", "Ready"), "bold green"),
            Standing.UNAPPROVED: (
                self._t("送れます（承認が必要です）", "May be sent, once it is approved"),
                "bold yellow",
            ),
            Standing.DRIFTED: (
                self._t(
                    "送れません（承認のあとで変わりました）", "Not sent: changed since the approval"
                ),
                "bold red",
            ),
            Standing.REFUSED: (self._t("送れません", "Not sent"), "bold red"),
        }
        sentence, style = words[self.standing]
        return Text.assemble(
            (sentence, style),
            self._t("：", ": "),
            f"{self.plan.from_name} → {self.plan.to_name}",
            self._t(f"（{self.plan.to_site_name}）", f" ({self.plan.to_site_name})"),
        )

    def _reason(self, reason: Reason, mark: str, style: str) -> Group:
        where = reason.where.ja() if self.lang == "ja" else reason.where.en()
        lines = [
            Text.assemble(
                (f"{mark} ", f"bold {style}"),
                (self._t(reason.ja, reason.en), "bold"),
                self._t(f"（{where}）", f" ({where})"),
            )
        ]
        if article := self._t(reason.article_ja, reason.article_en):
            source = ""
            if origin := reason.origin:
                source = self._t(
                    f"（{origin.file} {origin.row}行目、{origin.valid_from.isoformat()}から"
                    f"{'' if origin.is_verified else '、原典との照合は未確認'}）",
                    f" ({origin.file}, row {origin.row}, from {origin.valid_from.isoformat()}"
                    f"{'' if origin.is_verified else ', not yet compared with the source'})",
                )
            lines.append(Text(f"  {self._t('根拠: ', 'Source: ')}{article}{source}"))
        if remedy := self._t(reason.remedy_ja, reason.remedy_en):
            lines.append(Text(f"  {remedy}"))
        if reason.example:
            lines.append(Text(f"  {self._t('例: ', 'Example: ')}{reason.example}", style="cyan"))
        return Group(*lines)

    def _facts(self) -> Table:
        table = Table.grid(padding=(0, 2))
        table.add_column(style="dim")
        table.add_column()
        plan = self.plan
        table.add_row(
            self._t("判定番号", "Decision"),
            self._t(
                f"{plan.number} ／ 規則 第{plan.rule_version}版 ／ 基準日 {plan.on.isoformat()}",
                f"{plan.number}, rule version {plan.rule_version}, base date {plan.on.isoformat()}",
            ),
        )
        table.add_row(self._t("経路", "Route"), " → ".join(self._way()))
        if plan.basis:
            stated = plan.link.legal_basis
            until = f" ～{stated.until.isoformat()}" if stated and stated.until else ""
            if stated and (named := stated.ordinance or stated.note):
                until = f" {named}{until}"
            table.add_row(
                self._t("法的根拠", "Legal basis"),
                self._t(
                    f"{plan.basis.article_ja}（{plan.basis.ja}）{until}",
                    f"{plan.basis.article_en} ({plan.basis.en}){until}",
                ),
            )
        table.add_row(
            self._t("形式", "Form"),
            f"{plan.link.format} {plan.link.characters.charset} "
            + self._t(
                {"full": "全件", "difference": "差分"}[plan.link.mode], f"({plan.link.mode})"
            ),
        )
        if self.approval:
            table.add_row(
                self._t("承認", "Approved"),
                f"{self.approval.by} {self.approval.at.date().isoformat()}",
            )
        return table

    def _way(self) -> Iterator[str]:
        names = self.plan.site_names
        for number, hop in enumerate(self.plan.hops):
            if number == 0:
                zone = self._t(hop.from_zone.ja, hop.from_zone.value)
                yield f"{names[hop.from_site]}〔{zone}〕"
            if hop.by == "same_site":
                yield self._t("同じサイトの中", "inside this site")
                continue
            zone = self._t(hop.to_zone.ja, hop.to_zone.value)
            by = self._t(By(hop.by).ja, hop.by)
            yield f"{names[hop.to_site]}〔{zone}・{by}〕"

    def _items(self) -> Table:
        table = Table(box=None, pad_edge=False, header_style="dim")
        for ja, en in (
            ("元の項目", "Source"),
            ("操作", "Operation"),
            ("出る項目", "Outcome"),
            ("区分", "Class"),
        ):
            table.add_column(self._t(ja, en))
        for item in self.plan.items:
            table.add_row(
                self._t(item.source_ja or "―", item.source or "-"),
                self._t(item.operation_ja, item.operation_en),
                f"{self._t(item.ja, item.name)} {item.outcome}",
                self._t(
                    f"{_FORMS[item.form][0]}・{_CLASSES[item.sensitivity]}",
                    f"{_FORMS[item.form][1]}, {item.sensitivity}",
                ),
            )
        return table

    def _counted(self) -> Iterator[Text]:
        m = self.measured
        if m is None:
            yield Text(
                self._t("件数と容量はまだ数えていません。", "Rows and size were not counted."),
                style="dim",
            )
            return
        size = f"{m.bytes / _MIB:.1f} MiB" if m.bytes >= _MIB else f"{m.bytes / _KIB:.0f} KiB"
        yield Text(
            self._t(
                f"件数 {m.rows:,} 件（抽出 {m.extracted:,}、"
                f"同意なし・対象外 {m.without_consent:,}）  容量 {size}  {m.parts} 部分",
                f"{m.rows:,} of {m.extracted:,} rows ({m.without_consent:,} not consenting or not"
                f" meant), {size}, {m.parts} parts",
            )
        )
        if m.smallest_class is not None and m.rows_below_five is not None:
            yield Text(
                self._t(
                    f"同じ属性の最少人数 k = {m.smallest_class}"
                    f"（5人未満の組にいる人 {m.rows_below_five:,}）。"
                    "抽象化しても個人情報のままです。",
                    f"k = {m.smallest_class}; {m.rows_below_five:,} persons in classes below"
                    " five. Coarsened data are still personal information.",
                )
            )
        yield from (self._loss(held) for held in m.losses)

    def _loss(self, held: ItemLoss) -> Text:
        loss, charset = held.loss, self.plan.link.characters.charset
        shown, rows = f"「{loss.text}」{loss.code_point}", f"{loss.rows:,}"
        if loss.substitute is not None:
            return Text(
                self._t(
                    f"文字 {held.ja}: {shown} →「{loss.substitute}」 {rows} 件",
                    f"{held.item}: {shown} → {loss.substitute}, {rows} rows",
                )
            )
        offered = "・".join(loss.candidates)
        return Text(
            self._t(
                f"× 文字 {held.ja}: {shown} は {charset} にありません（{rows} 件"
                + (f"、候補 {offered}）" if offered else "）"),
                f"× {held.item}: {shown} is not in {charset} ({rows} rows"
                + (f"; candidates {offered})" if offered else ")"),
            ),
            style="yellow",
        )

    def _next_step(self) -> Text:
        link = self.plan.link.link
        match self.standing:
            case Standing.REFUSED:
                said = self._t(
                    "この点検は何も送りません。直してからもう一度: ",
                    "Nothing was sent. Try again: ",
                )
                command = f"kumobashi plan {link}"
            case Standing.UNAPPROVED | Standing.DRIFTED:
                said = self._t("この点検は何も送りません。承認: ", "Nothing was sent. To approve: ")
                command = f"kumobashi plan {link} --approve"
            case Standing.APPROVED:
                said = self._t("この点検は何も送りません。実行: ", "Nothing was sent. To run: ")
                command = f"kumobashi link run {link}"
        return Text(f"{said}{command}", style="dim")


def as_json(
    plan: Plan, *, measured: Measured | None = None, approval: ApprovalFile | None = None
) -> dict[str, Any]:
    """Return a plan as a JSON value for machines."""
    stands = standing(plan, approval)
    return {
        "link": plan.link.link,
        "standing": stands.value,
        "hash": plan.hash,
        "on": plan.on.isoformat(),
        "reasons": [_reason_json(reason) for reason in plan.reasons],
        "cautions": [_reason_json(reason) for reason in plan.cautions],
        "changes": [
            {"key": change.key, "ja": change.ja, "en": change.en}
            for change in (drift(plan, approval) if approval else [])
        ],
        "decision": dict(plan.decision),
        "measured": _measured_json(measured) if measured else None,
        "approval": {"by": approval.by, "at": approval.at.isoformat(), "hash": approval.hash}
        if approval
        else None,
    }


def _reason_json(reason: Reason) -> dict[str, Any]:
    return {
        "code": reason.code,
        "ja": reason.ja,
        "en": reason.en,
        "file": reason.where.file,
        "line": reason.where.line,
        "key": reason.where.key,
        "article": {"ja": reason.article_ja, "en": reason.article_en},
        "remedy": {"ja": reason.remedy_ja, "en": reason.remedy_en},
        "example": reason.example,
        "rule": {
            "file": reason.origin.file,
            "row": reason.origin.row,
            "valid_from": reason.origin.valid_from.isoformat(),
            "verified": reason.origin.is_verified,
        }
        if reason.origin
        else None,
    }


def _measured_json(measured: Measured) -> dict[str, Any]:
    return {
        "on": measured.on.isoformat(),
        "rows": measured.rows,
        "extracted": measured.extracted,
        "without_consent": measured.without_consent,
        "bytes": measured.bytes,
        "parts": measured.parts,
        "k": measured.smallest_class,
        "rows_below_five": measured.rows_below_five,
        "findings": sum(finding.rows for finding in measured.findings),
        "losses": [
            {
                "item": held.item,
                "text": held.loss.text,
                "code_point": held.loss.code_point,
                "name": held.loss.name,
                "kind": held.loss.kind,
                "rows": held.loss.rows,
                "substitute": held.loss.substitute,
                "candidates": list(held.loss.candidates),
            }
            for held in measured.losses
        ],
    }
