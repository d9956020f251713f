"""The SOAP peer's side that receives: ``python -m … PORT DSN``; each call is committed."""

import sys
from typing import Any

import asyncpg
import uvicorn

from kumobashi.testing.bench.soap import ENVELOPE, OURS, read

TABLE = "soap_rows"
_CONNECTIONS = 4  # as many as calls that the bench has under way
COLUMNS = (  # the types of the table, in order: values arrive as text
    "text",
    "date",
    "text",
    "integer",
    "text",
    "smallint",
    "smallint[]",
    "integer[]",
    *["smallint"] * 5,
)
_VALUES = ", ".join(f"(${n}::text)::{kind}" for n, kind in enumerate(COLUMNS, 1))
_INSERT = f"insert into {TABLE} values ({_VALUES})"
_DONE = (
    f'<?xml version="1.0"?><soap:Envelope xmlns:soap="{ENVELOPE}"><soap:Body>'
    f'<putResponse xmlns="{OURS}"/></soap:Body></soap:Envelope>'
).encode()


class Service:
    """An ASGI application: rows in, one transaction a call, an envelope out."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._pool: asyncpg.Pool | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        """Answer one request."""
        assert scope["type"] == "http"
        if self._pool is None:
            self._pool = await asyncpg.create_pool(self._dsn, min_size=1, max_size=_CONNECTIONS)
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        if body:
            async with self._pool.acquire() as connection:
                await connection.executemany(_INSERT, read(body))  # one transaction
        headers = [(b"content-type", b"text/xml; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": _DONE})


if __name__ == "__main__":
    uvicorn.run(
        Service(sys.argv[2]),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        lifespan="off",
        log_level="warning",
        access_log=False,
    )
