import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.conversion.own_characters import OWN, own_characters

OF_THEIR_OWN = st.characters(categories=["Co"])
SHARED = st.text(
    st.characters(exclude_categories=["Co", "Cs"], exclude_characters="\0"), max_size=8
)


@given(before=SHARED, sign=OF_THEIR_OWN, after=SHARED)
def test_each_is_found_wherever_it_stands(before: str, sign: str, after: str) -> None:
    with duckdb.connect() as work:
        work.execute("create table held (line bigint, name varchar)")
        work.execute(
            "insert into held values (2, ?), (3, ?), (4, null)", [before, before + sign + after]
        )
        found = list(own_characters(work, "held", "name", line="line"))

    assert [(one.code, one.line, one.got, one.rows) for one in found] == [
        (OWN, 3, f"U+{ord(sign):04X}", 1)
    ]


@pytest.mark.parametrize("text", ["髙﨑", "𠮷野家", "か\u3099", "辻󠄀", "①㈱〜−‖", ""])
def test_rare_and_composed_characters_are_everybodys(text: str) -> None:
    with duckdb.connect() as work:
        work.execute("create table held (line bigint, name varchar)")
        work.execute("insert into held values (2, ?)", [text])

        assert list(own_characters(work, "held", "name", line="line")) == []


def test_rows_are_counted_once_for_each_character() -> None:
    with duckdb.connect() as work:
        work.execute("create table held (line bigint, name varchar)")
        work.execute("insert into held values (2, ?), (5, ?)", ["\ue001\ue001\ue000", "\ue001"])
        found = list(own_characters(work, "held", "name", line="line"))

    assert [(one.got, one.line, one.rows) for one in found] == [("U+E000", 2, 1), ("U+E001", 2, 2)]
