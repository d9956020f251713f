"""Ask a site's own gateway over its local API; JSON becomes the values of ``exchange.views``."""

import http.client
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from kumobashi.cli.errors import GatewayRefused
from kumobashi.exchange.views import HoldingView, Overview, TransferView
from kumobashi.service.errors import GatewayDown, SiteMissing

if TYPE_CHECKING:
    from kumobashi.planning.workspace import Workspace

_PATIENCE_SECONDS = 60.0
_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what listens everywhere


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A transfer as the gateway tells it; ``version`` changes when it does."""

    version: str
    transfer: TransferView
    is_new: bool = False


class LocalApi:
    """The gateway of one site, as a terminal on the same machine sees it."""

    def __init__(self, *, site: str, url: str, token: str) -> None:
        self.site = site
        self.url = url
        self._token = token

    def overview(self) -> Overview:
        """Return the state of the links that this site sends."""
        from pydantic import TypeAdapter

        return TypeAdapter(Overview).validate_python(self.plain_overview())

    def plain_overview(self) -> dict[str, Any]:
        """Return the same as JSON."""
        return self._call("GET", "/api/v1/overview")

    def run(self, link: str, *, on: str | None, again: bool, full: bool) -> Watched:
        """Start a link for a business date, or attach to the run that there is."""
        wish = {"date": on, "again": again, "full": full}
        body = {key: value for key, value in wish.items() if value not in (None, False)}
        return _watched(self._call("POST", f"/api/v1/links/{quote(link, safe='')}/runs", body))

    def transfer(self, transfer: str, *, seen: str = "", wait: int = 0) -> Watched:
        """Return a transfer; with ``wait`` as soon as it is not what was ``seen``."""
        path = f"/api/v1/transfers/{quote(transfer, safe='')}?seen={quote(seen)}&wait={wait}"
        return _watched(self._call("GET", path))

    def accept(self, transfer: str) -> Watched:
        """Let a held transfer go on."""
        return _watched(
            self._call("POST", f"/api/v1/transfers/{quote(transfer, safe='')}/accept", {})
        )

    def do(self, deed: str, transfer: str) -> Watched:
        """Do one of the deeds of ``exchange.deeds`` to a transfer."""
        path = f"/api/v1/transfers/{quote(transfer, safe='')}/{quote(deed)}"
        return _watched(self._call("POST", path, {}))

    def resend(self, transfer: str, *, rejected_only: bool) -> Watched:
        """Send what is over anew, or only the rows of it that were not taken."""
        path = f"/api/v1/transfers/{quote(transfer, safe='')}/resend"
        return _watched(self._call("POST", path, {"rejected_only": rejected_only}))

    def pause_link(self, link: str, *, paused: bool) -> dict[str, Any]:
        """Let the transfers of a link wait, or go on."""
        deed = "pause" if paused else "resume"
        return self._call("POST", f"/api/v1/links/{quote(link, safe='')}/{deed}", {})

    def test_link(self, link: str, *, by: str, at: str | None) -> Iterator[dict[str, Any]]:
        """Test a link from this site; give the steps as they go by, and the record last."""
        body = {"by": by} | ({"at": at} if at else {})
        path = f"/api/v1/links/{quote(link, safe='')}/test"
        with self._asked("POST", path, body) as answer:
            for line in answer:
                yield json.loads(line)

    def lines(self) -> dict[str, Any]:
        """Return how the lines to the peers stand, as JSON."""
        return self._call("GET", "/api/v1/lines")

    def holdings(self) -> list[HoldingView]:
        """Return what receivers hold of this site, and what this site holds of others."""
        from pydantic import TypeAdapter

        listed = self._call("GET", "/api/v1/deletions")["holdings"]
        return TypeAdapter(list[HoldingView]).validate_python(listed)

    def decide_deletion(self, transfer: str, deed: str, said: Mapping[str, str]) -> HoldingView:
        """Ask for a deletion, approve or withdraw it; ``said`` is who signs in for it."""
        from pydantic import TypeAdapter

        path = f"/api/v1/deletions/{quote(transfer, safe='')}/{deed}"
        return TypeAdapter(HoldingView).validate_python(self._call("POST", path, said))

    def individual_lists(self) -> list[dict[str, Any]]:
        """Return which transfers left how many protected persons to people, as JSON."""
        listed: list[dict[str, Any]] = self._call("GET", "/api/v1/individual")["lists"]
        return listed

    def individual_list(self, transfer: str, said: Mapping[str, str]) -> dict[str, Any]:
        """Return one list with its numbers; ``said`` is who signs in for it."""
        return self._call("POST", f"/api/v1/individual/{quote(transfer, safe='')}", said)

    def audit_person(self, said: Mapping[str, object]) -> dict[str, Any]:
        """Return what was sent about one resident; the number goes in the body alone."""
        return self._call("POST", "/api/v1/audit/person", said)

    def consents(self, deed: str, said: Mapping[str, object]) -> dict[str, Any]:
        """Do one deed at the ledger of consents."""
        return self._call("POST", f"/api/v1/consents/{quote(deed, safe='')}", said)

    def ties(self, deed: str, said: Mapping[str, object]) -> dict[str, Any]:
        """Do one deed at the book of ties."""
        return self._call("POST", f"/api/v1/ties/{quote(deed, safe='')}", said)

    def requests(self, deed: str, said: Mapping[str, object]) -> dict[str, Any]:
        """Do one deed at the book of requests of residents."""
        return self._call("POST", f"/api/v1/requests/{quote(deed, safe='')}", said)

    def incidents(self, deed: str, said: Mapping[str, object]) -> dict[str, Any]:
        """Do one deed at the desk of incidents."""
        return self._call("POST", f"/api/v1/incidents/{quote(deed, safe='')}", said)

    def _call(
        self, method: str, path: str, body: Mapping[str, object] | None = None
    ) -> dict[str, Any]:
        with self._asked(method, path, body) as answer:
            return self._members(answer.read())

    @contextmanager
    def _asked(
        self, method: str, path: str, body: Mapping[str, object] | None
    ) -> Iterator[http.client.HTTPResponse]:
        """Give the answer to a request, to be read while the block runs."""
        parts = urlsplit(self.url)
        kind = (
            http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        )
        connection = kind(parts.hostname or "", parts.port, timeout=_PATIENCE_SECONDS)
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        try:
            sent = json.dumps(body).encode() if body is not None else None
            connection.request(method, path, body=sent, headers=headers)
            answer = connection.getresponse()
            if answer.status >= http.client.BAD_REQUEST:
                raise GatewayRefused(self._members(answer.read()))
            yield answer
        except (OSError, http.client.HTTPException):
            raise GatewayDown(site=self.site, url=self.url) from None
        finally:
            connection.close()

    def _members(self, text: bytes) -> dict[str, Any]:
        try:
            value = json.loads(text)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise GatewayDown(site=self.site, url=self.url)
        return value


def open_local_api(workspace: "Workspace", site: str) -> LocalApi:
    """Return the gateway of a site; the token is read from its private folder.

    Where ``KUMO_HOST`` or ``KUMO_PORT`` let it listen elsewhere than at its url, behind a proxy
    that ends TLS, it is asked there.

    Raises:
        SiteMissing: the workspace has no such site.
        KeyTooOpen, KeyUnreadable: the token may not or cannot be read.
    """
    if site not in workspace.sites:
        raise SiteMissing(site=site, known=", ".join(sorted(workspace.sites)))
    return LocalApi(
        site=site, url=_address(workspace, site), token=read_token(workspace.folder, site)
    )


def _address(workspace: "Workspace", site: str) -> str:
    from kumobashi.service.settings import listen_at, read_settings

    settings, url = read_settings(workspace.folder, site), workspace.sites[site].url
    if settings.host is None and settings.port is None:
        return url
    host, port = listen_at(settings, url)
    host = _LOOPBACK.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def sender_of(workspace: "Workspace", name: str) -> LocalApi:
    """Return the gateway that sends a link."""
    declared = workspace.link(name)
    return open_local_api(workspace, workspace.systems[declared.from_].site)


def read_token(folder: Path, site: str) -> str:
    """Return the token of a site's local API."""
    from kumobashi.crypto.private_files import read_private

    path = folder / "private" / site / "api.token"
    return read_private(path, expected="api.token").decode("ascii").strip()


def _watched(value: Mapping[str, Any]) -> Watched:
    from pydantic import TypeAdapter

    return Watched(
        version=str(value.get("version", "")),
        transfer=TypeAdapter(TransferView).validate_python(value["transfer"]),
        is_new=value.get("is_new") is True,
    )
