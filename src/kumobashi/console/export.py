"""Findings as CSV that Excel opens, and a link as JSON that programs read."""

import csv
import io
import json
from dataclasses import asdict
from datetime import date, datetime

from kumobashi.console import labels, wording
from kumobashi.exchange.views import Board, LinkView, TransferView
from kumobashi.kernel import Language, to_wire

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def findings_csv(transfer: TransferView, lang: Language) -> bytes:
    """Return the findings as CSV in UTF-8 with a byte order mark and CRLF, safe to open."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    columns = (
        "col_line",
        "col_item",
        "col_what",
        "col_expected",
        "col_got",
        "col_same",
        "col_code",
    )
    writer.writerow([wording.say(key, lang) for key in columns])
    for found in transfer.findings:
        writer.writerow(
            [
                "" if found.line is None else found.line,
                harmless(found.item),
                harmless(labels.finding(found.code, lang)),
                harmless(found.expected),
                harmless(found.got),
                found.rows,
                harmless(found.code),
            ]
        )
    return text.getvalue().encode("utf-8-sig")


def harmless(text: str) -> str:
    """Keep a spreadsheet from running a cell that begins like a formula."""
    return f"'{text}" if text.startswith(_STARTS_A_FORMULA) else text


def findings_json(transfer: TransferView) -> bytes:
    """Return the findings as JSON: line, item, expected, got and the stable code."""
    document = {
        "format": 1,
        "link": transfer.link,
        "transfer": transfer.transfer,
        "business_date": transfer.business_date,
        "total": transfer.findings_total,
        "findings": [asdict(found) for found in transfer.findings],
    }
    return json.dumps(document, ensure_ascii=False, indent=2, default=_wire).encode()


def link_json(board: Board, link: LinkView) -> bytes:
    """Return everything known about ``link``, times in UTC as RFC 3339."""
    document = {
        "format": 1,
        "municipality_code": board.municipality_code,
        "site": board.site,
        "at": board.at,
        "link": asdict(link),
    }
    return json.dumps(document, ensure_ascii=False, indent=2, default=_wire).encode()


def _wire(value: object) -> str:
    if isinstance(value, datetime):
        return to_wire(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"not for JSON: {type(value).__name__}")
