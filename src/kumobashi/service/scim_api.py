"""Accounts that a provider pushes: SCIM 2.0 at ``/scim/v2``, with a token for each provider.

The routes are always there and refuse everybody until a token lies beside the site's keys. What
speaks the protocol is loaded with the first request that has one.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kumobashi.evidence.entries import Entry
from kumobashi.identity import Accounts
from kumobashi.identity.scim.errors import ScimFailed, TokenRefused, TooLarge
from kumobashi.service.access_records import call_code
from kumobashi.service.gateway import Gateway
from kumobashi.service.scim_tokens import ProviderTokens

if TYPE_CHECKING:
    from kumobashi.identity.scim.rows import Change

FACE: Final = "/scim/v2"
METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_MEDIA: Final = "application/scim+json"
_LARGEST_BODY: Final = 1_048_576  # bytes; ``models.LARGEST_BODY``, which is not loaded yet
_AT_ONCE: Final = 4  # requests that are worked on; others wait
log = logging.getLogger(__name__)


def scim_routes(gateway: Gateway, accounts: Accounts) -> list[Route]:
    """Return the routes that providers call."""
    face = _Face(gateway, accounts)
    return [
        Route(FACE, face.take, methods=list(METHODS)),
        Route(f"{FACE}/{{rest:path}}", face.take, methods=list(METHODS)),
    ]


class _Face:
    def __init__(self, gateway: Gateway, accounts: Accounts) -> None:
        self._gateway = gateway
        self._accounts = accounts
        private = gateway.settings.workspace / "private" / gateway.identity.site
        self._tokens = ProviderTokens(private, site=gateway.identity.site)
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def take(self, request: Request) -> Response:
        """Answer one request, or say in SCIM's way why not."""
        try:
            given = request.headers.get("authorization", "")
            provider = await asyncio.to_thread(self._tokens.provider, given)
            async with self._turns:
                body = await _body(request)
                return await asyncio.to_thread(self._answer, request, provider, body)
        except ScimFailed as error:
            if isinstance(error, TokenRefused):
                await asyncio.to_thread(
                    self._gateway.access.refused, None, page=call_code(request), code=error.code
                )
            return _refusal(error)
        except Exception:
            log.exception("unexpected error")
            return _refusal(ScimFailed(), status=500)

    def _answer(self, request: Request, provider: str, body: bytes) -> Response:
        from kumobashi.identity.scim import answering  # noqa: PLC0415 - only where it is used
        from kumobashi.identity.scim.register import Register  # noqa: PLC0415 - likewise

        asked = answering.Asked(
            method=request.method,
            path=request.scope["path"].removeprefix(FACE),
            base=f"{request.url.scheme}://{request.url.netloc}{FACE}",
            query=dict(request.query_params),
            body=body,
            content_type=request.headers.get("content-type"),
            if_match=request.headers.get("if-match"),
            if_none_match=request.headers.get("if-none-match"),
        )
        register = Register(self._accounts, provider=provider, note=self._note)
        said = answering.answer(register, asked)
        headers = {}
        if said.version:
            headers["ETag"] = said.version
        if said.location:
            headers["Location"] = said.location
        if said.body is None:
            return Response(status_code=said.status, headers=headers)
        return _json(said.body, said.status, headers)

    def _note(self, change: "Change") -> None:
        facts = {
            "act": change.act,
            "id": change.id,
            "peer": change.provider,
            "role": change.role.value if change.role else None,
            "after": {True: "active", False: "inactive", None: None}[change.is_active],
            "counts": {"sessions_ended": change.ended, "members_moved": change.moved},
        }
        kind = "group" if change.is_active is None else "account"
        now = self._gateway.clock.now()
        by = f"provider:{change.provider}"
        self._gateway.evidence.note(
            Entry(event=f"access.{kind}_provisioned", at=now, by=by, facts=facts)
        )


async def _body(request: Request) -> bytes:
    """Return the body; more than may come is not read to its end."""
    taken = bytearray()
    async for piece in request.stream():
        taken += piece
        if len(taken) > _LARGEST_BODY:
            raise TooLarge(most_bytes=_LARGEST_BODY, most="-")
    return bytes(taken)


def _refusal(error: ScimFailed, *, status: int | None = None) -> Response:
    body: dict[str, Any] = dict(error.scim())
    if status is not None:
        body["status"] = str(status)
    headers = {"WWW-Authenticate": "Bearer"} if error.status == TokenRefused.status else {}
    return _json(body, status or error.status, headers)


def _json(body: Mapping[str, Any], status: int, headers: Mapping[str, str]) -> Response:
    return JSONResponse(body, status_code=status, headers=dict(headers), media_type=_MEDIA)
