"""What ``kumobashi agreement`` asks of a site's own gateway."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

from kumobashi.agreements.auditing import Fault
from kumobashi.agreements.views import AgreementView
from kumobashi.cli.errors import GatewayRefused
from kumobashi.cli.local_api import LocalApi, read_token
from kumobashi.crypto import base64url
from kumobashi.service.errors import GatewayDown, SiteMissing

if TYPE_CHECKING:
    from kumobashi.planning.workspace import Workspace

_ROOT = "/api/v1/agreements"
UNKNOWN: Final = "agreement.unknown"
Json = dict[str, Any]


class AgreementGateway(LocalApi):
    """The agreements of one site; raises ``GatewayDown`` and ``GatewayRefused``."""

    def listed(self, **asked: str) -> tuple[list[AgreementView], list[Fault]]:
        """Return all agreements that are asked for, and those that were tampered with."""
        from pydantic import TypeAdapter

        views, faults, after = [], [], ""
        while True:
            query = urlencode({**asked, "after": after})
            page = self._call("GET", f"{_ROOT}?{query}")
            views += TypeAdapter(list[AgreementView]).validate_python(page["views"])
            faults += TypeAdapter(list[Fault]).validate_python(page["unreadable"])
            after = page["after"] or ""
            if not after:
                return views, faults

    def show(self, agreement: str) -> AgreementView:
        """Return one."""
        return _view(self._call("GET", _one(agreement)))

    def post(self, path: str, wish: Json) -> Json:
        """Send what somebody did to a path of the local API; return the answer as it came."""
        return self._call("POST", path, wish)

    def new(self, wish: Mapping[str, object]) -> AgreementView:
        """Draft an application."""
        return _view(self._call("POST", _ROOT, wish))

    def act(self, agreement: str, what: str, wish: Mapping[str, object]) -> AgreementView:
        """Submit, review, concur, approve, refuse, return, withdraw, edit or attach."""
        return _view(self._call("POST", f"{_one(agreement)}/{what}", wish))

    def file(self, agreement: str, number: int) -> bytes:
        """Return an attachment, counted from 1."""
        found = self._call("GET", f"{_one(agreement)}/attachments/{number}")
        return base64url.decode(str(found["body"]))

    def paper(self, agreement: str, paper: str) -> str:
        """Return a paper as HTML."""
        return str(self._call("GET", f"{_one(agreement)}/papers/{paper}")["html"])

    def verification(self) -> Json:
        """Verify everything; return numbers and faults."""
        return self._call("GET", f"{_ROOT}/verification")


def gateways(workspace: "Workspace", site: str | None) -> list[AgreementGateway]:
    """Return the gateways that send links, or the one that is named."""
    names = {site} if site else _senders(workspace)
    return [open_gateway(workspace, name) for name in sorted(names)]


def _senders(workspace: "Workspace") -> set[str]:
    return {workspace.systems[one.from_].site for one in workspace.every_link.values()}


def gateway_of(workspace: "Workspace", link: str) -> AgreementGateway:
    """Return the gateway that sends a link, which keeps its agreements."""
    return open_gateway(workspace, workspace.systems[workspace.declared(link).from_].site)


def open_gateway(workspace: "Workspace", site: str) -> AgreementGateway:
    """Return the gateway of a site.

    Raises:
        SiteMissing: the workspace has no such site.
        KeyTooOpen, KeyUnreadable: its token may not or cannot be read.
    """
    if site not in workspace.sites:
        raise SiteMissing(site=site, known=", ".join(sorted(workspace.sites)))
    token = read_token(workspace.folder, site)
    return AgreementGateway(site=site, url=workspace.sites[site].url, token=token)


def holder_of(workspace: "Workspace", agreement: str, site: str | None) -> AgreementGateway:
    """Return the gateway that keeps an agreement, whether all others answer or not.

    Raises:
        GatewayDown, GatewayRefused: none that answers has it; a silent one may have.
    """
    silent: GatewayDown | None = None
    unknown: GatewayRefused | None = None
    for gateway in gateways(workspace, site):
        try:
            gateway.show(agreement)
        except GatewayDown as down:
            silent = down
        except GatewayRefused as refused:
            if refused.said != UNKNOWN:
                return gateway  # it has it; what is wrong is told by what is asked next
            unknown = refused
        else:
            return gateway
    raise silent or unknown or GatewayDown(site=site or "", url="")


def _one(agreement: str) -> str:
    return f"{_ROOT}/{quote(agreement, safe='')}"


def _view(value: Json) -> AgreementView:
    from pydantic import TypeAdapter

    return TypeAdapter(AgreementView).validate_python(value)
