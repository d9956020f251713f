"""The report for auditors (消去報告書): who held what until when, on which basis, and the proof.

One line per transfer and site that held it: the receiver with its signed receipts, relays with what
they do (their parts go when the transfer is settled; nobody signs that).
"""

import csv
import html
import io
import json
from collections.abc import Iterator, Sequence
from datetime import datetime

from kumobashi.exchange.views import HoldingView
from kumobashi.kernel import JST, Language, to_wire

_COLUMNS = (
    ("transfer", "転送"),
    ("attempt", "試行"),
    ("link", "連携"),
    ("business_date", "対象日"),
    ("from_site", "送り側"),
    ("site", "保持した所"),
    ("role", "役割"),
    ("rows", "件数"),
    ("basis", "法的根拠"),
    ("plan_hash", "判定"),
    ("applied", "取込日時"),
    ("retention_class", "保持区分"),
    ("retention_days", "保持日数"),
    ("by_law", "法令で保存"),
    ("due", "消去期限"),
    ("state", "状態"),
    ("asked", "依頼日時"),
    ("asked_by", "依頼者"),
    ("approved_by", "承認者"),
    ("deleted", "消去日時"),
    ("rows_deleted", "消去した件数"),
    ("taken_over_by", "引き継いだ転送"),
    ("key", "消去した鍵"),
    ("key_backups_until", "鍵の控えの終わり"),
    ("receipt", "消去の受領"),
    ("late", "期限超過"),
    ("note", "備考"),
)
_RELAY_JA = "分割片は引き渡しのあと消える。署名による証明はない"
_RELAY_EN = "parts go when the transfer is settled; nobody signs that"
Line = dict[str, str]


def as_csv(views: Sequence[HoldingView], *, lang: Language = "ja") -> str:
    """Return the report as CSV with a header in the language."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([ja if lang == "ja" else name for name, ja in _COLUMNS])
    for line in _lines(views, lang):
        writer.writerow([unformed(line[name]) for name, _ in _COLUMNS])
    return text.getvalue()


def as_json(views: Sequence[HoldingView], *, now: datetime, municipality: str) -> str:
    """Return the report as JSON, names in English."""
    lines = list(_lines(views, "en"))
    value = {"municipality": municipality, "made": to_wire(now), "holdings": lines}
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def as_html(
    views: Sequence[HoldingView], *, now: datetime, municipality: str, lang: Language = "ja"
) -> str:
    """Return the report as one page that needs nothing else; what is late comes first."""
    title = "消去報告書" if lang == "ja" else "Report on deletion"
    ordered = sorted(views, key=lambda view: -view.level)
    heads = "".join(
        f'<th scope="col">{html.escape(ja if lang == "ja" else name)}</th>' for name, ja in _COLUMNS
    )
    rows = "\n".join(
        f"<tr{' class=late' if line['late'] else ''}>"
        + "".join(f"<td>{html.escape(line[name])}</td>" for name, _ in _COLUMNS)
        + "</tr>"
        for line in _lines(ordered, lang)
    )
    made = now.astimezone(JST).strftime("%Y-%m-%d %H:%M JST")
    return f"""<!doctype html>
<html lang="{lang}">
<meta charset="utf-8">
<title>{title} {html.escape(municipality)}</title>
<style>
body {{ font-family: sans-serif; margin: 2rem; }}
table {{ border-collapse: collapse; font-size: 0.8rem; }}
th, td {{ border: 1px solid #767676; padding: 0.3rem 0.5rem; text-align: left; }}
td {{ overflow-wrap: anywhere; vertical-align: top; }}
tr.late td {{ color: #a30000; font-weight: bold; }}
</style>
<h1>{title}</h1>
<p>{html.escape(municipality)} {made}</p>
<table>
<thead><tr>{heads}</tr></thead>
<tbody>
{rows}
</tbody>
</table>
</html>
"""


def _lines(views: Sequence[HoldingView], lang: Language) -> Iterator[Line]:
    for view in views:
        yield _receiver(view, lang)
        for site in view.relays:
            line = {name: "" for name, _ in _COLUMNS}
            for name in ("transfer", "link", "business_date", "from_site"):
                line[name] = str(getattr(view, name))
            role, note = ("中継", _RELAY_JA) if lang == "ja" else ("relay", _RELAY_EN)
            yield {**line, "attempt": str(view.attempt), "site": site, "role": role, "note": note}


def _receiver(view: HoldingView, lang: Language) -> Line:
    is_ja = lang == "ja"
    cause = view.cause
    return {
        "transfer": view.transfer,
        "attempt": str(view.attempt),
        "link": view.link,
        "business_date": view.business_date,
        "from_site": view.from_site,
        "site": view.to_site,
        "role": "受け取り側" if is_ja else "receiver",
        "rows": str(view.rows),
        "basis": view.basis or "",
        "plan_hash": view.plan_hash or "",
        "applied": to_wire(view.applied),
        "retention_class": view.retention_class or "",
        "retention_days": "" if view.retention_days is None else str(view.retention_days),
        "by_law": ("はい" if is_ja else "yes") if view.by_law else "",
        "due": to_wire(view.due) if view.due else "",
        "state": view.state_ja if is_ja else view.state,
        "asked": to_wire(view.asked) if view.asked else "",
        "asked_by": view.asked_by or "",
        "approved_by": view.approved_by or "",
        "deleted": to_wire(view.deleted) if view.deleted else "",
        "rows_deleted": "" if view.rows_deleted is None else str(view.rows_deleted),
        "taken_over_by": view.taken_over_by or "",
        "key": (view.key or "") if view.deleted else "",
        "key_backups_until": view.key_backups_until or "",
        "receipt": view.receipt or "",
        "late": (view.level_words.ja if is_ja else view.level_words.en),
        "note": (cause.ja if is_ja else cause.en) if cause else "",
    }


def unformed(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in "=+-@\t\r" and text else text
