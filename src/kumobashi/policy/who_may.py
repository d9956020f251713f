"""Who may ask whom for what: the table, its index, and decisions with the rows that made them.

The unit that gives is the one in charge of the information; the one that asks is that of the
receiving system. What no row names is denied.

>>> from datetime import date
>>> from kumobashi.policy.tables import load_tables
>>> rules = load_tables().who_may.on(date(2026, 11, 22))
>>> ask = Ask(
...     "resident-registry",
...     "nhi",
...     "resident-record",
...     "national-health-insurance",
...     "mynumber",
...     "mynumber",
... )
>>> ruling = rules.decide(ask)
>>> ruling.is_permitted, ruling.code, len(ruling.rows)
(True, 'policy.permitted', 1)
>>> rules.decide(ask._replace(to_unit="library")).code
'policy.not_listed'
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import NamedTuple

from kumobashi.policy.reading import ANY, FORMS, Origin, Row
from kumobashi.policy.row_index import DayIndex, Key, RowIndex, places

_ZONES = ("mynumber", "lgwan", "internet", ANY)
_KEPT = 1 << 16  # rulings kept ready for each day; a busy gateway asks some hundreds of questions


class Ask(NamedTuple):
    """One question: whether ``to_unit`` may have this kind from ``from_unit`` for a purpose."""

    from_unit: str
    to_unit: str
    kind: str
    purpose: str
    from_zone: str
    to_zone: str


COLUMNS = Ask._fields


@dataclass(frozen=True, slots=True, kw_only=True)
class MayRow:
    """A row of ``who_may.csv``; ``*`` in its key stands for whatever no other row names."""

    key: Key  # the columns of :class:`Ask`, in that order
    is_permitted: bool
    forms: tuple[str, ...]  # in which forms the items may leave
    bases: tuple[str, ...]  # legal bases that it rests on; empty: any that holds
    article_ja: str
    article_en: str
    remedy_ja: str
    remedy_en: str
    origin: Origin

    @property
    def asks(self) -> tuple[bool, frozenset[str], frozenset[str]]:
        """What is decided: rows that agree in this do not contradict each other."""
        return self.is_permitted, frozenset(self.forms), frozenset(self.bases)

    def is_looser(self, other: "MayRow") -> bool:
        """Whether this row permits something that ``other`` does not."""
        if not self.is_permitted:
            return False
        if not other.is_permitted or set(self.forms) - set(other.forms):
            return True
        return bool(other.bases) and (not self.bases or bool(set(self.bases) - set(other.bases)))


class Ruling:
    """The answer to a question: permit or deny, the rows that decided, and the reason in words.

    The words are put together when they are asked for.
    """

    __slots__ = ("__dict__", "ask", "is_permitted", "rows")

    def __init__(self, ask: Ask, rows: tuple[MayRow, ...]) -> None:
        self.ask = ask
        self.rows = rows
        # Nearly always one row decides; several agree, or the table had been refused.
        if len(rows) == 1:
            self.is_permitted = rows[0].is_permitted
        else:
            self.is_permitted = bool(rows) and all(row.is_permitted for row in rows)

    @property
    def code(self) -> str:
        """The stable code of the answer."""
        if self.is_permitted:
            return "policy.permitted"
        return "policy.forbidden" if self.rows else "policy.not_listed"

    @cached_property
    def places(self) -> tuple[str, ...]:
        """The rows that decided, as ``file:line``."""
        return places(row.origin for row in self.rows)

    @cached_property
    def forms(self) -> tuple[str, ...]:
        """The forms in which it may leave; none when it is denied."""
        if not self.is_permitted:
            return ()
        return tuple(form for form in FORMS if all(form in row.forms for row in self.rows))

    def rests_on(self, basis: str) -> bool:
        """Whether all rows that decided accept a legal basis."""
        return all(not row.bases or basis in row.bases for row in self.rows)

    @cached_property
    def ja(self) -> str:
        """The reason for people."""
        what = f"{self.ask.from_unit} から {self.ask.to_unit} へ、{self.ask.kind} を"
        what += f" {self.ask.purpose} のために（{self.ask.from_zone} → {self.ask.to_zone}）"
        rows = "、".join(
            f"{place}（{row.article_ja}）"
            for place, row in zip(self.places, self.rows, strict=False)
        )
        if self.is_permitted:
            return f"{what}渡してよい。根拠の行: {rows}"
        if self.rows:
            return f"{what}渡してはならない。根拠の行: {rows}"
        return f"{what}渡してよいという行がない。書かれていないものは渡さない"

    @cached_property
    def en(self) -> str:
        """The reason in English."""
        ask = self.ask
        what = f"{ask.from_unit} to {ask.to_unit}, {ask.kind} for {ask.purpose}"
        what += f" ({ask.from_zone} to {ask.to_zone})"
        rows = ", ".join(
            f"{place} ({row.article_en})"
            for place, row in zip(self.places, self.rows, strict=False)
        )
        if self.rows:
            return f"{what}: {'permitted' if self.is_permitted else 'forbidden'} by {rows}"
        return f"{what}: no row permits it, and what no row permits is denied"


class DayRules:
    """The rules of one day; each question that was decided is kept ready."""

    def __init__(self, index: DayIndex[MayRow]) -> None:
        self._index = index
        self._known: dict[Ask, Ruling] = {}

    def decide(self, ask: Ask) -> Ruling:
        """Return the ruling on a question."""
        known = self._known.get(ask)
        if known is not None:
            return known
        ruling = self.look_up(ask)
        if len(self._known) < _KEPT:
            self._known[ask] = ruling
        return ruling

    def look_up(self, ask: Ask) -> Ruling:
        """Return the ruling on a question, found in the table anew."""
        return Ruling(ask, self._index.find(ask))


class WhoMay:
    """The whole table; asking is by day."""

    def __init__(self, rows: Iterable[MayRow]) -> None:
        self._index = RowIndex(rows)
        self._days: dict[date, DayRules] = {}

    @property
    def rows(self) -> tuple[MayRow, ...]:
        """All rows, whenever they hold."""
        return self._index.rows

    def on(self, day: date) -> DayRules:
        """Return the rules that hold on a day."""
        found = self._days.get(day)
        if found is None:
            if len(self._days) >= 64:  # noqa: PLR2004 - as many days as the index keeps
                self._days.clear()
            found = self._days[day] = DayRules(self._index.on(day))
        return found


def read_may(row: Row) -> MayRow:
    """Read a row of ``who_may.csv``."""
    zones = {column: row.text(column, _ZONES) for column in ("from_zone", "to_zone")}
    named = {column: zones.get(column) or row.name(column) for column in COLUMNS}
    is_permitted = row.says_yes("permit")
    forms = row.listed("forms", FORMS)
    if is_permitted is not bool(forms):
        raise row.wrong("forms", row.text("forms"))
    return MayRow(
        key=tuple(Ask(**named)),
        is_permitted=is_permitted,
        forms=forms,
        bases=row.bases("bases"),
        article_ja=row.name("article_ja"),
        article_en=row.name("article_en"),
        remedy_ja=row.text("remedy_ja"),
        remedy_en=row.text("remedy_en"),
        origin=row.origin(),
    )
