"""The way between two sites as the files describe it, or the reason why there is none."""

from dataclasses import dataclass

from kumobashi.directory.models import By
from kumobashi.planning.workspace import Workspace
from kumobashi.policy.deciding import Reason
from kumobashi.routing.calling import Leg, call_route
from kumobashi.routing.errors import RoutingFailed
from kumobashi.routing.finding import Hop, route


@dataclass(frozen=True, slots=True, kw_only=True)
class CallWay:
    """The way between a system that asks and one that answers: connections as they are opened."""

    site: str  # where the service is
    legs: tuple[Leg, ...]

    @property
    def hops(self) -> tuple[Hop, ...]:
        """The connections as they are opened; those of a call that is fetched all along, from it.

        The order is that of the decision: whoever opens them comes first.
        """
        hops = tuple(leg.hop for leg in self.legs)
        return hops[::-1] if self.legs and all(leg.is_fetched for leg in self.legs) else hops

    @property
    def is_fetched(self) -> bool:
        """Whether somewhere nobody may open a connection towards the service."""
        return bool(self.fetched)

    @property
    def handed(self) -> tuple[Hop, ...]:
        """The connections that the asking side opens: what it gives goes over them."""
        return tuple(leg.hop for leg in self.legs if not leg.is_fetched)

    @property
    def fetched(self) -> tuple[Hop, ...]:
        """The connections that the answering side opens."""
        return tuple(leg.hop for leg in reversed(self.legs) if leg.is_fetched)


def call_way(
    workspace: Workspace, asking: str, answering: str
) -> tuple[CallWay, tuple[Reason, ...]]:
    """Return the way of a call between two sites; a call into the hall is fetched from there.

    The answer goes back over the connections that the request came by.
    """
    try:
        way = CallWay(site=answering, legs=call_route(workspace.sites, asking, answering))
    except RoutingFailed as error:
        nothing = CallWay(site=answering, legs=())
        return nothing, (_no_way(workspace, error, asking, answering),)
    media = next((hop for hop in way.hops if hop.by == By.COURIER), None)
    if media is None:
        return way, ()
    reason = Reason(
        code="planning.media_carry_no_calls",
        ja=f"{workspace.sites[asking].name}と{workspace.sites[answering].name}の間に回線がなく、"
        "媒体では照会できません",
        en=f"No line leads from {asking} to {answering}, and media carry no calls",
        where=workspace.where(f"sites/{media.from_site}.yaml", "connects_to"),
        remedy_ja="回線をつなぐか、一括の連携（links/）にしてください。",
        remedy_en="Open a line, or use a bulk link (links/).",
        example=f"connects_to: [{{site: {answering}, by: ip_vpn}}]",
    )
    return way, (reason,)


def way_of(
    workspace: Workspace, from_site: str, to_site: str
) -> tuple[tuple[Hop, ...], tuple[Reason, ...]]:
    """Return the route, or the reason why there is none."""
    try:
        return route(workspace.sites, from_site, to_site), ()
    except RoutingFailed as error:
        return (), (_no_way(workspace, error, from_site, to_site),)


def _no_way(workspace: Workspace, error: RoutingFailed, from_site: str, to_site: str) -> Reason:
    last = error.facts.get("last", from_site)
    return Reason(
        code=error.code,
        ja=error.say("ja").rstrip("。"),
        en=error.say("en").rstrip("."),
        where=workspace.where(f"sites/{last}.yaml", "connects_to"),
        remedy_ja=error.remedy("ja"),
        remedy_en=error.remedy("en"),
        example=f"connects_to: [{{site: {to_site}, by: ip_vpn}}]",
    )
