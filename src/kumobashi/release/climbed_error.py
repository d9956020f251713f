"""How far notices are off once the gate has made their columns coarser.

A condition such as 「生年月 = 2017年11月」 cannot be asked of a column that now says 2015〜2019年.
The best that the cloud can ask instead, missing nobody more, is: everybody who shares the coarser
values with somebody whom the condition meant. That is what is counted here.
"""

from collections.abc import Mapping
from dataclasses import replace

import duckdb

from kumobashi.release.abstraction import (
    SIDE_BY_SIDE,
    AbstractionError,
    coarsened_sql,
    columns_asked,
)
from kumobashi.release.compiling_conditions import Values
from kumobashi.release.ladders import at, at_level, steps
from kumobashi.release.people import People
from kumobashi.release.rules import ReleaseRule
from kumobashi.release.verdicts import Counts
from kumobashi.storage.tables import quoted


def with_climbed(
    rule: ReleaseRule,
    line: AbstractionError,
    people: People,
    levels: Mapping[str, int],
    work: duckdb.DuckDBPyConnection,
) -> AbstractionError:
    """Return a line that also says whom it reaches behind the gate, if what it asks has climbed.

    Table ``side_by_side`` must have been made with the same ``levels``.
    """
    campaign = line.campaign
    asked = columns_asked(campaign, rule.release)
    if not any(levels.get(name) for name in asked):
        return line
    shared = ["is_released"]
    for column in rule.columns:
        level = levels.get(column.name, 0)
        if column.name in asked and at_level(steps(column), level) is not None:
            shared.append(quoted("told_" + at(column.name, level)))
    values = Values()
    exact = people.sql(campaign, values)
    meant = coarsened_sql(rule.release, campaign, people.on, values)
    answers = (
        f"select has_consent as agreed, coalesce({exact}, false) as meant,"
        f" coalesce(bool_or(is_released and {meant}) over same, false) as told"
        f" from {SIDE_BY_SIDE} window same as (partition by {', '.join(shared)})"
    )
    row = work.execute(
        "select count(*), count(*) filter (meant), count(*) filter (told),"
        " count(*) filter (told and meant), count(*) filter (agreed),"
        " count(*) filter (agreed and meant), count(*) filter (agreed and told),"
        f" count(*) filter (agreed and told and meant) from ({answers})",
        values.bound,
    ).fetchall()[0]
    everybody, consenting = (
        Counts(people=all_, exact=exact_, coarsened=told, both=both)
        for all_, exact_, told, both in (row[:4], row[4:])
    )
    return replace(line, climbed=everybody, climbed_consenting=consenting)
