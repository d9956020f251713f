"""A large answer on the wire: in parts, each sealed and signed by itself, and a signature of all.

An answer that fits in memory is signed as one message (``signing``). One that does not goes as a
series of frames, so that no gateway holds more than some parts, and nothing that is not proven
reaches a system: a part is believed by its own signature, which covers what was asked, its number
and the digest of all up to it. The frame at the end has the same signed fields as any answer
(RFC 9421, the digest of all parts in ``content-digest``), and both journals keep them. Where the
answering side fails on the way, the last frame is its signed refusal.

A frame is its kind, the length of what follows in four bytes, and that:

| kind | what follows |
|---|---|
| 1 | the name of the key that signs the parts |
| 2 | a signature of 64 bytes, and the part: the first is the answer without its body (RFC 9292), those after it are pieces of the body; each sealed (JWE) where the call went through a relay |
| 3 | the end, as JSON: ``status``, the signed ``fields``, and the ``body`` of a refusal |
"""  # noqa: E501 - a table

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, Self

from kumobashi.calls.binary_http import LARGEST_HEAD
from kumobashi.calls.errors import AnswerUntrusted
from kumobashi.calls.streams import PIECE, Pieces
from kumobashi.crypto.keys import SigningKey, VerifyKey

PARTS_TYPE: Final = "application/vnd.kumobashi.parts"
_KEY, _PART, _END = 1, 2, 3
_FRAME: Final = 5  # bytes before what a frame holds
_SIGNATURE: Final = 64
_LARGEST: Final = {_KEY: 200, _PART: 2 * PIECE + 2 * LARGEST_HEAD, _END: 2 * LARGEST_HEAD}


class PartsWriter:
    """Makes the frames of one answer to ``request``, the digest of what was asked."""

    def __init__(self, request: str, key: SigningKey) -> None:
        self._key = key
        self._proof = _Proof(request)

    @property
    def digest(self) -> str:
        """The digest of all parts so far, ``sha256:…``."""
        return self._proof.digest

    def key(self) -> bytes:
        """Return the frame that all begins with."""
        return _framed(_KEY, self._key.kid.encode("ascii"))

    def part(self, content: bytes) -> bytes:
        """Return the frame of the next part, at most :data:`PIECE` bytes before it was sealed."""
        return _framed(_PART, self._key.sign(self._proof.base(content)), content)

    @staticmethod
    def end(status: int, fields: Mapping[str, str], body: bytes = b"") -> bytes:
        """Return the last frame; ``body`` is that of a refusal."""
        said = {"status": status, "fields": dict(fields), "body": body.decode()}
        return _framed(_END, json.dumps(said, ensure_ascii=False).encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """What the last frame says; nobody has checked its signature yet."""

    status: int
    fields: Mapping[str, str]
    body: bytes


class PartsReader:
    """Reads the frames of one answer; ``keys`` are those of the site that was asked.

    Usage: ``async with PartsReader(…) as reader``, or :meth:`aclose`.
    """

    def __init__(
        self, begun: bytes, rest: Pieces | None, *, request: str, keys: Mapping[str, VerifyKey]
    ) -> None:
        self._held = bytearray(begun)
        self._rest = rest
        self._proof = _Proof(request)
        self._keys = keys
        self._key: VerifyKey | None = None

    @property
    def digest(self) -> str:
        """The digest of all parts so far, ``sha256:…``."""
        return self._proof.digest

    async def next(self) -> bytes | End:
        """Return the next part, proven, or the end.

        Raises:
            AnswerUntrusted: no frame, or not signed by that site for that request.
            NoAnswer, TooLong: the line says so.
        """
        kind, content = await self._frame()
        if self._key is None:
            if kind != _KEY:
                raise AnswerUntrusted(reason="no key of its parts")
            kid = content.decode("ascii", "replace")
            self._key = self._keys.get(kid)
            if self._key is None or self._key.kid != kid:
                raise AnswerUntrusted(reason="crypto.unknown_key")
            kind, content = await self._frame()
        if kind == _END:
            return _end(content)
        if kind != _PART:
            raise AnswerUntrusted(reason="a frame of no kind")
        signature, part = content[:_SIGNATURE], content[_SIGNATURE:]
        if not self._key.verifies(signature, self._proof.base(part)):
            raise AnswerUntrusted(reason="a part was altered")
        return part

    async def over(self) -> None:
        """See that nothing follows; raise ``AnswerUntrusted``."""
        if self._held or await self._more():
            raise AnswerUntrusted(reason="something follows its end")

    async def aclose(self) -> None:
        """Let the line go."""
        if self._rest is not None:
            await self._rest.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _more(self) -> bytes:
        return b"" if self._rest is None else await anext(self._rest, b"")

    async def _frame(self) -> tuple[int, bytes]:
        start = await self._take(_FRAME)
        kind, size = start[0], int.from_bytes(start[1:], "big")
        if size > _LARGEST.get(kind, 0):
            raise AnswerUntrusted(reason="a frame of no kind or size")
        return kind, await self._take(size)

    async def _take(self, size: int) -> bytes:
        while len(self._held) < size:
            piece = await self._more()
            if not piece:
                raise AnswerUntrusted(reason="it broke off")
            self._held += piece
        found = bytes(self._held[:size])
        del self._held[:size]
        return found


class _Proof:
    """What the signature of each part covers."""

    def __init__(self, request: str) -> None:
        self._start = f"kumobashi part\n{request}\n".encode("ascii")
        self._all = sha256()
        self._number = 0

    @property
    def digest(self) -> str:
        return f"sha256:{self._all.hexdigest()}"

    def base(self, content: bytes) -> bytes:
        """Take in the next part and return what is signed for it."""
        self._all.update(content)
        self._number += 1
        return self._start + f"{self._number}\n{self.digest}".encode("ascii")


def _framed(kind: int, *content: bytes) -> bytes:
    size = sum(map(len, content))
    return b"".join((bytes((kind,)), size.to_bytes(4, "big"), *content))


def _end(content: bytes) -> End:
    try:
        said: Any = json.loads(content)
        status, fields, body = said["status"], said["fields"], said["body"].encode()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise AnswerUntrusted(reason="its end cannot be read") from None
    is_text = isinstance(fields, dict) and all(isinstance(one, str) for one in fields.values())
    if not isinstance(status, int) or not is_text:
        raise AnswerUntrusted(reason="its end cannot be read")
    return End(status=status, fields=fields, body=body)
