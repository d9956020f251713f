"""Messages with attachments: where the envelope lies, and what is no such message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.calls.soap.envelopes import media_type_of
from kumobashi.calls.soap.errors import SoapFailed
from kumobashi.calls.soap.packages import opened

TYPE = 'multipart/related; boundary="b-17"; type="text/xml"; start="<root>"'


def _written(*parts: tuple[str, bytes], boundary: str = "b-17") -> bytes:
    mark = f"--{boundary}"
    return (
        b"".join(f"{mark}\r\n{head}\r\n\r\n".encode() + body + b"\r\n" for head, body in parts)
        + f"{mark}--\r\n".encode()
    )


ROOT = ("Content-Type: text/xml; charset=utf-8\r\nContent-ID: <root>", b"<x/>")
FILE = ("Content-Type: text/csv\r\nContent-ID: <file>", b"a,b\r\n1,2")


@given(st.binary(max_size=200), st.lists(st.binary(max_size=80), max_size=5))
def test_the_envelope_is_found_whatever_is_attached(root: bytes, files: list[bytes]) -> None:
    if any(b"--b-17" in body for body in (root, *files)):
        return  # no writer chooses a boundary that its parts contain
    heads = [(f"Content-ID: <{number}>", body) for number, body in enumerate(files)]

    package = opened(_written((ROOT[0], root), *heads), TYPE)

    assert package.root == root
    assert media_type_of(package.root_type) == ("text/xml", {"charset": "utf-8"})
    assert package.attachments == len(files)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (_written(ROOT, FILE)[:-8], TYPE),
        (_written(ROOT, ROOT), TYPE),
        (_written(FILE, ROOT), TYPE),
        (_written(("Content-ID: <root>", b"<x/>")), TYPE),
        (_written((f"{ROOT[0]}\r\nContent-Transfer-Encoding: base64", b"PHgvPg==")), TYPE),
        (_written((f"X: {'x' * 9_000}\r\n{ROOT[0]}", b"<x/>")), TYPE),
        (_written(*[("X: 1", b"")] * 65), "multipart/related; boundary=b-17"),
        (_written(ROOT, FILE), TYPE.replace("b-17", "b-18")),
        (_written(ROOT, FILE), "multipart/related"),
        (_written(ROOT, boundary="x" * 71), f"multipart/related; boundary={'x' * 71}"),
        (b"--b-17--\r\n", TYPE),
        (b"", TYPE),
    ],
)
def test_what_two_readers_could_take_apart_differently_is_refused(
    body: bytes, content_type: str
) -> None:
    with pytest.raises(SoapFailed, match=r"soap\.parts_unreadable"):
        opened(body, content_type)
