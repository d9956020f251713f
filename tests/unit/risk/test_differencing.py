"""What SQL says of releases laid beside each other is what counting by hand says."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kumobashi.risk.differencing import Differences, Earlier, differ, follow

Told = Mapping[int, tuple[int, int, bool]]  # history, class told last, in the newest release


@dataclass(frozen=True)
class Link:
    told: Told
    is_own: bool = False
    is_same_day: bool = False

    def here(self, key: int) -> int | None:
        _, last, is_here = self.told.get(key, (0, 0, False))
        return last if is_here else None


def by_hand(
    now: Mapping[int, int], links: Sequence[Link], k: int, *, is_known: bool
) -> tuple[Differences, set[int]]:
    keys = {*now, *(key for link in links for key in link.told)}
    groups: dict[tuple[int | None, ...], list[int]] = {}
    for key in keys:
        history = tuple(link.told[key][0] if key in link.told else None for link in links)
        groups.setdefault(history, []).append(key)
    small, sizes = set(), []
    for history, members in groups.items():
        if all(one is None for one in history):
            continue
        present = [key for key in members if key in now]
        gone = len(members) - len(present)
        mine = any(
            one is not None and link.is_own for one, link in zip(history, links, strict=True)
        )
        whole = len(present) if mine and is_known else len(members)
        for one, n in Counter(now[key] for key in present).items():
            size = n if is_known else n + gone
            sizes.append(size)
            if size < min(k, whole):
                small |= {key for key in present if now[key] == one}
    appeared, left = set(), set()
    for link in links:
        new = [key for key in now if link.here(key) is None]
        old = [key for key in link.told if key not in now and link.here(key) is not None]
        of_new = Counter(now[key] for key in new)
        of_old = Counter(link.here(key) for key in old)
        few_new = {key for key in new if of_new[now[key]] < k}
        few_old = {key for key in old if of_old[link.here(key)] < k}
        if link.is_same_day:
            small |= few_new
            for missing in {link.here(key) for key in few_old}:
                beside = sorted(key for key in now if link.here(key) == missing)
                small |= set(beside[: k - of_old[missing]])
        else:
            appeared |= few_new
            left |= few_old
    found = Differences(
        smallest=min(sizes, default=None),
        too_small=len(small),
        appeared=len(appeared),
        gone=len(left),
    )
    return found, small


WORK = duckdb.connect(config={"threads": 1})  # opening one takes longer than what is tried in it


def table(name: str, columns: str, rows: Iterable[tuple[object, ...]]) -> str:
    WORK.execute(f"create or replace table {name} ({columns})")
    if values := ", ".join(f"({', '.join(map(str, row))})" for row in rows):
        WORK.execute(f"insert into {name} values {values}")
    return name


def by_sql(
    now: Mapping[int, int], links: Sequence[Link], k: int, *, is_known: bool
) -> tuple[Differences, set[int]]:
    told_now = table("now", "key ubigint, class ubigint", now.items())
    earlier = [
        Earlier(
            relation=table(
                f"e{place}",
                "key ubigint, history ubigint, class ubigint, here boolean",
                [(key, *said) for key, said in link.told.items()],
            ),
            is_own=link.is_own,
            is_same_day=link.is_same_day,
        )
        for place, link in enumerate(links)
    ]
    WORK.execute("drop table if exists small")
    found = differ(WORK, told_now, earlier, k=k, is_presence_known=is_known, into="small")
    keys = [key for (key,) in WORK.execute("from small").fetchall()]
    assert len(keys) == len(set(keys))
    return found, set(keys)


keys = st.integers(0, 11)
told = st.dictionaries(keys, st.tuples(st.integers(0, 2), st.integers(0, 2), st.booleans()))
links = st.lists(st.tuples(told, st.booleans()), max_size=3).flatmap(
    lambda said: st.integers(-1, len(said) - 1).map(
        lambda own: [
            Link(told=one, is_own=at == own, is_same_day=same)
            for at, (one, same) in enumerate(said)
        ]
    )
)


@settings(max_examples=100)
@given(st.dictionaries(keys, st.integers(0, 2)), links, st.integers(2, 4), st.booleans())
def test_it_counts_as_one_would_by_hand(
    now: dict[int, int], links: list[Link], k: int, is_known: bool
) -> None:
    assert by_sql(now, links, k, is_known=is_known) == by_hand(now, links, k, is_known=is_known)


def first(classes: Mapping[int, int]) -> Told:
    return {key: (one, one, True) for key, one in classes.items()}


def test_two_releases_of_five_together_are_of_one() -> None:
    """Rows and columns of a square: whoever knows both knows the place."""
    rows = {key: key // 5 for key in range(25)}
    columns = {key: key % 5 for key in range(25)}

    found, small = by_sql(columns, [Link(told=first(rows))], 5, is_known=True)

    assert found.smallest == 1
    assert small == set(columns)


def test_the_same_again_tells_nothing() -> None:
    rows = {key: key // 5 for key in range(25)}
    for is_same_day in (True, False):
        link = Link(told=first(rows), is_own=True, is_same_day=is_same_day)
        found, small = by_sql(rows, [link], 5, is_known=True)
        assert (found.smallest, small) == (5, set())


def test_who_came_yesterday_stands_out_no_more_today() -> None:
    before = {**first(dict.fromkeys(range(6), 1)), 90: (8, 8, True)}
    now = {**dict.fromkeys(range(6), 1), 90: 8}

    found, small = by_sql(now, [Link(told=before, is_own=True)], 5, is_known=True)

    assert (small, found.smallest) == (set(), 1)


def test_a_death_makes_nobody_elses_class_too_small() -> None:
    before = first(dict.fromkeys(range(5), 1))
    now = dict.fromkeys(range(4), 1)

    found, small = by_sql(now, [Link(told=before, is_own=True)], 5, is_known=True)

    assert small == set()
    assert found.gone == 1


def test_who_moves_alone_is_left_out_and_the_others_are_not() -> None:
    before = first(dict.fromkeys(range(10), 1) | dict.fromkeys(range(10, 20), 2))
    now = dict.fromkeys(range(1, 10), 1) | dict.fromkeys([0, *range(10, 20)], 2)

    _, small = by_sql(now, [Link(told=before, is_own=True)], 5, is_known=True)

    assert small == {0}


def test_a_list_that_nobody_knows_who_is_on_counts_those_who_are_not() -> None:
    before = first(dict.fromkeys(range(10), 1))
    now = {0: 3, 1: 4}

    assert by_sql(now, [Link(told=before)], 5, is_known=True)[1] == {0, 1}
    assert by_sql(now, [Link(told=before)], 5, is_known=False)[1] == set()


days = st.lists(
    st.dictionaries(st.integers(0, 5), st.integers(0, 2), max_size=6), min_size=1, max_size=5
)


@settings(max_examples=40)
@given(days)
def test_a_history_is_the_classes_one_after_the_other(days: list[dict[int, int]]) -> None:
    """Two tokens share a history exactly if they were told the same changes on the same days."""
    told: dict[int, tuple[object, ...]] = {}
    last: dict[int, int] = {}
    own = None
    for day, now in enumerate(days):
        table("now", "key ubigint, class ubigint", now.items())
        WORK.execute(f"create or replace table t{day} as {follow('now', own, step=f't{day}')}")
        own = f"t{day}"
        for key, one in now.items():
            if key not in told:
                told[key] = (one,)
            elif last[key] != one:
                told[key] = (*told[key], (day, one))
            last[key] = one
    found = WORK.execute(f"select key, history, class, here from {own}").fetchall()
    assert {key: one for key, _, one, _ in found} == last
    assert {key for key, *_, here in found if here} == set(days[-1])
    numbers = {key: history for key, history, *_ in found}
    for one, other in product(told, repeat=2):
        assert (told[one] == told[other]) == (numbers[one] == numbers[other])


@pytest.mark.parametrize("is_known", [True, False])
def test_without_earlier_releases_nothing_is_too_small(is_known: bool) -> None:
    found, small = by_sql({1: 1}, [], 5, is_known=is_known)

    assert (found, small) == (
        Differences(smallest=None, too_small=0, appeared=0, gone=0),
        set(),
    )
