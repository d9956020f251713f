"""Read a file of consents that somebody else recorded, and hold every row against the texts.

A CSV or Parquet file with the columns ``resident_no, purpose, tier, version, granted_on,
withdrawn_on`` (and ``given_by``, if it likes). It is read and judged as columns; a row with a
finding is left out, and no finding repeats a number. Spreadsheets drop leading zeros: a number is
taken as the register writes it, and one that nobody has is a finding.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa

from kumobashi.consent.errors import ImportUnreadable
from kumobashi.consent.records import GivenBy
from kumobashi.consent.states import Tier
from kumobashi.consent.texts import ConsentText
from kumobashi.kernel import Finding
from kumobashi.storage.counting import count
from kumobashi.storage.tables import literal
from kumobashi.storage.withholding import comparable

_ASKED = ("resident_no", "purpose", "tier", "version", "granted_on", "withdrawn_on")
_PARQUET = b"PAR1"
_NOT_OFFERED = (
    "not exists (select 1 from offered o where o.purpose = i.purpose"
    " and o.version = try_cast(i.version as integer) and o.tier = i.tier)"
)
_NO_DATE = (
    "try_cast(granted_on as date) is null or try_cast(granted_on as date) > $today"
    " or (withdrawn_on is not null and (try_cast(withdrawn_on as date) is null"
    " or try_cast(withdrawn_on as date) > $today))"
)
_FINDINGS: Mapping[str, tuple[str, str, str]] = {  # code → item, expected, condition that it is so
    "finding.subject_unfit": (
        "resident_no",
        "英数字とハイフン、1〜20桁",
        "resident_no is null or not regexp_full_match(resident_no, '[0-9A-Za-z-]{1,20}')",
    ),
    "finding.resident_unknown": ("resident_no", "台帳にある宛名番号", "is_unknown"),
    "finding.consent_text_unknown": (
        "version",
        "consents/ にある目的・版・区分",
        _NOT_OFFERED,
    ),
    "finding.date_unfit": (
        "granted_on",
        "取込の日までの日付",
        _NO_DATE,
    ),
    "finding.withdrawn_before_granted": (
        "withdrawn_on",
        "granted_on 以後の日付",
        "try_cast(withdrawn_on as date) < try_cast(granted_on as date)",
    ),
    "finding.given_by_unknown": (
        "given_by",
        ", ".join(GivenBy),
        f"given_by not in ({', '.join(literal(one.value) for one in GivenBy)})",
    ),
    "finding.consent_twice": (
        "resident_no",
        "目的と区分ごとに1行",
        "count(*) over (partition by resident_no, purpose, tier) > 1",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row that has no finding."""

    number: str
    purpose: str
    tier: Tier
    version: int
    granted_on: date
    withdrawn_on: date | None
    given_by: GivenBy


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """How many rows a file has, and what is wrong with those that are left out."""

    rows: int
    good: int
    findings: tuple[Finding, ...]


class Incoming:
    """An open file, judged."""

    def __init__(self, work: duckdb.DuckDBPyConnection, judged: Judged) -> None:
        self._work = work
        self.judged = judged

    def chunks(self, size: int) -> Iterator[list[Row]]:
        """Yield the rows without a finding, ``size`` at a time, in the order of the file."""
        cursor = self._work.cursor()
        cursor.execute(
            "select resident_no, purpose, tier, version::integer, granted_on::date,"
            " withdrawn_on::date, given_by from judged where finding is null order by line"
        )
        while some := cursor.fetchmany(size):
            yield [
                Row(
                    number=number,
                    purpose=purpose,
                    tier=Tier(tier),
                    version=version,
                    granted_on=granted,
                    withdrawn_on=withdrawn,
                    given_by=GivenBy(given_by),
                )
                for number, purpose, tier, version, granted, withdrawn, given_by in some
            ]


