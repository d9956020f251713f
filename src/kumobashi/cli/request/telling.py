"""Draw requests for people: what is late first, in colour."""

from datetime import date
from typing import Any

from rich.text import Text

from kumobashi.cli.plain_tables import plain_table
from kumobashi.cli.request.asking import Answer
from kumobashi.cli.terminal import Terminal

_SOON_DAYS = 7
_WARNINGS = {
    "protected": (
        "⚠ この方は支援措置の対象です。通知書の送り先と渡し方を担当課に確かめてください。",
        "⚠ This resident is protected: ask the section how papers are handed over.",
    ),
    "no_disclosure": (
        "⚠ 90日以内の開示の実施が、ここの記録にありません。開示を受けた日を確かめてください。",
        "⚠ No disclosure of the last 90 days is on record here: check when there was one.",
    ),
    "under_way": (
        "⚠ 転送中のものに本人の行があるかもしれません。下の転送を見て、要れば取り消してください。",
        "⚠ Transfers under way may carry the resident's row: see below, cancel them if needed.",
    ),
    "number_unknown": (
        "⚠ いまの台帳にこの番号の人がいません。打ち間違いでないか、確かめてください。",
        "⚠ The register has nobody of this number today: make sure that it is right.",
    ),
}
KINDS = {
    "disclosure": ("開示", "disclosure"),
    "correction": ("訂正", "correction"),
    "suspension": ("利用停止", "suspension"),
}
OUTCOMES = {
    "granted": ("全部認める", "granted"),
    "partly": ("一部認める", "granted in part"),
    "refused": ("認めない", "refused"),
}
STATES = {
    "received": ("受付", "received"),
    "checked": ("審査中", "checked"),
    "asked": ("補正待ち", "being completed"),
    "proposed": ("決定案", "proposed"),
    "decided": ("決定済み", "decided"),
    "carried_out": ("実施済み", "carried out"),
    "closed": ("終了", "closed"),
    "transferred": ("移送", "transferred"),
    "withdrawn": ("取下げ", "withdrawn"),
}


def draw(terminal: Terminal, found: Answer) -> None:
    """Draw requests, or emit them."""
    if terminal.as_json:
        terminal.emit(found)
        return
    t = terminal.t
    warn(terminal, found)
    for touched in found.get("touched", []):
        words = touched["detail"] if terminal.lang == "ja" else touched["title"]
        terminal.out.print(f"× {words}", style="bold red", soft_wrap=True, markup=False)
    if not found["requests"]:
        terminal.out.print(t("請求はありません。", "No requests."))
        return
    table = plain_table()
    table.add_column(t("請求", "Request"), no_wrap=True)
    table.add_column(t("種類", "Kind"), no_wrap=True)
    table.add_column(t("状態", "State"), no_wrap=True)
    table.add_column(t("受付", "Received"), no_wrap=True)
    table.add_column(t("期限", "Due"), overflow="fold")
    for one in found["requests"]:
        table.add_row(
            one["request"],
            t(*KINDS[one["kind"]]),
            _state(terminal, one),
            one["received_on"],
            due_words(terminal, one),
        )
    terminal.out.print(table)


def warn(terminal: Terminal, found: Answer) -> None:
    """Say what whoever receives a request must look to."""
    for warning in found.get("warnings", []):
        words = terminal.t(*_WARNINGS[warning])
        terminal.out.print(words, style="bold yellow", soft_wrap=True)


def due_words(terminal: Terminal, one: dict[str, Any]) -> Text:
    """Return the deadline with what it means today."""
    t, due, left = terminal.t, one["due"], one["days_left"]
    if one.get("is_waited_for"):
        return Text(t("提供先の確認が遅れています", "receivers have not confirmed"), "bold red")
    if left is None:
        late = one["days_late"]
        return Text(t(f"{late}日遅れて決定", f"decided {late} days late") if late else "", "red")
    if due["is_stopped"]:
        return Text(t("停止中（補正待ち）", "stopped (being completed)"), "cyan")
    if due["is_late"]:
        return Text(f"{due['day']} {t('期限超過', 'overdue')}", "bold red")
    style = "yellow" if left <= _SOON_DAYS else ""
    words = t(f"あと{left}日", f"{left} days") if left >= 0 else t("翌開庁日まで", "next open day")
    moved = "" if due["day"] == due["counted"] else t("（休日の次）", " (after a holiday)")
    return Text(f"{due['day']}{moved} {words}", style)


