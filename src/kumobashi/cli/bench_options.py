"""What the commands of ``kumobashi bench`` share: options that count, and programs they need."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from kumobashi.cli.command import AnyFunction, option
from kumobashi.cli.errors import ProgramsMissing
from kumobashi.cli.terminal import Terminal

if TYPE_CHECKING:
    from kumobashi.testing.bench.programs import Peers


def number(
    name: str, default: int, *, least: int = 1, most: int, ja: str, en: str
) -> Callable[[AnyFunction], AnyFunction]:
    """Give a command an option that counts."""
    bounds = click.IntRange(least, most)
    return option(name, type=bounds, default=default, show_default=True, ja=ja, en=en)


ROUNDS = number("--rounds", 3, most=100, ja="くり返し（交互）", en="How often, turn by turn")


def refuse_missing(terminal: Terminal, peers: "Peers") -> None:
    """Raise ``ProgramsMissing`` for programs that these peers need and that are not here."""
    from kumobashi.testing.bench.programs import missing_programs

    if missing := missing_programs(peers):
        how = terminal.t(
            "age・zstd・curl は Debian のパッケージです。ほかは make bench が入れます。",
            "age, zstd and curl are Debian packages; make bench brings the others.",
        )
        raise ProgramsMissing(names=", ".join(missing), how=how)
