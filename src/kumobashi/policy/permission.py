"""Whether the receiving unit may have this information, and in which forms it crosses.

For every kind of information that a link reads: the row of who may ask whom for what, the secrecy
of tax information, the limits on specific personal information, and the mask between levels.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from kumobashi.policy import permission_words as words
from kumobashi.policy.flow_rows import LegalBasisRow
from kumobashi.policy.permission_words import Transfer
from kumobashi.policy.questions import AskedItem, Question, Reason, Where
from kumobashi.policy.reading import Origin
from kumobashi.policy.rulebook import Tables
from kumobashi.policy.units import BusinessUnit, InformationKind
from kumobashi.policy.who_may import Ask

Forms = list[tuple[str, AskedItem | None]]  # in which form what leaves; nothing: by selection alone


@dataclass(frozen=True, slots=True)
class _Asked:
    """What every check needs: the question, the tables of the day, and where rows are noted."""

    q: Question
    tables: Tables
    on: date
    noted: list[Origin]
    basis: LegalBasisRow | None


def against_permission(
    q: Question, tables: Tables, on: date, noted: list[Origin], refused: frozenset[Where]
) -> Iterator[Reason]:
    """Give every reason against the transfer; items at ``refused`` places are told already."""
    taker = unit_of_receiver(q, tables, on)
    if taker is None:
        yield words.no_unit(q, tables, on)
        return
    asked = _Asked(q, tables, on, noted, tables.basis(q.basis.code, on=on) if q.basis else None)
    kinds: set[str] = set()
    for source in q.sources:
        kind = tables.kind_of_layout(source.layout, on=on)
        if kind is None:
            yield words.no_kind(source, on)
            continue
        giver = tables.unit(kind.unit, on=on)
        if giver is None:
            yield words.no_giver(source, kind, on)
            continue
        noted += [kind.origin, giver.origin, taker.origin]
        transfer = Transfer(source=source, kind=kind, giver=giver, taker=taker)
        if kind.kind not in kinds:
            kinds.add(kind.kind)
            yield from _against_basis(asked, transfer)
        forms: Forms = [
            (form, item)
            for form, item in source.forms(q.items)
            if item is None or item.where not in refused
        ]
        yield from _against_rows(asked, transfer, forms)
        yield from _against_mask(asked, transfer, forms)


def unit_of_receiver(q: Question, tables: Tables, on: date) -> BusinessUnit | None:
    """Return the unit that receives: as its file says, or by its business number."""
    if q.receiver.unit:
        return tables.unit(q.receiver.unit, on=on)
    return tables.unit_of_business(q.receiver.business, on=on) if q.receiver.business else None


def ask_of(q: Question, kind: InformationKind, taker: BusinessUnit) -> Ask:
    """Return the question on one kind of information, as the table is asked."""
    return Ask(kind.unit, taker.unit, kind.kind, q.purpose, q.from_zone.value, q.to_zone.value)


def _against_rows(asked: _Asked, transfer: Transfer, forms: Forms) -> Iterator[Reason]:
    """Check the row of who may ask whom for what: none, a denial, its bases, its forms."""
    ask = ask_of(asked.q, transfer.kind, transfer.taker)
    ruling = asked.tables.who_may.on(asked.on).decide(ask)
    asked.noted.extend(row.origin for row in ruling.rows)
    if not ruling.rows:
        used = dict.fromkeys(form for form, _ in forms)
        yield words.not_listed(asked.q, transfer, ask, asked.on, "+".join(used))
        return
    if not ruling.is_permitted:
        yield words.forbidden(transfer, ruling.rows[0])
        return
    if asked.basis and not ruling.rests_on(asked.basis.code):
        yield words.other_basis(asked.q, transfer, asked.basis.code, ruling.rows)
    for form, item in forms:
        if form not in ruling.forms:
            yield words.wrong_form(transfer, item, form, ruling.rows[0])


def _against_mask(asked: _Asked, transfer: Transfer, forms: Forms) -> Iterator[Reason]:
    """Check in which forms the kind crosses from its protection level to that of the taker."""
    levels = transfer.kind.protection_level, transfer.taker.protection_level
    row = asked.tables.mask(*levels, transfer.kind.kind, on=asked.on)
    if row is None:
        yield words.unknown_levels(asked.q, transfer, levels)
        return
    asked.noted.append(row.origin)
    for form, item in forms:
        if form not in row.forms:
            yield words.wrong_form(transfer, item, form, row, levels)


def _against_basis(asked: _Asked, transfer: Transfer) -> Iterator[Reason]:
    """Check what only some bases may do: lift the secrecy of taxes, carry what has a number."""
    basis = asked.basis
    if basis is None:
        return  # told already
    if transfer.kind.is_specific and not basis.carries_specific:
        yield words.specific(asked.q, transfer, basis)
    is_kept_within = transfer.taker.keeps_tax_secrecy
    if transfer.kind.is_tax and not is_kept_within and not basis.lifts_tax_secrecy:
        yield words.tax_secrecy(asked.q, transfer, basis)