@contextmanager
def incoming(
    path: Path,
    texts: Mapping[str, ConsentText],
    *,
    today: date,
    known: pa.ChunkedArray | None = None,
) -> Iterator[Incoming]:
    """Open a file and judge its rows; ``known`` are the numbers of the register, if there is one.

    Raises:
        ImportUnreadable: no such file, no CSV or Parquet, or without the columns.
    """
    with duckdb.connect() as work:
        work.execute("set enable_progress_bar = false; set threads = 2")
        try:
            _read(work, path)
        except (duckdb.Error, OSError) as error:
            # DuckDB's message may quote a row; its class does not.
            raise ImportUnreadable(what=type(error).__name__) from None
        _name(work, known)
        _offer(work, texts)
        codes = " ".join(
            f"when {condition} then {literal(code)}"
            for code, (_, _, condition) in _FINDINGS.items()
        )
        work.execute(
            f"create table judged as select *, case {codes} end as finding from incoming i",  # noqa: S608 - of ours
            {"today": today},
        )
        yield Incoming(work, _judged(work))


def _read(work: duckdb.DuckDBPyConnection, path: Path) -> None:
    with path.open("rb") as file:
        is_parquet = file.read(4) == _PARQUET
    reading = "read_parquet(?)" if is_parquet else "read_csv(?, header = true, all_varchar = true)"
    describe = f"describe select * from {reading}"  # noqa: S608 - one of two texts
    there = [row[0] for row in work.execute(describe, [str(path)]).fetchall()]
    if missing := [name for name in _ASKED if name not in there]:
        raise ImportUnreadable(what=f"{', '.join(missing)} なし")
    named = [f"nullif({name}::varchar, '') as {name}" for name in _ASKED]
    is_said = "given_by" in there
    given_by = "coalesce(nullif(given_by::varchar, ''), 'self')" if is_said else "'self'"
    columns = ", ".join(["row_number() over () as line", *named, f"{given_by} as given_by"])
    chosen = f"select {columns} from {reading}"  # noqa: S608 - likewise, and columns of ours
    work.execute(f"create table incoming as {chosen}", [str(path)])


def _name(work: duckdb.DuckDBPyConnection, known: pa.ChunkedArray | None) -> None:
    """Write each number as the register does, and note whose are in none."""
    work.execute("alter table incoming add column is_unknown boolean default false")
    if known is None:
        return
    typed = work.sql("select distinct resident_no from incoming").to_arrow_table()
    for name, numbers in (("typed", typed.column("resident_no")), ("register", known)):
        alike = pa.table({"number": numbers.cast(pa.string()), "alike": comparable(numbers)})
        work.register(name, alike)
    work.execute(
        "create temp table named as select t.number, case when bool_or(r.number = t.number)"
        " then t.number when count(distinct r.number) = 1 then min(r.number) end as written"
        " from typed t left join register r using (alike) group by t.number"
    )
    work.execute(
        "update incoming i set is_unknown = n.written is null,"
        " resident_no = coalesce(n.written, i.resident_no) from named n"
        " where n.number = i.resident_no"
    )
    for name in ("typed", "register"):
        work.unregister(name)


def _offer(work: duckdb.DuckDBPyConnection, texts: Mapping[str, ConsentText]) -> None:
    work.execute("create table offered (purpose varchar, version integer, tier varchar)")
    rows = [
        (text.purpose, version.version, tier.tier)
        for text in texts.values()
        for version in text.versions
        for tier in version.tiers
    ]
    if rows:
        work.executemany("insert into offered values (?, ?, ?)", rows)


def _judged(work: duckdb.DuckDBPyConnection) -> Judged:
    grouped = work.execute(
        "select finding, min(line), count(*) from judged where finding is not null"
        " group by 1 order by 2"
    ).fetchall()
    return Judged(
        rows=count(work, "select count(*) from judged"),
        good=count(work, "select count(*) from judged where finding is null"),
        findings=tuple(
            Finding(
                code=code,
                line=line,
                item=_FINDINGS[code][0],
                expected=_FINDINGS[code][1],
                got="(値は示しません)",
                rows=rows,
            )
            for code, line, rows in grouped
        ),
    )
