"""Whether the tables fit each other: no contradictions, and every name that is used exists."""

from collections.abc import Iterable, Iterator

from kumobashi.policy.errors import PolicyFailed, PolicyUnknownName
from kumobashi.policy.overlaps import equally_exact, loosened, same_key
from kumobashi.policy.reading import ANY, Origin
from kumobashi.policy.rulebook import Tables
from kumobashi.policy.who_may import Ask


def inconsistencies(tables: Tables) -> Iterator[PolicyFailed]:
    """Give everything that does not fit, in the order of the tables."""
    yield from same_key(tables.flows, lambda r: [(r.model, r.from_zone, r.to_zone, r.by)])
    yield from same_key(tables.bases, lambda r: [r.code])
    yield from same_key(tables.forms, lambda r: [(r.sensitivity, r.zone, r.form)])
    yield from same_key(tables.retentions, lambda r: [r.code])
    yield from same_key(
        tables.units, lambda r: [("unit", r.unit), *([("no", r.business)] if r.business else [])]
    )
    yield from same_key(
        tables.kinds, lambda r: [("kind", r.kind), *(("layout", name) for name in r.layouts)]
    )
    yield from same_key(tables.may, lambda r: [(r.origin.is_ours, r.key)])
    yield from same_key(tables.masks, lambda r: [r.key])
    yield from same_key(tables.clouds, lambda r: [r.key])
    yield from same_key(tables.certifications, lambda r: [r.name])
    yield from equally_exact(tables.may)
    yield from equally_exact(tables.clouds)  # masks have one column that may be open
    yield from loosened(tables.may)
    yield from _unknown_names(tables)


def _unknown_names(tables: Tables) -> Iterator[PolicyFailed]:
    units = {row.unit for row in tables.units}
    kinds = {row.kind for row in tables.kinds}
    bases = {row.code for row in tables.bases}
    for kind in tables.kinds:
        yield from _missing(kind.origin, "unit", [kind.unit], units, "units.csv")
    for may in tables.may:
        ask = Ask(*may.key)
        yield from _missing(may.origin, "from_unit", [ask.from_unit], units, "units.csv")
        yield from _missing(may.origin, "to_unit", [ask.to_unit], units, "units.csv")
        yield from _missing(may.origin, "kind", [ask.kind], kinds, "information_kinds.csv")
        yield from _missing(may.origin, "bases", may.bases, bases, "legal_bases.csv")
    for mask in tables.masks:
        yield from _missing(mask.origin, "kind", [mask.key[2]], kinds, "information_kinds.csv")


def _missing(
    origin: Origin, column: str, named: Iterable[str], known: set[str], table: str
) -> Iterator[PolicyFailed]:
    for name in named:
        if name != ANY and name not in known:
            yield PolicyUnknownName(
                file=origin.file, row=origin.row, column=column, name=name, table=table
            )
