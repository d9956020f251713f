"""What of an answer and of a request leaves: what was judged, and nothing beside it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.calls.binary_http import Answer, Request
from kumobashi.calls.errors import ServiceUnfit
from kumobashi.calls.giving import check_given
from kumobashi.calls.permission_errors import ItemNotPermitted
from kumobashi.calls.showing import Shown, show

SHOWN = Shown(at="/result", kept=frozenset({"amount"}), blanked=frozenset({"shimei"}))
NAMES = st.sampled_from(["amount", "shimei", "memo", "result", "", "金額"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just("太郎"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


def _answer(body: Any, status: int = 200) -> Answer:
    text = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    return Answer(status=status, headers=(("etag", '"1"'),), body=text)


@given(JSON)
def test_nothing_leaves_but_kept_scalars_in_records(body: Any) -> None:
    try:
        left = json.loads(show(_answer(body), SHOWN, service="s").body)
    except ServiceUnfit:
        return
    assert left.keys() <= {"result"}
    records = left.get("result")
    for record in records if isinstance(records, list) else [records] if records else []:
        assert record.keys() <= {"amount", "shimei"}
        assert record.get("shimei") is None
        assert not isinstance(record.get("amount"), dict | list)


@given(
    st.lists(
        st.fixed_dictionaries(
            {"amount": st.integers() | st.floats(allow_nan=False, allow_infinity=False)}
        )
    )
)
def test_what_is_kept_is_not_changed(records: list[dict[str, Any]]) -> None:
    said = _answer({"result": records})
    assert json.loads(show(said, SHOWN, service="s").body) == {"result": records}


@pytest.mark.parametrize(
    "body",
    [
        b"<html/>",
        b"[" * 5000,
        b'{"result": ["a taxpayer"]}',
        b'{"result": [{"amount": NaN}]}',
        b'{"result": [{"amount": 12345678901234567890.12345678901}]}',
        b'["a taxpayer"]',
    ],
)
def test_what_cannot_be_read_does_not_leave(body: bytes) -> None:
    with pytest.raises(ServiceUnfit):
        show(_answer(body), SHOWN, service="s")


def test_a_refusal_keeps_its_words_without_what_is_hidden() -> None:
    said = {"code": "E0002", "about": {"shimei": "太郎", "amount": 5}}

    left = show(_answer(said, 404), SHOWN, service="s")

    assert json.loads(left.body) == {"code": "E0002", "about": {"shimei": None, "amount": 5}}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/totals?page=2&limit=50", b""),
        ("/totals", b'{"amount": 5}'),
        ("/totals", b'[{"amount": 5}, {"amount": [1, 2]}]'),
        ("/totals?amount=5", b"{}"),
    ],
)
def test_judged_items_may_be_given(path: str, body: bytes) -> None:
    check_given(
        Request(method="POST", path=path, headers=(), body=body), frozenset({"amount"}), link="l"
    )


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/totals", b'{"amount": 5, "shimei": "x"}'),
        ("/totals", b'{"amount": {"shimei": "x"}}'),
        ("/totals", b'{"amount": [{"shimei": 1}]}'),
        ("/totals", b'"a taxpayer"'),
        ("/totals", b'["a taxpayer"]'),
        ("/totals", b"shimei=x"),
        ("/totals", b"[" * 5000),
        ("/totals?shimei=x", b""),
        ("/totals?shimei", b""),
    ],
)
def test_what_nobody_judged_is_not_given(path: str, body: bytes) -> None:
    with pytest.raises(ItemNotPermitted) as refused:
        check_given(
            Request(method="POST", path=path, headers=(), body=body),
            frozenset({"amount"}),
            link="l",
        )
    assert "shimei" not in json.dumps(refused.value.problem())
