"""What a reference to a secret leads to: files of the workspace and variables of this process."""

import os
from pathlib import Path

from kumobashi.service.errors import SecretMissing


def secret(folder: Path, reference: str) -> str:
    """Return what ``env:NAME`` or ``file:path`` refers to."""
    kind, _, rest = reference.partition(":")
    if kind == "env" and (value := os.environ.get(rest)):
        return value
    if kind == "file":
        try:
            return (folder / rest).read_text(encoding="utf-8").strip()
        except OSError:
            pass
    raise SecretMissing(reference=reference)
