"""The examples in our pages, found and run. CONTRIBUTING.md tells writers how to mark them."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE, OutputChecker
from pathlib import Path

from kumobashi.testing import commands as commands_of_ours

ROOT = Path(__file__).resolve().parents[2]
LONGEST_SECONDS = 300

_REAL = frozenset({"demo", "--version"})  # as a person starts them, with a Python of their own
_OF_THE_SHELL = frozenset("|&;<>()$`\\\n*?[]~")
_MARK = re.compile(r"^<!-- run(?:: exit (?P<exit>\d+))? -->$")
_FENCE = re.compile(r"^\s*(?P<fence>```+)(?P<language>[a-z]*)\s*$")


@dataclass(kw_only=True)
class Command:
    """One ``$ kumobashi …`` of a page, with what the page says it prints."""

    line: int
    text: str
    exit_code: int
    shown: list[str] = field(default_factory=list)

    @property
    def output(self) -> str:
        return "".join(f"{line}\n" for line in self.shown).rstrip("\n")


@dataclass(frozen=True, kw_only=True)
class Block:
    """One fenced block of a page; ``line`` is where its body begins."""

    language: str
    mark: re.Match[str] | None
    line: int
    body: list[str]


def pages(root: Path = ROOT) -> list[Path]:
    """Return the pages whose examples must hold."""
    candidates = [root / "README.md", root / "README.ja.md", *sorted((root / "docs").rglob("*.md"))]
    return [page for page in candidates if page.exists()]


def blocks(text: str) -> Iterator[Block]:
    """Find the fenced blocks of a page, each with the mark above it, if any."""
    mark: re.Match[str] | None = None
    lines = iter(enumerate(text.splitlines(), 1))
    for _, line in lines:
        if opening := _FENCE.match(line):
            body: list[str] = []
            first = 0
            for number, inner in lines:
                first = first or number
                if inner.strip() == opening["fence"]:
                    break
                body.append(inner)
            yield Block(language=opening["language"], mark=mark, line=first, body=body)
            mark = None
        elif line.strip():
            mark = _MARK.match(line.strip())


def commands(text: str) -> list[Command]:
    """Return the commands of a page's marked console blocks, in order."""
    found: list[Command] = []
    for block in blocks(text):
        if block.language != "console" or block.mark is None:
            continue
        expected = int(block.mark["exit"] or 0)
        current: Command | None = None
        for number, line in enumerate(block.body, block.line):
            if line.startswith("$ "):
                current = Command(line=number, text=line[2:], exit_code=0)
                found.append(current)
            elif current is not None and current.text.endswith("\\"):
                current.text = f"{current.text[:-1].rstrip()} {line.strip()}"
            elif current is not None:
                current.shown.append(line)
        if current is not None:
            current.exit_code = expected  # the mark speaks of the block's last command
    return [command for command in found if command.text.split()[0] in {"kumobashi", "cd"}]


def python_only(text: str) -> str:
    """Blank out all of a page but its Python examples, so that line numbers stay true."""
    kept = [""] * (len(text.splitlines()) + 1)
    for block in blocks(text):
        if block.language == "python":
            kept[block.line - 1 : block.line - 1 + len(block.body)] = block.body
    return "\n".join(kept)


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a command ended, and all that it printed."""

    exit_code: int
    output: str


def invoke(command: Command, folder: Path, home: Path) -> Ended:
    """Run one command in ``folder``: ours without a new Python, others in a shell."""
    environ = {"HOME": str(home), "COLUMNS": "100", "NO_COLOR": "1"}
    words = shlex.split(command.text)
    if (
        words[:1] == ["kumobashi"]
        and words[1] not in _REAL
        and not set(command.text) & _OF_THE_SHELL
    ):
        done = commands_of_ours.command(*words[1:], folder=folder, environment=environ)
        return Ended(exit_code=done.exit_code, output=done.output)
    found = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    shell = subprocess.run(
        ["/bin/sh", "-c", command.text],
        cwd=folder,
        env={**os.environ, **environ, "PATH": found},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=LONGEST_SECONDS,
        check=False,
    )
    return Ended(exit_code=shell.returncode, output=shell.stdout)


def trouble(command: Command, ended: Ended) -> str:
    """Return what differs from the page, or an empty text."""
    where = f"line {command.line}: $ {command.text}"
    if ended.exit_code != command.exit_code:
        return f"{where}\nexit {ended.exit_code}, not {command.exit_code}\n{ended.output}"
    same = OutputChecker().check_output(
        f"{command.output}\n", ended.output.rstrip("\n") + "\n", ELLIPSIS | NORMALIZE_WHITESPACE
    )
    if command.output and not same:
        return f"{where}\nthe page shows:\n{command.output}\n\nit printed:\n{ended.output}"
    return ""
