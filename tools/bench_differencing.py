"""How long it takes to lay a release beside three earlier links: figures of one process.

    python -m tools.bench_differencing [ROWS]

Rows are drawn at random: a token, a year of birth, a town. Two other links have told the year in
bands and the town; the link itself told all of it yesterday, and since then one in 2,000 has moved
and one in 20,000 has gone. Seconds are of processor time.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from kumobashi.crypto.keys import SealKey
from kumobashi.exchange.histories import Histories
from kumobashi.exchange.transfer_keys import TransferKeys
from kumobashi.release.differencing import lay_beside
from kumobashi.release.gate import Passed, pass_gate, report_in
from kumobashi.release.releasing import Released
from kumobashi.release.rules import ReleaseRule
from kumobashi.storage.erasable import ErasableSecrets

_ON = date(2026, 11, 22)
_YESTERDAY = _ON - timedelta(days=1)
_BORN: dict[str, Any] = {"op": "truncate", "of": "birth_date", "to": "year"}
_TOWN: dict[str, Any] = {"name": "town", "op": "prefix", "of": "town_code", "length": 10}


def bench_differencing(rows: int) -> dict[str, Any]:
    """Return counts and seconds of processor by step."""
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as work:
        work.execute("set threads = 2")
        work.execute(
            "create table people as select md5(i::varchar) as token,"
            " (1930 + hash(i) % 90)::smallint as born,"
            " '9999970' || (hash(i * 7) % 60 + 100) as town from range(?) as t(i)",
            [rows],
        )
        site = Path(folder)
        keys = TransferKeys(ErasableSecrets(site / "keys"), SealKey.generate())
        link = _Links(Histories(site / "histories", keys), site, work)
        link.tell("bands", {"band": _BORN}, "select token, (born // 30 * 30)::smallint as band")
        link.tell("towns", {"town": _TOWN}, "select token, left(town, 8) as town")
        both = {"born": _BORN, "town": _TOWN}
        link.tell("own", both, "select token, born, town", on=_YESTERDAY)
        moved = "case when hash(token) % 2000 = 0 then '9999970159' else town end as town"
        seen = link.tell(
            "own", both, f"select token, born, {moved}", where="hash(token, 1) % 20000 > 0"
        )
        return {"rows": rows, **seen}


class _Links:
    """Links to one destination that tell, one after the other."""

    def __init__(self, histories: Histories, room: Path, work: duckdb.DuckDBPyConnection) -> None:
        self._histories, self._room, self._work = histories, room, work
        self._number = 0

    def tell(
        self,
        link: str,
        columns: dict[str, dict[str, Any]],
        select: str,
        *,
        on: date = _ON,
        where: str = "true",
    ) -> dict[str, Any]:
        """Release a query's rows as a link; return what was found and how long each step took."""
        rule, self._number = _rule(columns), self._number + 1
        work, transfer = self._work, f"t{self._number}"

        def make(_rule: ReleaseRule) -> Released:
            work.execute(
                f"create or replace temp table released as {select} from people where {where}"
            )
            ((rows,),) = work.execute("select count(*) from released").fetchall()
            return _released(rows)

        took: dict[str, float] = {}
        passed: Passed = _timed(took, "gate", lambda: pass_gate(rule, work, make, on=on))
        with self._histories.held("cloud", None, known=lambda _: []) as there:
            earlier = _timed(took, "read", lambda: there.earlier(work, transfer, room=self._room))
            passed = _timed(
                took, "lay_beside", lambda: lay_beside(passed, work, earlier, link=link, on=on)
            )
            _timed(
                took,
                "keep",
                lambda: there.keep(
                    work, earlier, link=link, transfer=transfer, on=on, room=self._room
                ),
            )
        report = report_in(passed)
        if report.differencing is None:
            raise TypeError("nothing was compared")
        return {
            "released": passed.released.rows,
            **asdict(report.differencing),
            "cpu_seconds": took,
        }


def _timed(took: dict[str, float], step: str, work: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever the step gives
    began = time.process_time()
    found = work()
    took[step] = round(time.process_time() - began, 2)
    return found


def _rule(columns: dict[str, dict[str, Any]]) -> ReleaseRule:
    return ReleaseRule.model_validate(
        {
            "kumobashi": 1,
            "release": "r",
            "version": 1,
            "name": "計測",
            "datasets": {"residents": "db.residents"},
            "subject": {"dataset": "residents", "key": "resident_no"},
            "columns": [
                {"name": "token", "op": "token", "of": "resident_no"},
                *({**column, "name": name} for name, column in columns.items()),
            ],
            "gate": {"k": 5, "max_suppressed": 0.05},
        }
    )


def _released(rows: int) -> Released:
    return Released(
        columns=(),
        read={},
        extracted=rows,
        without_consent=0,
        quarantined=0,
        rows=rows,
        smallest_class=None,
        rows_below_five=None,
        classes=None,
        findings=(),
    )


if __name__ == "__main__":
    print(json.dumps(bench_differencing(int(sys.argv[1]) if sys.argv[1:] else 400_000)))
