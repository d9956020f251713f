"""The record of a host that nobody has described yet: each item of a layout in the bytes it needs.

>>> from kumobashi.catalogue.layouts import load_layouts
>>> layout = load_layouts().get("child-support-allowance", "1")
>>> [(f.name, f.offset, f.length, f.kind) for f in records_for(layout, "ibm930").fields]
[('resident_no', 0, 10, 'digits'), ('payment_kind', 10, 1, 'text'), ('decided_on', 11, 8, 'date')]
"""

from kumobashi.catalogue.columns import column_spec
from kumobashi.catalogue.fields import Field, Layout
from kumobashi.conversion.records import FieldKind, RecordCharset, RecordField, Records

_WIDEST = 120  # characters
_SHIFTS = 2  # bytes, around a text that is all wide


def records_for(layout: Layout, charset: RecordCharset) -> Records:
    """Return a record that holds every value of a layout."""
    fields, offset = [], 0
    for field in layout.fields:
        kind, length = _written(field, charset)
        fields.append(RecordField(field.name, offset, length, kind))
        offset += length
    return Records(charset=charset, length=offset, fields=tuple(fields))


def _written(field: Field, charset: RecordCharset) -> tuple[FieldKind, int]:
    digits = min(field.digits or 20, _WIDEST)
    wide = 2 * digits + (0 if charset == "cp932" else _SHIFTS)
    written: tuple[FieldKind, int] = ("text", wide if field.type == "N" else digits)
    match column_spec(field).kind:
        case "date":
            written = ("date", 8)
        case "integer":
            written = ("packed", digits // 2 + 1) if field.type == "S9" else ("zoned", digits)
        case "timestamp":
            written = ("text", 19)
        case "integers":
            written = ("text", _WIDEST)
        case "text" if field.sensitivity == "identifier" and field.type == "X":
            written = ("digits", digits)
        case _:
            pass
    return written
