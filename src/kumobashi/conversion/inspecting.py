r"""Hold a file against a layout: what is wrong, on which line, and what can be put right.

>>> import tempfile
>>> from kumobashi.catalogue.layouts import load_layouts
>>> layout = load_layouts().get("child-support-allowance", "1")
>>> with tempfile.TemporaryDirectory() as folder, duckdb.connect() as work:
...     path = Path(folder, "手当.csv")
...     said = "宛名番号,支給区分,認定年月日\n0000000001,7,2026-04-01\n0000000002,1,令和8年4月1日\n"
...     _ = path.write_text(said, encoding="cp932")
...     checked = check_file(path, layout, work)
>>> [(f.line, f.item, f.expected, f.got) for f in checked.findings][0]
(2, 'payment_kind', 'code_list:child_support_allowance_payment', '7')
>>> [(c.line, c.item, c.rule) for c in checked.corrections]
[(3, 'decided_on', 'dates')]
"""

# ruff: noqa: S608 - names pass `quoted`, the relations are our own

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from kumobashi.catalogue.checking import findings
from kumobashi.catalogue.code_lists import CodeList, load_code_lists
from kumobashi.catalogue.exporting import export_findings
from kumobashi.catalogue.faults import LINE
from kumobashi.catalogue.layouts import Layout
from kumobashi.conversion.charsets import CharacterLoss, code_points, losses
from kumobashi.conversion.correcting import Field, Rule, corrected, steps
from kumobashi.conversion.files import FileRead, read_file
from kumobashi.conversion.own_characters import own_characters
from kumobashi.conversion.record_files import read_records
from kumobashi.conversion.records import Records
from kumobashi.kernel import Finding
from kumobashi.storage.counting import count
from kumobashi.storage.tables import literal, quoted

MOST_FINDINGS = 1000
CORRECTED = "corrected_rows"  # the relation that check_file leaves: items put right, others kept
_READ = "file_rows"  # with the header's names
NAMED = "named_rows"  # and this one: as they are, with the layout's names, and the line
_LINE = quoted(LINE)
_NOT_OF_THE_LAYOUT = {"finding.column_count", "finding.formula", "finding.undecodable"}
FORMULA = "^([=+@\t\r]|-[^0-9])"


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """One rule that put values of one item right."""

    item: str
    rule: Rule
    rows: int
    line: int  # the first


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChecked:
    """What a file is, what is wrong in it, and what is left when it has been put right."""

    read: FileRead
    findings: tuple[Finding, ...]  # of the file as it is; ``line`` is that of the file
    corrections: tuple[Correction, ...]
    left: tuple[Finding, ...]  # of the corrected rows
    characters: tuple[Finding, ...]  # that cp932 cannot hold, or gives back as others; 外字


def check_file(
    path: Path, layout: Layout, work: duckdb.DuckDBPyConnection, *, records: Records | None = None
) -> FileChecked:
    """Read ``path`` and check it; the corrected rows are left in the table ``corrected_rows``.

    ``records`` says how a file of fixed lengths is cut.

    Raises:
        ConversionFailed: the file cannot be read as rows of this layout.
    """
    names = names_of(layout)

    def known(header: list[str]) -> int:
        return len({names[key] for key in map(_plain, header) if key in names})

    if records is None:
        read = read_file(path, work, _READ, layout=layout.layout, known=known)
    else:
        rows, broken, broken_rows = read_records(path, records, work, _READ)
        header = tuple(field.name for field in records.fields)
        read = FileRead(
            header=header, rows=rows, form=None, broken=tuple(broken), broken_rows=broken_rows
        )
    columns = {name: names.get(_plain(name), name) for name in read.header}
    lists = load_code_lists()
    fields = [_field(layout, name, lists) for name in layout.names if name in columns.values()]
    _name_and_correct(work, columns, fields)
    found = [
        *read.broken,
        *findings(work, NAMED, layout, MOST_FINDINGS),
        *_formulas(work, fields),
    ]
    found.sort(key=lambda finding: finding.line or 0)  # what is about the whole file first
    left = findings(work, CORRECTED, layout, MOST_FINDINGS)
    return FileChecked(
        read=read,
        findings=tuple(found),
        corrections=tuple(_corrections(work, fields)),
        left=(*read.broken, *left),
        characters=tuple(_characters(work, layout)),
    )


def every_finding(
    work: duckdb.DuckDBPyConnection, layout: Layout, checked: FileChecked, folder: Path
) -> str:
    """Return a relation with every finding of every line, as ``export_findings`` writes them.

    Call after :func:`check_file` with the same ``work``; ``folder`` holds the rows meanwhile.
    """
    path = folder / "findings.parquet"
    export_findings(work, NAMED, layout, path)
    others = [f for f in checked.findings if f.code in _NOT_OF_THE_LAYOUT]
    rows = pa.table(
        {
            "行": pa.array([f.line for f in others], pa.int64()),
            "項目": pa.array([f.item for f in others], pa.string()),
            "符号": pa.array([f.code for f in others], pa.string()),
            "期待": pa.array([f.expected for f in others], pa.string()),
            "実際": pa.array([f.got for f in others], pa.string()),
        }
    )
    work.register("other_findings", rows)
    found = f"from read_parquet('{path}') union all by name from other_findings"
    return f"(from ({found}) order by 行 nulls first)"


