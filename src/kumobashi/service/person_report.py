"""What one resident's report says, for the terminal and for paper; never the number."""

import html
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from kumobashi.kernel import JST, Language, from_wire

PRESENCE: Final = {
    "included": ("含まれた", "included"),
    "absent": ("含まれない", "not included"),
    "possible": ("除けない", "cannot be excluded"),
}
GROUNDS: Final = {
    "snapshot": ("送った行の鍵の控え", "keys of the rows that were sent"),
    "history": ("伝えた符号の控え", "half tokens of what was told"),
    "nothing_kept": (
        "控えがない。規則の対象なら含まれた",
        "nothing is kept; by the rule it may be",
    ),
    "plan_changed": ("送ったときの規則が今はない", "the rule of that time is no longer here"),
    "sent_anew": ("送り直しの前の試行が分からない", "earlier attempts are not known"),
    "difference": ("本人の行はないが、削除を伝えた可能性", "its deletion may have been told"),
    "household": (
        "本人の行はないが、世帯の項目に表れうる",
        "no row of its own; household items may show it",
    ),
    "number_unknown": (
        "いまの台帳にこの番号がない（打ち間違い、または台帳から消えた人）",
        "the source has no such number today: mistyped, or no longer there",
    ),
}
COLUMNS: Final = (
    ("開始", "Started"),
    ("連携・送り先", "Link and receiver"),
    ("本人", "Resident"),
    ("法的根拠・利用協議", "Basis and agreement"),
    ("項目と粗さ", "Items and how coarse"),
    ("消去", "Deletion"),
)
_UNKNOWN: Final = (
    (
        "いまの台帳に、この番号の人がいません（先頭の 0・空白・全角は合わせて探しました）。"
        "番号を確かめてください。正しければ、台帳から消えた人です。"
    ),
    (
        "The source has nobody of this number today (leading zeros, blanks and width were allowed"
        " for). Check it; if it is right, the person is no longer there."
    ),
)
_STYLE = (
    "@page{size:A4 landscape;margin:12mm}body{font:10pt/1.4 sans-serif;color:#111}"
    "h1{font-size:14pt}table{border-collapse:collapse;width:100%}thead{display:table-header-group}"
    "tr{break-inside:avoid}th,td{border:1px solid #888;padding:2px 4px;text-align:left;"
    "vertical-align:top;font-size:8pt;overflow-wrap:anywhere}th{background:#eee}"
)
Json = Mapping[str, Any]


def cells(line: Json, lang: Language) -> tuple[str, ...]:
    """Return one transfer in words, by :data:`COLUMNS`."""
    pick = 0 if lang == "ja" else 1
    receiver = f"{line['to_name'] or line['to_site']}" if pick == 0 else f"{line['to_site']}"
    none = ("なし", "none")[pick]
    basis = line["basis"] or ("記録なし", "not on record")[pick]
    agreement = line["agreement"] or none
    return (
        f"{_time(line['started'])}",
        f"{line['name'] if pick == 0 else line['link']} → {receiver}",
        f"{PRESENCE[line['presence']][pick]}（{GROUNDS[line['grounds']][pick]}）",
        f"{basis} / {('協議', 'agreement')[pick]}: {agreement}",
        _items(line, pick),
        _deletion(line["holding"], pick),
    )


def cautions(found: Json, lang: Language) -> list[str]:
    """Return what whoever reads it must know."""
    seen = [line["presence"] for line in found["transfers"]]
    site = found["site"]
    span, span_en = _span(found)
    ja = (
        f"{site} から{span}に出た転送だけです（開始日時、日本時間）。"
        "「除けない」転送には、含まれたものとして答えてください。"
    )
    en = (
        f"Only what left {site} {span_en} (by its start, Japan). Answer for what cannot be"
        " excluded as if it was included."
    )
    said = [(ja, en)]
    if any(line["grounds"] == "number_unknown" for line in found["transfers"]):
        said.append(_UNKNOWN)
    elif seen and "included" not in seen:
        said.append(
            (
                "この番号の人は台帳にいますが、どの控えにも見つかりません。",
                "The source has this number; nothing that is kept of transfers does.",
            )
        )
    return [one[0 if lang == "ja" else 1] for one in said]


def as_html(found: Json, lang: Language) -> str:
    """Return one page without scripts that prints on A4."""
    pick = 0 if lang == "ja" else 1
    title = ("一人についての提供の記録", "What was sent about one resident")[pick]
    heads = "".join(f'<th scope="col">{html.escape(one[pick])}</th>' for one in COLUMNS)
    rows = "\n".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells(line, lang)) + "</tr>"
        for line in found["transfers"]
    )
    said = "".join(f"<p>{html.escape(one)}</p>" for one in cautions(found, lang))
    top = f"{found['municipality']} {_time(found['made'])}"
    blank = ("対象者: ＿＿＿＿＿＿（人が書く。この紙には番号を出しません）", "Resident: ______")[
        pick
    ]
    return (
        f'<!doctype html>\n<html lang="{lang}">\n<meta charset="utf-8">\n<title>{title}</title>\n'
        f"<style>{_STYLE}</style>\n<h1>{title}</h1>\n<p>{html.escape(top)}</p>\n"
        f"<p>{html.escape(blank)}</p>\n{said}\n<table><thead><tr>{heads}</tr></thead>\n"
        f"<tbody>\n{rows}\n</tbody></table>\n</html>\n"
    )


def _span(found: Json) -> tuple[str, str]:
    if "year" in found:
        return f" {found['year']} 年", f"in {found['year']}"
    first, last = found["first"], found["last"]
    return f" {first} から {last} まで", f"from {first} to {last}"


def _items(line: Json, pick: int) -> str:
    if line["items"] is None:
        hashed = str(line["plan_hash"])
        return (f"判定 {hashed} のときのもの（今と違う）", f"as of decision {hashed}, not today's")[
            pick
        ]
    said = "、".join(
        f"{one['ja']}: {one['operation_ja']}"
        if pick == 0
        else f"{one['name']}: {one['operation_en']}"
        for one in line["items"]
    )
    raised = {name: level for name, level in line["levels"].items() if level}
    steps = "、".join(f"{name} +{level}" for name, level in raised.items())
    return f"{said}（{('さらに粗く', 'coarser')[pick]}: {steps}）" if steps else said


def _deletion(held: Json | None, pick: int) -> str:
    if held is None:
        return ("保持の記録なし（取り込まれていない）", "no holding: it was not applied")[pick]
    if held["deleted"]:
        proof = f"{('受領', 'receipt')[pick]} {held['receipt']}"
        return f"{('消去済', 'deleted')[pick]} {_time(held['deleted'])} {proof}"
    due = _time(held["due"]) if held["due"] else ("期限なし", "no end")[pick]
    return f"{held['state_ja'] if pick == 0 else held['state']}（{('期限', 'due')[pick]} {due}）"


def _time(text: str) -> str:
    at = datetime.fromisoformat(text) if "+" in text else from_wire(text)
    return f"{at.astimezone(JST):%Y-%m-%d %H:%M}"
