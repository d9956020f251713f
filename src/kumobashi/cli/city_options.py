"""Options of the commands that play with the fictional city: ``demo`` and ``training``."""

from collections.abc import Callable
from pathlib import Path

import click

from kumobashi.cli.command import AnyFunction, option

no_browser = option("--no-browser", is_flag=True, ja="ブラウザーを開かない", en="Open no browser")


def residents(default: int, *, ja: str, en: str) -> Callable[[AnyFunction], AnyFunction]:
    """Ask how many residents the city has."""
    return option(
        "--residents",
        type=click.IntRange(1_000, 4_000_000),
        default=default,
        show_default=True,
        metavar="N",
        ja=ja,
        en=en,
    )


def folder(default: str, *, ja: str, en: str) -> Callable[[AnyFunction], AnyFunction]:
    """Ask for a folder that is the city's alone."""
    return option(
        "--folder",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path(default),
        show_default=True,
        metavar="DIR",
        ja=ja,
        en=en,
    )
