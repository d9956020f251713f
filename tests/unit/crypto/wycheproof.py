"""Where the vectors of Project Wycheproof lie when they are at hand; this tree holds none."""

import json
from pathlib import Path
from typing import Any

import pytest

_FOLDER = Path(__file__).parents[3].parent / "shared" / "reference" / "wycheproof"


def groups(name: str) -> list[dict[str, Any]]:
    """Return the groups of one file of vectors, or skip the test that asks for them."""
    path = _FOLDER / name
    if not path.is_file():
        pytest.skip(f"the vectors {name} of Wycheproof are not at hand")
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["testGroups"]
    return found
