"""One resident's number as the sources write it, however it was typed.

People leave out leading zeros, and type full width or blanks. A number that no source has is
mistyped or of somebody who is no longer there, so nothing may be concluded from not finding it.
"""

import pyarrow as pa
import pyarrow.compute as pc

from kumobashi.planning.workspace import Workspace
from kumobashi.release.rules import ReleaseRule
from kumobashi.service.errors import SecretMissing
from kumobashi.service.stores import open_store
from kumobashi.storage.errors import StorageFailed
from kumobashi.storage.tables import Query, require_columns
from kumobashi.storage.withholding import comparable


class Numbers:
    """One number, looked for in the sources of rules; each is read once.

    Protected persons are found too: the question is what was sent of them before, and the answer
    goes to whoever may ask it.
    """

    def __init__(self, workspace: Workspace, asked: str) -> None:
        self.asked = asked
        self._workspace = workspace
        self._found: dict[tuple[str, str], tuple[str, ...]] = {}

    def in_source(self, rule: ReleaseRule) -> tuple[str, ...]:
        """Return the number as the subjects of a rule have it; none: not there, or not readable."""
        of = (rule.datasets[rule.subject.dataset], rule.subject.key)
        if of not in self._found:
            try:
                self._found[of] = self._read(*of)
            except (StorageFailed, SecretMissing):
                self._found[of] = ()
        return self._found[of]

    def _read(self, name: str, key: str) -> tuple[str, ...]:
        system, dataset = self._workspace.dataset(name)
        store = open_store(self._workspace.folder, system, self._workspace.layouts)
        query = Query(dataset.table, (key,))
        wanted = comparable(pa.array([self.asked]))[0]
        found: dict[str, None] = {}
        with store.reading() as reader:
            require_columns(reader, query)
            with reader.stream(query) as rows:
                for batch in rows:
                    column = batch.column(0)
                    same = pc.equal(comparable(column), wanted)
                    for one in column.filter(same).to_pylist():
                        found[str(one)] = None
        return tuple(found)
