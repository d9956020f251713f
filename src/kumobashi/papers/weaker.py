"""Which of two ways to make an item, to choose persons, to gate or to keep is the weaker. Pure.

Coarser means what it means to the ladders of release rules: the value of the one follows from that
of the other. Of what cannot be compared so, nothing is said but that a person must look.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from pydantic import TypeAdapter, ValidationError

from kumobashi.release.columns import Column
from kumobashi.release.gates import AnyGate, Gate
from kumobashi.release.ladders import is_coarser

if TYPE_CHECKING:
    from kumobashi.papers.important import Side

_COLUMN: TypeAdapter[Column] = TypeAdapter(Column)
_GATE: TypeAdapter[AnyGate] = TypeAdapter(AnyGate)
_MORE_IS_SAFER: Final = ("k", "k_map")
_LESS_IS_SAFER: Final = (
    "t", "max_journalist", "max_prosecutor", "max_marketer", "max_unique_share", "max_suppressed",
)  # fmt: skip
_SUPPRESSED: Final = "max_suppressed"  # more rows left out: fewer notices, not more risk
_NOTHING_OF_ANYBODY: Final = frozenset({"base_date", "constant", "suppress", "drop"})


def column_aspect(was: object, then: object) -> str:
    """Return whether an item is finer, coarser, or made in a way that cannot be compared.

    >>> year = {"name": "b", "op": "truncate", "of": "birth_date", "to": "year"}
    >>> month = {**year, "to": "month"}
    >>> column_aspect(year, month), column_aspect(month, year)
    ('item-finer', 'item-coarser')
    """
    try:
        before, now = _COLUMN.validate_python(was), _COLUMN.validate_python(then)
    except ValidationError:
        return "item-changed"
    tells_nothing = (before.op in _NOTHING_OF_ANYBODY, now.op in _NOTHING_OF_ANYBODY)
    is_same_source = getattr(before, "of", None) == getattr(now, "of", None)
    if tells_nothing == (False, True) or (is_same_source and is_coarser(now, than=before)):
        return "item-coarser"
    becomes_whole = is_same_source and now.op == "keep" and before.op != "keep"
    is_finer = becomes_whole or (is_same_source and is_coarser(before, than=now))
    if tells_nothing == (True, False) or is_finer:
        return "item-finer"
    plain: dict[str, Any] = {"ladder": [], "role": None}
    is_same = before.model_copy(update=plain) == now.model_copy(update=plain)
    return "gate-changed" if is_same else "item-changed"


def gate_aspect(was: object, then: object) -> str:
    """Return whether the gate is weaker, stronger, or cannot be compared."""
    before, now = _gate(was), _gate(then)
    if before is None and now is None:
        return "gate-changed"
    if now is None:
        return "gate-weaker"
    if before is None:
        return "gate-stronger"
    weaker, stronger, other = _compared(before, now)
    if weaker:
        return "gate-weaker"
    return "gate-changed" if other or not stronger else "gate-stronger"


def scope_aspect(was: object, then: object) -> str:
    """Return whether more or fewer persons are chosen, as far as the conditions tell.

    >>> adults = {"dataset": "r", "key": "n", "age": {"from": 20, "to": 64}}
    >>> scope_aspect(adults, {**adults, "age": {"from": 18, "to": 64}})
    'scope-larger'
    """
    if not isinstance(was, Mapping) or not isinstance(then, Mapping):
        return "scope-changed"
    conditions = {"only", "age", "without"}
    keys = {*was, *then}
    if any(was.get(key) != then.get(key) for key in keys - conditions):
        return "scope-changed"
    sides = [
        _wider(was.get("only") or {}, then.get("only") or {}),
        _wider_age(was.get("age"), then.get("age")),
        _wider_without(was.get("without"), then.get("without")),
    ]
    if "?" in sides or {">", "<"} <= set(sides):
        return "scope-changed"
    return "scope-larger" if ">" in sides else "scope-smaller"


def retention_aspect(before: "Side", now: "Side") -> str:
    """Return whether it may be kept longer than before."""
    was, then = before.decision.get("retention"), now.decision.get("retention")
    if was is not None and then is None:
        return "retention-longer"
    if was is None and then is not None:
        return "retention-shorter"
    days = (_days(was, before.retention_days), _days(then, now.retention_days))
    if days[0] is not None and days[1] is not None and days[0] != days[1]:
        return "retention-longer" if days[1] > days[0] else "retention-shorter"
    return "retention-class"


def _days(retention: Any, of_class: int | None) -> int | None:  # noqa: ANN401 - JSON
    """Return the days as the link says them, else those of its class."""
    said = retention.get("days") if isinstance(retention, Mapping) else None
    return said if isinstance(said, int) else of_class


def _gate(value: object) -> Gate | None:
    if value is None:
        return None
    try:
        found = _GATE.validate_python(value)
    except ValidationError:
        return None
    return found if isinstance(found, Gate) else None


def _compared(before: Gate, now: Gate) -> tuple[bool, bool, bool]:
    """Return whether anything is weaker, anything is stronger, anything cannot be compared."""
    weaker = stronger = other = False
    for name in (*_MORE_IS_SAFER, *_LESS_IS_SAFER):
        was, then = getattr(before, name), getattr(now, name)
        if was == then:
            continue
        if name == _SUPPRESSED:
            other = True
        elif then is None:
            weaker = True
        elif was is None:
            stronger = True
        else:
            is_safer = (then > was) == (name in _MORE_IS_SAFER)
            weaker, stronger = weaker or not is_safer, stronger or is_safer
    for column in {*before.l_diversity, *now.l_diversity}:
        was, then = before.l_diversity.get(column, 0), now.l_diversity.get(column, 0)
        weaker, stronger = weaker or then < was, stronger or then > was
    if before.differencing != now.differencing:
        weaker = weaker or now.differencing == "report"
        stronger = stronger or now.differencing == "refuse"
    other = other or (before.population, before.on_fail) != (now.population, now.on_fail)
    return weaker, stronger, other


def _wider(was: Mapping[str, Any], then: Mapping[str, Any]) -> str:
    """Return ``>`` for a wider choice by codes, ``<`` narrower, ``=`` the same, ``?`` unlike."""
    sides = set()
    for column in {*was, *then}:
        if column not in then:
            sides.add(">")
        elif column not in was:
            sides.add("<")
        else:
            before, now = ({str(code) for code in side[column]} for side in (was, then))
            sides.add(
                "=" if before == now else ">" if before < now else "<" if now < before else "?"
            )
    sides.discard("=")
    return sides.pop() if len(sides) == 1 else ("?" if sides else "=")


def _wider_age(was: Any, then: Any) -> str:  # noqa: ANN401 - JSON
    if was == then:
        return "="
    if then is None:
        return ">"
    if was is None:
        return "<"
    before, now = ((side.get("from"), side.get("to")) for side in (was, then))
    if now[0] <= before[0] and now[1] >= before[1]:
        return ">"
    return "<" if now[0] >= before[0] and now[1] <= before[1] else "?"


def _wider_without(was: Any, then: Any) -> str:  # noqa: ANN401 - JSON
    if was == then:
        return "="
    if then is None:
        return ">"
    return "<" if was is None else "?"
