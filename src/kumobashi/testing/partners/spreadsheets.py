"""A spreadsheet as local offices make them: titles above, a header of two rows, dates of an era."""

from datetime import date
from pathlib import Path

import duckdb
from xlsxwriter import Workbook

from kumobashi.catalogue.eras import era_date
from kumobashi.catalogue.fields import Layout

_FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
_TOP = 4  # the first row of people; two of titles and two of headers stand above
_ROWS_AT_ONCE = 10_000


def write_spreadsheet(
    connection: duckdb.DuckDBPyConnection, query: str, layout: Layout, path: Path, *, on: date
) -> int:
    """Write the rows of ``query`` into one sheet; return how many.

    Dates are texts such as 平成2年2月28日, codes are now and then in full width, and the items
    behind the first stand under one merged cell that names the group.
    """
    found = connection.execute(query)
    rows = 0
    with Workbook(str(path), {"strings_to_formulas": False}) as book:
        sheet = book.add_worksheet("一覧")
        text, bold = book.add_format({"num_format": "@"}), book.add_format({"bold": True})
        last = len(layout.fields) - 1
        if last:
            sheet.merge_range(0, 0, 0, last, f"{layout.ja}　一覧", bold)
        sheet.write_string(1, last, f"{era_date(on).text}現在　架空市", text)
        sheet.write_string(2, 0, layout.fields[0].ja, bold)
        if last > 1:
            sheet.merge_range(2, 1, 2, last, "内訳", bold)
        for place, field in enumerate(layout.fields[1:], 1):
            sheet.write_string(3, place, field.ja, bold)
        while group := found.fetchmany(_ROWS_AT_ONCE):
            for row in group:
                for place, (field, value) in enumerate(zip(layout.fields, row, strict=True)):
                    said = _said(value, is_code=bool(field.code_list), number=rows)
                    if said:
                        sheet.write_string(_TOP + rows, place, said, text)
                rows += 1
    return rows


def _said(value: object, *, is_code: bool, number: int) -> str:
    match value:
        case None:
            return ""
        case date():
            return era_date(value).text
        case list():
            return " ".join(map(str, value))
        case _ if is_code and number % 3 == 0 and str(value).isdigit():
            return str(value).translate(_FULL_WIDTH)
        case _:
            return str(value)