def formula_condition(work: duckdb.DuckDBPyConnection, relation: str, layout: Layout) -> str:
    """Return the SQL condition for a row with a text that a spreadsheet would run."""
    there = {row[0] for row in work.execute(f"describe {relation}").fetchall()}
    texts = [f.name for f in layout.fields if f.type in {"X", "N"} and f.name in there]
    runs = (f"coalesce(regexp_matches({quoted(name)}, '{FORMULA}'), false)" for name in texts)
    return " or ".join(runs) or "false"


def names_of(layout: Layout) -> Mapping[str, str]:
    """Return the item for each way of writing its name in a header."""
    written = {_plain(field.name): field.name for field in layout.fields}
    return written | {_plain(field.ja): field.name for field in layout.fields}


def _plain(name: str) -> str:
    """Return a header without what people write in several ways."""
    return "".join(unicodedata.normalize("NFKC", name).split()).lower()


def _field(layout: Layout, name: str, lists: Mapping[str, CodeList]) -> Field:
    item = layout.field(name)
    codes = lists[item.code_list].values if item.code_list else ()
    is_number = item.sensitivity == "identifier" and item.type == "X"
    return Field(item.name, item.type, item.digits, codes, is_number)


def _name_and_correct(
    work: duckdb.DuckDBPyConnection, columns: Mapping[str, str], fields: Sequence[Field]
) -> None:
    named, taken = [_LINE], set[str]()
    for header, name in columns.items():
        wish = name if name not in taken else header  # a second column of one item is unexpected
        taken.add(wish)
        named.append(f"{quoted(header)} as {quoted(wish)}")
    work.execute(f"create table {NAMED} as select {', '.join(named)} from {_READ}")
    work.execute(f"drop table {_READ}")
    selected = [_LINE, *(f"{corrected(item)} as {quoted(item.name)}" for item in fields)]
    selected += [quoted(name) for name in taken - {item.name for item in fields}]
    work.execute(f"create table {CORRECTED} as select {', '.join(selected)} from {NAMED}")


def _formulas(work: duckdb.DuckDBPyConnection, fields: Sequence[Field]) -> list[Finding]:
    """Find texts that a spreadsheet would run."""
    found = []
    for item in fields:
        if item.type not in {"X", "N"}:
            continue
        is_formula = f"regexp_matches({quoted(item.name)}, '{FORMULA}')"
        ((rows, line),) = work.execute(
            f"select count(*), min({_LINE}) from {NAMED} where {is_formula}"
        ).fetchall()
        if rows:
            found.append(
                Finding(
                    code="finding.formula",
                    line=line,
                    item=item.name,
                    expected="式でない文字",
                    got="= + - @",
                    rows=rows,
                )
            )
    return found


def _corrections(work: duckdb.DuckDBPyConnection, fields: Sequence[Field]) -> list[Correction]:
    """Count what each rule changes, on the rows that were changed at all."""
    if not fields:
        return []
    differs = " or ".join(f"a.{quoted(item.name)} <> b.{quoted(item.name)}" for item in fields)
    work.execute(
        f"create table changed as select a.* from {NAMED} as a positional join {CORRECTED} as b"
        f" where {differs}"
    )
    asked, counted = [], []
    for item in fields:
        before = quoted(item.name)
        for rule, after in steps(item):
            asked.append((item.name, rule))
            changed = f"filter ({after} <> {before})"
            counted += [f"count(*) {changed}", f"min({_LINE}) {changed}"]
            before = after
    (numbers,) = work.execute(f"select {', '.join(counted)} from changed").fetchall()
    return [
        Correction(item=item, rule=rule, rows=rows, line=line)
        for (item, rule), rows, line in zip(asked, numbers[::2], numbers[1::2], strict=True)
        if rows
    ]


def _characters(work: duckdb.DuckDBPyConnection, layout: Layout) -> list[Finding]:
    """Find what would be lost, or would change without a word, on its way through cp932."""
    there = {row[0] for row in work.execute(f"describe {CORRECTED}").fetchall()}
    found: list[Finding] = []
    for field in layout.fields:
        if field.type not in {"X", "N"} or field.name not in there:
            continue
        column = quoted(field.name)
        is_ascii = f"regexp_full_match(coalesce({column}, ''), '[ -~]*')"
        if not count(work, f"select count(*) from {CORRECTED} where not {is_ascii}"):
            continue
        found += own_characters(work, CORRECTED, field.name, line=LINE)
        values = work.sql(f"select {column} from {CORRECTED}").to_arrow_table().column(0)
        found += [_lost(work, field.name, loss) for loss in losses(values, "cp932", {})]
    return found


def _lost(work: duckdb.DuckDBPyConnection, item: str, loss: CharacterLoss) -> Finding:
    """Say where a character stands first, and what would stand there afterwards."""
    column, char = quoted(item), literal(loss.text)
    ((line, position),) = work.execute(
        f"select min({_LINE}), arg_min(strpos({column}, {char}), {_LINE})"
        f" from {CORRECTED} where contains({column}, {char})"
    ).fetchall()
    got = f"{loss.code_point} @{position}"
    if loss.kind == "changed":
        got += f" → {code_points(loss.text.encode('cp932').decode('cp932'))}"
    elif loss.candidates:
        got += f" → {' / '.join(map(code_points, loss.candidates))}?"
    return Finding(
        code=f"finding.character_{'changed' if loss.kind == 'changed' else 'unmappable'}",
        line=line,
        item=item,
        expected="cp932",
        got=got,
        rows=loss.rows,
    )
