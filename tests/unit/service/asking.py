"""Ask an application of Starlette directly, as a server would; no sockets."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from starlette.applications import Starlette
from starlette.types import Message


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    media_type: str
    text: str

    def json(self) -> Any:
        return json.loads(self.text)


class Client:
    """Sends JSON with a token."""

    def __init__(self, application: Starlette, token: str) -> None:
        self._application = application
        self._token = token

    def ask(
        self,
        method: str,
        address: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        token: str | None = None,
    ) -> Answer:
        parts = urlsplit(address)
        said: list[Message] = []
        sent = b"" if body is None else json.dumps(body).encode()
        all_headers = {
            "host": "localhost",
            "authorization": f"Bearer {token or self._token}",
            **(headers or {}),
        }
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": parts.path,
            "raw_path": quote(parts.path).encode(),
            "query_string": (urlencode(query) if query else parts.query).encode(),
            "root_path": "",
            "headers": [(k.encode(), v.encode("latin-1")) for k, v in all_headers.items()],
            "client": ("127.0.0.1", 1),
            "server": ("localhost", 80),
        }

        async def receive() -> Message:
            return {"type": "http.request", "body": sent, "more_body": False}

        async def send(message: Message) -> None:
            said.append(message)

        asyncio.run(self._application(scope, receive, send))
        found = dict(said[0]["headers"])
        text = b"".join(message.get("body", b"") for message in said[1:]).decode()
        return Answer(said[0]["status"], found.get(b"content-type", b"").decode(), text)
