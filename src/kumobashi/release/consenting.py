"""Who is left out for want of consent, counted by the reason that the ledger gives."""

from collections.abc import Mapping

import duckdb

from kumobashi.release.rules import ReleaseRule
from kumobashi.release.staging import CONSENTS, ENDED_CONSENTS, SUBJECTS
from kumobashi.storage.tables import quoted

NOT_KNOWN = "none"  # never consented


def left_out(rule: ReleaseRule, work: duckdb.DuckDBPyConnection) -> Mapping[str, int]:
    """Return how many subjects do not consent, by reason; nothing for a rule without the ledger.

    Counted over all subjects that were read, whatever else the rule asks of them.
    """
    if rule.consent is None or not rule.consent.ledger:
        return {}
    key, joins, who = quoted(rule.subject.key), "", f"s.{quoted(rule.subject.key)}"
    if rule.consent.by == "household_head":
        joins, who = f" join households h using ({quoted(rule.subject.household or '')})", "h.head"
    found = work.execute(
        f"select coalesce(e.reason, '{NOT_KNOWN}') as reason, count(*) from {SUBJECTS} s{joins}"
        f" left join {ENDED_CONSENTS} e on e.{key} = {who}"
        f" where not exists (select 1 from {CONSENTS} c where c.{key} = {who})"
        " group by all order by all"
    ).fetchall()
    return {str(reason): int(rows) for reason, rows in found}
