"""What leaves is read through tables that do not give the rows of certain people.

Of protected persons (支援措置) no link carries rows; of residents whose use of data was suspended
(利用停止, ``service.suspending``) those links do not that the decision is about.

Their register is data of the municipality, named once for all links in ``kumobashi.yaml``; nothing
in a link, a rule, a campaign or a request can leave it aside. It is asked for every reading. While
it cannot be asked nothing is read, so nothing leaves.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from kumobashi.catalogue.fields import Field
from kumobashi.directory.models import ProtectiveMeasures, SystemFile
from kumobashi.kernel import SystemClock, business_date
from kumobashi.planning.workspace import Workspace
from kumobashi.service.stores import open_store
from kumobashi.storage.tables import Query, TableStore, require_columns
from kumobashi.storage.withholding import People, WithholdingTables, comparable


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspended:
    """Who may not leave by one link, and in which columns their numbers are."""

    of: str  # "system.dataset" of the rule's subjects
    key: str
    people: People


def open_source(
    workspace: Workspace, system: SystemFile, suspended: Suspended | None = None
) -> TableStore:
    """Return the tables of a system for whatever leaves it; nothing is connected yet.

    Raises:
        SecretMissing: the reference to a connection string leads nowhere.
    """
    tables = open_store(workspace.folder, system, workspace.layouts)
    if suspended is not None:
        tables = WithholdingTables(
            tables,
            keys=_keys(workspace, system, suspended.of, suspended.key),
            people=suspended.people,
            is_for_people=False,
        )
    measures = workspace.municipality.protective_measures
    if measures is None:
        return tables
    holder, dataset = workspace.dataset(measures.dataset)
    register = open_store(workspace.folder, holder, workspace.layouts)
    return WithholdingTables(
        tables,
        keys=_keys(workspace, system, measures.dataset, measures.key),
        people=lambda on: protected(register, dataset.table, measures, on=on),
    )


def protected(
    register: TableStore, table: str, measures: ProtectiveMeasures, *, on: date | None
) -> pa.Array:
    """Return the numbers of those who are protected on a business date, or today.

    What is sent late of a day past is held against both days.

    Raises:
        StoreUnreachable, TableMissing, ColumnMissing: it cannot be said.
    """
    today = business_date(SystemClock().now())
    days = (min(on or today, today), max(on or today, today))
    query = Query(table, measures.columns)
    with register.reading() as reader:
        require_columns(reader, query)
        with reader.stream(query) as rows:
            read = rows.read_all()
    columns = [read.column(name).to_pylist() for name in measures.columns]
    named = dict(zip(measures.columns, columns, strict=True))
    none = [None] * read.num_rows
    first = named[measures.first_day] if measures.first_day else none
    last = named[measures.last_day] if measures.last_day else none
    ended = named[measures.ended_on] if measures.ended_on else none
    held = [
        str(number)
        for number, *ends in zip(named[measures.key], first, last, ended, strict=True)
        if number is not None and _holds(*ends, days=days)
    ]
    return pa.array(held, pa.string())


def is_protected(workspace: Workspace, number: str) -> bool:
    """Whether the resident of a number is protected today.

    Raises:
        StoreUnreachable, TableMissing, ColumnMissing: it cannot be said.
    """
    measures = workspace.municipality.protective_measures
    if measures is None:
        return False
    holder, dataset = workspace.dataset(measures.dataset)
    register = open_store(workspace.folder, holder, workspace.layouts)
    people = comparable(protected(register, dataset.table, measures, on=None))
    return comparable(pa.array([number]))[0] in people


def _holds(
    first: date | None, last: date | None, ended: date | None, *, days: tuple[date, date]
) -> bool:
    ends = min((day for day in (last, ended) if day is not None), default=None)
    return (first is None or first <= days[1]) and (ends is None or ends >= days[0])


def _keys(
    workspace: Workspace, system: SystemFile, of: str, key: str
) -> Mapping[str, tuple[str, ...]]:
    """Return the columns with people's numbers, by table: the same item, or the same name."""
    own = next((field for field in workspace.layout(of).fields if field.name == key), None)

    def is_key(field: Field) -> bool:
        same_item = own is not None and own.item is not None and field.item == own.item
        return same_item or field.name == key

    found = {}
    for dataset in system.datasets.values():
        layout = workspace.layouts.get(dataset.layout, dataset.version)
        found[dataset.table] = tuple(field.name for field in layout.fields if is_key(field))
    return found
