"""What column of a table a field of a layout becomes.

>>> from kumobashi.catalogue.layouts import load_layouts
>>> column_spec(load_layouts().get("resident-registry", "1").field("birth_date")).sql_type
'date'
"""

from kumobashi.catalogue.fields import Field
from kumobashi.storage.tables import ColumnSpec


def column_spec(field: Field) -> ColumnSpec:
    """Return the column that holds a field."""
    match field.type:
        case "9" | "S9" | "YEAR":
            return ColumnSpec(field.name, "integer", field.digits)
        case "DATE":
            return ColumnSpec(field.name, "date")
        case "LIST9":
            return ColumnSpec(field.name, "integers", field.digits)
        case "TIMESTAMP":
            return ColumnSpec(field.name, "timestamp")
        case _:
            return ColumnSpec(field.name, "text", field.digits)
