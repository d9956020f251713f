"""A recall comes back as it was written; what is no receipt, or too much, is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.crypto.canonical import canonical
from kumobashi.messages.errors import FieldWrong, FormatUnknown
from kumobashi.messages.recall import MOST_RECEIPTS, Recall

PIECE = st.text("ABCxyz019_-", min_size=1, max_size=30)
TOKEN = st.builds("{}.{}.{}".format, PIECE, PIECE, PIECE)


def recall(*tokens: str) -> Recall:
    return Recall(tenant="999997", from_site="hall", to_site="cloud", receipts=tokens)


@given(st.lists(TOKEN, max_size=5))
def test_a_recall_comes_back_as_it_was_written(tokens: list[str]) -> None:
    made = recall(*tokens)

    assert Recall.decode(made.encode()) == made


def test_what_a_later_release_adds_is_kept() -> None:
    members = {**json.loads(recall("a.b.c").encode()), "later": [1]}

    read = Recall.decode(canonical(members))

    assert read.extra == {"later": [1]}
    assert json.loads(read.encode()) == members


@pytest.mark.parametrize(
    "change",
    [
        {"receipts": [{"jws": "no token"}]},
        {"receipts": ["a.b.c"]},
        {"receipts": None},
        {"receipts": [{"jws": "a.b.c"}] * (MOST_RECEIPTS + 1)},
        {"to_site": "../etc"},
        {"tenant": "999998"},
    ],
)
def test_what_is_no_recall_is_refused_by_its_field(change: dict[str, object]) -> None:
    members = {**json.loads(recall("a.b.c").encode()), **change}

    with pytest.raises(FieldWrong):
        Recall.decode(canonical(members))


def test_another_format_is_refused() -> None:
    members = {**json.loads(recall().encode()), "format": 2}

    with pytest.raises(FormatUnknown):
        Recall.decode(canonical(members))
