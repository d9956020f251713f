"""What ``kumobashi courier`` asks of a site's own gateway."""

import http.client
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from kumobashi.cli.errors import GatewayRefused
from kumobashi.cli.local_api import LocalApi, read_token
from kumobashi.crypto import base64url
from kumobashi.service.errors import GatewayDown, SiteMissing

if TYPE_CHECKING:
    from kumobashi.courier.content import Papers, Said
    from kumobashi.planning.workspace import Workspace

_ROOT = "/api/v1/courier"
_PATIENCE_SECONDS = 120.0
Json = dict[str, Any]


class CourierGateway(LocalApi):
    """The courier of one site; raises ``GatewayDown`` and ``GatewayRefused``."""

    def ask(self, wish: Mapping[str, object]) -> Json:
        """Ask for a permit."""
        return self._call("POST", f"{_ROOT}/permits", wish)

    def permits(self) -> list[Json]:
        """Return all permits, the newest first."""
        return list(self._call("GET", f"{_ROOT}/permits")["permits"])

    def permit(self, permit: str) -> Json:
        """Return one."""
        return self._call("GET", _permit(permit))

    def decide(self, permit: str, wish: Mapping[str, object]) -> Json:
        """Approve or decline."""
        return self._call("POST", f"{_permit(permit)}/decision", wish)

    def close_permit(self, permit: str, wish: Mapping[str, object]) -> Json:
        """Say that the media are back, or lost."""
        return self._call("POST", f"{_permit(permit)}/close", wish)

    def load(self, permit: str) -> Json:
        """Return what the next medium carries."""
        return self._call("GET", f"{_permit(permit)}/load")

    def begin(self, permit: str, wish: Mapping[str, object]) -> Json:
        """Say that a medium is about to be written."""
        return self._call("POST", f"{_permit(permit)}/media", wish)

    def finish(self, permit: str, medium: str, index: str) -> Json:
        """Say that a medium is whole."""
        return self._call("POST", f"{_permit(permit)}/media/{medium}", {"index": index})

    def arrive(self, index: str) -> Json:
        """Say which medium is being read in."""
        return self._call("POST", f"{_ROOT}/arrivals", {"index": index})

    def refused(self, medium: str | None, code: str) -> None:
        """Say that a medium was refused, for the evidence."""
        self._call("POST", f"{_ROOT}/refusals", {"medium": medium, "code": code})

    def announce(self, medium: str, papers: "Papers") -> Json:
        """Hand over manifest and key; return which parts are there."""
        key = None if papers.key is None else base64url.encode(papers.key)
        said = {"manifest": papers.manifest, "key": key}
        return self._call("POST", f"{_arrival(medium)}/manifest", said)

    def close_bundle(self, medium: str, manifest: str) -> Json:
        """Hand over a bundle whose parts are all there."""
        return self._call("POST", f"{_arrival(medium)}/close", {"manifest": manifest})

    def receipts(self, medium: str, said: "Sequence[Said]") -> Mapping[str, str]:
        """Hand over receipts; return by transfer how it stands."""
        transfers = [
            {"transfer": one.transfer, "attempt": one.attempt, "receipts": list(one.receipts)}
            for one in said
        ]
        answer = self._call("POST", f"{_arrival(medium)}/receipts", {"transfers": transfers})
        return dict(answer["transfers"])

    def end(self, medium: str) -> None:
        """Say that everything on a medium is there."""
        self._call("POST", f"{_arrival(medium)}/end", {})

    def code(self, transfer: str) -> str:
        """Return the confirmation code of a bundle that media brought."""
        return str(self._call("GET", f"{_ROOT}/codes/{quote(transfer, safe='')}")["code"])

    def confirm(self, transfer: str, code: str) -> Json:
        """Hand over a typed code."""
        return self._call("POST", f"{_ROOT}/codes/{quote(transfer, safe='')}", {"code": code})

    def part(self, medium: str, hex_: str, size: int, pieces: Iterator[bytes]) -> None:
        """Hand over one part; durable there when this returns."""
        parts = urlsplit(self.url)
        kind = (
            http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        )
        connection = kind(parts.hostname or "", parts.port, timeout=_PATIENCE_SECONDS)
        headers = {"Authorization": f"Bearer {self._token}", "Content-Length": str(size)}
        try:
            path = f"{_arrival(medium)}/parts/{hex_}"
            connection.request("PUT", path, body=pieces, headers=headers)
            answer = connection.getresponse()
            status, text = answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            raise GatewayDown(site=self.site, url=self.url) from None
        finally:
            connection.close()
        if status >= http.client.BAD_REQUEST:
            raise GatewayRefused(json.loads(text))


def open_gateway(workspace: "Workspace", site: str) -> CourierGateway:
    """Return the gateway of a site; the token is read from its private folder.

    Raises:
        SiteMissing: the workspace has no such site.
        KeyTooOpen, KeyUnreadable: the token may not or cannot be read.
    """
    if site not in workspace.sites:
        raise SiteMissing(site=site, known=", ".join(sorted(workspace.sites)))
    token = read_token(workspace.folder, site)
    return CourierGateway(site=site, url=workspace.sites[site].url, token=token)


def file_of(folder: Path, site: str, medium: str) -> Path:
    """Return where the sender's own list of what it wrote on a medium lies."""
    return folder / "var" / site / "courier" / f"{medium}.jsonl"


def _permit(permit: str) -> str:
    return f"{_ROOT}/permits/{quote(permit, safe='')}"


def _arrival(medium: str) -> str:
    return f"{_ROOT}/arrivals/{quote(medium, safe='')}"
