"""The gate's last question: what a release shows beside those that the destination has.

    passed the gate → laid beside earlier releases → nobody told apart?  ─ yes ─→ leaves
                                  └ no ─→ leave those rows out, as far as allowed, measure again
                                  └ too many ─→ climb where the gate may, else refuse

A destination can join whatever carries its tokens, so all releases to one system in one key epoch
are looked at together (``risk.differencing`` says how). A rule without a measured gate, without a
column that tells people apart, or without a token has nothing to be laid beside.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from hashlib import blake2b

import duckdb

from kumobashi.release.columns import Token
from kumobashi.release.errors import DifferencingRefused
from kumobashi.release.gate import Passed, gate_of, leave_out_again, report_in
from kumobashi.release.gate_report import Beside, GateReport
from kumobashi.release.gates import Gate
from kumobashi.release.rules import ReleaseRule
from kumobashi.risk.differencing import Earlier, differ
from kumobashi.storage.counting import count
from kumobashi.storage.tables import literal, quoted

NOW = "told_now"  # temporary table: key, class
DEFAULT_K = 5  # of a gate that counts no persons
_SMALL = "told_apart"
_ROUNDING = 1e-9
_ROWS_A_CLASS = 3
_CLASS = quoted("·class")  # a name that no column has
Climbing = Callable[[GateReport], Passed]


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """An earlier release of a link, the newest that stands, with all that the link has told."""

    link: str
    on: date
    relation: str  # key, history, class, here


def is_compared(rule: ReleaseRule) -> bool:
    """Whether what a rule releases can be laid beside anything."""
    return isinstance(rule.gate, Gate) and bool(rule.having("quasi")) and _token(rule) is not None


def least_class(gate: Gate) -> tuple[int, bool]:
    """Return how many persons a joint class needs, and whether it is known who is in the release.

    It is what the gate asks of a class of the release, and where it asks that of the population
    alone, nobody knows who is in the release.

    >>> least_class(Gate(k=5, k_map=10, population="residents"))
    (5, True)
    >>> least_class(Gate(max_journalist=0.1, population="residents"))
    (10, False)
    >>> least_class(Gate(max_prosecutor=1.0)), least_class(Gate(l_diversity={"tax": 2}))
    ((1, True), (5, True))
    """
    released = [gate.k, _persons(gate.max_prosecutor)]
    people = [gate.k_map, _persons(gate.max_journalist)]
    for asked, is_known in ((released, True), (people, False)):
        if counts := [one for one in asked if one is not None]:
            return max(counts), is_known
    return DEFAULT_K, True


def _persons(chance: float | None) -> int | None:
    """Return how many persons there are where one is found with that chance."""
    return math.ceil(1 / chance - _ROUNDING) if chance else None


def lay_beside(
    passed: Passed,
    work: duckdb.DuckDBPyConnection,
    earlier: Sequence[Release],
    *,
    link: str,
    on: date,
    climb: Climbing | None = None,
) -> Passed:
    """Return what leaves: as it passed, or coarser where the gate may climb and that is needed.

    ``climb`` makes the release anew at the levels of a report. All columns go up one step at a
    time: which of them would be enough alone is not searched for.

    Raises:
        DifferencingRefused: more rows than the gate lets be left out, or all, at every level.
        GateRefused: what is left over tells too much by itself.
    """
    while True:
        try:
            return _lay_beside(passed, work, earlier, link=link, on=on)
        except DifferencingRefused:
            higher = _higher(report_in(passed))
            if climb is None or gate_of(passed.rule).on_fail != "climb" or higher is None:
                raise
            passed = climb(higher)
            if passed.report is None or passed.report.levels != higher.levels:
                raise
            if not is_compared(passed.rule):  # nothing is left that tells people apart
                return passed


def _higher(report: GateReport) -> GateReport | None:
    """Return the report with every column one step up; nothing where all are at their top."""
    climbs = tuple(
        replace(one, level=min(one.level + 1, len(one.steps) - 1)) for one in report.climbs
    )
    return replace(report, climbs=climbs) if climbs != report.climbs else None


def _lay_beside(
    passed: Passed,
    work: duckdb.DuckDBPyConnection,
    earlier: Sequence[Release],
    *,
    link: str,
    on: date,
) -> Passed:
    """Leave out of ``released`` what earlier releases would tell apart; ``NOW`` is what is told.

    Raises:
        DifferencingRefused: more rows than the gate lets be left out, or all.
        GateRefused: what is left over tells too much by itself.
    """
    gate = gate_of(passed.rule)
    links = [
        Earlier(relation=e.relation, is_own=e.link == link, is_same_day=e.on == on) for e in earlier
    ]
    k, is_known = least_class(gate)
    report = report_in(passed)
    made, left_out, first = passed.released.rows + report.suppressed, 0, None
    while True:
        _tell(passed, work)
        work.execute(f"drop table if exists {_SMALL}")
        found = differ(work, NOW, links, k=k, is_presence_known=is_known, into=_SMALL)
        first = first or found
        if gate.differencing == "report" or found.too_small == 0:
            break
        key = _key(passed.rule)
        taken = count(work, f"delete from released where {key} in (select key from {_SMALL})")
        left_out += taken
        gone = report_in(passed).suppressed + taken
        if _is_within(gate, made, gone):
            passed = leave_out_again(passed, work, on=on, taken=taken)
            gone = report_in(passed).suppressed
        if not _is_within(gate, made, gone):
            against = ", ".join(f"{one.link} {one.on.isoformat()}" for one in earlier)
            raise DifferencingRefused(
                against=against,
                rows=first.too_small,
                k=k,
                limit=f"{gate.max_suppressed:.3g}",
                report=report,  # the gate itself let it pass
            )
    work.execute(f"drop table {_SMALL}")
    beside = Beside(
        against=tuple(one.link for one in earlier),
        k=k,
        smallest=found.smallest,
        too_small=first.too_small,
        left_out=left_out,
        appeared=found.appeared,
        gone=found.gone,
    )
    return replace(passed, report=replace(report_in(passed), differencing=beside))


def _is_within(gate: Gate, made: int, gone: int) -> bool:
    return gone < made and gone <= gate.max_suppressed * made


def _tell(passed: Passed, work: duckdb.DuckDBPyConnection) -> None:
    """Make ``NOW`` of ``released``: a token's number, and that of its class.

    Both stay the same from release to release: half of the token, and MD5 over the values that
    tell people apart. A token with several rows is in the class of all of them together.
    """
    rule, released = passed.rule, passed.released
    names = [column.name for column in rule.having("quasi")]
    # The names stand as a few letters: MD5 costs by the length, for every row.
    of_columns = blake2b("\x1f".join(names).encode(), digest_size=4).hexdigest()
    values = "||chr(31)||".join(
        [literal(of_columns), *(f"coalesce({quoted(name)}::varchar, chr(30))" for name in names)]
    )
    number, by = f"md5_number_lower({values})", ", ".join(map(quoted, names))
    same = " and ".join(f"r.{quoted(n)} is not distinct from c.{quoted(n)}" for n in names)
    # Where most rows have a class of their own, to look the classes up costs more than it saves.
    classes, source = (
        (f"select *, {number} as {_CLASS} from released", "classes as r")
        if (released.classes or 0) * _ROWS_A_CLASS > released.rows
        else (
            f"select {by}, {number} as {_CLASS} from (select distinct {by} from released)",
            f"released as r join classes as c on {same}",
        )
    )
    several = (
        "select key, case when count(*) = 1 then min(class) else"
        " md5_number_lower(concat_ws('|', count(*), sum(class::hugeint))) end as class"
        " from told group by key"
    )
    token = _token(rule)
    is_one_row_each = token is not None and token.of == rule.subject.key
    work.execute(
        f"create or replace temp table {NOW} as with classes as not materialized ({classes}),"
        f" told as (select {_key(rule, 'r.')} as key, {_CLASS} as class from {source}"
        f" where r.{_named(rule)} is not null)"
        f" {'from told' if is_one_row_each else several}"
    )


def _key(rule: ReleaseRule, of: str = "") -> str:
    return f"('0x' || left({of}{_named(rule)}, 16))::ubigint"


def _named(rule: ReleaseRule) -> str:
    token = _token(rule)
    return quoted(token.name if token else "")


def _token(rule: ReleaseRule) -> Token | None:
    """Return the column that rows are joined by: the subject's own token, else another's."""
    tokens = [column for column in rule.released if isinstance(column, Token)]
    own = [column for column in tokens if column.of == rule.subject.key]
    return next(iter([*own, *tokens]), None)
