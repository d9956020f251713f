import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.conversion.charsets import losses, substitute, survives, unfit

NAMES = pa.chunked_array(
    [["𠮷田", "辻\U000e0100", None], ["葛\U000e0100飾", "葛城", "髙﨑", "𠮷田"]]
)


def test_a_character_outside_the_charset_is_told_with_its_rows_and_candidates() -> None:
    found = {loss.code_point: loss for loss in losses(NAMES, "cp932", {"𠮷": "吉"})}

    assert set(found) == {"U+20BB7", "U+8FBB U+E0100", "U+845B U+E0100"}
    assert (found["U+20BB7"].rows, found["U+20BB7"].substitute) == (2, "吉")
    assert found["U+8FBB U+E0100"].candidates == ("辻",)
    assert found["U+8FBB U+E0100"].substitute is None
    assert found["U+845B U+E0100"].name.startswith("CJK UNIFIED IDEOGRAPH-845B + VARIATION")


@pytest.mark.parametrize(("char", "becomes"), [("〜", "～"), ("−", "－"), ("‖", "∥")])
def test_a_character_that_cp932_changes_silently_is_a_loss(char: str, becomes: str) -> None:
    (found,) = losses(pa.chunked_array([[f"一{char}二"]]), "cp932", {})

    assert (found.kind, found.candidates) == ("changed", (becomes,))
    assert char.encode("cp932")  # no error here: that is the trap


def test_nothing_is_lost_in_utf8() -> None:
    assert losses(NAMES, "utf-8", {}) == []
    assert losses(NAMES, "utf-8-bom", {}) == []


def test_an_empty_column_loses_nothing() -> None:
    empty = pa.chunked_array([pa.array([], pa.string())])

    assert losses(empty, "cp932", {}) == []
    assert unfit(empty, "cp932").to_pylist() == []


def test_a_sequence_is_replaced_before_its_base() -> None:
    found = substitute(NAMES, {"葛": "くず", "葛\U000e0100": "カツ"})

    assert found.values.to_pylist()[2:5] == [None, "カツ飾", "くず城"]
    assert found.rows == 2


def test_a_selector_without_a_base_is_told_by_itself() -> None:
    values = pa.chunked_array([["\U000e0100x", "辻\U000e0100"]])

    assert {loss.code_point: loss.rows for loss in losses(values, "cp932", {})} == {
        "U+E0100": 1,
        "U+8FBB U+E0100": 1,
    }


def test_rows_that_cannot_be_written_are_marked() -> None:
    assert unfit(NAMES, "cp932").to_pylist() == [True, True, False, True, False, False, True]


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=8), max_size=6))
def test_a_row_is_fit_exactly_when_it_comes_back_as_it_was(texts: list[str]) -> None:
    def comes_back(text: str) -> bool:
        try:
            return text.encode("cp932").decode("cp932") == text
        except UnicodeError:
            return False

    values = pa.chunked_array([pa.array(texts, pa.string())])

    assert unfit(values, "cp932").to_pylist() == [not comes_back(text) for text in texts]
    lost = losses(values, "cp932", {})
    assert bool(lost) == any(not comes_back(text) for text in texts)
    assert all(loss.rows >= 1 for loss in lost)
    assert all(
        survives(part, "cp932") for loss in lost for text in loss.candidates for part in text
    )
