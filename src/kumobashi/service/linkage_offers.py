"""What the internal-linkage profile may ask here: the operations of the online links in force.

A provider is named by its business number (業務ID), or by its system's name where it has none or
two systems share one. An API call name is ``<service>/<version>/<path>``: as in
``app_submit/v10/jutogaishaatenabangofuban``. Operations with parameters in their path have none.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kumobashi.calls.linkage.scopes import OPERATIONS, Scope
from kumobashi.calls.permits import CallLink
from kumobashi.catalogue.fields import Field, Layout
from kumobashi.planning.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One operation that may be asked by this profile, and by whom."""

    provider: str
    system: str
    service: str
    version: str
    method: str
    path: str
    asker: str
    layout: Layout
    request: tuple[Field, ...]
    at: str  # where the records of the answer lie
    is_romaji: bool  # the system itself speaks romaji

    @property
    def api(self) -> str:
        """The API call name."""
        return f"{self.service}/{self.version}{self.path}"

    def covers(self, scope: Scope) -> bool:
        """Whether a scope speaks of this operation."""
        return (
            scope.provider == self.provider
            and scope.api == self.api
            and scope.operation in OPERATIONS.get(self.method, frozenset())
        )


def provider_of(workspace: Workspace, system: str) -> str:
    """Return how the profile names a system that answers."""
    shared = Counter(one.business for one in workspace.systems.values() if one.services)
    business = workspace.systems[system].business
    return business if business is not None and shared[business] == 1 else system


def offers(
    workspace: Workspace, links: Mapping[tuple[str, str], Iterable[CallLink]]
) -> tuple[Offer, ...]:
    """Return every operation of REST services that a link in force permits, by asking system."""
    found = []
    for link in (one for held in links.values() for one in held):
        service = workspace.systems[link.answerer].services[link.service]
        if service.kind != "rest":
            continue
        for one in link.operations:
            if "{" in one.path:
                continue
            said = service.versions[one.version].operations[one.name]
            layout = workspace.layouts.get(said.answer.layout, said.answer.version)
            found.append(
                Offer(
                    provider=provider_of(workspace, link.answerer),
                    system=link.answerer,
                    service=link.service,
                    version=one.version,
                    method=one.method,
                    path=one.path,
                    asker=link.asker,
                    layout=layout,
                    request=tuple(layout.field(n) for n in said.request if n in layout.names),
                    at=said.answer.at,
                    is_romaji=said.answer.keys == "romaji",
                )
            )
    return tuple(found)
