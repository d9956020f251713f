"""What a command knows of the terminal it speaks to: language, form, and where the workspace is."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from rich.console import Console

from kumobashi.cli.errors import NoWorkspace
from kumobashi.exchange.views import Words
from kumobashi.kernel import Language

if TYPE_CHECKING:
    from kumobashi.planning.workspace import Workspace

MAIN = "kumobashi.yaml"
WIDTH = 100  # columns that our pictures and tables fit into


@dataclass(kw_only=True)
class Terminal:
    """Filled by the options of the command line while they are read."""

    lang: Language = "ja"
    as_json: bool = False
    wish: Path | None = None  # --workspace

    def t(self, ja: str, en: str) -> str:
        """Return the sentence in the chosen language."""
        return ja if self.lang == "ja" else en

    def say(self, words: Words) -> str:
        """Return the sentence in the chosen language."""
        return words.ja if self.lang == "ja" else words.en

    @cached_property
    def out(self) -> Console:
        """Where answers go."""
        return _console(sys.stdout)

    @cached_property
    def err(self) -> Console:
        """Where failures go."""
        return _console(sys.stderr)

    @property
    def width(self) -> int:
        """How long a line of our own may be."""
        return min(self.out.width, WIDTH)

    def emit(self, value: object) -> None:
        """Print a JSON value for machines."""
        # Not every pipe of Windows is one of Unicode; escaped, JSON stays what it is.
        is_plain = not sys.stdout.encoding.lower().startswith("utf")
        # Whoever reads a pipe hears it now, also when this process goes on serving.
        print(json.dumps(value, ensure_ascii=is_plain, indent=2), flush=True)  # noqa: T201 - output

    @property
    def folder(self) -> Path:
        """The workspace: as wished, else the nearest folder with ``kumobashi.yaml``.

        Raises:
            NoWorkspace: there is none.
        """
        start = (self.wish or Path.cwd()).absolute()
        around = (start,) if self.wish else (start, *start.parents)
        for folder in around:
            if (folder / MAIN).is_file():
                return folder
        raise NoWorkspace(folder=str(self.wish or "."))

    def workspace(self) -> "Workspace":
        """Read the workspace, or raise ``WorkspaceBroken`` with all mistakes."""
        from kumobashi.planning.workspace import load

        return load(self.folder)


def speak_anywhere() -> None:
    """Let a letter that the terminal's code page lacks become ``?``, and never end the command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def _console(file: TextIO, environ: Mapping[str, str] = os.environ) -> Console:
    # A pipe or a file has no width of its own; lines there are as long as in our pictures.
    width = None if file.isatty() or environ.get("COLUMNS", "").isdigit() else WIDTH
    return Console(file=file, highlight=False, width=width, emoji=False)
