"""A gateway that only has a local API, answers from memory and notes what it was asked."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from kumobashi.exchange.views import HoldingView, Overview, TransferView
from kumobashi.service.local_api import plain


class FakeGateway:
    """Tell each transfer in turn, the last one for ever."""

    def __init__(self, overview: Overview, transfers: list[TransferView]) -> None:
        self.overview = overview
        self.transfers = list(transfers)
        self.problem: dict[str, Any] | None = None
        self.status = 200
        self.decided: HoldingView | None = None
        self.lines: list[dict[str, Any]] = []
        self.asked: list[tuple[str, str, str | None, Any]] = []
        self.port = 0

    def answer(self, method: str, path: str) -> Any:
        if self.problem is not None:
            return self.problem
        if path.endswith("/lines"):
            return {"lines": self.lines, "paused_links": []}
        if path.startswith("/api/v1/links/") and path.endswith(("/pause", "/resume")):
            return {"link": path.split("/")[4], "paused": path.endswith("/pause")}
        if path.endswith("/overview"):
            return plain(self.overview)
        if "/deletions" in path:
            held = plain(list(self.overview.overdue))
            is_list = path.endswith("/deletions")
            return {"site": "hall-core", "holdings": held} if is_list else plain(self.decided)
        view = self.transfers.pop(0) if len(self.transfers) > 1 else self.transfers[0]
        return {"version": "1", "transfer": plain(view), "is_new": method == "POST"}

    @contextmanager
    def serving(self) -> Iterator["FakeGateway"]:
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def _handler(fake: FakeGateway) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._tell()

        def do_POST(self) -> None:
            self._tell()

        def log_message(self, *args: Any) -> None:
            pass

        def _tell(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(size) or b"null")
            fake.asked.append((self.command, self.path, self.headers["Authorization"], body))
            answer = json.dumps(fake.answer(self.command, self.path)).encode()
            self.send_response(fake.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

    return Handler
