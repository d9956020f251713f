r"""A file that somebody sends from a page of ours, as ``multipart/form-data`` (RFC 7578), bounded.

The form holds fields and one file. Nothing is read before it is known who sends it, and no more
than the largest attachment.

>>> body = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n'
>>> [(part.field, part.body) for part in parts_of(body, b"x")]
[('a', b'1')]
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

from kumobashi.agreements.attaching import LARGEST_BYTES, check_room
from kumobashi.console.entering import check_is_ours, who
from kumobashi.identity import Deed, Session
from kumobashi.identity.errors import FormStale

_ROOM_BYTES: Final = 20_000  # for fields and heads of parts
_MOST_PARTS: Final = 20
_LONGEST_FIELD: Final = 2_000  # bytes
_BOUNDARY: Final = re.compile(
    r"multipart/form-data;.*\bboundary=\"?([0-9A-Za-z'()+_,./:=?-]{1,70})"  # RFC 2046, 5.1.1
)
_FIELD: Final = re.compile(r'form-data;.*?\bname="([^"]*)"')
_FILE: Final = re.compile(r'\bfilename="([^"]*)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One field; a file has the name that it has at its sender."""

    field: str
    file: str | None
    body: bytes


async def upload_by(request: Request, deed: Deed) -> tuple[Session, str, bytes]:
    """Return who sent a form with a file, the file's name, and what is in it.

    Raises:
        FormStale: nobody has signed in, or the form is not of a page of their session.
        NotPermitted: the role does not include it.
        AttachmentUnfit: it is too large, or empty.
    """
    check_is_ours(request)
    session, found = who(request), _BOUNDARY.match(request.headers.get("content-type", ""))
    if session is None or found is None:
        raise FormStale
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BYTES + _ROOM_BYTES:
            check_room((), "", LARGEST_BYTES + 1)
    parts = list(parts_of(bytes(body), found[1].encode("ascii")))
    fields = {one.field: one.body for one in parts if one.file is None}
    file = next((one for one in parts if one.file is not None), None)
    session.check_form(fields.get("token", b"")[:_LONGEST_FIELD].decode("utf-8", "replace"))
    session.check_may(deed)
    if file is None or file.file is None:
        raise FormStale
    return session, file.file, file.body


def parts_of(body: bytes, boundary: bytes) -> Iterator[Part]:
    """Give the parts of a form; raise ``FormStale`` for what is none."""
    _, *pieces = (b"\r\n" + body).split(b"\r\n--" + boundary, _MOST_PARTS)
    if not pieces or not pieces[-1].startswith(b"--"):
        raise FormStale
    for piece in pieces[:-1]:
        _, line, rest = piece.partition(b"\r\n")
        head, blank, content = rest.partition(b"\r\n\r\n")
        said = head.decode("utf-8", "replace")
        field, file = _FIELD.search(said), _FILE.search(said)
        if not line or not blank or field is None:
            raise FormStale
        yield Part(field=field[1], file=file[1] if file else None, body=content)
