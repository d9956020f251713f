"""The directory calls of GovStack's Information Mediator: who is there, and what may be asked.

``listClients``, ``listMethods``, ``allowedMethods`` and ``getOpenAPI`` in the shapes of its Service
Metadata API 1.0, answered from the signed directory, for programs of this machine. A municipality
is a member (class ``LG``, its code), a system an application, a service of ours a service. Only
REST services are listed, as there; of WSDL that specification knows nothing.
"""

import asyncio
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kumobashi.calls.permits import Permits
from kumobashi.directory.entries import Directory, ServiceEntry
from kumobashi.kernel import KumobashiError
from kumobashi.planning.workspace import Workspace
from kumobashi.service.errors import BadRequest
from kumobashi.service.problems import problem

INSTANCE: Final = "kumobashi"
MEMBER_CLASS: Final = "LG"
_CLIENTS: Final = ("x-govstack-client", "information-mediator-client")
_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,62}")
_SERVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
_PROVIDER: Final = "/r1/{instance}/{member_class}/{member}/{application}/"
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Application:
    """Whom a path or a header names."""

    instance: str
    member_class: str
    member: str
    application: str

    @classmethod
    def read(cls, instance: str, member_class: str, member: str, application: str) -> "Application":
        """Check the four names.

        Raises:
            BadRequest: one of them is none.
        """
        for field, text, form in (
            ("instanceId", instance, _IDENTIFIER),
            ("memberClass", member_class, _IDENTIFIER),
            ("memberCode", member, _CODE),
            ("applicationCode", application, _CODE),
        ):
            if not form.fullmatch(text):
                raise BadRequest(field=field, expected=form.pattern)
        return cls(instance, member_class, member, application)

    def is_of(self, directory: Directory) -> bool:
        """Whether it is a system of this municipality."""
        ours = (INSTANCE, MEMBER_CLASS, directory.municipality.code)
        here = (self.instance, self.member_class, self.member)
        return here == ours and self.application in directory.systems


@dataclass(frozen=True, kw_only=True)
class MediatorFace:
    """The four calls."""

    directory: Callable[[], Directory]
    workspace: Callable[[], Workspace]
    permits: Callable[[], Permits]

    def routes(self) -> list[Route]:
        """Return the routes; they tell nothing about persons and need no token on this machine."""
        return [
            Route("/listClients", _answering(self.clients), methods=["GET"]),
            Route(f"{_PROVIDER}listMethods", _answering(self.methods), methods=["GET"]),
            Route(f"{_PROVIDER}allowedMethods", _answering(self.allowed), methods=["GET"]),
            Route(f"{_PROVIDER}getOpenAPI", _answering(self.document), methods=["GET"]),
        ]

    def clients(self, request: Request) -> Response:
        """List the member and its applications; of another instance nothing is known."""
        instance = request.query_params.get("instanceId", INSTANCE)
        if not _IDENTIFIER.fullmatch(instance):
            raise BadRequest(field="instanceId", expected=_IDENTIFIER.pattern)
        directory = self.directory()
        member = {
            "instanceId": INSTANCE,
            "memberClass": MEMBER_CLASS,
            "memberCode": directory.municipality.code,
        }
        found: list[Json] = [
            {"name": directory.municipality.name, "id": {"objectType": "MEMBER", **member}},
            *(
                {
                    "name": system.name,
                    "id": {"objectType": "APPLICATION", **member, "applicationCode": name},
                }
                for name, system in sorted(directory.systems.items())
            ),
        ]
        return JSONResponse({"member": found if instance == INSTANCE else []})

    def methods(self, request: Request) -> Response:
        """List the services of an application with their endpoints."""
        _client(request)
        return JSONResponse({"member": list(self._services(request, None))})

    def allowed(self, request: Request) -> Response:
        """List those that the client may ask now: planned, approved, agreed."""
        return JSONResponse({"member": list(self._services(request, _client(request)))})

    def document(self, request: Request) -> Response:
        """Return the document of a service, of its newest version unless one is named.

        Raises:
            BadRequest: there is no such service, or it has no document.
        """
        _client(request)
        provider = _provider(request)
        code = request.query_params.get("serviceCode", "")
        version = request.query_params.get("serviceVersion", "")
        workspace, directory = self.workspace(), self.directory()
        system = workspace.systems.get(provider.application)
        service = system.services.get(code) if system and provider.is_of(directory) else None
        if not _SERVICE.fullmatch(code) or service is None or service.kind != "rest":
            raise BadRequest(field="serviceCode", expected="a REST service of the application")
        newest = max(service.versions, key=lambda name: int(name[1:]))
        held = service.versions.get(version or newest)
        if held is None or held.document is None:
            raise BadRequest(field="serviceVersion", expected="a version with a document")
        kind = "application/json" if held.document.endswith(".json") else "text/yaml"
        return Response((workspace.folder / held.document).read_bytes(), media_type=kind)

    def _services(self, request: Request, client: Application | None) -> Iterator[Json]:
        provider, directory = _provider(request), self.directory()
        wanted = request.query_params.get("serviceId")
        if not provider.is_of(directory):
            return
        if client is not None and not client.is_of(directory):
            return
        for code, service in sorted(directory.systems[provider.application].services.items()):
            if service.kind != "rest" or (wanted is not None and wanted != code):
                continue
            for version, endpoints in self._endpoints(provider, code, service, client):
                yield {
                    "objectType": "SERVICE",
                    "serviceType": "OPENAPI" if service.interfaces[version].document else "REST",
                    "instanceId": provider.instance,
                    "memberClass": provider.member_class,
                    "memberCode": provider.member,
                    "applicationCode": provider.application,
                    "serviceCode": code,
                    "serviceVersion": version,
                    "endpointList": {"member": endpoints},
                }

    def _endpoints(
        self, provider: Application, code: str, service: ServiceEntry, client: Application | None
    ) -> Iterator[tuple[str, list[Json]]]:
        """Give the endpoints of every version, or those that the client may ask."""
        allowed = None
        if client is not None:
            asked = f"{provider.application}.{code}"
            allowed = {
                (one.version, one.method, one.path)
                for link in self.permits().permitted(client.application, asked).links
                for one in link.operations
            }
        for version, interface in sorted(service.interfaces.items()):
            found = [
                {"method": one.method, "path": one.path}
                for one in interface.operations.values()
                if allowed is None or (version, one.method, one.path) in allowed
            ]
            if found or allowed is None:
                yield version, found


def _provider(request: Request) -> Application:
    said = request.path_params
    return Application.read(
        said["instance"], said["member_class"], said["member"], said["application"]
    )


def _client(request: Request) -> Application:
    """Return the client that the request names; every call but ``listClients`` needs one."""
    text = next((request.headers[name] for name in _CLIENTS if name in request.headers), "")
    parts = text.split("/")
    if len(parts) != 4:  # noqa: PLR2004 - instance, class, member, application
        raise BadRequest(field=_CLIENTS[0], expected="INSTANCE/CLASS/MEMBER/APPLICATION")
    return Application.read(*parts)


def _answering(deed: Callable[[Request], Response]) -> Callable[[Request], Any]:
    async def answer(request: Request) -> Response:
        try:
            return await asyncio.to_thread(deed, request)
        except KumobashiError as error:
            return problem(error)

    return answer
