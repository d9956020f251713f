"""How long the last runs of a link took, read beside a gateway that may be running.

The file is opened for reading only: whoever asks needs no gateway, and disturbs none.
"""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from kumobashi.planning.timing import Past

_MOST = 30
_MICROS = 1_000_000
_QUERY = """select (finished_at - started_at), facts from outgoing
    where tenant = ? and link = ? and state = 'applied' and finished_at is not null
    order by started_at desc limit ?"""


def past_runs(state: Path, *, tenant: str, link: str) -> list[Past]:
    """Return the runs that were applied, the newest first; none when there is no such file."""
    if not state.is_file():
        return []
    try:
        with closing(sqlite3.connect(f"{state.absolute().as_uri()}?mode=ro", uri=True)) as held:
            rows = held.execute(_QUERY, (tenant, link, _MOST)).fetchall()
    except sqlite3.Error:  # being made, or of another release: then nothing is known
        return []
    return [
        Past(
            seconds=micros / _MICROS,
            rows=int(json.loads(facts).get("released", {}).get("rows") or 0),
        )
        for micros, facts in rows
    ]
