"""What passed a line: one JSON object for each thing heard, in the order in which it was heard.

A reader needs no key: requests are noted by method and path (which name transfer and attempt),
answers by status, and every signed statement once, as it stood on the wire.
"""

import hashlib
import json
import re
import time
from pathlib import Path

_REQUEST = re.compile(rb"(GET|POST|PUT) (/peer/v1/\S*) HTTP/1\.1\r\n")
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
_JWS = re.compile(rb"eyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{40,}\.[A-Za-z0-9_-]{86}")
_KEPT = 1 << 16  # bytes looked at again, for what the end of a block cut in two


class WireLog:
    """Writes what one line carries; without a path it only listens."""

    def __init__(self, path: Path | None = None, line: str = "") -> None:
        self._path = path
        self._line = line
        self._heard: set[bytes] = set()

    def connection(self, fault: str) -> "Ear":
        """Return an ear for one connection, which meets ``fault``."""
        return Ear(self, fault)

    def note(self, direction: str, **facts: object) -> None:
        """Add one line."""
        if self._path is None:
            return
        said = {"at": time.time(), "line": self._line, "direction": direction, **facts}
        with self._path.open("a", encoding="ascii") as file:
            file.write(json.dumps(said) + "\n")

    def fresh(self, tokens: list[bytes]) -> list[str]:
        """Return the tokens that were never heard before on this line."""
        new = [token for token in dict.fromkeys(tokens) if token not in self._heard]
        self._heard.update(new)
        return [token.decode("ascii") for token in new]


class Ear:
    """Listens to one connection."""

    def __init__(self, log: WireLog, fault: str) -> None:
        self._log = log
        self._fault = fault
        self._tail = b""

    def request(self, block: bytes) -> None:
        """Hear a block on its way to the server."""
        digest = hashlib.sha256(block).hexdigest()
        for method, path in _REQUEST.findall(block):
            said = f"{method.decode()} {path.decode('ascii', 'replace')}"
            facts = {"bytes": len(block), "sha256": digest, "fault": self._fault}
            self._log.note("request", request=said, **facts)

    def reply(self, block: bytes) -> None:
        """Hear a block on its way back, before anything is done to it."""
        statuses = [int(code) for code in _STATUS.findall(block)]
        whole = self._tail + block
        receipts = self._log.fresh(_JWS.findall(whole))
        self._tail = whole[-_KEPT:]
        if statuses or receipts:
            facts = {"bytes": len(block), "fault": self._fault}
            self._log.note("reply", status=statuses, receipts=receipts, **facts)
