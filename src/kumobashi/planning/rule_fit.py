"""Whether the operations of a rule fit the columns they read, and its ladders the receiver.

A run would stop at the first row; here it is told when the file is read.
"""

from collections.abc import Iterator, Mapping

from kumobashi.catalogue.items import FieldType
from kumobashi.catalogue.layouts import Layout
from kumobashi.release.columns import (
    AnyColumn,
    Area,
    HasMember,
    HouseholdAges,
    HouseholdBirthMonths,
    HouseholdCounts,
    Keep,
    Mask,
    Prefix,
    TopBottom,
    Truncate,
)
from kumobashi.release.ladders import can_be_dropped, steps
from kumobashi.release.rules import ReleaseRule
from kumobashi.storage.documents import Document, Mistake

_TEXTS: frozenset[FieldType] = frozenset({"X", "N"})
_DAYS: frozenset[FieldType] = frozenset({"DATE", "TIMESTAMP"})
_WHOLE: frozenset[FieldType] = frozenset({"9", "S9", "YEAR", "X", "N"})  # or digits
_WORDS: Mapping[frozenset[FieldType], tuple[str, str]] = {
    _TEXTS: ("文字（X、N）", "a text (X, N)"),
    _DAYS: ("日付（DATE、TIMESTAMP）", "a date (DATE, TIMESTAMP)"),
    _WHOLE: ("整数（9、S9、YEAR）か文字", "a whole number (9, S9, YEAR) or a text"),
}


def types_read(column: AnyColumn) -> frozenset[FieldType] | None:
    """Return what types an operation can read; none: any."""
    match column:
        case (
            Truncate() | HouseholdAges() | HouseholdCounts() | HasMember() | HouseholdBirthMonths()
        ):
            return _DAYS
        case Prefix() | Area() | Mask():
            return _TEXTS
        case Keep(ladder=[int(), *_]):
            return _TEXTS
        case TopBottom():
            return _WHOLE
        case _:
            return None


def against_types(document: Document[ReleaseRule], layout: Layout) -> Iterator[Mistake]:
    """Give the columns of the subject's ``layout`` that an operation cannot read."""
    for number, column in enumerate(document.value.columns):
        taken, of = types_read(column), str(getattr(column, "of", ""))
        if taken is None or of not in layout.names or layout.field(of).type in taken:
            continue
        field, (ja, en) = layout.field(of), _WORDS[taken]
        yield document.mistake(
            ("columns", number, "of"),
            code="workspace.operation_type",
            ja=f"「{field.ja}」は {field.type} です。操作 {column.op} が読めるのは{ja}です。",
            en=f"{field.name} is {field.type}; the operation {column.op} reads {en}.",
            expected=" | ".join(sorted(taken)),
        )


def against_required(document: Document[ReleaseRule], receiving: Layout) -> Iterator[Mistake]:
    """Give the ladders that end in ``drop`` where the receiver requires the column."""
    required = {field.name for field in receiving.fields if field.required}
    for number, column in enumerate(document.value.columns):
        is_given = column in document.value.released
        if column.name in required and is_given and can_be_dropped(column):
            yield document.mistake(
                ("columns", number, "ladder", len(steps(column)) - 2),
                code="workspace.drop_required",
                ja=f"「{column.name}」は受け取り側「{receiving.ja}」の必須項目なので、drop"
                "（出さない）まで粗くできません。",
                en=f"The receiving layout {receiving.layout} requires {column.name!r}, so its"
                " ladder cannot end in drop.",
                example="ladder: [year]",
            )
