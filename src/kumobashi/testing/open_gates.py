"""Gates that measure and let everything pass, for tests and benchmarks of what comes behind them.

Exchange is judged by rows that arrive as the rule says. What a gate does to rows, and a register of
protective measures, has tests of its own, with the sample as it is.
"""

import re
from pathlib import Path

_GATE = re.compile(r"^gate:(?: [^\n]*)?\n(?:[ #][^\n]*\n)*", re.MULTILINE)
_MEASURES = re.compile(r"^protective_measures:\n(?:[ ][^\n]*\n)*", re.MULTILINE)
_OPEN = "gate: {max_prosecutor: 1.0}\n"  # measured, and never more


def open_gates(folder: Path) -> None:
    """Open the gate of every release rule of a workspace, and let it have no protected persons."""
    main = folder / "kumobashi.yaml"
    main.write_text(_MEASURES.sub("", main.read_text(encoding="utf-8")), encoding="utf-8")
    for path in sorted((folder / "rules").glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        path.write_text(_GATE.sub(_OPEN, text if text.endswith("\n") else f"{text}\n"), "utf-8")
