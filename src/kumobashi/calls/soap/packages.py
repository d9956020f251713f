r"""Messages with attachments (SwA): where in a ``multipart/related`` the envelope lies.

Attachments pass as they are; they are told apart, counted, and never decoded.

>>> content_type = 'multipart/related; boundary=b; type="text/xml"; start="<e>"'
>>> body = b"--b\r\nContent-Type: text/xml\r\nContent-ID: <e>\r\n\r\n<x/>\r\n--b\r\n"
>>> body += b"Content-ID: <a>\r\n\r\n\x00\r\n--b--\r\n"
>>> package = opened(body, content_type)
>>> package.root, package.root_type, package.attachments
(b'<x/>', 'text/xml', 1)
"""

from dataclasses import dataclass
from email.parser import BytesHeaderParser
from email.policy import HTTP
from typing import Final

from kumobashi.calls.soap.envelopes import media_type_of
from kumobashi.calls.soap.errors import PartsUnreadable

_MOST_PARTS: Final = 64
_LARGEST_HEAD: Final = 8 * 1024
_LONGEST_BOUNDARY: Final = 70  # RFC 2046, 5.1.1
_AS_IT_IS: Final = {"", "7bit", "8bit", "binary"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A message, alone or with attachments."""

    body: bytes
    begin: int  # of the envelope
    end: int
    root_type: str  # Content-Type of the envelope
    attachments: int | None = None  # none: it is no multipart message

    @property
    def root(self) -> bytes:
        """The envelope."""
        return self.body[self.begin : self.end]


@dataclass(frozen=True, slots=True)
class _Part:
    content_id: str
    content_type: str
    begin: int
    end: int


def opened(body: bytes, content_type: str) -> Package:
    """Find the envelope.

    Raises:
        EnvelopeUnreadable, PartsUnreadable: the type, or the parts, are not as they must be.
    """
    media_type, parameters = media_type_of(content_type)
    if media_type != "multipart/related":
        return Package(body=body, begin=0, end=len(body), root_type=content_type)
    boundary = parameters.get("boundary", "")
    if not boundary.isascii() or not 0 < len(boundary) <= _LONGEST_BOUNDARY:
        raise PartsUnreadable(reason="boundary")
    parts = _parts(body, boundary.encode("ascii"))
    ids = [part.content_id for part in parts if part.content_id]
    if len(ids) != len(set(ids)):
        raise PartsUnreadable(reason="Content-ID")
    start = parameters.get("start", "")
    if start and parts[0].content_id != start:  # some readers take the first, others that one
        raise PartsUnreadable(reason="start")
    root = parts[0]
    said = parameters.get("type", "")
    if said and media_type_of(root.content_type)[0] != said.lower():
        raise PartsUnreadable(reason=f"type {said[:60]}")
    return Package(
        body=body,
        begin=root.begin,
        end=root.end,
        root_type=root.content_type,
        attachments=len(parts) - 1,
    )


def _parts(body: bytes, boundary: bytes) -> list[_Part]:
    mark = b"--" + boundary
    if not body.startswith(mark + b"\r\n") and b"\r\n" + mark + b"\r\n" not in body:
        raise PartsUnreadable(reason="boundary")
    at = 0 if body.startswith(mark) else body.index(b"\r\n" + mark + b"\r\n") + 2
    parts: list[_Part] = []
    while True:
        begin = at + len(mark)
        if body[begin : begin + 2] == b"--":
            break
        if body[begin : begin + 2] != b"\r\n" or len(parts) == _MOST_PARTS:
            raise PartsUnreadable(reason=f"part {len(parts) + 1}")
        at = body.find(b"\r\n" + mark, begin)
        if at < 0:
            raise PartsUnreadable(reason="the last boundary")
        parts.append(_part(body, begin + 2, at, len(parts) + 1))
        at += 2
    if not parts:
        raise PartsUnreadable(reason="part 1")
    return parts


def _part(body: bytes, begin: int, end: int, number: int) -> _Part:
    head = body.find(b"\r\n\r\n", begin - 2, end)
    if head < 0 or head - begin > _LARGEST_HEAD:
        raise PartsUnreadable(reason=f"part {number}: head")
    fields = BytesHeaderParser(policy=HTTP).parsebytes(body[begin:head] + b"\r\n\r\n")
    encoding = str(fields.get("content-transfer-encoding", "")).lower()
    if number == 1 and encoding not in _AS_IT_IS:
        raise PartsUnreadable(reason=f"part 1: {encoding[:20]}")
    return _Part(
        content_id=str(fields.get("content-id", "")).strip(),
        content_type=str(fields.get("content-type", "")),
        begin=head + 4,
        end=end,
    )
