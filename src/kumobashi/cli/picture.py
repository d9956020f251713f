"""The picture of one transfer at a terminal: stages, receipts and, when it is over, one last line.

    抽出    401,877 人   0.6 s
    抽象化  401,877 人   0.4 s  k = 10（基準 5）
    封緘    6.1 MB       0.2 s  4 部分
    送達    4 / 4        0.5 s  庁内 授受サーバー → LGWAN-ASP 中継 → 公共クラウド
    到達 ✓  復号 ✓  検証 ✓ 指摘 0  取込 ✓ 401,877 件
    完了 2.3 s   受領書 6f1c…e2

Pure: a view goes in, lines come out.
"""

from datetime import datetime, timedelta

from rich.text import Text

from kumobashi.cli.terminal import Terminal
from kumobashi.cli.wording import hung, pad, pad_left, short_id, spent
from kumobashi.console.formatting import clock, size
from kumobashi.console.labels import MODES, STAGES
from kumobashi.console.reading import K_WANTED
from kumobashi.exchange.views import Cause, Light, Progress, StageView, TransferView
from kumobashi.planning.sentences import untied

_SIGNS = {
    Progress.DONE: ("✓", "green"),
    Progress.RUNNING: ("…", "cyan"),
    Progress.WAITING: ("…", "yellow"),
    Progress.FAILED: ("×", "bold red"),
    Progress.AHEAD: ("−", "dim"),
}
_BAR = 20  # columns
_RECEIPTS = ("delivered", "opened", "validated", "applied")
OVER = frozenset({Light.APPLIED, Light.REFUSED, Light.HELD, Light.NEVER})


def headline(terminal: Terminal, name: str, to_site: str, view: TransferView) -> Text:
    """Return the first line: which link, to where, for which day."""
    day = terminal.t(f"{view.business_date} 分", f"for {view.business_date}")
    return Text.assemble(
        (name, "bold"),
        terminal.t(f"（{to_site}）", f" ({to_site})"),
        f"  {day}",
    )


def stage_lines(terminal: Terminal, view: TransferView, *, only: str | None = None) -> list[Text]:
    """Return a line for each stage that has begun, or for one of them."""
    stages = {stage.stage: stage for stage in view.stages}
    return [
        _line(terminal, view, stages[name])
        for name in ("extract", "release", "seal", "carry")
        if only in {None, name} and name in stages and stages[name].progress is not Progress.AHEAD
    ]


def receipts_line(terminal: Terminal, view: TransferView) -> Text:
    """Return 到達 ✓  復号 ✓  検証 ✓ 指摘 0  取込 ✓ 401,877 件."""
    stages = {stage.stage: stage for stage in view.stages}
    line = Text("  ")
    for name in _RECEIPTS:
        stage = stages.get(name)
        if stage is None:
            continue
        sign, style = _SIGNS[stage.progress]
        line.append(f"{_label(terminal, view, name)} ")
        line.append(sign, style)
        is_done = stage.progress is Progress.DONE
        if name == "validated" and is_done:
            line.append(
                terminal.t(f" 指摘 {view.findings_total:,}", f" findings {view.findings_total:,}")
            )
        if name == "applied" and is_done and view.rows_applied is not None:
            line.append(terminal.t(f" {view.rows_applied:,} 件", f" {view.rows_applied:,} rows"))
        line.append("  ")
    line.rstrip()
    return line


