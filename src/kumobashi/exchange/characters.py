"""Bring released text into what the receiver's charset can hold, and hold back what cannot be.

Never a silent 〓 or □: a character that the charset lacks is replaced only by what the link itself
names, else the row is held back or the transfer refused. The source keeps the original.
"""

from dataclasses import replace

import duckdb

from kumobashi.conversion.charsets import losses
from kumobashi.exchange.orders import Order
from kumobashi.kernel import Finding
from kumobashi.release.errors import FindingsRefused
from kumobashi.release.releasing import Released
from kumobashi.storage.counting import count
from kumobashi.storage.tables import literal, quoted


def hold_back_unmappable(
    work: duckdb.DuckDBPyConnection, released: Released, order: Order
) -> Released:
    """Return ``released`` as it stands after substitution and holding back.

    Raises:
        FindingsRefused: characters are lost and the link says ``otherwise: refuse``.
    """
    if order.form != "csv" or order.characters.charset != "cp932":
        return released
    texts = [
        row[0]
        for row in work.execute("describe released").fetchall()
        if row[1] == "VARCHAR" and row[0] in released.columns
    ]
    for before, after in sorted(
        order.characters.substitutes.items(), key=lambda pair: -len(pair[0])
    ):
        for name in texts:
            column = quoted(name)
            old, new = literal(before), literal(after)
            work.execute(
                f"update released set {column} = replace({column}, {old}, {new})"
                f" where contains({column}, {old})"
            )
    found = []
    for name in texts:
        values = (
            work.sql(f"select distinct {quoted(name)} from released").to_arrow_table().column(0)
        )
        for loss in losses(values, order.characters.charset, {}):
            held = quoted(name)
            has = f"contains({held}, {literal(loss.text)})"
            rows = count(work, f"select count(*) from released where {has}")
            found.append((name, loss, rows))
    if not found:
        return released
    findings = tuple(
        Finding(
            code="finding.character_unmappable",
            line=None,
            item=name,
            expected=order.characters.charset,
            got=loss.code_point,
            rows=rows,
        )
        for name, loss, rows in found
    )
    if order.characters.otherwise == "refuse":
        first = findings[0]
        raise FindingsRefused(
            rows=sum(finding.rows for finding in findings),
            first=f"{first.item}: {first.got}",
            findings=findings,
        )
    where = " or ".join(f"contains({quoted(n)}, {literal(loss.text)})" for n, loss, _ in found)
    held_back = count(work, f"delete from released where {where}")
    return replace(
        released,
        rows=released.rows - held_back,
        quarantined=released.quarantined + held_back,
        findings=(*released.findings, *findings),
    )
