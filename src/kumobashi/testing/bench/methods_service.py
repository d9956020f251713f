"""The cloud's side of SOAP and SwA: ``python -m … PORT FOLDER``.

Rows are judged and kept as the cloud of jobs does it (``jobs_cloud``), so that the methods differ
in how rows come and in nothing else. A call is one transaction, an attachment one for each batch.
"""

import csv
import io
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

import uvicorn

from kumobashi.calls.soap.packages import opened
from kumobashi.testing.bench.methods_rows import KEY, TABLE
from kumobashi.testing.bench.soap import ENVELOPE, OURS, read
from kumobashi.testing.jobs_cloud.database import Database, KeptJob
from kumobashi.testing.jobs_cloud.putting import Putting, RowRefused
from kumobashi.testing.jobs_cloud.settings import CloudSettings

ROWS_A_CALL: Final = 200  # what such clouds let one SOAP call hold
_JOB: Final = KeptJob(
    number=1, id="", kind="ingest", object=TABLE, operation="upsert", key=KEY, state="", created=0,
    moved=0, created_by="", query="", uploaded=True, processed=0, failed=0, error="",
)  # fmt: skip


class Service:
    """An ASGI application: rows in, an envelope with their number out."""

    def __init__(self, folder: Path) -> None:
        self._settings = CloudSettings.read(folder / "settings.json")
        self._database = Database(folder / "cloud.sqlite")
        self._table = self._settings.tables[TABLE]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        """Answer one request."""
        assert scope["type"] == "http"
        body, more = bytearray(), True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        headers = dict(scope["headers"])
        status, said = self._taken(bytes(body), headers.get(b"content-type", b"").decode("ascii"))
        out = [(b"content-type", b"text/xml; charset=utf-8")]
        await send({"type": "http.response.start", "status": status, "headers": out})
        await send({"type": "http.response.body", "body": _enveloped(said)})

    def _taken(self, body: bytes, content_type: str) -> tuple[int, str]:
        header = list(self._table.columns)
        package = opened(body, content_type)
        if package.attachments is None:
            rows = [[value or "#N/A" for value in row] for row in read(body)]
            if len(rows) > ROWS_A_CALL:
                return 500, "<fault>EXCEEDED_ID_LIMIT</fault>"
            return 200, self._put(header, iter(rows), len(rows) or 1)
        at = body.index(b"\r\n\r\n", package.end) + 4
        end = body.rindex(b"\r\n--")
        lines = csv.reader(io.StringIO(body[at:end].decode(), newline=""))
        return 200, self._put(next(lines), lines, self._settings.batch_rows)

    def _put(self, header: list[str], rows: Iterator[Sequence[str]], batch: int) -> str:
        putting = Putting(_JOB, self._table, header, self._settings.limits.field_characters)
        saved = failed = 0
        while held := list(islice(rows, batch)):
            with self._database.changing() as connection:
                for row in held:
                    try:
                        putting.put(connection, list(row))
                        saved += 1
                    except RowRefused:
                        failed += 1
        return f'<putResponse xmlns="{OURS}" saved="{saved}" failed="{failed}"/>'


def _enveloped(said: str) -> bytes:
    return (
        f'<?xml version="1.0"?><soap:Envelope xmlns:soap="{ENVELOPE}"><soap:Body>'
        f"{said}</soap:Body></soap:Envelope>"
    ).encode()


if __name__ == "__main__":
    uvicorn.run(
        Service(Path(sys.argv[2])),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        log_config=None,
        access_log=False,
    )
