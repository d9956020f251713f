"""``kumobashi request answer`` and ``decide``: compose what is disclosed, and decide."""

from pathlib import Path
from typing import Any

import click

from kumobashi.cli.command import command, option
from kumobashi.cli.errors import Usage
from kumobashi.cli.request.asking import REQUEST, Answer, act, signed
from kumobashi.cli.request.telling import draw, draw_one
from kumobashi.cli.terminal import Terminal

_ID = "019aa8d1-5b7c-7000-8000-0123456789ab"


@command(
    "answer",
    ja="証跡から、だれに・いつ・どの項目がどの粗さで・どの根拠で出て、消去されたかの記録を作ります。\n"
    "記録はファイルにだけ残り、請求にはそのハッシュが残ります（承認の役）。",
    en="Compose from the evidence to whom, when, which items, how coarse and on which basis data\n"
    "was sent, and what was deleted. The file has the record, the request its digest (approvers).",
    example=f"kumobashi request answer {_ID} --output kaitou.json --account suzuki",
)
@REQUEST
@option(
    "--output",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    ja="記録を書き出すファイル（JSON、本人だけが読める）",
    en="The file to write (JSON, for its owner only)",
)
@option("--first", metavar="DATE", ja="この日に始まった転送から（既定: 全部）", en="From this day")
@option("--last", metavar="DATE", ja="この日まで（既定: 今日）", en="Up to this day")
@signed
def answer(terminal: Terminal, *, output: Path, **said: object) -> None:
    """Compose an answer."""
    from kumobashi.crypto.canonical import canonical
    from kumobashi.crypto.private_files import write_private
    from kumobashi.service.person_report import cautions

    if output.exists():
        raise Usage(
            what=f"{output} はすでにあります。別の名前にしてください。",
            what_en=f"{output} exists; choose another name.",
            command="kumobashi request answer",
        )
    found = act(terminal, "answer", said)
    write_private(output, canonical(found["answer"]))
    if terminal.as_json:
        terminal.emit(found)
        return
    _summed(terminal, found)
    lines = [terminal.t(f"書き出しました: {output}", f"Written: {output}"), found["digest"]]
    for line in (*lines, *cautions(found["answer"], terminal.lang)):
        terminal.out.print(line, soft_wrap=True, markup=False, highlight=False)


@command(
    "decide",
    ja="決定します。認めない・一部だけ認める決定は、まず決定案になり、別の承認者が\n"
    "--confirm（show が出すハッシュ）で決定します。--send-back は決定案を差し戻します。",
    en="Decide. A refusal, in whole or in part, is proposed first; another approver decides it by\n"
    "--confirm with the hash that show tells. --send-back returns a proposal.",
    example=f"kumobashi request decide {_ID} --outcome granted --account suzuki",
)
@REQUEST
@option(
    "--outcome",
    type=click.Choice(["granted", "partly", "refused", "transferred"]),
    ja="全部認める・一部認める・認めない・移送する",
    en="What is decided",
)
@option(
    "--clause",
    "clauses",
    multiple=True,
    metavar="CODE",
    ja="認めない条項（例 78-1-2）",
    en="A clause of the refusal, as 78-1-2",
)
@option("--reason", metavar="TEXT", ja="理由（通知書に出ます）", en="The reason, for the notice")
@option("--to", metavar="OFFICE", ja="移送先", en="The office that it is transferred to")
@option("--confirm", metavar="HASH", ja="この決定案のとおり決定する", en="Decide this proposal")
@option("--send-back", is_flag=True, ja="決定案を差し戻す", en="Return the proposal")
@signed
def decide(terminal: Terminal, **said: Any) -> None:  # noqa: ANN401 - options of several kinds
    """Decide."""
    body = {**said, "clauses": list(said["clauses"])}
    outcome, confirm, send_back = (body.pop(one) for one in ("outcome", "confirm", "send_back"))
    if [bool(outcome), bool(confirm), bool(send_back)].count(True) != 1:
        raise Usage(
            what="--outcome、--confirm、--send-back のどれか1つを示してください。",
            what_en="Give one of --outcome, --confirm and --send-back.",
            command="kumobashi request decide",
        )
    if send_back:
        draw(terminal, act(terminal, "send_back", body))
        return
    if confirm:
        draw_one(terminal, act(terminal, "confirm", {**body, "proposal": confirm}))
        return
    deed = {"granted": "decide", "transferred": "transfer"}.get(outcome, "propose")
    found = act(terminal, deed, {**body, "outcome": outcome})
    draw_one(terminal, found)
    if deed == "propose" and not terminal.as_json:
        words = terminal.t(
            "決定案です。別の承認者が --confirm で決定します。",
            "This is a proposal; another approver decides it by --confirm.",
        )
        terminal.out.print(words, style="yellow", soft_wrap=True)


def _summed(terminal: Terminal, found: Answer) -> None:
    lines = found["answer"]["transfers"]
    seen = [line["presence"] for line in lines]
    counts = {one: seen.count(one) for one in ("included", "possible", "absent")}
    words = terminal.t(
        f"転送 {len(lines)} 件: 含まれた {counts['included']}、除けない {counts['possible']}、"
        f"含まれない {counts['absent']}",
        f"{len(lines)} transfers: {counts['included']} included, {counts['possible']} cannot be"
        f" excluded, {counts['absent']} not included",
    )
    terminal.out.print(words, soft_wrap=True)
    for one in found["answer"]["receivers"]:
        name = terminal.t(one["to_name"] or one["to_site"], one["to_site"])
        state = terminal.t(one["state_ja"], one["state"] or "no holding")
        line = f"  {one['link']} → {name}  {state}  {one['deletion']}"
        terminal.out.print(line, soft_wrap=True, markup=False, highlight=False)
