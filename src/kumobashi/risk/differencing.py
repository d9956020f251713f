"""Whether a release, laid beside earlier ones to the same place, tells people apart.

Rows that carry the same token are of the same person, so whoever holds several releases knows all
their columns together. A *history* is what one link has told of a token so far; a *group* is all
tokens with the same history over all links, "never told" being a history too. Of a new release the
rows of a group fall into joint classes, by group and class. A joint class is too small when it has
fewer than ``k`` rows, and fewer than could not be told apart before:

    rows in the joint class  <  least(k, tokens of the group)

For a group that the link itself has told of before, its tokens are those still in the release:
whoever died or moved away makes nobody's joint class smaller. Where nobody can know who is in the
release (``is_presence_known=False``) a token of the group that is not in it may have been of any
class, and counts with every one.

Two releases of one day are also subtracted: rows that are in one of them alone, by the class that
they have there, must be none or at least ``k``, or all of that class. Between different days
births, moves and deaths always make such cells: they are counted, and stop nothing.

Relations have one row a token, with whole numbers (``ubigint``). Read for the idea: J. Byun et al.,
"Secure Anonymization for Incremental Datasets", 2006; X. Xiao and Y. Tao, "m-invariance", 2007.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from kumobashi.storage.counting import count
from kumobashi.storage.tables import literal, quoted

_KNOWN = quoted("·known")
_CELLS = quoted("·joint")


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """What one link has told: a relation with ``key``, ``history``, ``class`` and ``here``.

    ``class`` is the one told last; ``here`` is whether the newest release of that link has the row.
    """

    relation: str
    is_own: bool = False  # of the link that releases now
    is_same_day: bool = False  # its newest release is of the same business date


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """What a release shows beside earlier ones; counts are rows of the release or of an earlier."""

    smallest: int | None  # of the joint classes; none: nobody in the release was told of before
    too_small: int  # rows that must not leave
    appeared: int  # that stand out as new since a release of another day, fewer than k of a class
    gone: int  # that stand out as gone since then


def differ(
    work: duckdb.DuckDBPyConnection,
    now: str,
    earlier: Sequence[Earlier],
    *,
    k: int,
    is_presence_known: bool = True,
    into: str,
) -> Differences:
    """Compare ``now``, a relation with ``key`` and ``class``, with what was told before.

    Writes the keys of the rows that must not leave into the new table ``into``.

    >>> with duckdb.connect() as work:
    ...     _ = work.execute(
    ...         "create table now as select unnest([1, 2, 3]) as key, key // 3 as class"
    ...     )
    ...     _ = work.execute(
    ...         "create table e as select key, 7 as history, 7 as class, true as here from now"
    ...     )
    ...     differ(work, "now", [Earlier(relation="e")], k=2, into="small").smallest
    ...     work.execute("from small").fetchall()
    1
    [(3,)]
    """
    if not earlier:  # nothing was told, so nothing can be too small beside it
        work.execute(f"create table {into} (key ubigint)")
        return Differences(smallest=None, too_small=0, appeared=0, gone=0)
    links = range(len(earlier))
    work.execute(f"create or replace temp table {_KNOWN} as {_known(now, earlier)}")
    group = ", ".join(f"h{at}" for at in links)
    told = " or ".join(f"h{at} is not null" for at in links)
    own = " or ".join(f"h{at} is not null" for at in links if earlier[at].is_own) or "false"
    cells = f"select {group}, c, count(*) as n from {_KNOWN} where {told} group by all"
    work.execute(
        f"create or replace temp table {_CELLS} as"
        f" select *, sum(n) filter (c is not null) over g as present,"
        f" coalesce(sum(n) filter (c is null) over g, 0) as gone, {own} as own"
        f" from ({cells}) window g as (partition by {group})"
    )
    size, of_group = (
        ("n", "case when own then present else present + gone end")
        if is_presence_known
        else ("n + gone", "present + gone")
    )
    try:
        ((smallest,),) = work.execute(
            f"select min({size}) from {_CELLS} where c is not null"
        ).fetchall()
        same = " and ".join(f"k.h{at} is not distinct from j.h{at}" for at in links)
        small = (
            f"select k.key from {_KNOWN} as k join {_CELLS} as j on k.c = j.c and {same}"
            f" where {size} < least({k:d}, {of_group})"
        )
        subtracted = [
            part
            for at in links
            if earlier[at].is_same_day
            for part in (_only_now(at, k), _only_earlier(at, k))
        ]
        work.execute(f"create table {into} as {' union '.join([small, *subtracted])}")
        others = [at for at in links if not earlier[at].is_same_day]
        appeared = " union ".join(_only_now(at, k) for at in others)
        gone = " union ".join(
            f"select key from {_KNOWN} where c is null"
            f" and c{at} in (select one from ({_few_gone(at, k)}))"
            for at in others
        )
        return Differences(
            smallest=None if smallest is None else int(smallest),
            too_small=count(work, f"select count(*) from {into}"),
            appeared=count(work, f"select count(*) from ({appeared})") if others else 0,
            gone=count(work, f"select count(*) from ({gone})") if others else 0,
        )
    finally:
        for table in (_KNOWN, _CELLS):
            work.execute(f"drop table if exists {table}")


def follow(now: str, own: str | None, *, step: str) -> str:
    """Return the query of what a link has told once ``now`` has left, as :class:`Earlier` has it.

    A history begins with a class and grows when the class changes: by the class it changes to, and
    by ``step``, which names the release. Not being in a release leaves it as it is, so somebody who
    comes later, or again, is one of those with the same class.
    """
    if own is None:
        return f"select key, class as history, class, true as here from {now}"
    grown = f"md5_number_lower(concat_ws('|', o.history, n.class, {literal(step)}))"
    return (
        "select coalesce(n.key, o.key) as key, case when o.key is null then n.class"
        f" when n.key is null or n.class = o.class then o.history else {grown} end as history,"
        " coalesce(n.class, o.class) as class, n.key is not null as here"
        f" from {now} as n full join {own} as o on n.key = o.key"
    )


def _known(now: str, earlier: Sequence[Earlier]) -> str:
    """Return the query of each token: class ``c`` now, histories ``h…``, classes ``c…`` there."""
    keys, told, joined = ["n.key"], ["n.class::ubigint as c"], f"{now} as n"
    for at, one in enumerate(earlier):
        joined += f" full join {one.relation} as e{at} on coalesce({', '.join(keys)}) = e{at}.key"
        keys.append(f"e{at}.key")
        told += [f"e{at}.history as h{at}", f"case when e{at}.here then e{at}.class end as c{at}"]
    return f"select coalesce({', '.join(keys)})::ubigint as key, {', '.join(told)} from {joined}"


def _only_now(at: int, k: int) -> str:
    """Return the query of rows that the other release lacks, where few of their class are."""
    alone = f"from {_KNOWN} where c is not null and c{at} is null"
    return f"select key {alone} and c in (select c {alone} group by c having count(*) < {k:d})"


def _only_earlier(at: int, k: int) -> str:
    """Return the query of rows to leave out beside the few of a class there that are missing.

    As many as make ``k`` of them, or all of that class that there are; always the same ones, by
    their keys, which tell nothing of people.
    """
    ranked = (
        f"select u.key, f.n, row_number() over (partition by u.c{at} order by u.key) as rank"
        f" from {_KNOWN} as u join ({_few_gone(at, k)}) as f on u.c{at} = f.one"
        " where u.c is not null"
    )
    return f"select key from ({ranked}) where rank <= {k:d} - n"


def _few_gone(at: int, k: int) -> str:
    there = f"from {_KNOWN} where c is null and c{at} is not null"
    return f"select c{at} as one, count(*) as n {there} group by c{at} having count(*) < {k:d}"
