"""A site's own evidence, read from its state: to be checked on the spot, shown or handed over."""

from collections import OrderedDict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from kumobashi.directory.entries import Directory
from kumobashi.evidence.checkpoints import origin_of, parse
from kumobashi.evidence.errors import NothingSigned, RecordNotFound
from kumobashi.evidence.files import SELECTED, WHOLE, EvidenceWriter, Header, Line
from kumobashi.evidence.log import (
    Nodes,
    Stored,
    newest_note,
    signed_notes,
    size_of,
    stored,
    waiting_in,
)
from kumobashi.evidence.merkle import inclusion
from kumobashi.evidence.sql import CONSISTENT, witnessed
from kumobashi.exchange.auditing import Audit, Evidence, audit
from kumobashi.exchange.evidence_search import read_body
from kumobashi.exchange.sql import receipts
from kumobashi.kernel import from_micros, to_wire

_TRANSFERS_HELD = 256  # whose receipts stay in memory while records go by


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which records are wanted; nothing set means all."""

    since: datetime | None = None  # first moment
    until: datetime | None = None  # first moment that is no longer wanted
    link: str | None = None
    transfer: str | None = None

    @property
    def is_everything(self) -> bool:
        """Whether nothing is left out."""
        return self == Selection()

    def named(self) -> dict[str, str]:
        """Return what was selected, as the file says it."""
        times = {"since": self.since, "until": self.until}
        found = {name: to_wire(at) for name, at in times.items() if at}
        names = {"link": self.link, "transfer": self.transfer}
        return found | {name: text for name, text in names.items() if text}


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What was put into a file."""

    records: int
    receipts: int
    size: int  # of the checkpoint that covers it
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a log is."""

    origin: str
    size: int
    waiting: int  # committed, without a number yet
    signed: int
    note: str | None  # the newest checkpoint
    witnessed: Mapping[str, int]  # by site, up to which size its log was seen to grow
    faults: Sequence[Line]  # what speaks against a peer


class SiteEvidence:
    """The log of one site on one connection, as it was when that began to read."""

    def __init__(self, connection: sa.Connection, *, tenant: str, site: str) -> None:
        self._connection = connection
        self._tenant = tenant
        self._site = site

    def audit(self, directory: Directory, *, every_signature: bool = False) -> Audit:
        """Check all of it."""
        notes = signed_notes(self._connection, self._tenant)
        return audit(
            Evidence(
                site=self._site,
                tenant=self._tenant,
                directory=directory,
                notes=[note for note, _ in notes],
                witnessed=self.witnessed(),
                records=stored(self._connection, self._tenant),
                receipt_for=_Tokens(self._connection, self._tenant),
                every_signature=every_signature,
                waiting=waiting_in(self._connection, self._tenant),
            )
        )

    def export(self, target: Path, directory: str, selection: Selection, now: datetime) -> Written:
        """Write an evidence file of what a checkpoint covers.

        Raises:
            NothingSigned: there is no checkpoint yet.
            RecordNotFound: nothing matches the selection.
        """
        notes = signed_notes(self._connection, self._tenant)
        if not notes:
            raise NothingSigned(site=self._site)
        size = parse(notes[-1][0]).size
        kind = WHOLE if selection.is_everything else SELECTED
        tokens = _Tokens(self._connection, self._tenant)
        with EvidenceWriter(target) as writer:
            nodes = Nodes(self._connection, self._tenant)
            for record, said in self.chosen(selection, end=size):
                number, _, body = record
                if kind == WHOLE:
                    writer.record(record)
                else:
                    writer.proved(number, body, inclusion(number, size, nodes))
                if "receipt" in said and (token := tokens(number, said)) is not None:
                    writer.receipt(number, token)
            if not writer.records:
                raise RecordNotFound
            header = Header(
                kind=kind,
                tenant=self._tenant,
                site=self._site,
                origin=origin_of(self._tenant, self._site),
                size=size,
                records=writer.records,
                made=to_wire(now),
                selection=selection.named(),
            )
            mine = [
                {"size": parse(note).size, "note": note, "at": to_wire(from_micros(at))}
                for note, at in (notes if kind == WHOLE else notes[-1:])
            ]
            writer.finish(header, directory=directory, signed=mine, witnessed=self.witnessed())
            return Written(records=writer.records, receipts=writer.receipts, size=size, kind=kind)

    def chosen(
        self, selection: Selection, *, end: int | None = None, first: int = 0
    ) -> Iterator[tuple[Stored, Mapping[str, Any]]]:
        """Yield the records of a selection with what they say.

        A receipt's record names its transfer only, so a link's are found by its transfers.
        """
        of_link: set[str] = set()
        needle = (selection.transfer or "").encode()
        for record in stored(self._connection, self._tenant, first, end):
            body = record[2]
            if needle and needle not in body:
                continue
            if selection.is_everything and b'"receipt"' not in body:
                yield record, {}
                continue
            said = read_body(body)
            if selection.link:
                if said.get("link") == selection.link:
                    of_link.add(str(said.get("transfer")))
                elif said.get("transfer") not in of_link:
                    continue
            if selection.transfer and said.get("transfer") != selection.transfer:
                continue
            if selection.since and str(said.get("at")) < to_wire(selection.since):
                continue
            if selection.until and str(said.get("at")) >= to_wire(selection.until):
                continue
            yield record, said

    def readable(self, selection: Selection) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """Yield number and content of the records of a selection."""
        for (number, _, body), said in self.chosen(selection):
            yield number, said or read_body(body)

    def newest(self, selection: Selection, count: int) -> list[tuple[int, Mapping[str, Any]]]:
        """Return the last ``count`` records of a selection, the oldest first."""
        size = size_of(self._connection, self._tenant)
        first = max(0, size - count) if selection.is_everything else 0
        held: deque[tuple[int, Mapping[str, Any]]] = deque(maxlen=count)
        for (number, _, body), said in self.chosen(selection, first=first):
            held.append((number, said or read_body(body)))
        return list(held)

    def standing(self) -> Standing:
        """Return how far the log is, and what is known of others."""
        note = newest_note(self._connection, self._tenant)
        seen = self.witnessed()
        sound = [line for line in seen if line["verdict"] == CONSISTENT]
        return Standing(
            origin=origin_of(self._tenant, self._site),
            size=size_of(self._connection, self._tenant),
            waiting=waiting_in(self._connection, self._tenant),
            signed=parse(note).size if note else 0,
            note=note,
            witnessed={str(line["site"]): int(line["size"]) for line in sound},
            faults=[line for line in seen if line["verdict"] != CONSISTENT],
        )

    def witnessed(self) -> list[Line]:
        """Return what this site saw of others' logs, the oldest first."""
        query = (
            sa.select(witnessed)
            .where(witnessed.c.tenant == self._tenant)
            .order_by(witnessed.c.seen)
        )
        return [
            {
                "site": row.site,
                "size": row.size,
                "verdict": row.verdict,
                "note": row.note,
                "at": to_wire(from_micros(row.at)),
            }
            for row in self._connection.execute(query)
        ]


class _Tokens:
    """Finds the receipt that a record names."""

    def __init__(self, connection: sa.Connection, tenant: str) -> None:
        self._connection = connection
        self._tenant = tenant
        self._held: OrderedDict[str, dict[tuple[int, str, int], str]] = OrderedDict()

    def __call__(self, _number: int, said: Mapping[str, Any]) -> str | None:
        """Return the signed receipt, or nothing when it is gone."""
        transfer = str(said.get("transfer"))
        key = (said.get("attempt"), said.get("side"), said.get("number"))
        if transfer not in self._held or key not in self._held[transfer]:
            self._held[transfer] = self._of(transfer)
            if len(self._held) > _TRANSFERS_HELD:
                self._held.popitem(last=False)
        return self._held[transfer].get(key)  # type: ignore[arg-type]

    def _of(self, transfer: str) -> dict[tuple[int, str, int], str]:
        columns = (receipts.c.attempt, receipts.c.side, receipts.c.number, receipts.c.jws)
        query = sa.select(*columns).where(
            receipts.c.tenant == self._tenant, receipts.c.transfer == transfer
        )
        rows = self._connection.execute(query)
        return {(row.attempt, row.side, row.number): row.jws for row in rows}
