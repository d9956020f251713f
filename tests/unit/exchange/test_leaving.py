"""What is written of released rows: every column of the receiver, under the names that leave."""

from datetime import date
from pathlib import Path

import duckdb

from kumobashi.catalogue.fields import Field, Layout
from kumobashi.catalogue.items import FieldType
from kumobashi.exchange.leaving import leaving
from kumobashi.exchange.orders import Bounds, CharacterRule, Coded, Order
from kumobashi.exchange.packing import OPERATION
from kumobashi.release.coding import codebook
from kumobashi.release.rules import ReleaseRule
from tests.unit.release.staged import rule

BORN = {"name": "born", "op": "truncate", "of": "birth_date", "to": "year", "ladder": ["drop"]}
SEX = {"name": "sex", "op": "drop"}


def field(name: str, kind: FieldType, digits: int | None) -> Field:
    return Field(
        name=name,
        ja=f"{name}の和名",
        item_id=None,
        type=kind,
        digits=digits,
        code_list=None,
        required=False,
        sensitivity="attribute",
    )


def layout(*fields: Field) -> Layout:
    return Layout(
        layout="notices",
        version="1",
        ja="例",
        fields=fields,
        key=(fields[0].name,),
        valid_from=date(2026, 4, 1),
        valid_to=None,
        source="例",
        own_shape=True,
    )


LOGICAL = layout(field("token", "X", 32), field("sex", "X", 1), field("born", "9", 4))


def order(said: ReleaseRule, coded: Coded | None = None) -> Order:
    return Order(
        tenant="999997",
        link="notices",
        plan_hash="",
        basis=None,
        rule=said,
        purpose="p",
        sources={},
        from_site="hall-core",
        to_site="public-cloud",
        to_system="notice-cloud",
        to_dataset="notices",
        layout=LOGICAL,
        mode="full",
        form="parquet",
        characters=CharacterRule(charset="utf-8", substitutes={}, otherwise="refuse"),
        on_findings="refuse",
        bounds=Bounds(),
        recipient="",
        largest_part_bytes=1,
        coded=coded,
    )


def written(
    said: Order, *, is_difference: bool = False
) -> tuple[list[str], list[tuple[object, ...]]]:
    with duckdb.connect() as work:
        operation = f"'put' as {OPERATION}, " if is_difference else ""
        work.execute(
            f"create table released as select {operation}* from (values ('t1', 1990::smallint),"
            " ('t2', 2001::smallint)) as rows(token, born)"
        )
        found = work.execute(
            f"select * from {leaving('released', said, is_difference=is_difference)}"
        )
        names = [column[0] for column in found.description or ()]
        return names, sorted(found.fetchall())


def test_what_is_dropped_leaves_as_an_empty_column_in_the_order_of_the_layout() -> None:
    names, rows = written(order(rule(SEX, BORN)))

    assert names == ["token", "sex", "born"]
    assert rows == [("t1", None, 1990), ("t2", None, 2001)]


def test_under_a_coding_names_and_order_are_those_of_the_codebook() -> None:
    book = codebook(bytes(32), "notice-cloud", "notices", "2026Q4", LOGICAL.names)
    fields = [field(code, LOGICAL.field(book.names[code]).type, None) for code in book.order]

    names, rows = written(order(rule(SEX, BORN), Coded(codebook=book, layout=layout(*fields))))

    assert names == list(book.order)
    assert not set(names) & set(LOGICAL.names)
    told = [
        {book.names[code]: value for code, value in zip(names, row, strict=True)} for row in rows
    ]
    by_token = {row["token"]: row for row in told}
    assert by_token["t1"] == {"token": "t1", "sex": None, "born": 1990}
    assert by_token["t2"] == {"token": "t2", "sex": None, "born": 2001}


def test_rows_leave_in_the_order_of_their_tokens(tmp_path: Path) -> None:
    file = tmp_path / "rows.parquet"
    with duckdb.connect() as work:
        work.execute("set preserve_insertion_order = false")
        work.execute(
            "create table released as select md5(n::varchar) as token, 1990::smallint as born"
            " from range(5_000) numbers(n)"
        )
        relation = leaving("released", order(rule(SEX, BORN)), is_difference=False)
        work.execute(f"copy (from {relation}) to '{file}' (format parquet, row_group_size 2048)")
    with duckdb.connect() as reading:  # which keeps the order of the file
        found = reading.execute(f"select hash(token) from '{file}'").fetchall()

    assert found == sorted(found)


def test_a_difference_says_first_what_becomes_of_a_row() -> None:
    names, rows = written(order(rule(SEX, BORN)), is_difference=True)

    assert names == [OPERATION, "token", "sex", "born"]
    assert rows[0] == ("put", "t1", None, 1990)
