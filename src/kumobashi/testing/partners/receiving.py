"""Fetch what was delivered into a partner's folder, as its program would, and read it back."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from kumobashi.conversion.dropping import FileName
from kumobashi.conversion.folder_reading import FileTable
from kumobashi.conversion.inspecting import check_file

FETCHED = "fetched"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """One file that the partner has taken: its rows, and how many of them have findings."""

    table: str
    file: str
    rows: int
    findings: int


def fetch(tables: Iterable[tuple[str, FileTable]], folder: Path) -> list[Fetched]:
    """Move every delivered file to ``fetched/`` and read it against its layout."""
    fetched = []
    for table, held in tables:
        name = FileName(held.pattern)
        found = sorted(p for p in folder.iterdir() if p.is_file() and name.read(p.name))
        for path in found:
            taken = folder / FETCHED / path.name
            taken.parent.mkdir(exist_ok=True)
            path.replace(taken)
            path.with_name(f"{path.name}.done").unlink(missing_ok=True)
            with duckdb.connect() as work:
                checked = check_file(taken, held.layout, work, records=held.records)
            fetched.append(
                Fetched(
                    table=table,
                    file=path.name,
                    rows=checked.read.rows,
                    findings=sum(finding.rows for finding in checked.findings),
                )
            )
    return fetched
