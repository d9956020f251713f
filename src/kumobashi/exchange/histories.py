"""What each link has told a destination, for laying the next release beside it.

Kept at the sender for every token that a link has sent in a key epoch: half of the token, numbers
of its history and of its last class (``risk.differencing``), never a value. One file a link and
release, sealed to a key of its own; the newest one holds all that the link has told.

A release counts from when its rows have passed the gate: it may leave from then on. It does not
when it was cancelled, held back, or ended before it was sealed, since nothing left then. All of
this happens while the destination is held, so of two links that run at once the second sees what
the first is about to tell.
"""

import shutil
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from kumobashi.crypto.errors import KeyGone, SealFailed
from kumobashi.exchange.errors import DestinationBusy, HistoryLost
from kumobashi.exchange.records import Outgoing
from kumobashi.exchange.sealed_files import HALF, SEALED, SealedFiles
from kumobashi.exchange.states import LEFT, Out
from kumobashi.exchange.transfer_keys import HISTORIES, TransferKeys
from kumobashi.release.differencing import NOW, Climbing, Release, is_compared, lay_beside
from kumobashi.release.gate import Passed
from kumobashi.risk.differencing import follow
from kumobashi.storage.sole_use import hold
from kumobashi.storage.tables import quoted

NO_EPOCH = "none"
_LOCK = "in-use"
_LOOK_SECONDS = 0.05
_LONGEST_SECONDS = 60.0  # after that the transfer waits as for anything else that is busy

Known = Callable[[Sequence[str]], list[Outgoing]]  # transfers of the ledger, those that there are


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """A history: ``<number>.<business date>.<transfer>.parquet.age`` in the folder of its link."""

    path: Path
    number: int  # of the link's histories, in the order they were made
    on: date
    transfer: str

    @property
    def link(self) -> str:
        return self.path.parent.name

    @property
    def key(self) -> str:
        return f"{self.transfer}-{self.number}"


class Histories:
    """All histories of a site, by destination, epoch and link."""

    def __init__(self, folder: Path, keys: TransferKeys) -> None:
        self._folder = folder
        self._files = SealedFiles(keys, HISTORIES)

    def beside(
        self,
        work: duckdb.DuckDBPyConnection,
        passed: Passed,
        row: Outgoing,
        *,
        system: str,
        epoch: str | None,
        known: Known,
        room: Path,
        climb: Climbing,
    ) -> Passed:
        """Lay what passed its gate beside what the destination was told; note what it is told now.

        Raises:
            DifferencingRefused, GateRefused: together it tells too much.
            DestinationBusy, HistoryLost: that cannot be said.
        """
        if passed.report is None or not is_compared(passed.rule):
            return passed
        on = date.fromisoformat(row.business_date)
        with self.held(system, epoch, known=known) as destination:
            earlier = destination.earlier(work, row.transfer, room=room)
            passed = lay_beside(passed, work, earlier, link=row.link, on=on, climb=climb)
            if not is_compared(passed.rule):
                return passed
            destination.keep(work, earlier, link=row.link, transfer=row.transfer, on=on, room=room)
        return passed

    @contextmanager
    def held(self, system: str, epoch: str | None, *, known: Known) -> Iterator["Destination"]:
        """Hold a destination for one release: nobody else reads or adds to what it was told.

        Raises:
            DestinationBusy: others have held it all the time.
        """
        folder = self._folder / system / (epoch or NO_EPOCH)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _alone(folder / _LOCK, system):
            yield Destination(folder, self._files, known)

    def told_by(
        self, system: str, epoch: str | None, link: str, transfer: str, *, room: Path
    ) -> str | None:
        """Open what a link had told when ``transfer`` left; None: that is no longer kept.

        Returns a relation in ``room`` with ``key``, ``history``, ``class`` and ``here``. A
        destination that runs meanwhile is not waited for: files come and go whole.

        Raises:
            FileNotFoundError, KeyGone, SealFailed: it cannot be read any more.
        """
        there = _files_in(self._folder / system / (epoch or NO_EPOCH) / link)
        found = next((one for one in reversed(there) if one.transfer == transfer), None)
        return self._files.read(found.path, found.key, room / "told.parquet") if found else None

    def forget_but(self, link: str, epochs: Collection[str | None]) -> int:
        """Forget what a link has told in all other epochs; return how many files that were.

        Raises:
            DestinationBusy: a destination is held for long.
        """
        wanted = {epoch or NO_EPOCH for epoch in epochs}
        gone = 0
        for folder in sorted(self._folder.glob(f"*/*/{link}")):
            if folder.parent.name in wanted:
                continue
            with _alone(folder.parent / _LOCK, folder.parent.parent.name):
                for one in _files_in(folder):
                    self._files.forget(one.path, one.key)
                    gone += 1
                shutil.rmtree(folder, ignore_errors=True)
        return gone


