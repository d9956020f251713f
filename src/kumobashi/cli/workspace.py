"""``kumobashi workspace``: check the files as a whole, bring them up to date, draw them."""

from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.text import Text

from kumobashi.cli.command import Group, command, option
from kumobashi.cli.exits import Exit
from kumobashi.cli.terminal import Terminal
from kumobashi.cli.wording import hung

if TYPE_CHECKING:
    from kumobashi.storage.mistakes import Mistake

workspace = Group(
    "workspace",
    ja="連携設定フォルダを点検し、新しくし、絵にするコマンドの集まりです。",
    en="Check the workspace's files, bring them up to date, draw them.",
    example="kumobashi workspace check",
)
_DATE = click.DateTime(["%Y-%m-%d"])


@command(
    "check",
    ja="すべてのファイルの間違いと、気をつけることを一度に示します。何も送りません。",
    en="Tell all mistakes and all cautions of all files at once. Nothing is sent.",
    example="kumobashi workspace check --json",
)
@option("--date", "on", type=_DATE, metavar="DATE", ja="点検する日（既定: 今日）", en="The day")
def check(terminal: Terminal, *, on: date | None) -> Exit:
    """Check everything."""
    from kumobashi.planning.cautions import cautions
    from kumobashi.planning.errors import WorkspaceBroken
    from kumobashi.planning.workspace import load

    mistakes: tuple[Mistake, ...] = ()
    warned: list[Mistake] = []
    files = 0
    try:
        found = load(terminal.folder)
    except WorkspaceBroken as broken:
        mistakes = broken.mistakes
    else:
        files = len(found.documents)
        warned = cautions(found, on=_day(on))
    if terminal.as_json:
        terminal.emit(
            {
                "files": files,
                "mistakes": [asdict(mistake) for mistake in mistakes],
                "cautions": [asdict(caution) for caution in warned],
            }
        )
        return Exit.REFUSED if mistakes else Exit.OK
    if mistakes:
        said = terminal.t(f"間違い {len(mistakes)} 個", f"{len(mistakes)} mistakes")
        terminal.out.print(Text.assemble(("× ", "bold red"), (said, "bold")))
    else:
        said = terminal.t(
            f"間違いはありません（{files} ファイル）", f"no mistakes in {files} files"
        )
        terminal.out.print(Text.assemble(("✓ ", "bold green"), (said, "bold")))
    for mistake in mistakes:
        _tell(terminal, mistake, "×", "red")
    for caution in warned:
        _tell(terminal, caution, "!", "yellow")
    return Exit.REFUSED if mistakes else Exit.OK


@command(
    "upgrade",
    ja="ファイルをこの版の雲橋に合わせます（スキーマの行、終わったレイアウトの版）。\n"
    "--write を付けるまでは、変わる所を示すだけです。",
    en="Bring files up to this release: schema lines, layout versions that are over.\n"
    "Without --write it only shows what would change.",
    example="kumobashi workspace upgrade --write",
)
@option("--write", "is_written", is_flag=True, ja="書き換える", en="Write the files")
@option("--date", "on", type=_DATE, metavar="DATE", ja="基準日（既定: 今日）", en="The day")
def upgrade(terminal: Terminal, *, is_written: bool, on: date | None) -> Exit:
    """Show, and with ``--write`` make, the changes."""
    from kumobashi.planning.upgrading import upgrades, write

    rewrites = upgrades(terminal.folder, on=_day(on))
    if is_written:
        write(terminal.folder, rewrites)
    if terminal.as_json:
        terminal.emit(
            {
                "written": is_written,
                "files": [
                    {"file": r.file, "why": list(r.why_ja), "diff": r.diff()} for r in rewrites
                ],
            }
        )
        return Exit.OK
    for rewrite in rewrites:
        why = terminal.t("、".join(rewrite.why_ja), ", ".join(rewrite.why_en))
        terminal.out.print(Text.assemble((rewrite.file, "bold cyan"), f"  {why}"), soft_wrap=True)
        if not rewrite.file.startswith("."):
            terminal.out.print(Text(rewrite.diff().rstrip("\n")), soft_wrap=True)
    if not rewrites:
        said = terminal.t("すべて今の形です。", "Everything is up to date.")
    elif is_written:
        said = terminal.t(
            f"{len(rewrites)} ファイルを書き換えました。"
            "判断が変わった連携は承認し直します: kumobashi plan",
            f"{len(rewrites)} files written. Links whose decision changed are approved anew.",
        )
    else:
        said = terminal.t(
            f"{len(rewrites)} ファイルが変わります。書き換えるには: ",
            f"{len(rewrites)} files would change. To write them: ",
        )
        said += "kumobashi workspace upgrade --write"
    for line in hung(Text(""), said, terminal.width):
        terminal.out.print(line, soft_wrap=True)
    return Exit.OK


@command(
    "graph",
    ja="サイト・領域・システム・連携・接続を1枚の絵（SVG）にします。A4 で印刷できます。",
    en="Draw sites, zones, systems, links and connections as one SVG, which prints on A4.",
    example="kumobashi workspace graph --out 連携図.svg",
)
@option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    ja="書き出すファイル（既定: 標準出力）",
    en="Where to write it (default: standard output)",
)
def graph(terminal: Terminal, *, out: Path | None) -> Exit:
    """Draw the workspace."""
    from kumobashi.cli.plan import published
    from kumobashi.planning.graph import graph as lay_out
    from kumobashi.planning.graph_svg import svg
    from kumobashi.planning.plan import plan

    held, directory = terminal.workspace(), published(terminal.folder)
    refused = [
        name for name in held.links if not plan(held, directory, name, on=_day(None)).is_permitted
    ]
    drawing = svg(lay_out(held, refused=refused))
    if terminal.as_json:
        terminal.emit({"svg": drawing, "refused": refused})
    elif out is None:
        click.echo(drawing, nl=False)
    if out is not None:
        out.write_text(drawing, encoding="utf-8", newline="\n")
        if not terminal.as_json:
            said = terminal.t(f"書き出しました: {out}", f"Written: {out}")
            terminal.out.print(f"[bold green]✓[/] {said}", soft_wrap=True)
    return Exit.OK


def _day(on: date | None) -> date:
    from kumobashi.kernel import SystemClock, business_date

    return date.fromisoformat(f"{on:%Y-%m-%d}") if on else business_date(SystemClock().now())


def _tell(terminal: Terminal, mistake: "Mistake", mark: str, style: str) -> None:
    """Print one mistake: place, sentence, example."""
    place = f"{mistake.file}:{mistake.line}:{mistake.column}"
    key = f"  {mistake.key}" if mistake.key else ""
    terminal.out.print(
        Text.assemble((f"  {mark} ", f"bold {style}"), (place, "cyan"), key), soft_wrap=True
    )
    for line in hung(Text("    "), terminal.t(mistake.ja, mistake.en), terminal.width):
        terminal.out.print(line, soft_wrap=True)
    if mistake.example:
        example = terminal.t("例: ", "Example: ")
        for line in hung(Text(f"    {example}"), mistake.example, terminal.width):
            terminal.out.print(line, soft_wrap=True)


for _command in (check, upgrade, graph):
    workspace.add_command(_command)
