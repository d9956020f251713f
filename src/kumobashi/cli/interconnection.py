"""``kumobashi link test``: hop by hop, where it stops and whose side that is; the signed record."""

import getpass
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from kumobashi.cli.command import command, option
from kumobashi.cli.exits import Exit
from kumobashi.cli.local_api import LocalApi, open_local_api
from kumobashi.cli.plain_tables import plain_table
from kumobashi.cli.terminal import Terminal
from kumobashi.cli.wording import hung
from kumobashi.kernel import SystemClock

if TYPE_CHECKING:
    from kumobashi.planning.workspace import Workspace

_MARKS = {
    "passed": ("✓", "green"),
    "warned": ("!", "yellow"),
    "failed": ("×", "red"),
    "skipped": ("―", "dim"),
}


@command(
    "test",
    ja="相互接続テスト。実際の経路で段階ごとに試し、どこで止まるか、どちらの側の問題かを示します。\n"
    "住民のデータは使いません。双方のゲートウェイが署名した記録を link-tests/ に残します。",
    en="The interconnection test: try the real way step by step, say where it stops and whose\n"
    "side that is. No resident's data are used. The record, signed by both, is in link-tests/.",
    example="kumobashi link test notice-attributes",
)
@click.argument("name", metavar="LINK")
@option("--at", metavar="SITE", ja="待機中のサイトを試す", en="Test a site that stands by")
@option(
    "--by",
    metavar="NAME",
    ja="試した人（既定: 端末の利用者名）",
    en="Who tests (default: this user)",
)
@option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    ja="記録を残すファイル（既定: link-tests/連携-日時.json）",
    en="Where to keep the record (default: link-tests/LINK-TIME.json)",
)
def test(
    terminal: Terminal, *, name: str, at: str | None, by: str | None, out: Path | None
) -> Exit:
    """Test a link and keep the record."""
    workspace = terminal.workspace()
    api = asking_gateway(workspace, name)
    last: dict[str, Any] = {}
    steps_left = 0
    for said in api.test_link(name, by=by or getpass.getuser(), at=at):
        if "step" in said:
            steps_left += said["step"]["outcome"] == "not_run"
            _show(terminal, said["step"])
        else:
            last = said
    kept = last["kept"]
    file = out or _default_file(terminal.folder, kept["record"])
    file.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(kept, ensure_ascii=False, indent=1) + "\n"
    file.write_text(text, encoding="utf-8", newline="\n")
    is_passed = last["passed"] is True
    if terminal.as_json:
        terminal.emit({"passed": is_passed, "file": str(file), "problem": last["problem"], **kept})
        return Exit.OK if is_passed else Exit.REFUSED
    if steps_left:
        ja = f"このあとの {steps_left} 段階は試していません"
        _say(terminal, "・", "dim", ja, f"{steps_left} steps after it were not tried")
    if problem := last["problem"]:
        _say(terminal, "×", "red", str(problem["detail"]), str(problem["title"]))
    sides = len(kept["signatures"])
    signed = ("双方", "both sides") if sides > 1 else ("こちらの側だけ", "this side only")
    _say(
        terminal,
        "✓" if is_passed else "×",
        "green" if is_passed else "red",
        f"{'通りました' if is_passed else '通りませんでした'}。記録（{signed[0]}が署名）: {file}",
        f"{'Passed' if is_passed else 'Not passed'}. Record, signed by {signed[1]}: {file}",
    )
    return Exit.OK if is_passed else Exit.REFUSED


@command(
    "verify-test",
    ja="相互接続テストの記録が、書き換えられておらず、双方のゲートウェイの署名どおりかを確かめます。",
    en="See whether the record of an interconnection test is as both gateways signed it.",
    example="kumobashi link verify-test link-tests/notice-attributes-20261123-101500.json",
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def verify_test(terminal: Terminal, *, file: Path) -> Exit:
    """Check the signatures under a record."""
    from kumobashi.calls.interconnection.record import read, verify
    from kumobashi.planning.publishing import load_directory

    kept = read(file)
    found = verify(kept, load_directory(terminal.folder, now=SystemClock().now()))
    record = kept["record"]
    is_whole = found.is_by_both and record["passed"] is True
    if terminal.as_json:
        sides = {"asking": bool(found.asking), "answering": bool(found.answering)}
        terminal.emit({"signed": sides, "passed": record["passed"], "record": record})
        return Exit.OK if is_whole else Exit.REFUSED
    table = plain_table()
    table.add_column("")
    table.add_column("")
    ends = f"{record['asking_site']} → {record['answering_site']}"
    for ja, en, value in (
        ("連携", "Link", f"{record['link']}（{ends}）"),
        ("日時", "When", record["begun"]),
        ("試した人", "By", record["by"]),
        ("結果", "Result", terminal.t(*(_PASSED if record["passed"] else _STOPPED))),
        ("署名", "Signed", _signers(terminal, record, found.asking, found.answering)),
    ):
        table.add_row(terminal.t(ja, en), value)
    terminal.out.print(table)
    return Exit.OK if is_whole else Exit.REFUSED


_PASSED = ("すべて通りました", "all passed")
_STOPPED = ("途中で止まりました", "stopped on the way")


def asking_gateway(workspace: "Workspace", name: str) -> LocalApi:
    """Return the gateway that a link goes out from: the asking one, or the one that sends."""
    declared = workspace.declared(name)
    system = workspace.calls[name].to if name in workspace.calls else declared.from_
    return open_local_api(workspace, workspace.systems[system].site)


def _signers(
    terminal: Terminal, record: dict[str, Any], asking: str | None, answering: str | None
) -> str:
    sides = ((asking, "asking_site"), (answering, "answering_site"))
    names = [str(record[key]) for token, key in sides if token]
    return "、".join(names) if names else terminal.t("なし", "nobody")


def _default_file(folder: Path, record: dict[str, Any]) -> Path:
    at = "".join(one for one in record["begun"][:19] if one.isdigit())
    return folder / "link-tests" / f"{record['link']}-{at[:8]}-{at[8:]}.json"


def _show(terminal: Terminal, step: dict[str, Any]) -> None:
    """Say what a step came to; a failure with where, whose and what to do."""
    if terminal.as_json or step["outcome"] == "not_run":
        return
    mark, style = _MARKS[step["outcome"]]
    name = terminal.t(step["stage_ja"], step["stage"].replace("_", " "))
    milliseconds = round(step["microseconds"] / 1000)
    taken = f"（{milliseconds}ms）" if milliseconds else ""
    _say(terminal, mark, style, f"{name}: {step['ja']}{taken}", f"{name}: {step['en']}{taken}")
    if step["outcome"] != "failed":
        return
    side_ja = f"{step.get('side_ja', 'わかりません')}（サイト {step['site']}）"
    side_en = f"{step.get('side', 'unknown')} (site {step['site']})"
    rows = (
        ("どちらの側か", "Side", side_ja, side_en),
        ("対応", "What to do", step["remedy_ja"], step["remedy_en"]),
        ("符号", "Code", step["code"], step["code"]),
    )
    for ja, en, said_ja, said_en in rows:
        _say(terminal, " ", "", f"{ja}: {said_ja}", f"{en}: {said_en}")


def _say(terminal: Terminal, mark: str, style: str, ja: str, en: str) -> None:
    for line in hung(Text(f"{mark} ", style), terminal.t(ja, en), terminal.width):
        terminal.out.print(line, soft_wrap=True)
