"""Find rows that answer the same question on the same day: they are refused when tables are loaded.

Rows with the same key must part their dates. Rows that differ in where their ``*`` stand may both
match one question; when they are equally exact nobody could say which goes first, so they must
agree in what they decide. A row of the municipality never permits what a row of ours denies.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from itertools import combinations, product
from typing import Protocol, TypeVar

from kumobashi.policy.errors import PolicyContradicts, PolicyFailed, PolicyLoosened
from kumobashi.policy.reading import ANY, Dated, Origin
from kumobashi.policy.row_index import Keyed, exactness, meet
from kumobashi.policy.who_may import MayRow

D = TypeVar("D", bound=Dated)


class Deciding(Keyed, Protocol):
    """A row with a key that decides something."""

    @property
    def asks(self) -> Hashable:
        """What is decided, for comparison."""
        ...


E = TypeVar("E", bound=Deciding)


def same_key(rows: Iterable[D], key: Callable[[D], Iterable[Hashable]]) -> Iterator[PolicyFailed]:
    """Give a mistake for each two rows that share a key on some day."""
    by_key: dict[Hashable, list[D]] = {}
    for row in rows:
        for one in key(row):
            by_key.setdefault(one, []).append(row)
    for held in by_key.values():
        for first, second in combinations(held, 2):
            if first.origin.meets(second.origin):
                yield _contradiction(first.origin, second.origin, "同じ条件", "the same key")


def equally_exact(rows: Iterable[E]) -> Iterator[PolicyFailed]:
    """Give a mistake for each two rows with ``*`` that could not be ranked, and disagree."""
    held = [row for row in rows if ANY in row.key]
    by_rank: dict[tuple[bool, int], list[E]] = {}
    for row in held:
        by_rank.setdefault((row.origin.is_ours, exactness(row.key)), []).append(row)
    for ranked in by_rank.values():
        for first, second in _that_may_meet(ranked):
            if (
                first.key != second.key
                and first.asks != second.asks
                and meet(first.key, second.key)
                and first.origin.meets(second.origin)
            ):
                yield _contradiction(
                    first.origin,
                    second.origin,
                    "同じ細かさで、答えが違う",
                    "equally exact, with other answers",
                )


def _that_may_meet(rows: list[E]) -> Iterator[tuple[E, E]]:
    """Give the pairs that agree in the column that tells rows apart best, or leave it open.

    Of thousands of rows nearly all pairs differ there and need not be compared.
    """

    def pairs(column: int) -> int:
        counts = Counter(row.key[column] for row in rows)
        is_open = counts.pop(ANY, 0)
        return is_open**2 + sum(count * (count + 2 * is_open) for count in counts.values())

    telling = min(range(len(rows[0].key)), key=pairs)
    groups: dict[str, list[E]] = {}
    for row in rows:
        groups.setdefault(row.key[telling], []).append(row)
    is_open = groups.pop(ANY, [])
    yield from combinations(is_open, 2)
    for held in groups.values():
        yield from combinations(held, 2)
        yield from product(held, is_open)


def loosened(rows: Iterable[MayRow]) -> Iterator[PolicyFailed]:
    """Give a mistake for each row of the municipality that permits what a row of ours does not."""
    held = list(rows)
    ours = [row for row in held if row.origin.is_ours]
    for own in (row for row in held if not row.origin.is_ours and row.is_permitted):
        for row in ours:
            if meet(own.key, row.key) and own.origin.meets(row.origin) and own.is_looser(row):
                denies = not row.is_permitted
                yield PolicyLoosened(
                    file=own.origin.file,
                    row=own.origin.row,
                    other=row.origin.place,
                    why="禁止の行" if denies else "形か根拠がより広い",
                    why_en="a denial" if denies else "more forms or more bases",
                )
                break


def _contradiction(first: Origin, second: Origin, ja: str, en: str) -> PolicyContradicts:
    earlier, later = sorted((first, second), key=lambda o: (not o.is_ours, o.file, o.row))
    return PolicyContradicts(
        file=later.file,
        row=later.row,
        other=earlier.place,
        day=max(first.valid_from, second.valid_from).isoformat(),
        why=ja,
        why_en=en,
    )
