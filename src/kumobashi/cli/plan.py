"""``kumobashi plan``: the dry run of links, and its approval."""

import getpass
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kumobashi.cli.command import command, option
from kumobashi.cli.exits import Exit
from kumobashi.cli.terminal import Terminal

if TYPE_CHECKING:
    import duckdb

    from kumobashi.directory.entries import Directory
    from kumobashi.planning.measured import Measured
    from kumobashi.planning.measuring import Sizer
    from kumobashi.planning.plan import Plan
    from kumobashi.planning.workspace import Workspace


@command(
    "plan",
    ja="事前点検: 何が・どの根拠で・どれだけ粗く・どこを通って出るかを、何も送らずに示します。",
    en="The dry run: what would leave, on what basis, how coarse, which way. Nothing is sent.",
    example="kumobashi plan notice-attributes",
)
@click.argument("links", metavar="[LINK]...", nargs=-1)
@option("--approve", is_flag=True, ja="点検した内容を承認する", en="Approve what the plan shows")
@option(
    "--by",
    metavar="NAME",
    ja="承認する人（既定: 端末の利用者名）",
    en="Who approves (default: this user)",
)
@option("--no-count", is_flag=True, ja="件数と容量を数えない", en="Do not count rows and size")
@option(
    "--date",
    "on",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    ja="基準日（既定: 今日）",
    en="The base date (default: today)",
)
def plan(
    terminal: Terminal,
    *,
    links: tuple[str, ...],
    approve: bool,
    by: str | None,
    no_count: bool,
    on: date | None,
) -> Exit:
    """Show and approve plans."""
    from kumobashi.kernel import SystemClock, business_date
    from kumobashi.planning.plan import plan as make_plan
    from kumobashi.planning.rendering import PlanView, as_json

    workspace = terminal.workspace()
    now = SystemClock().now()
    day = date.fromisoformat(f"{on:%Y-%m-%d}") if on else business_date(now)
    directory = published(terminal.folder)
    found: list[object] = []
    worst = Exit.OK
    for number, name in enumerate(links or tuple(sorted(workspace.links))):
        decided = make_plan(workspace, directory, name, on=day)
        measured = None if no_count or not decided.is_permitted else counted(workspace, decided)
        approval = workspace.approvals.get(name)
        if approve and decided.is_permitted:
            from kumobashi.planning.approval import approve as write_approval

            approval = write_approval(
                workspace.folder, decided, by=by or getpass.getuser(), at=now, measured=measured
            )
        view = PlanView(decided, measured=measured, approval=approval, lang=terminal.lang)
        worst = _worse(worst, view.standing.value)
        if terminal.as_json:
            found.append(as_json(decided, measured=measured, approval=approval))
            continue
        if number:
            terminal.out.print()
        terminal.out.print(view)
        if approve and decided.is_permitted:
            said = terminal.t(
                f"承認しました: approvals/{name}.yaml", f"Approved: approvals/{name}.yaml"
            )
            terminal.out.print(f"[bold green]✓[/] {said}")
    if terminal.as_json:
        terminal.emit(found[0] if len(links) == 1 else found)
    return worst


def published(folder: Path) -> "Directory | None":
    """Return the signed directory, or nothing when none was published: the plan says so itself."""
    from kumobashi.directory.errors import DirectoryMissing
    from kumobashi.kernel import SystemClock
    from kumobashi.planning.publishing import load_directory

    try:
        return load_directory(folder, now=SystemClock().now())
    except DirectoryMissing:
        return None


def _worse(worst: Exit, standing: str) -> Exit:
    code = {"refused": Exit.REFUSED, "drifted": Exit.DRIFTED}.get(standing, Exit.OK)
    if Exit.REFUSED in {worst, code}:
        return Exit.REFUSED
    return max(worst, code)


def counted(workspace: "Workspace", decided: "Plan") -> "Measured":
    """Run the rule on the sources here, and forget the rows."""
    from kumobashi.planning.measuring import measure, sources_of
    from kumobashi.service.stores import open_store

    rule = workspace.rules[decided.link.release]
    systems = {workspace.dataset(reference)[0].system for reference in rule.datasets.values()}
    with ExitStack() as stack:
        readers = {
            name: stack.enter_context(
                open_store(workspace.folder, workspace.systems[name]).reading()
            )
            for name in systems
        }
        sources = sources_of(workspace, decided.link.link, readers)
        return measure(workspace, decided, sources, size_of=_sizer(decided))


def _sizer(decided: "Plan") -> "Sizer":
    """Return what gives the bytes of the payload as ``exchange.packing`` would write it."""
    from kumobashi.exchange.packing import write_parquet

    if decided.link.format == "parquet":
        return lambda work, path: write_parquet(work, "released", path).bytes
    charset = decided.link.characters.charset
    return lambda work, path: _csv_bytes(work, path, charset)


def _csv_bytes(work: "duckdb.DuckDBPyConnection", path: Path, charset: str) -> int:
    """Write the rows as CSV in the receiver's charset; what it lacks counts as one byte."""
    import zstandard

    work.execute(f"copy released to '{path}' (format csv, header)")
    codec = "cp932" if charset == "cp932" else "utf-8"
    packed = path.with_suffix(".zst")
    with (
        path.open(encoding="utf-8", newline="") as source,
        packed.open("wb") as raw,
        zstandard.ZstdCompressor(level=1).stream_writer(raw, closefd=False) as target,
    ):
        while text := source.read(1 << 20):
            target.write(text.encode(codec, "replace"))
    return packed.stat().st_size
