"""個別対応リスト: the protected persons whom a transfer would have carried, for their section.

No automatic link carries them (``storage.withholding``), and somebody has to see to each of them.
One list a transfer, durable before the transfer is sealed, sealed to a key of its own; it holds
numbers, and nothing that was said of the persons.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeGuard

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from kumobashi.exchange.errors import NoIndividualList
from kumobashi.exchange.sealed_files import SEALED, SealedFiles
from kumobashi.exchange.transfer_keys import INDIVIDUAL, TransferKeys
from kumobashi.release.releasing import Source
from kumobashi.release.rules import ReleaseRule
from kumobashi.release.staging import CONSENTS, Stage, stages
from kumobashi.storage.tables import Query, TableReader
from kumobashi.storage.withholding import WithholdingReader, comparable

_KEPT = 60  # lists of a link; older ones go with their keys
_ROWS = "individual"


@dataclass(frozen=True, slots=True, kw_only=True)
class IndividualList:
    """A list as it lies there: ``<business date>.<people>.<transfer>.parquet.age``, by link."""

    link: str
    on: date
    people: int
    transfer: str
    path: Path


class IndividualLists:
    """All lists of a site."""

    def __init__(self, folder: Path, keys: TransferKeys) -> None:
        self._folder = folder
        self._files = SealedFiles(keys, INDIVIDUAL)

    def keep(
        self,
        work: duckdb.DuckDBPyConnection,
        numbers: pa.Array,
        *,
        link: str,
        transfer: str,
        on: date,
        room: Path,
    ) -> None:
        """Keep whom a transfer leaves to people, durably; nothing when there is nobody."""
        before = [one for one in self._of(link) if one.transfer == transfer]
        if len(numbers):
            name = f"{on.isoformat()}.{len(numbers)}.{transfer}{SEALED}"
            work.register(_ROWS, pa.table({"number": numbers}))
            try:
                path = self._folder / link / name
                self._files.write(work, _ROWS, path, transfer, room=room)
            finally:
                work.unregister(_ROWS)
            before = [one for one in before if one.path != path]
        for one in before:  # an earlier try of the same transfer; the key is the new one's by now
            one.path.unlink(missing_ok=True)
        for one in self._of(link)[:-_KEPT]:
            self._files.forget(one.path, one.transfer)

    def all(self) -> list[IndividualList]:
        """Return the lists, the newest first."""
        links = sorted(path.name for path in self._folder.glob("*") if path.is_dir())
        found = [one for link in links for one in self._of(link)]
        return sorted(found, key=lambda one: (one.on, one.transfer), reverse=True)

    def numbers(self, transfer: str, *, room: Path) -> tuple[IndividualList, list[str]]:
        """Return a transfer's list and the numbers in it, in their order.

        Raises:
            NoIndividualList: nobody was left to people, or the list has gone.
            KeyGone, SealFailed: it cannot be opened any more.
        """
        found = next((one for one in self.all() if one.transfer == transfer), None)
        if found is None:
            raise NoIndividualList(transfer=transfer)
        plain = room / "individual.parquet"
        try:
            self._files.read(found.path, transfer, plain)
            return found, sorted(pq.read_table(plain).column("number").to_pylist())
        finally:
            plain.unlink(missing_ok=True)

    def _of(self, link: str) -> list[IndividualList]:
        """Return the lists of a link, the oldest first."""
        return sorted(_read(link, self._folder / link), key=lambda one: (one.on, one.transfer))


def _read(link: str, folder: Path) -> Iterator[IndividualList]:
    for path in folder.glob(f"*{SEALED}"):
        on, people, transfer = path.name.removesuffix(SEALED).split(".")
        yield IndividualList(
            link=link, on=date.fromisoformat(on), people=int(people), transfer=transfer, path=path
        )


def left_to_people(
    rule: ReleaseRule, sources: Mapping[str, Source], *, purpose: str, on: date
) -> pa.Array:
    """Return the numbers of the protected persons whom a rule chooses, once it has been read.

    With consent where the rule asks a table for it; of the ledger of consents all are listed. What
    a rule leaves out by other datasets, and whom a campaign means, is not asked about them: whoever
    sees to them looks.
    """
    subject, *rest = stages(rule, purpose=purpose, on=on)
    numbers = _withheld(subject, sources)
    consent = next((stage for stage in rest if stage.name == CONSENTS), None)
    is_table = consent is not None and _sees_to_people(sources[consent.dataset].reader)
    if consent is not None and is_table and len(numbers):
        given = comparable(_withheld(consent, sources))
        numbers = numbers.filter(pc.is_in(comparable(numbers), given, skip_nulls=True))
    return pc.unique(numbers)


def _sees_to_people(reader: TableReader) -> TypeGuard[WithholdingReader]:
    """Whether a reader withholds people whom somebody has to see to."""
    return isinstance(reader, WithholdingReader) and reader.is_for_people


def _withheld(stage: Stage, sources: Mapping[str, Source]) -> pa.Array:
    source = sources[stage.dataset]
    if not _sees_to_people(source.reader):
        return pa.array([], pa.string())
    query = Query(source.table, stage.columns, stage.where)
    return source.reader.withheld(query).combine_chunks()
