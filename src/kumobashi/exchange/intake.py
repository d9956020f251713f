"""Take one delivered bundle in: open it, check every row, apply it once.

    deliver → open → validate → apply          four receipts, each durable before it is given

Validating goes on while the target takes the rows in; its transaction ends only after the verdict.
One :class:`Intake` is one try, the mirror of ``preparing.py``. Its plain rows live in a working
database with bounded memory and a private folder that is removed at the end.
"""

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path

import duckdb

from kumobashi.crypto.keys import SealKey
from kumobashi.exchange.checking import Arranged, Checked, arrange_rows, check_rows
from kumobashi.exchange.errors import BundleUnlike, Fenced, RowsRefused, Unforeseen
from kumobashi.exchange.orders import Reception
from kumobashi.exchange.packing import Limits, workroom
from kumobashi.exchange.records import Incoming
from kumobashi.exchange.set_aside import Room, SetAside
from kumobashi.exchange.states import In
from kumobashi.exchange.stating import Statements
from kumobashi.exchange.transfer_keys import TransferKeys
from kumobashi.exchange.unpacking import read_payload, unpack
from kumobashi.kernel import KumobashiError, crashpoint
from kumobashi.messages.manifest import Manifest
from kumobashi.messages.receipts import Stage
from kumobashi.observe import tracing
from kumobashi.storage.counting import count
from kumobashi.storage.errors import SpoolFull, is_disk_full
from kumobashi.storage.spool import Spool
from kumobashi.storage.tables import Load


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """One try to take one bundle in."""

    statements: Statements
    spool: Spool
    keys: TransferKeys
    set_aside: SetAside
    limits: Limits
    bundle: Incoming
    manifest: Manifest
    reception: Reception
    withdrawn: frozenset[str] = frozenset()  # tokens of who took consent back since it was sealed

    def run(self) -> None:
        """Do all of it; what was done before a crash is found done.

        Raises:
            BundleUnlike: it is not what its manifest says.
            RowsRefused: rows must not be applied as they are.
            SpoolFull: no room for the work.
        """
        bundle, manifest = self.bundle, self.manifest
        folder = self.statements.identity.work / f"in-{bundle.transfer}-{bundle.attempt}"
        shutil.rmtree(folder, ignore_errors=True)
        try:
            with workroom(folder, memory_mib=self.limits.memory_mib) as work:
                key = self.keys.opening(manifest)
                with self._span("transfer.open"):
                    self._open(key, work, folder)
                self._validate_and_apply(work, self.set_aside.room(folder, manifest, key))
        except duckdb.Error as error:
            if is_disk_full(error):
                raise SpoolFull(place="work") from None
            # DuckDB's message may quote a value; its class does not.
            raise BundleUnlike(
                what="payload", expected=manifest.media_type.value, got=type(error).__name__
            ) from None
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        self.spool.forget(bundle.transfer, bundle.attempt)

    def _open(self, key: SealKey, work: duckdb.DuckDBPyConnection, folder: Path) -> None:
        manifest = self.manifest
        path = unpack(manifest, self.spool, key, folder)
        read_payload(manifest, path, work, "arrived")
        rows = count(work, "select count(*) from arrived")
        if rows != manifest.rows + manifest.deleted_rows:
            raise BundleUnlike(
                what="rows", expected=manifest.rows + manifest.deleted_rows, got=rows
            )
        crashpoint("receiving.opened_before_commit")
        self._state_that(Stage.OPENED, In.OPENED, rows=rows)
        crashpoint("receiving.opened")

    def _validate_and_apply(self, work: duckdb.DuckDBPyConnection, room: Room) -> None:
        """Check the rows while the target takes them in; it commits only after the verdict."""
        manifest, reception = self.manifest, self.reception
        check = cache(partial(check_rows, work.cursor(), manifest, reception))
        aside = None
        if reception.on_findings == "quarantine" and check().findings:
            aside = room.plain
        try:
            arranged = arrange_rows(work, manifest, reception, aside, self.withdrawn)
        except duckdb.Error:
            self._judge(check())  # says better what is wrong
            raise
        if aside:
            room.keep()
        with ThreadPoolExecutor(1, "validate") as beside:
            told = copy_context()  # what the other thread logs is of this transfer too
            verdict = beside.submit(told.run, self._validate, check, arranged.rows)

            def before_commit() -> None:
                verdict.result()
                self.statements.ledger.check_lease()
                crashpoint("receiving.applied_before_commit")

            try:
                with self._span("transfer.apply") as made:
                    applied = reception.store.apply(self._load(work, arranged, before_commit))
                    made.set(rows=applied.rows)
            finally:  # also where the target did not answer, or had the rows already
                findings = verdict.result()
        crashpoint("receiving.applied_unrecorded")
        with _no_way_back():
            self._state_that(
                Stage.APPLIED,
                In.APPLIED,
                rows=applied.rows,
                findings=findings,
                facts={
                    "applied": asdict(applied),
                    "quarantined": arranged.quarantined,
                    "withdrawn": arranged.withdrawn,
                },
            )
        crashpoint("receiving.applied")

    def _judge(self, checked: Checked) -> None:
        """Keep what was found; raise :class:`RowsRefused` where it must not be applied."""
        if checked.findings:
            listed = [asdict(finding) for finding in checked.findings]
            self.statements.ledger.move_in(self.bundle, None, facts={"findings": listed})
        if checked.is_refused:
            first = checked.findings[0]
            raise RowsRefused(rows=checked.faulty_rows, first=f"{first.item}: {first.expected}")

    def _validate(self, check: Callable[[], Checked], rows: int) -> int:
        """Give the receipt of validation; return the rows with findings."""
        with self._span("transfer.validate") as made:
            checked = check()
            made.set(rows=rows)
        self._judge(checked)
        crashpoint("receiving.validated_before_commit")
        self._state_that(Stage.VALIDATED, In.VALIDATED, rows=rows, findings=checked.faulty_rows)
        crashpoint("receiving.validated")
        return checked.faulty_rows

    def _span(self, name: str) -> tracing.Span:
        return tracing.span(name, transfer=self.bundle.transfer, link=self.bundle.link)

    def _state_that(
        self,
        stage: Stage,
        state: In,
        *,
        rows: int,
        findings: int = 0,
        facts: dict[str, object] | None = None,
    ) -> None:
        self.statements.that(
            self.bundle, self.manifest, stage, state, rows=rows, findings=findings, facts=facts
        )

    def _load(
        self,
        work: duckdb.DuckDBPyConnection,
        arranged: Arranged,
        before_commit: Callable[[], None],
    ) -> Load:
        manifest, reception = self.manifest, self.reception
        return Load(
            tenant=manifest.tenant,
            transfer=manifest.transfer,
            link=manifest.link,
            business_date=manifest.business_date,
            sequence=manifest.sequence,
            mode=manifest.mode.value,
            base_transfer=manifest.base_transfer,
            table=reception.table,
            columns=tuple(column.spec for column in reception.columns),
            key=reception.key,
            rows=arranged.rows,
            deleted=arranged.deleted,
            connection=work,
            relation=arranged.relation,
            deleted_relation=arranged.deleted_relation,
            before_commit=before_commit,
        )


@contextmanager
def _no_way_back() -> Iterator[None]:
    """Let nothing that fails inside end in a refusal: the rows are in the target already."""
    try:
        yield
    except KumobashiError as error:
        if error.retryable or isinstance(error, Fenced):
            raise
        raise Unforeseen(kind=error.code) from error
