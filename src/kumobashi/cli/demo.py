"""``kumobashi demo``: a night of the fictional city, from an empty folder to the console."""

import os
import shutil
import sys
import time
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from kumobashi.cli import city_options
from kumobashi.cli.command import command, option
from kumobashi.cli.errors import FolderTaken
from kumobashi.cli.exits import Exit
from kumobashi.cli.gateways import Gateways, calm, end_like_ctrl_c, free_ports
from kumobashi.cli.terminal import Terminal
from kumobashi.cli.wording import spent

if TYPE_CHECKING:
    from kumobashi.cli.night import Night

_MARK = ".kumobashi-demo"
_HALL = "hall-core"


@command(
    "demo",
    ja="架空市をつくり、4つのゲートウェイを動かし、一晩の連携を流して、画面を開きます。\n"
    "住民はすべて架空です。Ctrl-C で終わります。",
    en="Build the fictional city, start its four gateways, run a night's links, show the console.\n"
    "All residents are fictional. Ctrl-C ends it.",
    example="kumobashi demo --residents 20000",
)
@city_options.residents(400_000, ja="架空の住民の数", en="How many fictional residents")
@option(
    "--seed",
    type=int,
    default=1,
    show_default=True,
    metavar="S",
    ja="架空の住民の種",
    en="Seed of the city",
)
@option("--exit", "leave", is_flag=True, ja="流し終えたら終わる", en="End when the links have run")
@option(
    "--keep",
    is_flag=True,
    ja="終わっても連携設定と結果を残す",
    en="Leave workspace and results behind",
)
@city_options.no_browser
@city_options.folder(
    ".demo",
    ja="作業用のフォルダ（デモ専用）",
    en="The folder to work in, for the demo alone",
)
def demo(
    terminal: Terminal,
    *,
    residents: int,
    seed: int,
    leave: bool,
    keep: bool,
    no_browser: bool,
    folder: Path,
) -> Exit:
    """Run the demo."""
    from kumobashi.cli.swap_story import invite_vendors

    end_like_ctrl_c()
    started = time.monotonic()
    folder = claim(folder, _MARK)
    city = folder / "city"
    shutil.rmtree(city, ignore_errors=True)
    try:
        urls = prepare(terminal, folder, city, residents, seed)
        vendors = invite_vendors(city)
        with Gateways(city, urls, city / "var" / "log") as gateways:
            night = _night(terminal, city, residents, seed)
            with step(terminal, "連携を事前点検し、件数とともに承認", "Plan and approve the links"):
                night.approve()
            with step(terminal, "4つのゲートウェイが応答", "The four gateways answer"):
                gateways.wait_ready()
            night.agree()
            night.run()
            night.swap(gateways, vendors)
            night.fail(gateways, f"{urls[_HALL]}/")
            night.conclude(url=f"{urls[_HALL]}/", seconds=time.monotonic() - started)
            if not leave:
                keep_serving(terminal, gateways, f"{urls[_HALL]}/", is_shown=not no_browser)
    except KeyboardInterrupt:
        calm()
        raise
    finally:
        if not keep:
            shutil.rmtree(city, ignore_errors=True)
    return Exit.OK


@contextmanager
def step(terminal: Terminal, ja: str, en: str) -> Iterator[None]:
    """Say what is being done, and how long it took."""
    words = terminal.t(ja, en)
    begun = time.monotonic()
    if terminal.as_json:
        yield
        return
    if terminal.out.is_terminal:
        with terminal.out.status(words):
            yield
    else:
        yield
    done = Text.assemble(("✓ ", "green"), words, (f"  {spent(time.monotonic() - begun)}", "dim"))
    terminal.out.print(done)


def claim(folder: Path, mark: str) -> Path:
    """Return the folder, if it is ours (by its mark) or nobody's."""
    folder = folder.absolute()
    if folder.exists() and any(folder.iterdir()) and not (folder / mark).exists():
        raise FolderTaken(folder=str(folder))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / mark).write_text("kumobashi\n", encoding="ascii", newline="\n")
    (folder / ".gitignore").write_text("*\n", encoding="ascii", newline="\n")
    return folder


def prepare(
    terminal: Terminal, folder: Path, city: Path, residents: int, seed: int
) -> dict[str, str]:
    """Write workspace and data; return the gateways' addresses by site."""
    from kumobashi.cli.city import is_built, write_city
    from kumobashi.planning.sampling import SAMPLE_PORTS, write_sample

    ports = free_ports(tuple(SAMPLE_PORTS))
    with step(terminal, "連携設定・鍵・署名付きディレクトリ", "Workspace, keys, signed directory"):
        write_sample(city, ports=ports)
    cache = folder / "cache"
    again = is_built(cache, residents, seed)
    told = (
        (
            f"架空の住民 {residents:,} 人（前回のものを使用）",
            f"{residents:,} fictional residents, built before",
        )
        if again
        else (f"架空の住民 {residents:,} 人をつくる", f"Build {residents:,} fictional residents")
    )
    with step(terminal, *told):
        write_city(city, residents=residents, seed=seed, cache=cache)
    return {site: f"http://127.0.0.1:{port}" for site, port in ports.items()}


def _night(terminal: Terminal, city: Path, residents: int, seed: int) -> "Night":
    from kumobashi.cli.night import Night

    return Night(terminal=terminal, folder=city, residents=residents, seed=seed, has_papers=True)


def keep_serving(terminal: Terminal, gateways: Gateways, url: str, *, is_shown: bool) -> None:
    """Keep the gateways running until Ctrl-C."""
    if not terminal.as_json:
        terminal.out.print(terminal.t("終えるには Ctrl-C", "Ctrl-C ends it"), style="dim")
    if is_shown and (os.environ.get("DISPLAY") or sys.platform in {"darwin", "win32"}):
        webbrowser.open(url)
    try:
        while True:
            gateways.check()
            time.sleep(0.5)
    except KeyboardInterrupt:
        calm()
        if not terminal.as_json:
            terminal.out.print(
                terminal.t("\nゲートウェイを終えています。", "\nEnding the gateways.")
            )
