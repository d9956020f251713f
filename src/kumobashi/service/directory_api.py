"""The signed directory for subscribers: the newest document, and a wait for the next.

``GET /directory/v1?since=N&wait=S`` answers as soon as there is a version after ``N``, with the
document as it was signed and what has changed; 304 when there is none. Like the calls of GovStack's
Information Mediator it is for programs of this machine, and tells nothing about persons.
"""

import asyncio
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kumobashi.directory.differences import Difference, differences
from kumobashi.directory.document import read
from kumobashi.directory.entries import Directory
from kumobashi.directory.errors import (
    DirectoryFailed,
    DirectoryMissing,
    DirectoryOld,
    TooManySubscribers,
)
from kumobashi.directory.subscribing import concerns, mark_of
from kumobashi.kernel import Clock, KumobashiError, to_wire
from kumobashi.planning.publishing import FILE, load_version, trusted_key
from kumobashi.service.described import described
from kumobashi.service.errors import BadRequest
from kumobashi.service.problems import problem

MOST_WAITING: Final = 64
_LONGEST_WAIT_SECONDS: Final = 25
_LOOK_AGAIN_SECONDS: Final = 0.25
_LONGEST_NUMBER: Final = 9  # digits
_LONGEST_NAME: Final = 200


@dataclass(frozen=True, slots=True)
class _Held:
    """The document that the gateway took over last."""

    token: str
    directory: Directory

    @property
    def mark(self) -> str:
        """Its ETag."""
        return mark_of(self.directory.version, self.token)


@dataclass(kw_only=True)
class DirectoryFace:
    """The two addresses; ``kept`` is the folder of the gateway's own copy."""

    workspace: Path
    kept: Path
    clock: Clock
    is_over: Callable[[], bool]
    most_waiting: int = MOST_WAITING
    _waiting: int = field(default=0, init=False)
    _newest: tuple[tuple[int, int, int], _Held] | None = field(default=None, init=False)

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/directory/v1", self._directory, methods=["GET"]),
            Route("/directory/v1/openapi.yaml", described("directory"), methods=["GET"]),
        ]

    async def _directory(self, request: Request) -> Response:
        try:
            return await self._answer(request)
        except KumobashiError as error:
            answer = problem(error)
            if isinstance(error, TooManySubscribers):
                answer.headers["retry-after"] = str(_LONGEST_WAIT_SECONDS)
            return answer

    async def _answer(self, request: Request) -> Response:
        since, wait = _number(request, "since"), _number(request, "wait") or 0
        of = request.query_params.get("of")
        if of is not None and not 0 < len(of) <= _LONGEST_NAME:
            raise BadRequest(field="of", expected="the name of a site, system, service or contact")
        held, changed = await asyncio.to_thread(self._look, since, of)
        known = request.headers.get("if-none-match")
        # Somebody who has another document of this version must see this one: one of them is false.
        is_other = since == held.directory.version and known not in {None, held.mark}
        if since is not None and not changed and wait and not is_other:
            held, changed = await self._wait(since, of, min(wait, _LONGEST_WAIT_SECONDS))
        headers = {"etag": held.mark, "cache-control": "no-cache"}
        is_known = (since is not None and not changed) or known == held.mark
        if is_known and not is_other:
            return Response(status_code=304, headers=headers)
        told = [one for one in changed or () if concerns(one, of)]
        body: dict[str, Any] = {
            "version": held.directory.version,
            "expires": to_wire(held.directory.expires),
            "document": held.token,
            "differences": None if changed is None else [asdict(one) for one in told],
        }
        return JSONResponse(body, headers=headers)

    async def _wait(
        self, since: int, of: str | None, seconds: int
    ) -> tuple[_Held, list[Difference] | None]:
        if self._waiting >= self.most_waiting:
            raise TooManySubscribers(most=self.most_waiting)
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            until = loop.time() + seconds
            while True:
                held, changed = await asyncio.to_thread(self._look, since, of)
                if changed != [] or loop.time() >= until or self.is_over():
                    return held, changed
                await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        finally:
            self._waiting -= 1

    def _look(self, since: int | None, of: str | None) -> tuple[_Held, list[Difference] | None]:
        """Return the newest, and what it changed; ``None``: there is nothing to compare with.

        Raises:
            DirectoryOld: the caller knows a newer one than this gateway does.
        """
        held = self._read()
        version = held.directory.version
        if since is None:
            return held, None
        if since > version:
            raise DirectoryOld(version=version, known=since)
        if since == version:
            return held, []
        try:
            before = load_version(self.workspace, str(since))
        except DirectoryFailed:
            return held, None
        found = [one for one in differences(before, held.directory) if concerns(one, of)]
        if not found and of is None:
            return held, None  # published anew with nothing else in it: news all the same
        return held, found

    def _read(self) -> _Held:
        """Return the copy that the gateway goes by; read again only when the file is another."""
        path = self.kept / FILE
        try:
            stat = path.stat()
            mark = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
            if self._newest and self._newest[0] == mark:
                return self._newest[1]
            token = path.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            raise DirectoryMissing(file=FILE) from None
        long_ago = datetime(1970, 1, 1, tzinfo=UTC)  # who subscribes judges the end by themselves
        held = _Held(token, read(token, trusted=trusted_key(self.workspace), now=long_ago))
        self._newest = (mark, held)
        return held


def _number(request: Request, name: str) -> int | None:
    text = request.query_params.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER):
        raise BadRequest(field=name, expected="a number")
    return int(text)
