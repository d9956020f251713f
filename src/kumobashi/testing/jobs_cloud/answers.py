"""What the cloud answers with."""

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Said:
    """An answer."""

    status: int
    body: bytes = b""
    kind: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


def error(status: int, code: str, words: str, **headers: str) -> Said:
    """Return an error as such clouds say it."""
    body = json.dumps([{"errorCode": code, "message": words}]).encode()
    return Said(status, body, headers={k.replace("_", "-"): v for k, v in headers.items()})


def told(said: Any, status: int = 200) -> Said:  # noqa: ANN401 - JSON
    """Return an answer in JSON."""
    return Said(status, json.dumps(said, ensure_ascii=False).encode())