def draw_one(terminal: Terminal, found: Answer) -> None:
    """Draw one request with its deadline, proposal, decision and history."""
    draw(terminal, found)
    if terminal.as_json:
        return
    t, (one,) = terminal.t, found["requests"]
    due = one["due"]
    unsure = "" if due["is_verified"] else t("（未確認の数え方を含む）", " (not all verified)")
    article = due["article_ja"] if terminal.lang == "ja" else due["article_en"]
    lines = [f"{t('期限の根拠', 'Deadline by')}: {article}{unsure}"]
    if due["part"]:
        lines.append(f"{t('相当の部分', 'A considerable part by')}: {due['part']}")
    if not due["is_calendar_known"]:
        lines.append(
            t("休日の表に、この年がありません。", "The table of holidays lacks this year.")
        )
    if one["answer"]:
        lines.append(f"{t('回答', 'Answer')}: {one['answer']}")
    if one["proposal"]:
        said = one["proposal"]
        outcome = t(*OUTCOMES[said["outcome"]])
        lines.append(f"{t('決定案', 'Proposed')}: {outcome} {', '.join(said['clauses'])}")
        lines.append(f"  {one['texts'].get('decide', '')}")
        lines.append(f"  --confirm {one['proposal_hash']}")
    if one["decision"]:
        outcome = t(*OUTCOMES[one["decision"]["outcome"]])
        lines.append(f"{t('決定', 'Decided')}: {outcome} {one['decided_on']} {one['decided_by']}")
    lines += _suspension_lines(terminal, one)
    lines += receiver_lines(terminal, one)
    lines += [
        f"{said['number']}  {said['on']}  {said['act']}  {said['by']}"
        for said in found.get("revisions", [])
    ]
    for line in lines:
        terminal.out.print(line, soft_wrap=True, markup=False, highlight=False)


def _suspension_lines(terminal: Terminal, one: dict[str, Any]) -> list[str]:
    t = terminal.t
    lines: list[str] = []
    if one["suspended"] is not None:
        links = ", ".join(one["suspended"]) or t("すべての連携", "all links")
        lines.append(f"{t('利用停止', 'Suspended')}: {links}")
    if one["lifted_on"]:
        lines.append(f"{t('解除', 'Lifted')}: {one['lifted_on']} {one['lifted_by']}")
    elif one["lift_asked_by"]:
        words = t("解除の申出", "Asked to be lifted")
        lines.append(f"{words}: {one['lift_asked_by']} {one['texts'].get('lift', '')}")
    return lines


def receiver_lines(terminal: Terminal, one: dict[str, Any]) -> list[str]:
    """Return each receiver with how far it is; nothing before a request is carried out."""
    t = terminal.t
    lines = []
    for far in one["receivers"]:
        name, on = t(far["to_name"], far["to_site"]), far["on"] or ""
        state = t(far["state_ja"], far["state"])
        mark = {"confirmed": "✓", "overdue": "×"}.get(far["state"], "…")
        due = "" if far["state"] == "confirmed" else f"  {t('期限', 'due')} {far['due']}"
        by = "" if far["by"] == "run" else t("  文書で", "  on paper")
        lines.append(f"{mark} {far['link']} → {name}  {state} {on}{due}{by}")
        if far["transfer"]:
            lines.append(f"    {far['transfer']}")
    return lines


def is_overdue(found: Answer) -> bool:
    """Whether a deadline has passed, or a request cannot be believed."""
    if found.get("touched"):
        return True
    return any(one["due"]["is_late"] or one.get("is_waited_for") for one in found["requests"])


def day_words(terminal: Terminal, day: str) -> str:
    """Return a day with its weekday."""
    names = terminal.t("月火水木金土日", "Mon Tue Wed Thu Fri Sat Sun")
    week = list(names) if terminal.lang == "ja" else names.split()
    return f"{day}（{week[date.fromisoformat(day).weekday()]}）"


def _state(terminal: Terminal, one: dict[str, Any]) -> str:
    words = terminal.t(*STATES[one["state"]])
    if one["decision"]:
        return f"{words} {terminal.t(*OUTCOMES[one['decision']['outcome']])}"
    return words
