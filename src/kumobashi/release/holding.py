"""What files of people hold against their layout, before any of it is released.

A link's ``on_findings`` decides. Quarantine leaves rows out, and only rows of the subjects: a row
that is missing where a flag is looked up would change what is said of somebody, so findings there
refuse.
"""

from collections.abc import Mapping
from dataclasses import replace

from kumobashi.release.errors import FindingsRefused
from kumobashi.release.releasing import OnFindings, Released, Source
from kumobashi.release.rules import ReleaseRule
from kumobashi.storage.tables import HeldBack

ABOUT_THE_FILE = frozenset({"finding.column_unexpected", "finding.column_missing"})


def hold_back(
    rule: ReleaseRule, sources: Mapping[str, Source], on_findings: OnFindings
) -> HeldBack:
    """Look at the rows of all sources and leave out those of subjects that have findings.

    Raises:
        FindingsRefused: rows have findings that ``on_findings`` does not let pass.
        ColumnMissing: a file lacks a required item.
    """
    subject = sources[rule.subject.dataset]
    found = HeldBack()
    for reader, table in {
        (id(s.reader), s.table): (s.reader, s.table) for s in sources.values()
    }.values():
        is_subject = reader is subject.reader and table == subject.table
        leave_out = on_findings == "quarantine" and is_subject
        held = reader.hold_back(table, leave_out=leave_out)
        on_rows = [f for f in held.findings if f.code not in ABOUT_THE_FILE]
        refused = held.findings if on_findings == "refuse" else tuple(on_rows)
        if refused and not leave_out and on_findings != "go_on":
            first = refused[0]
            where = f"{first.line} 行目 " if first.line else ""
            raise FindingsRefused(
                rows=sum(finding.rows for finding in refused),
                first=f"{where}{first.item}: {first.expected}",
                findings=held.findings,
            )
        found = HeldBack(findings=(*found.findings, *held.findings), rows=found.rows + held.rows)
    return found


def with_held_back(released: Released, held: HeldBack) -> Released:
    """Return the counts with the rows that were left out before, so that they still add up."""
    return replace(
        released,
        extracted=released.extracted + held.rows,
        quarantined=released.quarantined + held.rows,
        findings=(*held.findings, *released.findings),
    )
