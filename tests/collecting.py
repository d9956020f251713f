"""A collector of traces for tests: takes OTLP over HTTP, as real ones do, and keeps spans."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True, slots=True)
class Seen:
    """One span as it came."""

    site: str
    name: str
    kind: int
    trace: str
    span: str
    parent: str
    attributes: dict[str, Any]
    seconds: float
    is_error: bool


@dataclass
class Collector:
    """What has come so far."""

    url: str = ""
    spans: list[Seen] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)

    def of(self, name: str, site: str | None = None) -> list[Seen]:
        """Return the spans of a name, at a site or anywhere."""
        return [one for one in self.spans if one.name == name and site in {None, one.site}]

    def take(self, body: bytes) -> None:
        """Keep the spans of a request."""
        self.raw.append(body)
        for group in ExportTraceServiceRequest.FromString(body).resource_spans:
            of = {one.key: one.value.string_value for one in group.resource.attributes}
            for scope in group.scope_spans:
                for made in scope.spans:
                    self.spans.append(
                        Seen(
                            site=of["service.instance.id"],
                            name=made.name,
                            kind=made.kind,
                            trace=made.trace_id.hex(),
                            span=made.span_id.hex(),
                            parent=made.parent_span_id.hex(),
                            attributes={
                                one.key: getattr(one.value, one.value.WhichOneof("value"))
                                for one in made.attributes
                            },
                            seconds=(made.end_time_unix_nano - made.start_time_unix_nano) / 1e9,
                            is_error=made.status.code == 2,
                        )
                    )


@contextmanager
def collecting() -> Iterator[Collector]:
    """Listen on a free port as long as the block is open."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            is_ours = self.path == "/v1/traces"
            if is_ours:
                collector.take(body)
            self.send_response(200 if is_ours else 404)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield collector
        finally:
            server.shutdown()
            thread.join()
