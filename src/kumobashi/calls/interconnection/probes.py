"""What a gateway asks of another while a link is tested: small requests on the way of calls.

They are calls of the link, marked as test traffic, whose path no operation has. The asking gateway
makes them itself: no system can ask for one, for every operation is compared before.

>>> asked = probe(Probe.HELLO, {})
>>> asked.path
'/.well-known/kumobashi/link-test/hello'
>>> kind_of(asked), said(asked)
(<Probe.HELLO: 'hello'>, {})
"""

import json
import os
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from kumobashi.calls.binary_http import Answer, Request
from kumobashi.calls.interconnection.errors import AnswerUnfit, ProbeUnfit

PATH: Final = "/.well-known/kumobashi/link-test/"
BULK: Final = "bulk"  # the service of a test whose link sends data in bulk
_JSON: Final = (("content-type", "application/json"),)
_OK: Final = 200


class Probe(StrEnum):
    """What is asked."""

    HELLO = "hello"  # who is there, what time it is, which plan it goes by
    SIZE = "size"  # so much came, so much goes back
    CHARACTERS = "characters"  # what was read, code point by code point
    SYSTEM = "system"  # whether the system behind can be reached
    RECEIPTS = "receipts"  # which of these calls are in its journal
    SIGN = "sign"  # its signature under the record


def probe(kind: Probe, wish: Mapping[str, object]) -> Request:
    """Return a request that says something."""
    body = json.dumps(wish, ensure_ascii=False).encode()
    return Request(method="POST", path=f"{PATH}{kind}", headers=_JSON, body=body)


def size_probe(request_bytes: int, answer_bytes: int) -> Request:
    """Return a request of a size that asks for an answer of another; nothing shortens it."""
    path = f"{PATH}{Probe.SIZE}?answer={answer_bytes}"
    return Request(method="POST", path=path, body=os.urandom(request_bytes))


def kind_of(request: Request) -> Probe | None:
    """Return which probe a request is; nothing for what a system asks.

    Raises:
        ProbeUnfit: it is a probe that this version does not know.
    """
    path = request.path.partition("?")[0]
    if not path.startswith(PATH):
        return None
    name = path.removeprefix(PATH)
    if request.method != "POST" or name not in set(Probe):
        raise ProbeUnfit(reason="unknown")
    return Probe(name)


def said(request: Request) -> dict[str, Any]:
    """Return what a request says; raise ``ProbeUnfit``."""
    found = _members(request.body)
    if found is None:
        raise ProbeUnfit(reason="not JSON")
    return found


def wished_size(request: Request, most: int) -> int:
    """Return how large an answer is asked for; raise ``ProbeUnfit``."""
    said = request.path.partition("?answer=")[2]
    if not (said.isascii() and said.isdigit() and len(said) < 10 and int(said) <= most):  # noqa: PLR2004 - far enough
        raise ProbeUnfit(reason="answer")
    return int(said)


def answer(found: Mapping[str, object]) -> Answer:
    """Return an answer that says something."""
    body = json.dumps(found, ensure_ascii=False).encode()
    return Answer(status=_OK, headers=_JSON, body=body)


def answered(came: Answer) -> dict[str, Any]:
    """Return what an answer says; raise ``AnswerUnfit``."""
    found = _members(came.body)
    if came.status != _OK or found is None:
        raise AnswerUnfit(reason="not JSON")
    return found


def code_points(text: str) -> list[str]:
    """Return a text as what nobody can take for another one.

    >>> code_points("葛󠄀")
    ['845B', 'E0100']
    """
    return [f"{ord(one):04X}" for one in text]


def _members(body: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(body)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
