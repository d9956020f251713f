"""Measure how long a table of residents is held against its layout, and how much memory it takes.

    python -m tools.bench_findings [--rows 400000] [--bad 0.05]

The table has 20 fields of ``resident-registry`` version 2, strictly checked; a share of the rows
has a fault, of every kind in turn. Prints one line of JSON: seconds and processor seconds of each
step, findings, and the peak of resident memory in MiB. The exported lines are counted again to see
that none is lost.
"""

# ruff: noqa: S608 - all names and values are this file's own

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import duckdb

from kumobashi.catalogue.checking import each_finding, findings
from kumobashi.catalogue.exporting import export_findings
from kumobashi.catalogue.fields import Layout
from kumobashi.catalogue.layouts import load_layouts
from kumobashi.storage.tables import literal

T = TypeVar("T")

_COLUMNS = {  # in DuckDB's SQL; i counts the rows
    "municipality_code": "'999997'",
    "resident_no": "lpad(i::varchar, 10, '0')",
    "household_no": "lpad((i // 2)::varchar, 10, '0')",
    "resident_kind": "case when i % 40 = 0 then '2' else '1' end",
    "resident_status": "'1'",
    "full_name": "'架空　太郎' || chr(19968 + (i % 5000)::int)",
    "family_name_japanese": "'架空'",
    "given_name_japanese": "'太郎' || chr(19968 + (i % 5000)::int)",
    "name_kana": "'カクウ　タロウ'",
    "sex": "(1 + i % 2)::varchar",
    "birth_date": "strftime(date '1930-01-01' + (i % 34000)::int, '%Y-%m-%d')",
    "birth_date_unknown": "'0'",
    "birth_date_label": "null::varchar",
    "relationship": "case when i % 7 = 0 then '20,12' else '02' end",
    "address_municipality_code": "'999997'",
    "address_town_id": "lpad((i % 300)::varchar, 7, '0')",
    "address_town": "'架空町' || chr(19968 + (i % 300)::int)",
    "address_block": "'１番' || chr(65296 + (i % 10)::int) || '号'",
    "address_building": "case when i % 3 = 0 then 'グリーンハイツ１０１号' end",
    "updated_at": "'2026-11-21 01:02:03'",
}
_FAULTS = {  # what stands there in a bad row, each in its turn
    "full_name": "''",
    "sex": "'7'",
    "birth_date": "'R8.11.22'",
    "birth_date_unknown": "'1'",
    "relationship": "'20,77'",
    "address_town_id": "'123'",
    "address_block": "'1-2-3'",
    "name_kana": "repeat('ア', 101)",
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=400_000)
    parser.add_argument("--bad", type=float, default=0.05)
    parser.add_argument("--memory", default="512MB", help="DuckDB's limit")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        connection.execute(f"set memory_limit = {literal(asked.memory)}")
        connection.execute(f"set temp_directory = {literal(folder)}")
        print(json.dumps(measure(connection, Path(folder), asked.rows, asked.bad)))


def measure(
    connection: duckdb.DuckDBPyConnection, folder: Path, rows: int, bad: float
) -> dict[str, float | int]:
    """Write a table of residents and time each step on it; seconds, counts and MiB."""
    layout = _layout()
    clean, faulty = folder / "clean.parquet", folder / "faulty.parquet"
    _write(connection, clean, rows, 0)
    _write(connection, faulty, rows, bad)
    before = _peak_mib()
    found: dict[str, float | int] = {"rows": rows, "fields": len(layout.fields), "bad": bad}

    def timed(name: str, step: Callable[[], T]) -> T:
        begun, used = time.perf_counter(), time.process_time()
        made = step()
        found[f"{name}_s"] = round(time.perf_counter() - begun, 3)
        found[f"{name}_cpu_s"] = round(time.process_time() - used, 3)
        return made

    table = f"read_parquet({literal(str(faulty))})"
    clean_table = f"read_parquet({literal(str(clean))})"
    none = timed("clean", lambda: findings(connection, clean_table, layout, 1_000))
    groups = timed("grouped", lambda: findings(connection, table, layout, 1_000))
    first = timed("first_1000", lambda: each_finding(connection, table, layout, 1_000))
    files = {form: folder / f"findings.{form}" for form in ("parquet", "csv")}
    for form, path in files.items():
        written = timed(form, partial(export_findings, connection, table, layout, path))
        found["findings"] = written.findings
    lines = connection.execute(
        f"select count(*) from read_parquet({literal(str(files['parquet']))})"
    ).fetchall()[0][0]
    if none or len(first) > lines or lines != sum(group.rows for group in groups):
        raise SystemExit("the findings of one step are not those of another")
    found["peak_mib"] = _peak_mib()
    found["peak_before_mib"] = before
    return found


def _layout() -> Layout:
    """Return twenty fields of the register, checked strictly."""
    whole = load_layouts().get("resident-registry", "2")
    return replace(whole, fields=tuple(f for f in whole.fields if f.name in _COLUMNS))


def _write(connection: duckdb.DuckDBPyConnection, path: Path, rows: int, bad: float) -> None:
    every = round(1 / bad) if bad else 0
    columns = []
    for name, right in _COLUMNS.items():
        value = right
        if every and name in _FAULTS:
            turn = list(_FAULTS).index(name)
            is_bad = f"i % {every} = 0 and (i // {every}) % {len(_FAULTS)} = {turn}"
            value = f"case when {is_bad} then {_FAULTS[name]} else {right} end"
        columns.append(f"{value} as {name}")
    connection.execute(
        f"copy (select {', '.join(columns)} from range({rows}) as t(i)) to {literal(str(path))}"
        " (format parquet)"
    )


def _peak_mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    main()