def last_lines(terminal: Terminal, view: TransferView, link: str, now: datetime) -> list[Text]:
    """Return what it came to: done, or why not, at whose side, and whom to call."""
    match view.light:
        case Light.APPLIED:
            receipt = next((r for r in view.receipts if r.stage == "applied"), None)
            return [
                Text.assemble(
                    (terminal.t("完了", "Done"), "bold green"),
                    f" {spent(view.seconds)}",
                    f"   {terminal.t('転送', 'transfer')} {short_id(view.transfer)}",
                    f"   {terminal.t('受領書', 'receipt')} {short_id(receipt.digest)}"
                    if receipt
                    else "",
                )
            ]
        case Light.NEVER:
            return [
                Text(
                    terminal.t(
                        "取りやめました。何も送っていません。", "Cancelled; nothing was sent."
                    )
                )
            ]
        case Light.REFUSED:
            head = Text(
                terminal.t("拒否: 何も取り込まれていません", "Refused: nothing was applied"),
                "bold red",
            )
        case Light.HELD:
            head = Text(
                terminal.t("承認待ち: 人の判断を待っています", "Held: a person decides"),
                "bold yellow",
            )
        case Light.STOPPED:
            head = Text(
                terminal.t("停止: まだ取り込まれていません", "Stopped: not applied yet"), "bold red"
            )
        case Light.WAITING:
            head = Text(
                terminal.t("待機中: 自動で再開します", "Waiting; it resumes by itself"), "yellow"
            )
        case _:
            return []
    found = [head, *cause_lines(terminal, view.cause, now), *_stepped_in(terminal, view)]
    if view.light is Light.HELD:
        found.append(
            Text(f"  kumobashi link accept {link}  /  kumobashi link cancel {link}", "cyan")
        )
    return found


def _stepped_in(terminal: Terminal, view: TransferView) -> list[Text]:
    """Return which link runs instead of one that the gate refused, or that it cannot."""
    if view.fallback is None:
        return []
    head = Text.assemble("  ", (pad(terminal.t("代わり", "Instead"), 10), "dim"))
    said = (
        terminal.t(
            f"{view.fallback} も動けません（{view.fallback_code}）。承認を確かめてください。",
            f"{view.fallback} cannot run either ({view.fallback_code}); look at its approval.",
        )
        if view.fallback_code
        else terminal.t(
            f"属性を出さない連携 {view.fallback} が動いています。",
            f"the link {view.fallback}, which tells no attribute, runs instead.",
        )
    )
    return hung(head, said, terminal.width)


def cause_lines(terminal: Terminal, cause: Cause | None, now: datetime) -> list[Text]:
    """Return the cause in plain words, the side at fault, whom to call, what happens by itself."""
    if cause is None:
        return []
    since = terminal.t(f"{clock(cause.since)} から", f"since {clock(cause.since)}")
    contact = cause.contact
    pairs = (
        (terminal.t("原因", "Cause"), terminal.say(cause.what)),
        (
            terminal.t("場所", "Where"),
            terminal.t(f"{cause.side_name}（{since}）", f"{cause.side_name} ({since})")
            if cause.side_name
            else since,
        ),
        (terminal.t("対応", "To do"), terminal.say(cause.remedy)),
        (
            terminal.t("連絡先", "Call"),
            f"{contact.name}  {contact.phone}（{contact.hours}）" if contact else "",
        ),
        (
            terminal.t("これから", "Next"),
            _next_try(terminal, cause.tries, cause.next_try - now) if cause.next_try else "",
        ),
        (
            terminal.t("待ち", "Waiting"),
            terminal.t(
                f"同じ相手を待つ転送 {cause.behind:,} 件",
                f"{cause.behind:,} transfers wait for the same neighbour",
            )
            if cause.behind
            else "",
        ),
        (terminal.t("符号", "Code"), cause.code),
    )
    found: list[Text] = []
    for label, text in pairs:
        if text:
            head = Text.assemble("  ", (pad(label, 10), "dim"))
            found += hung(head, text, terminal.width)
    return found


