"""``kumobashi doctor``: find what is wrong with this installation, before the night does."""

import shutil
import stat
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from kumobashi.cli.command import command
from kumobashi.cli.exits import Exit
from kumobashi.cli.gateways import health_date
from kumobashi.cli.terminal import Terminal
from kumobashi.cli.wording import hung, pad
from kumobashi.kernel import JST, KumobashiError, SystemClock

if TYPE_CHECKING:
    from kumobashi.planning.workspace import Workspace

_CLOCKS_MAY_DIFFER = timedelta(seconds=30)  # signatures are refused beyond their window
_DIRECTORY_SOON = timedelta(days=14)
_FREE_BYTES = 2 << 30
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing looked at."""

    name: str
    is_good: bool
    said: str
    remedy: str = ""


@command(
    "doctor",
    ja="連携設定・鍵の権限・ディレクトリの期限・ゲートウェイ・時計・空き容量を点検します。",
    en="Check the workspace, modes of keys, the directory's end, gateways, clocks and free disk.",
    example="kumobashi doctor",
)
def doctor(terminal: Terminal) -> Exit:
    """Check everything, and say what to do."""
    workspace = terminal.workspace()
    checks = list(examine(terminal, workspace))
    if terminal.as_json:
        terminal.emit([asdict(check) for check in checks])
    else:
        for check in checks:
            sign = ("✓ ", "green") if check.is_good else ("× ", "bold red")
            for line in hung(Text.assemble(sign, pad(check.name, 16)), check.said, terminal.width):
                terminal.out.print(line, soft_wrap=True)
            if check.remedy and not check.is_good:
                for line in hung(Text(" " * 18), check.remedy, terminal.width):
                    terminal.out.print(line, soft_wrap=True)
    return Exit.OK if all(check.is_good for check in checks) else Exit.RED


def examine(terminal: Terminal, workspace: "Workspace") -> Iterator[Check]:
    """Yield what was found, one thing after another."""
    t = terminal.t
    yield Check(
        name=t("連携設定", "Workspace"),
        is_good=True,
        said=t(
            f"間違いはありません（サイト {len(workspace.sites)}、連携 {len(workspace.links)}）",
            f"no mistakes ({len(workspace.sites)} sites, {len(workspace.links)} links)",
        ),
    )
    yield _keys(terminal, workspace.folder)
    yield _directory(terminal, workspace)
    yield _disk(terminal, workspace.folder)
    for site, entry in workspace.sites.items():
        yield _gateway(terminal, site, entry.url)


def _keys(terminal: Terminal, folder: Path) -> Check:
    t = terminal.t
    files = [folder / "keys" / "directory.key", *(folder / "private").glob("*/*")]
    there = [path for path in files if path.is_file()]
    open_ones = [
        str(path.relative_to(folder))
        for path in there
        if sys.platform != "win32" and path.stat().st_mode & _OTHERS
    ]
    return Check(
        name=t("鍵の権限", "Modes of keys"),
        is_good=not open_ones,
        said="、".join(open_ones)
        if open_ones
        else t(
            f"{len(there)} 個とも所有者だけが読めます",
            f"all {len(there)} readable by their owner alone",
        ),
        remedy=f"chmod 600 {' '.join(open_ones)}" if open_ones else "",
    )


def _directory(terminal: Terminal, workspace: "Workspace") -> Check:
    from kumobashi.planning.publishing import load_directory

    t, name = terminal.t, terminal.t("ディレクトリ", "Directory")
    now = SystemClock().now()
    try:
        held = load_directory(workspace.folder, now=now)
    except KumobashiError as error:
        return Check(
            name=name,
            is_good=False,
            said=error.say(terminal.lang),
            remedy=error.remedy(terminal.lang),
        )
    end = held.expires.astimezone(JST).date()
    return Check(
        name=name,
        is_good=held.expires - now > _DIRECTORY_SOON,
        said=t(f"第 {held.version} 版、{end} まで有効", f"version {held.version}, valid to {end}"),
        remedy=t(
            "期限が近づいています: kumobashi directory publish",
            "It ends soon: kumobashi directory publish",
        ),
    )


def _disk(terminal: Terminal, folder: Path) -> Check:
    t = terminal.t
    free = shutil.disk_usage(folder).free
    said = f"{free / (1 << 30):,.1f} GiB"
    return Check(
        name=t("空き容量", "Free disk"),
        is_good=free >= _FREE_BYTES,
        said=said,
        remedy=t("2 GiB 以上空けてください。", "Free 2 GiB at least."),
    )


def _gateway(terminal: Terminal, site: str, url: str) -> Check:
    t = terminal.t
    before = datetime.now(UTC)
    date = health_date(url, timeout=3.0)
    if date is None:
        return Check(
            name=site,
            is_good=False,
            said=t(f"応答がありません（{url}）", f"no answer at {url}"),
            remedy=t(
                f"始めてください: kumobashi serve --site {site}", f"kumobashi serve --site {site}"
            ),
        )
    try:
        there = parsedate_to_datetime(date)
    except ValueError:
        return Check(
            name=site,
            is_good=False,
            said=t("時刻がわかりません", "it tells no time"),
            remedy=t("間に立つ機器を確かめてください。", "Look at what stands between."),
        )
    apart = abs(there - before)
    return Check(
        name=site,
        is_good=apart <= _CLOCKS_MAY_DIFFER,
        said=t(
            f"応答あり、時計の差 {apart.total_seconds():.0f} 秒以内",
            f"answers, clocks {apart.total_seconds():.0f} s apart at most",
        ),
        remedy=t("時計を合わせてください（NTP）。", "Set the clocks right (NTP)."),
    )
