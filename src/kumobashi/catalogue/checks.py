"""What is checked of each column of a table, as conditions in DuckDB's SQL.

Conditions only: no connection, no rows. A condition is true where a row is wrong, and false or null
where it is right. What is shown of a wrong value is a code, a length, a code point or the name of a
type, never a value of a person: a text that stands where a code should and does not look like one
is told by its length.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kumobashi.catalogue.code_lists import CodeList
from kumobashi.catalogue.fields import Condition, Field, Layout
from kumobashi.storage.tables import literal, quoted

_INTEGERS = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"}
_INTEGERS |= {f"U{name}" for name in _INTEGERS}
_TEXT = "VARCHAR"
_DECIMAL = "DECIMAL"
_TIMESTAMPS = {"TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"}
ACCEPTED: Mapping[str, set[str]] = {
    "X": {_TEXT},
    "N": {_TEXT},
    "9": {_TEXT, *_INTEGERS},
    "S9": {_TEXT, *_INTEGERS},
    "9V": {_TEXT, _DECIMAL, *_INTEGERS},
    "DATE": {_TEXT, "DATE"},
    "TIME": {_TEXT, "TIME"},
    "YEAR": {_TEXT, *_INTEGERS},
    "TIMESTAMP": {_TEXT, "TIMESTAMP WITH TIME ZONE", *_TIMESTAMPS},
    "LIST9": {_TEXT, *(f"{name}[]" for name in _INTEGERS)},
}
# A text that should be something else, as CSV brings it: when it is not that. {} is the column.
_NOT_THAT = {
    "9": "not regexp_full_match({}, '[0-9]+')",
    "S9": "not regexp_full_match({}, '-?[0-9]+')",
    "9V": "not regexp_full_match({}, '[0-9]+([.][0-9]+)?')",
    "DATE": "{} not like '____-__-__' or try_cast({} as date) is null",
    "TIME": "not regexp_full_match({}, '([01][0-9]|2[0-3])(:[0-5][0-9]){{1,2}}')",
    "YEAR": "not regexp_full_match({}, '[0-9]{{4}}')",
    "TIMESTAMP": "try_cast({} as timestamp) is null",
    "LIST9": "not regexp_full_match({}, '\\[?[0-9]*([ ,] ?[0-9]+)*\\]?')",
}
# Half width: what a keyboard prints, and half-width kana. Full width: all but these and control
# characters; the yen sign and the overline of JIS X 0201 are half width too.
_WRONG_CHARACTER = {
    "X": r"[^ -~\x{FF61}-\x{FF9F}]",
    "N": r"[\x00-\x{9F}\x{A5}\x{203E}\x{FF61}-\x{FF9F}]",
}
KEY_REPEATED = "finding.key_repeated"
_LONGER_THAN_CODES = 2  # characters by which a wrong code may exceed the longest and still be shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One kind of fault of one column, in SQL."""

    code: str  # of the finding
    item: str
    expected: str
    fault: str  # true where a row is wrong
    got: str  # text to show


def checks_of(
    types: Mapping[str, str], layout: Layout, code_lists: Mapping[str, CodeList]
) -> list[Check]:
    """Return the checks for the columns that are there in a type that may hold the field."""
    return [
        check
        for field in layout.fields
        if types.get(field.name) in ACCEPTED[field.type]
        for check in _of_field(field, types, code_lists, is_strict=layout.is_strict)
    ]


def repeated_keys(relation_sql: str, types: Mapping[str, str], layout: Layout) -> str | None:
    """Return the query for the keys that stand in several rows; none where a key's column misses.

    A key that is not whole is no key: that something misses is found by itself.
    """
    if not layout.key or any(name not in types for name in layout.key):
        return None
    names = ", ".join(quoted(name) for name in layout.key)
    is_whole = " and ".join(f"{quoted(name)} is not null" for name in layout.key)
    return f"select {names} from {relation_sql} where {is_whole} group by all having count(*) > 1"  # noqa: S608 - names pass `quoted`


def check_of_key(repeated: str, layout: Layout) -> Check:
    """Return the check that every row with one of the ``repeated_keys`` fails.

    Nobody can tell which of the rows is right.
    """
    names = ", ".join(quoted(name) for name in layout.key)
    return Check(
        code=KEY_REPEATED,
        item="+".join(layout.key),
        expected="unique",
        fault=f"(({names}) in ({repeated}))",
        got="'repeated'",
    )


def plain_type(kind: str) -> str:
    """Return a type without its parameters; an enumeration is text.

    >>> plain_type("ENUM('1', '2')"), plain_type("DECIMAL(4,2)"), plain_type("INTEGER[]")
    ('VARCHAR', 'DECIMAL', 'INTEGER[]')
    """
    if kind.startswith("ENUM"):
        return _TEXT
    return _DECIMAL if kind.startswith("DECIMAL(") and kind.endswith(")") else kind


