"""One resident's number as the sources write it, however it was typed.

People leave out leading zeros, and type full width or blanks. A number that no source has is
mistyped or of somebody who is no longer there, so nothing may be concluded from not finding it.
Protected persons are found too: whoever asks may know of them, or does what they ask for.
"""

import pyarrow as pa
import pyarrow.compute as pc

from kumobashi.planning.workspace import Workspace
from kumobashi.release.rules import ReleaseRule
from kumobashi.service.errors import SecretMissing
from kumobashi.service.stores import open_store
from kumobashi.storage.errors import StorageFailed
from kumobashi.storage.tables import Condition, Query, TableReader, require_columns
from kumobashi.storage.withholding import comparable


def subjects_of(rule: ReleaseRule) -> tuple[str, str]:
    """Return where the subjects of a rule are: ``system.dataset``, and the column of numbers."""
    return rule.datasets[rule.subject.dataset], rule.subject.key


def as_written(workspace: Workspace, of: tuple[str, str], asked: str) -> tuple[str, ...]:
    """Return a number as a dataset writes it; several where it writes several alike.

    Raises:
        StorageFailed, SecretMissing: it cannot be read.
    """
    name, key = of
    system, dataset = workspace.dataset(name)
    store = open_store(workspace.folder, system, workspace.layouts)
    with store.reading() as reader:
        whole = Query(dataset.table, (key,))
        require_columns(reader, whole)
        exact = Query(dataset.table, (key,), (Condition(key, "in", (asked,)),))
        return _alike(reader, exact, asked) or _alike(reader, whole, asked)


def all_numbers(workspace: Workspace, of: tuple[str, str]) -> pa.ChunkedArray:
    """Return all numbers of a dataset, as texts.

    Raises:
        StorageFailed, SecretMissing: it cannot be read.
    """
    name, key = of
    system, dataset = workspace.dataset(name)
    query = Query(dataset.table, (key,))
    with open_store(workspace.folder, system, workspace.layouts).reading() as reader:
        require_columns(reader, query)
        with reader.stream(query) as rows:
            return rows.read_all().column(key).cast(pa.string())


def _alike(reader: TableReader, query: Query, asked: str) -> tuple[str, ...]:
    wanted = comparable(pa.array([asked]))[0]
    found: dict[str, None] = {}
    with reader.stream(query) as rows:
        for batch in rows:
            column = batch.column(0)
            for one in column.filter(pc.equal(comparable(column), wanted)).to_pylist():
                found[str(one)] = None
    return tuple(found)


class Numbers:
    """One number, looked for in the sources of rules; each is read once."""

    def __init__(self, workspace: Workspace, asked: str) -> None:
        self.asked = asked
        self._workspace = workspace
        self._found: dict[tuple[str, str], tuple[str, ...]] = {}

    def in_source(self, rule: ReleaseRule) -> tuple[str, ...]:
        """Return the number as the subjects of a rule have it; none: not there, or not readable."""
        of = subjects_of(rule)
        if of not in self._found:
            try:
                self._found[of] = as_written(self._workspace, of, self.asked)
            except (StorageFailed, SecretMissing):
                self._found[of] = ()
        return self._found[of]
