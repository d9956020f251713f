"""Ask a cloud over HTTP: tokens that run out, limits that ask to wait, answers that do not come.

What was refused for now (429, 503 with ``Retry-After``) is asked again within a bound. What may
have been done although no answer came is never repeated here, unless it only reads: whoever asked
looks at the job first.
"""

import http.client
import json
import re
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from kumobashi.conversion.jobs.errors import CloudAway, CloudLimit, CloudRefuses
from kumobashi.storage.errors import SpoolFull, is_disk_full

Json = Any  # what others send; parsed where it is used
_ANSWER_SECONDS: Final = 60.0
_MOST_BYTES: Final = 4 << 20  # of an answer that is no file
_PIECE: Final = 1 << 20
_FIRST_WAIT, _LONGEST_WAIT = 0.25, 20.0
_EARLY_SECONDS: Final = 10.0  # a token is renewed before it ends
_CODE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{1,60}(?=\s*(:|$))")
_MAY_WAIT: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """Where a cloud is, and with what it lets us in."""

    system: str
    name: str  # what people call the system
    url: str  # below it lie jobs/ingest and jobs/query
    token_url: str
    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    patience_seconds: float = 30.0  # for one job; what takes longer goes on at the next try

    @property
    def label(self) -> str:
        """The cloud's host and path."""
        parts = urlsplit(self.url)
        return f"jobs:{parts.hostname}{parts.path}".rstrip("/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the cloud said."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    said: Json

    def header(self, ending: str) -> str:
        """Return the header whose name ends so, without the vendor's prefix."""
        found = (value for name, value in self.headers.items() if name.endswith(ending))
        return next(found, "")


@dataclass(frozen=True, slots=True)
class _Wish:
    """One request, to be sent as often as it takes."""

    method: str
    path: str
    body: bytes | Path | None = None
    kind: str = ""  # of the body
    target: Path | None = None  # where the answer is to be written


class Session:
    """One stretch of asking; ``deadline`` bounds its waiting for one job."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.renew()
        self._token = ""
        self._token_ends = 0.0

    def ask(self, method: str, path: str, said: Json = None) -> Answer:
        """Ask, and return the answer; 404 is one.

        Raises:
            CloudAway: no answer; a change may have happened all the same.
            CloudLimit: the cloud asks to wait for longer than we do.
            CloudRefuses: it will not do it.
        """
        body = None if said is None else json.dumps(said).encode()
        return self._persist(_Wish(method, path, body, "application/json"))

    def upload(self, path: str, file: Path) -> Answer:
        """Send a file of CSV; raises what :meth:`ask` does."""
        return self._persist(_Wish("PUT", path, file, "text/csv; charset=UTF-8"))

    def fetch(self, path: str, target: Path) -> Answer:
        """Write an answer to a file; raises what :meth:`ask` does."""
        return self._persist(_Wish("GET", path, target=target))

    def renew(self) -> None:
        """Count the patience anew: something was done."""
        self.deadline = time.monotonic() + self.cloud.patience_seconds

    def wait(self, seconds: float) -> bool:
        """Wait, unless that would pass the deadline; tell whether it was waited."""
        if time.monotonic() + seconds > self.deadline:
            return False
        time.sleep(seconds)
        return True

    def away(self, reason_ja: str, reason: str) -> CloudAway:
        """Return the failure in words; no address and nothing of an answer is in it."""
        cloud = self.cloud
        return CloudAway(system=cloud.system, name=cloud.name, reason_ja=reason_ja, reason=reason)

    def limit(self, reason: str, seconds: float) -> CloudLimit:
        """Return that a limit is reached."""
        cloud = self.cloud
        return CloudLimit(system=cloud.system, name=cloud.name, reason=reason, seconds=int(seconds))

    def _persist(self, wish: _Wish) -> Answer:
        pause, renewed = _FIRST_WAIT, False
        while True:
            headers = {"Authorization": f"Bearer {self._bearer()}"}
            try:
                answer = self._once(self.cloud.url, wish, headers)
            except _NoAnswer as error:
                if wish.method != "GET" or not self.wait(pause):
                    raise self.away(error.ja, error.en) from None
            else:
                if answer.status == HTTPStatus.UNAUTHORIZED and not renewed:
                    self._token, renewed = "", True  # it ended before its time
                    continue
                if not self._is_to_repeat(wish.method, answer, pause):
                    return self._judged(f"{wish.method} {wish.path.split('?')[0]}", answer)
            pause = min(2 * pause, _LONGEST_WAIT)

    def _is_to_repeat(self, method: str, answer: Answer, pause: float) -> bool:
        if answer.status in _MAY_WAIT and (asked := _seconds(answer.header("retry-after"))):
            if not self.wait(asked):
                raise self.limit(_code(answer.said), asked)
            return True
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS or (
            answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR and method == "GET"
        ):
            return self.wait(pause)
        return False

    def _judged(self, step: str, answer: Answer) -> Answer:
        status, code = answer.status, _code(answer.said)
        if status < HTTPStatus.MULTIPLE_CHOICES or status == HTTPStatus.NOT_FOUND:
            return answer
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN} and "LIMIT" not in code:
            raise self.away("認証または権限で断られました", f"not let in: {status}")
        if status == HTTPStatus.TOO_MANY_REQUESTS or "LIMIT_EXCEEDED" in code:
            raise self.limit(code, self.cloud.patience_seconds)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise self.away(f"{status} が返りました", f"it answers {status}")
        cloud = self.cloud
        raise CloudRefuses(
            system=cloud.system, name=cloud.name, step=step, status_code=status, reason=code
        )

    def _bearer(self) -> str:
        if self._token and time.monotonic() < self._token_ends:
            return self._token
        cloud = self.cloud
        form = urlencode(
            {
                "grant_type": "client_credentials",
                "client_id": cloud.client_id,
                "client_secret": cloud.client_secret,
            }
        ).encode()
        wish = _Wish("POST", "", form, "application/x-www-form-urlencoded")
        pause = _FIRST_WAIT
        while True:
            try:
                answer = self._once(cloud.token_url, wish, {})
            except _NoAnswer as error:
                if not self.wait(pause):
                    raise self.away(error.ja, error.en) from None
                pause = min(2 * pause, _LONGEST_WAIT)
                continue
            if not self._is_to_repeat("GET", answer, pause):  # asking for a token changes nothing
                break
            pause = min(2 * pause, _LONGEST_WAIT)
        said = answer.said if isinstance(answer.said, dict) else {}
        token = said.get("access_token")
        if answer.status != HTTPStatus.OK or not isinstance(token, str) or not token.isascii():
            raise self.away("トークンを得られません", f"no token: {answer.status}")
        lasts = said.get("expires_in")
        lasts = float(lasts) if isinstance(lasts, int | float) else 300.0
        self._token_ends = time.monotonic() + max(lasts - _EARLY_SECONDS, lasts / 2)
        self._token = token
        return token

    def _once(self, base: str, wish: _Wish, headers: dict[str, str]) -> Answer:
        parts = urlsplit(base)
        line: http.client.HTTPConnection
        if parts.scheme == "https":
            line = http.client.HTTPSConnection(parts.netloc, timeout=_ANSWER_SECONDS)
        else:
            line = http.client.HTTPConnection(parts.netloc, timeout=_ANSWER_SECONDS)
        place = f"{parts.path.rstrip('/')}/{wish.path}" if wish.path else parts.path or "/"
        if wish.body is not None:
            headers["Content-Type"] = wish.kind
        try:
            if isinstance(wish.body, Path):
                headers["Content-Length"] = str(wish.body.stat().st_size)
                with wish.body.open("rb") as reading:
                    _send(line, wish.method, place, reading, headers)
            else:
                _send(line, wish.method, place, wish.body, headers)
            return _taken(line.getresponse(), wish.target)
        except ssl.SSLError:
            raise _NoAnswer("TLS で接続できません", "no TLS connection") from None
        except TimeoutError:
            raise _NoAnswer("応答がありません", "no answer in time") from None
        except ConnectionRefusedError:
            raise _NoAnswer("接続を断られました", "connection refused") from None
        except (OSError, http.client.HTTPException) as error:
            if is_disk_full(error):
                raise SpoolFull(place=self.cloud.system) from None
            raise _NoAnswer("接続が切れました", "the connection was lost") from None
        finally:
            line.close()


class _NoAnswer(Exception):
    def __init__(self, ja: str, en: str) -> None:
        self.ja, self.en = ja, en


def _send(
    line: http.client.HTTPConnection,
    method: str,
    place: str,
    body: Any,  # noqa: ANN401 - bytes, an open file or nothing
    headers: Mapping[str, str],
) -> None:
    """Send; a cloud that answers in the middle of an upload, and closes, is listened to."""
    with suppress(BrokenPipeError, ConnectionResetError):
        line.request(method, place, body, dict(headers))


def _taken(answer: http.client.HTTPResponse, target: Path | None) -> Answer:
    headers = {name.lower(): value for name, value in answer.getheaders()}
    if target is None or answer.status != HTTPStatus.OK:
        body = answer.read(_MOST_BYTES)
        try:
            said = json.loads(body) if body else None
        except ValueError:
            said = None
        return Answer(status=answer.status, headers=headers, said=said)
    got = 0
    with target.open("wb") as writing:
        while piece := answer.read(_PIECE):
            got += writing.write(piece)
    announced = headers.get("content-length")
    if announced is not None and got != int(announced):
        raise http.client.IncompleteRead(b"")
    return Answer(status=answer.status, headers=headers, said=None)


def code_of(said: Json) -> str:
    """Return the code before a sentence of the cloud; the rest may hold a value and is not kept.

    >>> code_of("REQUIRED_FIELD_MISSING:Required fields are missing: [name]:name --")
    'REQUIRED_FIELD_MISSING'
    >>> code_of("山田さんの行")
    '-'
    """
    found = _CODE.match(said) if isinstance(said, str) else None
    return found[0] if found else "-"


def _code(said: Json) -> str:
    first = said[0] if isinstance(said, list) and said else said
    return code_of(first.get("errorCode") or first.get("error")) if isinstance(first, dict) else "-"


def _seconds(header: str) -> float | None:
    """Return how long the cloud asks to wait; a date instead of seconds is not used by them."""
    return max(float(header), 0.05) if header.isdigit() else None