def _next_try(terminal: Terminal, tries: int, wait: timedelta) -> str:
    seconds = round(wait.total_seconds())
    if not tries:  # it waits for an hour, not for another try
        minutes = max(1, seconds // 60)
        return terminal.t(f"約 {minutes} 分後に始まります。", f"It begins in about {minutes} min.")
    at_ja, at_en = (f"{seconds} 秒後に", f"in {seconds} s") if seconds > 0 else ("まもなく", "now")
    return terminal.t(
        f"{tries} 回試しました。次は{at_ja}自動で試します。",
        f"Tried {tries} times; the next try is {at_en}, by itself.",
    )


def is_settled(view: TransferView, stage: StageView) -> bool:
    """Whether a stage is over; parts are carried when the receiver has them all."""
    name = "delivered" if stage.stage == "carry" else stage.stage
    return any(s.stage == name and s.progress is Progress.DONE for s in view.stages)


def has_k(view: TransferView) -> bool:
    """Whether k says something: the rows left the site they came from, so they were coarsened."""
    return view.smallest_class is not None and len(view.hops) > 1


def _line(terminal: Terminal, view: TransferView, stage: StageView) -> Text:
    is_done = is_settled(view, stage)
    sign, style = _SIGNS[Progress.RUNNING if stage.progress is Progress.DONE else stage.progress]
    mark = " " if is_done else sign
    head = Text.assemble((f"{mark} ", style), pad(_label(terminal, view, stage.stage), 8))
    head.append(pad_left(_amount(terminal, view, stage), 14))
    head.append(pad_left(spent(stage.seconds) if is_done else "", 10))
    note = _note(terminal, view, stage)
    if note.plain:
        head.append("  ")
        head.append_text(note)
    head.rstrip()
    return head


def _label(terminal: Terminal, view: TransferView, name: str) -> str:
    if name == "release":  # coarsened only where k was counted
        return terminal.t("抽象化", "coarsen") if has_k(view) else terminal.t("提供", "release")
    return terminal.say(STAGES[name])


def _amount(terminal: Terminal, view: TransferView, stage: StageView) -> str:
    people = terminal.t(" 人", "")
    match stage.stage:
        case "extract" | "release":
            return f"{stage.rows:,}{people}" if stage.rows is not None else ""
        case "seal":
            return size(view.sealed_bytes) if view.sealed_bytes is not None else ""
        case "carry" if stage.parts_total:
            return f"{stage.parts_done or 0} / {stage.parts_total}"
        case _:
            return ""


def _note(terminal: Terminal, view: TransferView, stage: StageView) -> Text:
    match stage.stage:
        case "release" if stage.progress is Progress.DONE:
            return _released(terminal, view)
        case "seal" if parts := _parts(view):
            mode = terminal.say(MODES[view.mode])
            return Text(terminal.t(f"{parts} 部分（{mode}）", f"{parts} parts ({mode})"))
        case "carry":
            way = Text(" → ".join(hop.name for hop in view.hops[1:]))
            if is_settled(view, stage) or not stage.parts_total:
                return way
            full = round(_BAR * (stage.parts_done or 0) / stage.parts_total)
            bar = (("█" * full, "cyan"), ("░" * (_BAR - full), "dim"))
            return Text.assemble(*bar, f" → {view.hops[-1].name}")
        case _:
            return Text()


def _parts(view: TransferView) -> int | None:
    return next((stage.parts_total for stage in view.stages if stage.stage == "carry"), None)


def _released(terminal: Terminal, view: TransferView) -> Text:
    said = []
    if has_k(view) and (k := view.smallest_class) is not None:
        if k >= K_WANTED:
            words = terminal.t(f"k = {k}（基準 {K_WANTED}）", f"k = {k} (wanted {K_WANTED})")
        else:
            words = terminal.t(
                f"k = {k}（{K_WANTED} 人未満の組に {view.rows_below_k or 0:,} 人）",
                f"k = {k} ({view.rows_below_k or 0:,} in classes below {K_WANTED})",
            )
        said.append((words, "" if k >= K_WANTED else "yellow"))
    if view.rows_without_consent:
        said.append(
            (
                terminal.t(
                    f"同意なし・対象外 {view.rows_without_consent:,} 人",
                    f"{view.rows_without_consent:,} not meant or without consent",
                ),
                "",
            )
        )
    if view.untied:
        said.append((terminal.t(*untied(view.untied)), ""))
    if view.rows_quarantined:
        said.append(
            (
                terminal.t(
                    f"隔離 {view.rows_quarantined:,} 件", f"{view.rows_quarantined:,} held back"
                ),
                "yellow",
            )
        )
    return Text("  ").join(Text(text, style) for text, style in said)
