"""Find 外字: characters that only the machines of one office know how to draw.

They lie in Unicode's private use area, where each maker and each hall puts its own. They pass every
charset and come out at the other side as another character or an empty box, so whoever hands a file
on must name the real character first (文字同定).

>>> with duckdb.connect() as work:
...     _ = work.execute("create table held as select 2 as line, '\ue000橋' as name")
...     [(found.line, found.got) for found in own_characters(work, "held", "name", line="line")]
[(2, 'U+E000')]
"""

from collections.abc import Iterator

import duckdb

from kumobashi.kernel import Finding
from kumobashi.storage.tables import quoted

OWN = "finding.character_own"
_MOST = 100  # kinds of characters in one column
_AREA = r"[\x{E000}-\x{F8FF}\x{F0000}-\x{FFFFD}\x{100000}-\x{10FFFD}]"  # Unicode, 23.5


def own_characters(
    work: duckdb.DuckDBPyConnection, relation: str, column: str, *, line: str
) -> Iterator[Finding]:
    """Give a finding for each such character of a text column, with its first line and its rows."""
    name, at = quoted(column), quoted(line)
    rows = work.execute(
        "select sign, min(place), count(distinct place) from ("  # noqa: S608 - quoted, and ours
        f"select {at} as place, unnest(regexp_extract_all({name}, '{_AREA}')) as sign"
        f" from {relation}) group by sign order by min(place), sign limit {_MOST}"
    ).fetchall()
    for sign, first, count in rows:
        yield Finding(
            code=OWN,
            line=int(first),
            item=column,
            expected="Unicode",
            got=f"U+{ord(sign):04X}",
            rows=int(count),
        )
