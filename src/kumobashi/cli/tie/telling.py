"""Draw ties and services for people."""

from collections.abc import Iterable, Sequence
from typing import Any

from kumobashi.cli.consent.asking import Answer
from kumobashi.cli.plain_tables import plain_table
from kumobashi.cli.terminal import Terminal

STATES = {
    "proposed": ("申出済み", "proposed"),
    "narrowed": ("本人が条件を狭めた", "narrowed by the resident"),
    "resident_accepted": ("本人が受け入れた", "accepted by the resident"),
    "service_accepted": ("サービスが受け入れた", "accepted by the service"),
    "in_force": ("効力あり", "in force"),
    "ended": ("終了", "ended"),
    "withdrawn": ("撤回", "withdrawn"),
}
STATUSES = {
    "eligible": ("対象", "eligible"),
    "receiving": ("利用中", "receiving"),
    "ended": ("終了", "ended"),
}


def draw_ties(terminal: Terminal, found: Answer) -> None:
    """Draw ties, or emit them."""
    if terminal.as_json:
        terminal.emit(found)
        return
    t = terminal.t
    heads = (
        ("紐付け", "Tie"),
        ("サービス", "Service"),
        ("状態", "State"),
        ("項目", "Items"),
        ("手段", "Channels"),
        ("頻度", "Frequency"),
        ("期間", "Term"),
    )
    rows = []
    for one in found["ties"]:
        terms = one["terms"]
        often = t(
            f"{terms['days']}日に{terms['times']}回", f"{terms['times']} in {terms['days']} days"
        )
        rows.append(
            (
                one["tie"],
                one["service"],
                t(*STATES[one["state"]]),
                ", ".join(terms["items"]),
                ", ".join(terms["channels"]),
                often,
                f"{terms['first']} – {terms['last']}",
            )
        )
    _draw(terminal, heads, rows, t("紐付けはありません。", "No ties."))


def draw_services(terminal: Terminal, found: Answer) -> None:
    """Draw services, or emit them; of one resident with state and as-of time."""
    if terminal.as_json:
        terminal.emit(found)
        return
    t = terminal.t
    of_one = any("status" in one for one in found["services"])
    if of_one:
        heads: Sequence[tuple[str, str]] = (
            ("サービス", "Service"),
            ("名前", "Name"),
            ("状態", "State"),
            ("時点", "As of"),
            ("根拠", "Clause"),
        )
        rows = [
            (s["service"], s["name"], t(*STATUSES[s["status"]]), s["as_of"], s["clause"])
            for s in found["services"]
        ]
    else:
        heads = (
            ("サービス", "Service"),
            ("名前", "Name"),
            ("提供者", "Provider"),
            ("所管", "Section"),
            ("根拠", "Clause"),
        )
        rows = [
            (s["service"], s["name"], s["provider"], s["section"], s["clause"])
            for s in found["services"]
        ]
    _draw(terminal, heads, rows, t("サービスはありません。", "No services."))


def _draw(
    terminal: Terminal,
    heads: Iterable[tuple[str, str]],
    rows: Sequence[tuple[Any, ...]],
    nothing: str,
) -> None:
    if not rows:
        terminal.out.print(nothing)
        return
    table = plain_table()
    for number, head in enumerate(heads):
        # What is looked for stays in one piece: the first column and the state.
        is_whole = number == 0 or head[1] == "State"
        table.add_column(terminal.t(*head), no_wrap=is_whole, overflow="fold")
    for row in rows:
        table.add_row(*row)
    terminal.out.print(table)
