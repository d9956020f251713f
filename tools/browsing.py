"""A headless Chromium that shows our own pages and can reach nothing else.

The browser is the machine's own (Debian: ``apt-get install chromium fonts-noto-cjk``), driven by
Playwright out of ``.venv-interop``; nothing is downloaded. Names of other hosts do not resolve in
it, so that a page which asks for something from elsewhere fails on every machine.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAMED = "KUMO_CHROMIUM"
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_ARGUMENTS = (
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--hide-scrollbars",
    "--font-render-hinting=none",  # the same letters whatever the machine's desktop prefers
    "--disable-lcd-text",
)


class BrowserMissing(Exception):
    """There is no browser to look with, or no Japanese letters; says what to install."""


def chromium() -> Path:
    """Return the program; raise ``BrowserMissing`` when there is none."""
    named = os.environ.get(NAMED)
    found = shutil.which(named) if named else next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        raise BrowserMissing(
            f"{NAMED} の {named} がありません / {NAMED} names {named}, which is not there"
            if named
            else "Chromium がありません（Debian: apt-get install chromium fonts-noto-cjk。"
            f"ほかの場所なら {NAMED}） / no Chromium found; install it or name it in {NAMED}"
        )
    return Path(found)


def check_fonts() -> None:
    """Raise ``BrowserMissing`` when Japanese would be drawn as empty boxes."""
    lister = shutil.which("fc-list")
    if lister is None:
        return  # no fontconfig to ask: take the desktop's word
    said = subprocess.run([lister, ":lang=ja", "family"], capture_output=True, check=False)
    if not said.stdout.strip():
        raise BrowserMissing(
            "日本語の書体がありません（Debian: apt-get install fonts-noto-cjk）"
            " / no Japanese font; install fonts-noto-cjk"
        )


@contextmanager
def browser() -> Iterator["Browser"]:
    """Start the browser; it ends with the block.

    Raises:
        BrowserMissing: no Chromium, no Japanese font, or no Playwright in this environment.
    """
    program = chromium()
    check_fonts()
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only in .venv-interop
    except ModuleNotFoundError as error:
        raise BrowserMissing(
            "Playwright がありません（make interop か make pictures で動かしてください）"
            " / no Playwright here; run `make interop` or `make pictures`"
        ) from error
    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=program, args=list(_ARGUMENTS))
        try:
            yield opened
        finally:
            opened.close()
