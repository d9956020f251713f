"""Residents to compare four items with: of the register in the hall, without protected persons.

The rows are streamed and most of them let go by sex and birth date before any becomes a value.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from kumobashi.consent.errors import RegisterUnknown
from kumobashi.consent.four_items import FourItems
from kumobashi.planning.workspace import Workspace
from kumobashi.service.protecting import open_source
from kumobashi.storage.tables import Condition, Query, require_columns

_LAYOUT, _VERSION = "resident-registry", "1"
_COLUMNS = (
    "resident_no",
    "family_name_kana",
    "given_name_kana",
    "sex",
    "birth_date",
    "town_name",
    "address_number",
)
_LIVES_HERE = Condition("resident_status", "in", ("1",))


def candidates(workspace: Workspace, said: FourItems) -> Iterator[tuple[str, FourItems]]:
    """Yield number and items of residents of that sex and birth date.

    Raises:
        RegisterUnknown, StoreUnreachable, TableMissing, ColumnMissing: nobody can be compared.
    """
    system, table = _register(workspace)
    query = Query(table, _COLUMNS, (_LIVES_HERE,))
    source = open_source(workspace, workspace.systems[system])
    name = workspace.municipality.municipality.name
    prefixes = {"", before_town(said.address, name)}
    with source.reading() as reader:
        require_columns(reader, query)
        with reader.stream(query) as rows:
            for batch in rows:
                for number, there in _alike(batch, said):
                    for prefix in prefixes:
                        yield number, replace(there, address=prefix + there.address)


def before_town(address: str, municipality: str) -> str:
    """Return what somebody wrote in front of the town: the register does not have it.

    >>> before_town("架空県架空市架空町1-2", "架空市"), before_town("架空町1-2", "架空市")
    ('架空県架空市', '')
    """
    head, found, _ = address.partition(municipality)
    return head + found if found else ""


def _alike(batch: pa.RecordBatch, said: FourItems) -> Iterator[tuple[str, FourItems]]:
    born = pc.equal(pc.cast(batch.column("birth_date"), pa.string()), said.birth_date.isoformat())
    sex = pc.equal(pc.cast(batch.column("sex"), pa.string()), said.sex)
    for row in batch.filter(pc.and_(born, sex)).to_pylist():
        yield (
            str(row["resident_no"]),
            FourItems(
                kana=f"{row['family_name_kana'] or ''} {row['given_name_kana'] or ''}",
                sex=str(row["sex"]),
                birth_date=date.fromisoformat(str(row["birth_date"])),
                address=f"{row['town_name'] or ''}{row['address_number'] or ''}",
            ),
        )


def _register(workspace: Workspace) -> tuple[str, str]:
    found = [
        (name, dataset.table)
        for name, system in sorted(workspace.systems.items())
        for dataset in system.datasets.values()
        if (dataset.layout, dataset.version) == (_LAYOUT, _VERSION)
    ]
    if len(found) != 1:
        raise RegisterUnknown(found=len(found))
    return found[0]
