"""Bring two sides of a link together, and draw up the paper of what changed (重要な変更か)."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final

from kumobashi.agreements.views import AgreementView
from kumobashi.papers.important import Judged, Party, Side, verdict_of
from kumobashi.papers.sheet import Line, Paper, Section, Table, blank
from kumobashi.papers.wording import local_time
from kumobashi.planning.approvals import ApprovalFile
from kumobashi.planning.plan import Plan
from kumobashi.planning.workspace import Workspace
from kumobashi.policy.tables import Tables

VERDICTS_JA: Final[Mapping[str, str]] = {"yes": "重要", "no": "重要でない", "ask": "人が判断"}
_ENDED: Final = frozenset({"expired", "withdrawn", "refused"})


def side_of_plan(
    made: Plan, workspace: Workspace, processors: tuple[Party, ...] | None = None
) -> Side:
    """Return a side of which the whole workspace is here."""
    approval = workspace.approvals.get(made.link.link)
    is_counted = approval is not None and approval.hash == made.hash and approval.counted
    rule = workspace.rules[made.link.release].model_dump(mode="json", by_alias=True)
    return Side(
        decision=made.decision,
        rule=rule,
        retention_days=made.retention.days if made.retention else None,
        rows=approval.counted.rows if approval and approval.counted and is_counted else None,
        processors=processors,
    )


def side_of_approval(
    approval: ApprovalFile, tables: Tables, *, processors: tuple[Party, ...] | None, on: date
) -> Side:
    """Return a side of which only the approval is left: its rule is known by its hash alone."""
    kept = approval.decision.get("retention") or {}
    row = tables.retention(str(kept.get("class")), on=on) if kept.get("class") else None
    return Side(
        decision=approval.decision,
        retention_days=row.days if row else None,
        rows=approval.counted.rows if approval.counted else None,
        processors=processors,
    )


def parties_of(view: AgreementView) -> tuple[Party, ...]:
    """Return the register of an agreement."""
    return tuple(
        Party(
            name=one.name,
            said=(one.task, one.place, one.jurisdiction, one.under or "", one.permission or ""),
        )
        for one in view.processors
    )


def two_registers(
    views: Sequence[AgreementView],
) -> tuple[tuple[Party, ...], tuple[Party, ...]] | None:
    """Return the registers of before and now; none where there are no two agreements to compare.

    ``views`` are the agreements of a link, the newest first. What is being applied for is compared
    with what is in force; else what is in force with what it has changed.
    """
    force = next((one for one in views if one.state == "in_force"), None)
    if force is None:
        return None
    ahead = [one for one in views if one.state not in {*_ENDED, "in_force"}]
    if ahead:
        return parties_of(force), parties_of(ahead[0])
    older = next((one for one in views if one.agreement == force.supersedes), None)
    return (parties_of(older), parties_of(force)) if older else None


def change_paper(
    made: Plan,
    judged: Sequence[Judged],
    *,
    compared_with: str,
    has_registers: bool,
    town: str,
    now: datetime,
) -> Paper:
    """Return the paper that says of every change whether it is important, and why."""
    verdict = verdict_of(judged)
    said = {
        "yes": "重要な変更に当たるものがあります。評価の再実施などを先に行ってください。",
        "ask": "機械では決まらない変更があります。"
        + blank("重要な変更に当たるかの判断と、判断した人"),
        "no": "重要な変更に当たるものは見つかりません。",
    }[verdict]
    return Paper(
        kind="change",
        title="重要な変更に当たるか（下書き）",
        about=f"{made.link.name}（{made.link.link}）",
        town=town,
        made=local_time(now),
        sections=(
            Section(
                title="1　結論",
                lines=(
                    Line(label="判定", text=VERDICTS_JA[verdict]),
                    Line(label="説明", text=said),
                    Line(label="比べた前の側", text=compared_with),
                    Line(label="いまの判定番号", text=made.number, source="事前点検"),
                ),
            ),
            Section(
                title="2　変更ごとの判定",
                table=Table(
                    heads=("判定", "変更", "理由", "根拠"),
                    rows=tuple(
                        (
                            VERDICTS_JA[one.verdict]
                            if one.verdict != "ask"
                            else VERDICTS_JA["ask"] + blank("重要か、重要でないか"),
                            one.ja,
                            one.row.ja,
                            ("" if one.row.origin.is_verified else "【未確認】")
                            + f"{one.row.origin.source}（{one.row.origin.place}）",
                        )
                        for one in judged
                    ),
                )
                if judged
                else None,
                notes=(
                    *(() if judged else ("前の側と違うところはありません。",)),
                    *(
                        ()
                        if has_registers
                        else ("委託先は比べていません（比べる利用協議が2つないか、除かれた）。",)
                    ),
                    "この連携基盤は個人番号を扱いません。個人番号を扱う事務の側の変更は、ここに出ません。",
                ),
            ),
        ),
        facts={
            "link": made.link.link,
            "important": verdict,
            "compared_with": compared_with,
            "has_registers": has_registers,
            "changes": [one.plain() for one in judged],
        },
    )
