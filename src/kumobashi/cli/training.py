"""``kumobashi training``: the console on a fictional city that stays until it is made anew."""

import shutil
import time
from pathlib import Path

from kumobashi.cli import city_options
from kumobashi.cli.command import command, option
from kumobashi.cli.demo import claim, keep_serving, prepare, step
from kumobashi.cli.errors import PortTaken
from kumobashi.cli.exits import Exit
from kumobashi.cli.gateways import Gateways, calm, end_like_ctrl_c
from kumobashi.cli.night import Night
from kumobashi.cli.terminal import Terminal

_MARK = ".kumobashi-training"
_DONE = ".ready"
_HALL = "hall-core"


@command(
    "training",
    ja="訓練: 架空の市で画面と操作を練習します。画面には「訓練中」と出て、外へは何も出ません。\n"
    "続きは次に開いたときに残り、--reset ではじめに戻ります。Ctrl-C で終わります。",
    en="Training: practise on a fictional city. Every page says so, and nothing leaves it.\n"
    "What you do stays for the next time; --reset begins anew. Ctrl-C ends it.",
    example="kumobashi training --residents 8000",
)
@city_options.residents(
    8_000, ja="架空の住民の数（作るときだけ）", en="How many fictional residents, when it is made"
)
@option("--reset", is_flag=True, ja="はじめからやり直す", en="Begin anew")
@option("--exit", "leave", is_flag=True, ja="用意ができたら終わる", en="End when it is ready")
@city_options.no_browser
@city_options.folder(
    ".training",
    ja="訓練用のフォルダ（本物の連携設定とは別）",
    en="The folder of the training, apart from the real workspace",
)
def training(
    terminal: Terminal,
    *,
    residents: int,
    reset: bool,
    leave: bool,
    no_browser: bool,
    folder: Path,
) -> Exit:
    """Make the city if need be, and serve it."""
    end_like_ctrl_c()
    folder = claim(folder, _MARK)
    city = folder / "city"
    try:
        _leave_alone_if_served(city)
        is_ready = (city / _DONE).exists() and not reset
        if is_ready:
            urls = _allowed(city)
        else:
            shutil.rmtree(city, ignore_errors=True)  # what was not finished is made anew
            urls = prepare(terminal, folder, city, residents, 1)
        night = Night(terminal=terminal, folder=city, residents=residents, seed=1)
        if not is_ready:
            # Before the gateways start: they look at the whole workspace, which must be at rest.
            with step(terminal, "連携を事前点検し、件数とともに承認", "Plan and approve the links"):
                night.approve()
        with Gateways(city, urls, city / "var" / "log", is_training=True) as gateways:
            with step(terminal, "ゲートウェイが応答", "The gateways answer"):
                gateways.wait_ready()
            if not is_ready:
                begun = time.monotonic()
                night.run()
                if not terminal.as_json:
                    night.conclude(url=f"{urls[_HALL]}/", seconds=time.monotonic() - begun)
                (city / _DONE).write_bytes(b"")
            _tell(terminal, f"{urls[_HALL]}/", city)
            if not leave:
                keep_serving(terminal, gateways, f"{urls[_HALL]}/", is_shown=not no_browser)
    except KeyboardInterrupt:
        calm()
        raise
    return Exit.OK


def _leave_alone_if_served(city: Path) -> None:
    """Raise ``AlreadyRunning`` while a gateway of this city runs."""
    from kumobashi.storage.errors import AlreadyRunning
    from kumobashi.storage.sole_use import hold

    for path in city.glob("var/*/lock"):
        held = hold(path)
        if held is None:
            raise AlreadyRunning(site=path.parent.name)
        held.close()


def _allowed(city: Path) -> dict[str, str]:
    """Return the gateways' addresses; the directory is signed anew, so that it never ends.

    Raises:
        LeavesTraining: somebody has made a real workspace of it, or a way out.
        PortTaken: another program listens where a gateway would.
    """
    from kumobashi.cli.checkup.room import port
    from kumobashi.kernel import SystemClock
    from kumobashi.planning.publishing import publish_directory
    from kumobashi.planning.workspace import load
    from kumobashi.service.training import refuse_outside

    workspace = load(city)
    refuse_outside(workspace, None)  # before anything is signed
    urls = {name: site.url for name, site in workspace.sites.items()}
    for site, url in urls.items():
        if port(site, url):
            raise PortTaken(url=url)
    publish_directory(city, now=SystemClock().now())
    return urls


def _tell(terminal: Terminal, url: str, city: Path) -> None:
    if terminal.as_json:
        terminal.emit({"url": url, "workspace": str(city)})
        return
    terminal.out.print(terminal.t(f"訓練中: {url}", f"In training: {url}"), style="bold")
    word = terminal.t("連携設定", "Workspace")
    terminal.out.print(f"{word}: {city}", style="dim", soft_wrap=True)
