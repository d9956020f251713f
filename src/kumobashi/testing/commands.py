"""``kumobashi`` commands as processes of their own, forked: their libraries are in memory already.

What the command prints, how it ends and what it leaves behind are those of ``python -m kumobashi``.
"""

import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kumobashi.testing.forking import fork

LONGEST_SECONDS = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a command ended; ``output`` is what it printed, its errors too unless they are apart."""

    exit_code: int
    output: str
    errors: str = ""


def command(
    *words: str | Path,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    errors_apart: bool = False,
) -> Ended:
    """Run ``kumobashi`` with these words in a folder and return how it ended."""
    wish = dict(os.environ) | dict(environment or {})
    with tempfile.TemporaryDirectory(prefix="kumo-command-") as place:
        out, err = Path(place) / "out", Path(place) / "err"
        said = str(err) if errors_apart else ""
        process = fork(_be_command, list(map(str, words)), str(folder), wish, str(out), said)
        process.join(LONGEST_SECONDS)
        if process.exitcode is None:
            process.kill()
            process.join()
        code = process.exitcode
        assert code is not None
        process.close()
        return Ended(
            exit_code=code,
            output=out.read_text("utf-8", "replace"),
            errors=err.read_text("utf-8", "replace") if errors_apart else "",
        )


def _be_command(
    words: list[str], folder: str, environment: dict[str, str], out: str, err: str
) -> None:
    """Be the command: runs in the forked process."""
    from kumobashi.cli.entry import main  # noqa: PLC0415 - only in that process

    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    for number, name, place in ((1, "stdout", out), (2, "stderr", err)):
        if place:
            held = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.dup2(held, number)
            os.close(held)
        else:
            os.dup2(1, number)
        lines = 1 if name == "stderr" else -1  # as Python has it: errors come line by line
        stream = open(number, "w", lines, encoding="utf-8", closefd=False)  # noqa: SIM115 - stays open
        setattr(sys, name, stream)
    sys.argv = ["kumobashi", *words]
    main()
