"""Our own way: run the link through the hall's local API and wait for the ``applied`` receipt."""

import http.client
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kumobashi.testing.bench.errors import TransferNotApplied
from kumobashi.testing.bench.gateways import LINK

_WAIT_SECONDS = 20
_ENDED = frozenset({"applied", "refused", "held", "cancelled"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """One transfer that arrived."""

    seconds: float  # from the submitting until its sender told us that the receipt is durable
    seconds_recorded: float | None  # between the times that the gateway itself keeps
    stages: Mapping[str, float]
    rows: int
    smallest_class: int | None
    sealed_bytes: int | None


class Hall:
    """The local API of the sending gateway."""

    def __init__(self, port: int, token: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self._headers = {"authorization": f"Bearer {token.strip()}"}

    def carry(self, on: str) -> Carried:
        """Run the link once more for a date, from submit to the last receipt.

        Raises:
            TransferNotApplied: it ended otherwise, or waits for something.
        """
        self.close()  # since the last turn the gateway has closed it; it is opened by itself
        began = time.perf_counter()
        answer = self._call("POST", f"/api/v1/links/{LINK}/runs", {"date": on, "again": True})
        name = answer["transfer"]["transfer"]
        while True:
            seen = answer["version"]
            answer = self._call("GET", f"/api/v1/transfers/{name}?wait={_WAIT_SECONDS}&seen={seen}")
            transfer = answer["transfer"]
            if transfer["state"] in _ENDED or transfer["cause"]:
                break
        seconds = time.perf_counter() - began
        if transfer["state"] != "applied":
            cause = transfer["cause"]["what"]["en"] if transfer["cause"] else "?"
            raise TransferNotApplied(state=transfer["state"], cause=cause)
        return Carried(
            seconds=seconds,
            seconds_recorded=transfer["seconds"],
            stages={
                stage["stage"]: stage["seconds"]
                for stage in transfer["stages"]
                if stage["seconds"] is not None
            },
            rows=transfer["rows_applied"],
            smallest_class=transfer["smallest_class"],
            sealed_bytes=transfer["sealed_bytes"],
        )

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    def _call(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        sent = json.dumps(body).encode() if body is not None else None
        self._connection.request(method, path, body=sent, headers=self._headers)
        answer = self._connection.getresponse()
        value = json.loads(answer.read())
        if answer.status >= http.client.BAD_REQUEST or not isinstance(value, dict):
            raise TransferNotApplied(state=f"HTTP {answer.status}", cause=str(value)[:300])
        return value
