"""Who is left out for want of consent or of a tie, counted by the reason that the register gives.

Counted over all subjects that were read, whatever else the rule asks of them.
"""

from collections.abc import Mapping

import duckdb
import pyarrow as pa

from kumobashi.release.rules import ReleaseRule
from kumobashi.release.staging import CONSENTS, ENDED_CONSENTS, SUBJECTS, TIED, UNTIED
from kumobashi.storage.tables import quoted

NOT_KNOWN = "none"  # never consented, never tied


def left_out(rule: ReleaseRule, work: duckdb.DuckDBPyConnection) -> Mapping[str, int]:
    """Return how many subjects do not consent, by reason; nothing for a rule without the ledger."""
    if rule.consent is None or not rule.consent.ledger:
        return {}
    joins, who = "", f"s.{quoted(rule.subject.key)}"
    if rule.consent.by == "household_head":
        joins, who = f" join households h using ({quoted(rule.subject.household or '')})", "h.head"
    return _counted(rule, work, yes=CONSENTS, no=ENDED_CONSENTS, who=who, joins=joins)


def untied(rule: ReleaseRule, work: duckdb.DuckDBPyConnection) -> Mapping[str, int]:
    """Return how many subjects no tie lets through, by reason; nothing for a rule without ties."""
    if rule.ties is None:
        return {}
    return _counted(rule, work, yes=TIED, no=UNTIED, who=f"s.{quoted(rule.subject.key)}")


def ties_carried(
    rule: ReleaseRule, work: duckdb.DuckDBPyConnection
) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """Return the two halves of the ids of the ties that the eligible rows rest on.

    Rows that the gate leaves out afterwards are among them: counted is what was let through.
    """
    key = quoted(rule.subject.key)
    found = work.sql(
        f"select high, low from {TIED} where {key} in (select {key} from eligible)"
    ).to_arrow_table()
    return found.column("high"), found.column("low")


def _counted(
    rule: ReleaseRule,
    work: duckdb.DuckDBPyConnection,
    *,
    yes: str,
    no: str,
    who: str,
    joins: str = "",
) -> Mapping[str, int]:
    key = quoted(rule.subject.key)
    found = work.execute(
        f"select coalesce(e.reason, '{NOT_KNOWN}') as reason, count(*) from {SUBJECTS} s{joins}"
        f" left join {no} e on e.{key} = {who}"
        f" where not exists (select 1 from {yes} c where c.{key} = {who})"
        " group by all order by all"
    ).fetchall()
    return {str(reason): int(rows) for reason, rows in found}
