"""Forms with a file: whatever is put in comes out, and what is no form is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.console.uploading import parts_of
from kumobashi.identity.errors import FormStale

BOUNDARY = b"----WebKitFormBoundary7MA4YWxkTrZu0gW"
names = st.text(st.characters(exclude_characters='"\r\n', exclude_categories=["Cs"]), max_size=20)
bodies = st.binary(max_size=200) | st.sampled_from([b"\r\n", b"--", b"\r\n--\r\n", b"\r\n\r\n"])


@given(st.lists(st.tuples(names, names | st.none(), bodies), max_size=8))
def test_what_is_put_in_comes_out(parts: list[tuple[str, str | None, bytes]]) -> None:
    body = b""
    for field, file, content in parts:
        named = f'; filename="{file}"' if file is not None else ""
        head = f'Content-Disposition: form-data; name="{field}"{named}'
        body += b"--" + BOUNDARY + b"\r\n" + head.encode() + b"\r\n\r\n" + content + b"\r\n"
    found = list(parts_of(body + b"--" + BOUNDARY + b"--\r\n", BOUNDARY))
    assert [(one.field, one.file, one.body) for one in found] == parts


@given(st.binary(max_size=300))
def test_anything_else_is_refused_and_breaks_nothing(body: bytes) -> None:
    head = b"\r\nContent-Disposition: form-data; name=a\r\n\r\n"
    for wrong in (body, b"--" + BOUNDARY + head + body):
        with pytest.raises(FormStale):
            list(parts_of(wrong, BOUNDARY))
