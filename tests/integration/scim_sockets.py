"""A client of SCIM over a real socket, and a real gateway that a provider may push accounts to."""

import http.client
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from scim2_client import BaseSyncSCIMClient
from scim2_models import ScimProvider

from kumobashi.cli.gateways import free_ports
from kumobashi.planning.sampling import SAMPLE_PORTS, write_sample
from kumobashi.service.scim_tokens import ProviderTokens
from kumobashi.testing.gateways import GatewayProcess

PROVIDER = "city-login"


@dataclass
class Reply:
    """What came back."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)

    @property
    def text(self) -> str:
        return self.content.decode()

    def json(self) -> Any:
        return json.loads(self.content)


class SocketClient(BaseSyncSCIMClient):
    """scim2-client over ``http.client``."""

    def __init__(self, base: str, token: str, provider: ScimProvider | None = None) -> None:
        super().__init__(provider=provider)
        self.base, self.token = urlsplit(base), token

    def _stays_under_base_url(self, endpoint: str) -> bool:
        return not urlsplit(endpoint).scheme or endpoint.startswith(self.base.geturl())

    def _parse_json(self, response: Any) -> Any:
        return response.json()

    def request(self, method: str, url: str, **said: Any) -> Reply:
        parts = urlsplit(url)
        path = parts.path if parts.scheme else f"{self.base.path}/{parts.path.lstrip('/')}"
        query = "&".join(
            one for one in (parts.query, urlencode(said.get("params") or {}, doseq=True)) if one
        )
        headers = {"authorization": f"Bearer {self.token}", **(said.get("headers") or {})}
        body = said.get("content") or said.get("data")
        if said.get("json") is not None:
            body = json.dumps(said["json"]).encode()
            headers = {"content-type": "application/scim+json"} | {
                key.lower(): value for key, value in headers.items()
            }
        line = http.client.HTTPConnection(self.base.hostname or "", self.base.port, timeout=30)
        try:
            line.request(method, f"{path}?{query}" if query else path, body=body, headers=headers)
            answer = line.getresponse()
            found = {key.lower(): value for key, value in answer.getheaders()}
            return Reply(answer.status, _AnyCase(found), answer.read())
        finally:
            line.close()


class _AnyCase(dict[str, str]):
    def __getitem__(self, key: str) -> str:
        return super().__getitem__(key.lower())

    def get(self, key: str, default: Any = None) -> Any:
        return super().get(key.lower(), default)

    def __contains__(self, key: object) -> bool:
        return super().__contains__(str(key).lower())


@dataclass(frozen=True, slots=True, kw_only=True)
class Hall:
    """A gateway that runs."""

    folder: Path
    gateway: GatewayProcess
    base: str
    tokens: ProviderTokens
    token: str

    def client(self, token: str | None = None) -> SocketClient:
        return SocketClient(self.base, token or self.token)


@contextmanager
def served_hall(folder: Path) -> Iterator[Hall]:
    """Run the hall's gateway with a token for one provider."""
    ports = free_ports(tuple(SAMPLE_PORTS))
    city = write_sample(folder / "city", ports=ports)
    url = f"http://127.0.0.1:{ports['hall-core']}"
    tokens = ProviderTokens(city / "private" / "hall-core", site="hall-core")
    gateway = GatewayProcess(city, "hall-core", url)
    try:
        gateway.wait_ready()
        yield Hall(
            folder=city,
            gateway=gateway,
            base=f"{url}/scim/v2",
            tokens=tokens,
            token=tokens.make(PROVIDER),
        )
    finally:
        gateway.stop()
