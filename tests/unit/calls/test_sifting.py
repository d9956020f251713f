"""A large answer, record by record: what leaves of it is what would leave of it whole."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kumobashi.calls.binary_http import Answer
from kumobashi.calls.errors import ServiceUnfit
from kumobashi.calls.showing import Shown, show
from kumobashi.calls.sifting import LARGEST_RECORD, Sieve

WAYS = st.sampled_from(["", "/result", "/*/result", "/pages/*/result", "/a~1b", "/*"])
NAMES = st.sampled_from(["amount", "shimei", "memo", "result", "pages", "a/b", "", "金額", '"\\'])
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=15,
)
RECORDS = st.lists(
    st.dictionaries(st.sampled_from(["amount", "shimei", "memo"]), JSON, max_size=3), max_size=3
)
ALONG = st.one_of(
    JSON,
    st.fixed_dictionaries({"memo": JSON, "result": RECORDS}),
    st.lists(st.fixed_dictionaries({"result": RECORDS}), max_size=3),
    st.fixed_dictionaries({"pages": st.lists(st.fixed_dictionaries({"result": RECORDS}))}),
)


def _shown(at: str) -> Shown:
    return Shown(at=at, kept=frozenset({"amount", "金額"}), blanked=frozenset({"shimei"}))


def _sifted(text: bytes, cuts: list[int], shown: Shown) -> bytes | None:
    sieve = Sieve(shown)
    ends = sorted({min(cut, len(text)) for cut in cuts} | {len(text)})
    try:
        pieces = [
            sieve.feed(text[a:b]) for a, b in zip([0, *ends], [*ends, len(text)], strict=True)
        ]
        return b"".join((*pieces, sieve.finish()))
    except (ValueError, RecursionError):
        return None


def _whole(text: bytes, shown: Shown) -> bytes | None:
    try:
        return show(Answer(status=200, body=text), shown, service="s").body
    except ServiceUnfit:
        return None


CUTS = st.lists(st.integers(0, 300), max_size=8)


@given(ALONG, WAYS, CUTS, st.sampled_from([None, 1]), st.booleans())
@example({"result": [{"amount": 12}]}, "/result", [23, 24], None, False)
@example(12, "", [1], None, False)
def test_in_any_pieces_the_same_leaves_as_of_the_whole(
    value: Any, at: str, cuts: list[int], indent: int | None, is_ascii: bool
) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=is_ascii).encode()

    assert _sifted(text, cuts, _shown(at)) == _whole(text, _shown(at))


@given(st.binary(max_size=40), st.lists(st.integers(0, 40), max_size=4))
@example(b'{"result":[{"amount":1}],}', [])
@example(b'{"result":[{"amount":1},]}', [])
@example(b'{"result":[{"amount":1}]}}', [])
@example(b'{"result":[{"amount":1}', [])
@example(b'{"result":[{"amount":1} {"amount":2}]}', [])
@example(b'{"result" [{"amount":1}]}', [])
@example(b'{1:[{"amount":1}]}', [])
@example(b'{"result":[{"amount":NaN}]}', [])
@example(b'{"result":[{"amount":0.12345678901234567890123}]}', [])
@example(b'{"result":["a taxpayer"]}', [])
@example(b"", [])
@example(b'\xef\xbb\xbf{"result":[]} \n', [1])
@example(b'{"result":[{"amount":"\\ud800"}]}', [])
def test_what_is_refused_as_a_whole_is_refused_in_pieces(text: bytes, cuts: list[int]) -> None:
    if not text:
        assert _sifted(text, cuts, _shown("/result")) is None
    elif b"\0" not in text[:4]:  # a whole text may be UTF-16; in pieces it must be UTF-8
        assert _sifted(text, cuts, _shown("/result")) == _whole(text, _shown("/result"))


def test_records_twice_on_the_way_are_refused() -> None:
    text = b'{"result":[{"amount":1}],"result":[{"shimei":"T"}]}'

    assert _sifted(text, [], _shown("/result")) is None


def test_no_record_is_held_beyond_the_bound() -> None:
    sieve = Sieve(_shown("/result"))
    sieve.feed(b'{"result":[{"memo":"')
    sieve.feed(b"x" * (LARGEST_RECORD // 2))

    with pytest.raises(ValueError, match="Unterminated"):
        sieve.feed(b"x" * LARGEST_RECORD)