class Destination:
    """One destination in one epoch, held."""

    def __init__(self, folder: Path, files: SealedFiles, known: Known) -> None:
        self._folder = folder
        self._files = files
        self._known = known

    def earlier(
        self, work: duckdb.DuckDBPyConnection, transfer: str, *, room: Path
    ) -> list[Release]:
        """Return the newest standing release of each link but those of ``transfer``, as tables.

        Raises:
            HistoryLost: what was told is no longer known.
        """
        found = []
        folders = sorted(path for path in self._folder.iterdir() if path.is_dir())
        for place, folder in enumerate(folders):
            if newest := self._newest(folder, transfer):
                table = quoted(f"·told {place}")
                plain = room / "told.parquet"
                try:
                    relation = self._files.read(newest.path, newest.key, plain)
                    work.execute(f"create or replace temp table {table} as from {relation}")
                except (KeyGone, SealFailed, FileNotFoundError, duckdb.IOException):
                    raise HistoryLost(
                        link=newest.link, on=newest.on.isoformat(), transfer=newest.transfer
                    ) from None
                finally:
                    plain.unlink(missing_ok=True)
                found.append(Release(link=newest.link, on=newest.on, relation=table))
        return found

    def keep(
        self,
        work: duckdb.DuckDBPyConnection,
        earlier: Sequence[Release],
        *,
        link: str,
        transfer: str,
        on: date,
        room: Path,
    ) -> None:
        """Note durably that a transfer tells what is in ``NOW``, besides what its link has told."""
        own = next((one.relation for one in earlier if one.link == link), None)
        folder = self._folder / link
        there = _files_in(folder)
        number = max((one.number for one in there), default=0) + 1
        path = folder / f"{number:08d}.{on.isoformat()}.{transfer}{SEALED}"
        relation = f"({follow(NOW, own, step=transfer)})"
        self._files.write(work, relation, path, f"{transfer}-{number}", room=room)
        for one in self._superseded(there, transfer):
            self._files.forget(one.path, one.key)
        for half in folder.glob(f"*{HALF}"):  # a crash left it
            half.unlink()

    def _newest(self, folder: Path, transfer: str) -> _File | None:
        there = _files_in(folder)
        rows = self._rows(there)
        standing = (
            one
            for one in reversed(there)
            if one.transfer != transfer and _may_have_left(rows.get(one.transfer))
        )
        return next(standing, None)

    def _superseded(self, there: Sequence[_File], transfer: str) -> list[_File]:
        """Return what nothing will be compared with any more: a newer one has left for certain."""
        rows = self._rows(there)
        last = max((one.number for one in there if _has_left(rows.get(one.transfer))), default=0)
        return [one for one in there if one.number < last or one.transfer == transfer]

    def _rows(self, there: Sequence[_File]) -> dict[str, Outgoing]:
        return {row.transfer: row for row in self._known([one.transfer for one in there])}


def _may_have_left(row: Outgoing | None) -> bool:
    """Whether a transfer's rows left or may still; what the ledger does not know may have."""
    if row is None:
        return True
    ended = {Out.CANCELLED} if row.manifest else {Out.CANCELLED, Out.HELD, Out.REFUSED}
    return row.state not in ended


def _has_left(row: Outgoing | None) -> bool:
    return row is not None and bool(row.manifest) and row.state in LEFT | {Out.APPLIED, Out.REFUSED}


def _files_in(folder: Path) -> list[_File]:
    """Return the histories of a link, the oldest first."""
    found = []
    for path in sorted(folder.glob(f"*{SEALED}")):
        number, on, transfer = path.name.removesuffix(SEALED).split(".")
        found.append(
            _File(path=path, number=int(number), on=date.fromisoformat(on), transfer=transfer)
        )
    return found


@contextmanager
def _alone(path: Path, system: str) -> Iterator[None]:
    until = time.monotonic() + _LONGEST_SECONDS
    while (file := hold(path)) is None:
        if time.monotonic() > until:
            raise DestinationBusy(system=system)
        time.sleep(_LOOK_SECONDS)
    with file:
        yield
