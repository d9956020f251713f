"""Draw records of consents for people."""

from collections.abc import Iterable, Mapping
from typing import Any

from kumobashi.cli.plain_tables import plain_table
from kumobashi.cli.terminal import Terminal
from kumobashi.kernel import JST, from_wire

STATES = {
    "applied": ("申込", "applied"),
    "checked": ("本人確認済み", "identity checked"),
    "granted": ("同意", "granted"),
    "refused": ("本人と確認できず", "not the resident"),
    "withdrawn": ("撤回", "withdrawn"),
    "expired": ("終了", "ended"),
    "superseded": ("新しい記録に引き継ぎ", "superseded"),
}
REASONS = {
    "asked": ("本人の申出", "asked for"),
    "before": ("先に撤回あり", "withdrawn before"),
    "term": ("期限", "term"),
    "died": ("死亡", "died"),
    "merged": ("番号の統合", "merged"),
    "anew": ("新しい同意", "consented anew"),
    "not_proved": ("本人確認できず", "not proved"),
}
TIERS = {"register": ("住民基本台帳等", "register"), "tax": ("税情報", "tax")}


def draw(terminal: Terminal, records: Iterable[dict[str, Any]]) -> None:
    """Draw records as a table."""
    t = terminal.t
    table = plain_table()
    for ja, en in (
        ("記録", "Record"),
        ("目的", "Purpose"),
        ("区分", "Tier"),
        ("版", "Version"),
        ("状態", "State"),
        ("申出", "Stated"),
    ):
        table.add_column(t(ja, en), no_wrap=en == "Record", overflow="fold")
    is_empty = True
    for one in records:
        is_empty = False
        reason = f"（{t(*REASONS[one['reason']])}）" if one["reason"] else ""
        table.add_row(
            one["record"],
            one["purpose"],
            t(*TIERS[one["tier"]]),
            str(one["version"] or "-"),
            t(*STATES[one["state"]]) + reason,
            from_wire(one["stated_at"]).astimezone(JST).strftime("%Y-%m-%d %H:%M"),
        )
    if is_empty:
        terminal.out.print(t("記録はありません。", "No records."))
    else:
        terminal.out.print(table)


def draw_revisions(
    terminal: Terminal,
    revisions: Iterable[Mapping[str, Any]],
    states: Mapping[str, tuple[str, str]],
) -> None:
    """Draw a history: one line for each revision, with the state that it led to."""
    for one in revisions:
        state = terminal.t(*states[one["state"]])
        line = f"{one['number']}  {one['at']}  {state}  {one['by']}  {one['hash']}"
        terminal.out.print(line, soft_wrap=True, markup=False)
