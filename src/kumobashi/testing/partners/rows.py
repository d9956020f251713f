"""Rows of the fictional city in the shape of any layout.

A table that the city has is taken from it. For another layout every living resident gives a row:
items that the register knows come from there, others are made from their type, the same each time.
"""

from kumobashi.catalogue.code_lists import load_code_lists
from kumobashi.catalogue.columns import column_spec
from kumobashi.catalogue.fields import Field, Layout
from kumobashi.storage.tables import literal, quoted
from kumobashi.testing.city import TABLES

_REGISTER = "resident_registry"


def rows_sql(layout: Layout, table: str) -> str:
    """Return the query for a table of a layout, in its types and in the order of its key."""
    known = TABLES.get(table)
    base = table if known and not known.is_received else _REGISTER
    where = "" if base == table else "where resident_status = '1'"
    columns = TABLES[base].columns
    selected = ", ".join(
        f"{_taken(field, columns)} as {quoted(field.name)}" for field in layout.fields
    )
    order = ", ".join(quoted(name) for name in TABLES[base].key)
    return f"select {selected} from {base} {where} order by {order}"


def _taken(field: Field, columns: dict[str, str]) -> str:
    kind = column_spec(field).sql_type
    if field.name in columns:
        return f"{quoted(field.name)}::{kind}"
    number = "hash(resident_no)"
    if field.code_list:
        codes = load_code_lists()[field.code_list].values
        listed = ", ".join(map(literal, codes))
        return f"([{listed}][1 + ({number} % {len(codes)})::integer])::{kind}"
    if not field.required:
        return f"null::{kind}"
    digits = field.digits or 6
    made = {
        "date": f"date '2026-04-01' - ({number} % 3650)::integer",
        "timestamp": "timestamp '2026-04-01 09:00:00'",
        "integer": f"({number} % {10 ** min(digits, 4)})::{kind}",
        "integers": f"[]::{kind}",
        "text": f"lpad(({number} % 1000000)::varchar, {digits}, '0')",
    }
    return literal("架空") if field.type == "N" else made[column_spec(field).kind]