def _of_field(
    field: Field, types: Mapping[str, str], lists: Mapping[str, CodeList], *, is_strict: bool
) -> Iterator[Check]:
    """Give the checks of one column that is there and may be of this type."""
    kind = types[field.name]
    name = quoted(field.name)
    is_empty = _is_empty(field.name, kind)
    if field.required:
        yield Check(
            code="finding.required_missing",
            item=field.name,
            expected=field.type,
            fault=is_empty,
            got="'-'",
        )
    if field.condition is not None and field.condition.field in types:
        yield _together(field, field.condition, is_empty, types)
    wrong = _NOT_THAT.get(field.type) if kind == _TEXT else None
    is_wrong = f"not {is_empty} and ({wrong.format(name, name)})" if wrong else "false"
    if wrong:
        yield Check(
            code="finding.wrong_type",
            item=field.name,
            expected=field.type,
            fault=is_wrong,
            got=literal(_TEXT),
        )
    if is_strict and field.type in _WRONG_CHARACTER and field.code_list is None:
        yield _characters(field)
    if field.digits is not None:
        present = f"not {is_empty} and not ({is_wrong})" if wrong else f"not {is_empty}"
        yield _length(field, kind, present, is_fixed=is_strict and field.is_fixed)
    if field.code_list is not None:
        yield _coded(field, lists[field.code_list], f"not {is_empty}")


def _is_empty(column: str, kind: str) -> str:
    name = quoted(column)
    return f"({name} is null or {name} = '')" if kind == _TEXT else f"({name} is null)"


def _together(field: Field, condition: Condition, is_empty: str, types: Mapping[str, str]) -> Check:
    """Check that a field is filled where another one asks for it."""
    other = quoted(condition.field)
    asks = f"not {_is_empty(condition.field, types[condition.field])}"
    if condition.one_of:
        asks = f"{other}::varchar in ({', '.join(map(literal, condition.one_of))})"
    values = f"={','.join(condition.one_of)}" if condition.one_of else ""
    return Check(
        code="finding.required_together",
        item=field.name,
        expected=f"{condition.field}{values}",
        fault=f"{is_empty} and {asks}",
        got="'-'",
    )


def _characters(field: Field) -> Check:
    """Check half and full width; shown is the first character that is not."""
    name, wrong = quoted(field.name), literal(_WRONG_CHARACTER[field.type])
    return Check(
        code="finding.wrong_characters",
        item=field.name,
        expected=field.type,
        fault=f"regexp_matches({name}, {wrong})",
        got=f"printf('U+%04X', unicode(regexp_extract({name}, {wrong})))",
    )


def _length(field: Field, kind: str, present: str, *, is_fixed: bool) -> Check:
    """Check digits, which count characters; a variation selector belongs to its character."""
    name, most = quoted(field.name), field.digits or 0
    sign, expected = ("<>", f"= {most}") if is_fixed else (">", f"<= {field.size}")
    if field.type == "LIST9":
        texts = f"regexp_extract_all({name}::varchar, '[0-9]+')"
        length = f"coalesce(list_max(list_transform({texts}, lambda n: length(n))), 0)"
        fault = f"{length} > {most}"
        if kind.endswith("[]"):  # numbers are compared as numbers, which costs a tenth
            largest = f"greatest(list_max({name}), -list_min({name}))"
            fault = f"coalesce({largest}, 0) >= {10**most}"
    elif field.type == "9V":
        whole, decimals = (
            f"length(regexp_replace(split_part({name}::varchar, '.', {part}), '{zeros}', ''))"
            for part, zeros in ((1, "^-?0*"), (2, "0*$"))
        )
        length = f"{whole} || ',' || {decimals}"
        fault = f"({whole} > {most} or {decimals} > {field.decimals or 0})"
    elif kind == _TEXT:
        length = f"length_grapheme({name})" if field.type in {"X", "N"} else f"length({name})"
        # The dear function is asked only where the cheap one found something.
        fault = f"case when length({name}) {sign} {most} then {length} {sign} {most} end"
    else:
        length = f"length(ltrim({name}::varchar, '-'))"
        fault = f"{length} {sign} {most}"
    return Check(
        code="finding.wrong_length" if is_fixed else "finding.too_long",
        item=field.name,
        expected=expected,
        fault=f"{present} and {fault}",
        got=f"({length})::varchar",
    )


def _coded(field: Field, codes: CodeList, present: str) -> Check:
    text = f"{quoted(field.name)}::varchar"
    known = ", ".join(literal(value) for value in codes.values)
    fault = f"{text} not in ({known})"
    if codes.chain > 1:
        one = "|".join(map(re.escape, codes.values))
        chain = literal(f"({one})(,({one})){{0,{codes.chain - 1}}}")
        fault = f"case when {fault} then not regexp_full_match({text}, {chain}) end"
    most = codes.longest + _LONGER_THAN_CODES
    shown = rf"regexp_full_match({text}, '[0-9A-Za-z,._-]{{1,{most}}}')"
    return Check(
        code="finding.unknown_code",
        item=field.name,
        expected=f"code_list:{codes.name}",
        fault=f"{present} and {fault}",
        got=f"case when {shown} then {text} else 'length ' || length({text}) end",
    )
