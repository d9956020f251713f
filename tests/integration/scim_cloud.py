"""The other side of a push: scim2-server over a real socket, with a temper that a test gives it."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from scim2_models import ScimProvider
from scim2_server.memory import InMemoryStorage
from scim2_server.service import ScimService
from scim2_server.testserver.application import BEARER_TOKEN_SCHEME, BearerTokenApplication
from scim2_server.testserver.cli import ThreadingWSGIServer
from scim2_server.utils import (
    load_default_resource_types,
    load_default_schemas,
    load_default_service_provider_config,
)

from tests.integration.scim_sockets import SocketClient

TOKEN = "a-token-of-the-cloud"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"


def _unheard(_status: str, _headers: Any, _error: Any = None, /) -> Callable[[bytes], object]:
    """Take an answer that nobody hears."""
    return lambda _body: None


@dataclass
class Temper:
    """How the service behaves besides."""

    later: int = 0  # answers "later" so often
    status: str = "429 Too Many Requests"
    retry_after: str = "1"
    lost: int = 0  # so many changes are made, and their answers never come
    before: Callable[[str, str], None] | None = None  # called with method and path
    asked: list[tuple[str, str]] = field(default_factory=list)

    @property
    def changes(self) -> list[tuple[str, str]]:
        """The requests that were to change something."""
        return [one for one in self.asked if one[0] != "GET"]


@dataclass(frozen=True)
class Cloud:
    """A service that runs."""

    base: str
    temper: Temper
    storage: InMemoryStorage

    def client(self) -> SocketClient:
        return SocketClient(self.base, TOKEN)

    def group(self, name: str, *members: str) -> str:
        said = {"schemas": [GROUP], "displayName": name, "members": [{"value": m} for m in members]}
        return str(self.client().request("POST", "/Groups", json=said).json()["id"])

    def add(self, name: str, **more: Any) -> dict[str, Any]:
        said = {"schemas": [USER], "userName": name, **more}
        found: dict[str, Any] = self.client().request("POST", "/Users", json=said).json()
        return found

    def people(self) -> dict[str, dict[str, Any]]:
        held = self.client().request("GET", "/Users").json().get("Resources", [])
        return {one["userName"]: one for one in held}

    def members(self, group: str) -> set[str]:
        held = self.client().request("GET", f"/Groups/{group}").json()
        names = {one["id"]: name for name, one in self.people().items()}
        return {names[one["value"]] for one in held.get("members", [])}


@contextmanager
def served_cloud(*, patches: bool = True) -> Iterator[Cloud]:
    """Run a service; ``patches``: whether it knows PATCH."""
    config = load_default_service_provider_config()
    config.authentication_schemes = [BEARER_TOKEN_SCHEME]
    assert config.patch
    config.patch.supported = patches
    provider = ScimProvider.from_discovery(
        load_default_schemas().values(), load_default_resource_types().values(), config=config
    )
    storage, temper = InMemoryStorage(), Temper()
    service = ScimService(provider, secret="of this test")
    inner = BearerTokenApplication(storage, provider, service=service, bearer_tokens=[TOKEN])

    def app(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        temper.asked.append((method, path))
        if temper.later:
            temper.later -= 1
            start(temper.status, [("Retry-After", temper.retry_after)])
            return [b"later"]
        if temper.before:
            temper.before(method, path)
        if temper.lost and method != "GET":
            temper.lost -= 1
            list(inner(environ, _unheard))
            time.sleep(1.5)  # longer than the one who asks waits
        return inner(environ, start)

    with make_server(
        "127.0.0.1", 0, app, server_class=ThreadingWSGIServer, handler_class=_Quiet
    ) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield Cloud(f"http://127.0.0.1:{server.server_port}/v2", temper, storage)
        finally:
            server.shutdown()
            thread.join()


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_said: Any) -> None:
        """Say nothing: an answer that nobody waits for is part of a test."""
