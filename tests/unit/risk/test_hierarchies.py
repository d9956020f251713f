"""Hierarchies as people write them, and every way in which one cannot be climbed."""

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.risk.counting import read_base
from kumobashi.risk.errors import (
    BaseTooLarge,
    HierarchyEmpty,
    HierarchyForked,
    HierarchyGap,
    HierarchyShort,
    HierarchyTwice,
    LatticeTooLarge,
    PopulationUncovered,
)
from kumobashi.risk.hierarchies import DELIMITERS, read_hierarchy
from kumobashi.risk.lattice import Ladder
from kumobashi.risk.measuring import Population

TEXT = st.text(alphabet='ab;,|\t" 中央区０', min_size=1, max_size=6)


@given(
    values=st.lists(TEXT, min_size=1, max_size=8, unique=True),
    delimiter=st.sampled_from(DELIMITERS),
)
def test_what_is_written_is_read(values: list[str], delimiter: str) -> None:
    def quote(text: str) -> str:
        return '"' + text.replace('"', '""') + '"'

    lines = [delimiter.join(map(quote, (value, value[0], "*"))) for value in values]

    held = read_hierarchy("\r\n".join(lines), file="h.csv", delimiter=delimiter)

    assert {value: held.ladders[value] for value in values} == {
        value: (value, value[0], "*") for value in values
    }


@pytest.mark.parametrize("delimiter", DELIMITERS)
def test_the_delimiter_is_found(delimiter: str) -> None:
    lines = ["0-4;>50K,a|b", "0-9", "*"]
    lines = [line.translate(str.maketrans("", "", "".join(DELIMITERS))) for line in lines]

    assert read_hierarchy(delimiter.join(lines), file="h.csv").height == 3


def test_lines_that_are_empty_or_said_twice_in_the_same_words_do_no_harm() -> None:
    held = read_hierarchy("a;x;*\n\nb;x;*\na;x;*\n", file="h.csv")

    assert list(held.ladders) == ["a", "b"]


def test_no_line_is_refused() -> None:
    with pytest.raises(HierarchyEmpty):
        read_hierarchy("\n\n", file="h.csv")


@pytest.mark.parametrize("line", ["b;x", "b;x;y;*"])
def test_a_line_of_another_length_is_refused_with_its_number(line: str) -> None:
    with pytest.raises(HierarchyShort) as refused:
        read_hierarchy(f"a;x;*\n\n{line}\n", file="h.csv")

    assert (refused.value.line, refused.value.expected) == (3, 3)


def test_a_value_on_two_lines_that_differ_is_refused_with_both() -> None:
    with pytest.raises(HierarchyTwice) as refused:
        read_hierarchy("a;x;*\nb;x;*\na;y;*\n", file="h.csv")

    assert (refused.value.line, refused.value.first) == (3, 1)


def test_a_value_that_climbs_to_two_parents_is_refused_with_both() -> None:
    with pytest.raises(HierarchyForked) as refused:
        read_hierarchy("a;x;東;*\nb;y;東;*\nc;x;西;*\n", file="h.csv")

    assert (refused.value.line, refused.value.first, refused.value.level) == (3, 1, 1)


def test_the_same_word_on_two_levels_is_no_fork() -> None:
    assert read_hierarchy("*;x;*\nb;x;*\n", file="h.csv").height == 3


@pytest.fixture
def towns() -> Ladder:
    hierarchy = read_hierarchy("a1;a;*\na2;a;*\n;?;*\n", file="town.csv")
    return Ladder(column="town", levels=("town",), hierarchy=hierarchy)


def test_a_value_that_the_hierarchy_lacks_is_counted_and_never_told(
    shared: duckdb.DuckDBPyConnection, towns: Ladder
) -> None:
    shared.execute(
        "create or replace table r as select * from"
        " (values (2, 'a1'), (3, 'ひみつ'), (4, 'a2'), (5, 'ひみつ'), (6, null)) as t(line, town)"
    )

    with pytest.raises(HierarchyGap) as refused:
        read_base(shared, "r", [towns], line="line")

    assert (refused.value.values, refused.value.rows, refused.value.line) == (2, 3, 3)
    assert "ひみつ" not in f"{refused.value.say()}{refused.value}"
    assert not shared.execute("select * from duckdb_tables() where temporary").fetchall()


def test_the_empty_text_climbs_where_the_hierarchy_holds_it(
    shared: duckdb.DuckDBPyConnection, towns: Ladder
) -> None:
    shared.execute("create or replace table r as select unnest(['a1', '', 'a2', '']) as town")

    base = read_base(shared, "r", [towns])

    assert (base.shape, base.total) == ((3,), 4)
    assert base.steps[0].sizes == (3, 2, 1)


def test_a_population_with_values_that_the_hierarchy_lacks_is_refused(
    shared: duckdb.DuckDBPyConnection, towns: Ladder
) -> None:
    shared.execute("create or replace table r as select 'a1' as town")
    shared.execute("create or replace table p as select unnest(['a1', 'z', 'z']) as town")

    with pytest.raises(PopulationUncovered) as refused:
        read_base(shared, "r", [towns], population=Population(relation="p"))

    assert (refused.value.rows, refused.value.column) == (2, "town")


def test_a_lattice_beyond_all_bounds_is_refused_before_anything_is_counted(
    shared: duckdb.DuckDBPyConnection,
) -> None:
    shared.execute("create or replace table r as select 1 as x")
    ladders = [Ladder(column=f"c{n}", levels=("x",) * 5) for n in range(9)]

    with pytest.raises(LatticeTooLarge) as refused:
        read_base(shared, "r", ladders)

    assert refused.value.nodes == 5**9


def test_more_different_rows_than_memory_is_for_are_refused(
    shared: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kumobashi.risk.counting.MOST_CELLS", 99)
    shared.execute("create or replace table r as select i as x from range(100) as t(i)")

    with pytest.raises(BaseTooLarge) as refused:
        read_base(shared, "r", [Ladder(column="x", levels=("x",))])

    assert refused.value.cells == 100
    assert not shared.execute("select * from duckdb_tables() where temporary").fetchall()
