"""What ``env:NAME`` and ``file:path`` refer to; a secret itself stands in no file of settings."""

import os
from pathlib import Path

from kumobashi.service.errors import SecretMissing


def secret(folder: Path, reference: str) -> str:
    """Return what a reference leads to; files are relative to the workspace.

    Raises:
        SecretMissing: nothing is there.
    """
    kind, _, rest = reference.partition(":")
    if kind == "env" and (value := os.environ.get(rest)):
        return value
    if kind == "file":
        try:
            return (folder / rest).read_text(encoding="utf-8").strip()
        except OSError:
            pass
    raise SecretMissing(reference=reference)
