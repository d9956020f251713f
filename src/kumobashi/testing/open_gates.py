"""Gates that measure and let everything pass, for tests and benchmarks of what comes behind them.

Exchange is judged by rows that arrive as the rule says. What a gate does to rows has tests of its
own, with the sample's gates as they are.
"""

import re
from pathlib import Path

_GATE = re.compile(r"^gate:(?: [^\n]*)?\n(?:[ #][^\n]*\n)*", re.MULTILINE)
_OPEN = "gate: {max_prosecutor: 1.0}\n"  # measured, and never more


def open_gates(folder: Path) -> None:
    """Open the gate of every release rule of a workspace."""
    for path in sorted((folder / "rules").glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        path.write_text(_GATE.sub(_OPEN, text if text.endswith("\n") else f"{text}\n"), "utf-8")
