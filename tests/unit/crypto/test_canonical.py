import io
from hashlib import sha256
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.crypto.canonical import canonical, digest, read_canonical, read_json
from kumobashi.crypto.errors import NotCanonical

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(-1e15, 1e15)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)

ascii_names = st.text(st.characters(max_codepoint=127), max_size=4)
plain_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(ascii_names, inner, max_size=5)
    ),
    max_leaves=20,
)


@given(json_values)
def test_canonical_bytes_read_back_to_the_same_bytes(value: object) -> None:
    once = canonical(value)

    assert canonical(read_canonical(once)) == once


@given(json_values | plain_values)
def test_the_quick_way_writes_what_the_library_writes(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value)


@pytest.mark.parametrize("value", [2**53 - 1, 1 - 2**53, -0.0, 1e21, 10.0, True, "\u2028\x7f\x1f/"])
def test_values_at_the_edges_are_written_as_the_library_does(value: Any) -> None:
    assert canonical({"a": [value]}) == rfc8785.dumps({"a": [value]})


def test_names_are_sorted_by_utf16_as_the_rfc_asks() -> None:
    value = {"€": 1, "\r": 2, "\ufb33": 3, "1": 4, "😀": 5, "\x80": 6, "ö": 7}  # RFC 8785, 3.2.3

    read = read_json(canonical(value))

    assert isinstance(read, dict)
    assert list(read) == ["\r", "1", "\x80", "ö", "€", "😀", "\ufb33"]


@pytest.mark.parametrize(
    "value", [2**53 + 1, float("nan"), float("inf"), {1: 2}, "\ud800", object(), {"a": {1, 2}}]
)
def test_what_has_no_single_form_is_refused(value: object) -> None:
    with pytest.raises(NotCanonical):
        canonical(value)


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1,"a":2}',
        b'{"a":{"b":1,"b":1}}',
        b"NaN",
        b"-Infinity",
        b"9007199254740992",
        b"1" * 5000,
        b"[" * 100_000,
        b'"\xff"',
        b"\xef\xbb\xbf{}",
        b"{'a':1}",
        b"",
        b"{} x",
    ],
)
def test_json_that_readers_understand_differently_is_refused(data: bytes) -> None:
    with pytest.raises(NotCanonical):
        read_json(data)


def test_json_larger_than_the_limit_is_refused_before_it_is_read() -> None:
    with pytest.raises(NotCanonical, match="larger than 10 bytes"):
        read_json(b"[" * 11, limit=10)


@pytest.mark.parametrize("data", [b'{ "a":1}', b'{"b":1,"a":2}', b'{"a":1.0}', b'{"a":"\\u0062"}'])
def test_json_in_another_form_than_the_canonical_is_refused(data: bytes) -> None:
    with pytest.raises(NotCanonical, match="RFC 8785"):
        read_canonical(data)


def test_a_refusal_never_quotes_the_text() -> None:
    with pytest.raises(NotCanonical) as refusal:
        read_json('{"氏名":"架空 花子","氏名":"架空 太郎"}'.encode())

    assert "架空" not in str(refusal.value) + refusal.value.say() + refusal.value.remedy()


@given(st.binary())
def test_a_stream_and_its_bytes_have_the_same_digest(data: bytes) -> None:
    expected = f"sha256:{sha256(data).hexdigest()}"

    assert digest(data) == digest(io.BytesIO(data)) == expected
