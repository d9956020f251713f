"""The receipt on paper: one page of A4 in Japanese, generated from the signed receipt."""

from datetime import UTC, datetime
from html import escape

from kumobashi.consent.receipts import ConsentReceipt, is_given, said_by
from kumobashi.kernel import JST, from_wire

_STYLE = """
@page { size: A4; margin: 22mm 20mm; }
body { font-family: "Noto Sans CJK JP", "BIZ UDGothic", sans-serif; line-height: 1.7; color: #000; }
h1 { font-size: 16pt; text-align: center; margin: 0 0 10mm; }
table { width: 100%; border-collapse: collapse; }
th, td { border: 1px solid #000; padding: 2.5mm; text-align: left; vertical-align: top; }
th { width: 32%; font-weight: 600; }
p.small { font-size: 9pt; word-break: break-all; }
"""


def page_of(receipt: ConsentReceipt, token: str, *, municipality: str) -> str:
    """Return the page; ``token`` is the signed receipt, printed for whoever wants to verify it."""
    service = receipt.services[0]
    purpose = service.purposes[0]
    given = datetime.fromtimestamp(receipt.consentTimestamp, UTC)
    title = "本人同意 受領証" if is_given(receipt) else "本人同意 終了（撤回など）の受領証"
    rows = [
        ("受付番号", receipt.consentReceiptID),
        (
            "状態",
            "同意" if is_given(receipt) else f"終了（{_day(from_wire(receipt.stateTimestamp))}）",
        ),
        ("申出の日", _day(given)),
        ("申し出た方", said_by(receipt)),
        ("実施機関・相手方", receipt.piiControllers[0].piiController),
        ("保有機関", receipt.piiControllers[1].piiController),
        ("利用目的", purpose.purpose),
        ("目的の区分", "、".join(purpose.purposeCategory)),
        ("項目", "、".join(purpose.piiCategory)),
        ("いつまで", _until(purpose.termination)),
    ]
    table = "".join(f"<tr><th>{escape(a)}</th><td>{escape(b)}</td></tr>" for a, b in rows)
    return (
        '<!doctype html><html lang="ja"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>"
        f"<h1>{escape(title)}</h1><p>{escape(municipality)}</p><table>{table}</table>"
        "<p>同意はいつでも撤回できます。撤回の窓口にこの受付番号をお伝えください。</p>"
        f'<p class="small">電子署名（この受領証の控え）: {escape(token)}</p></body></html>\n'
    )


def _day(at: datetime) -> str:
    day = at.astimezone(JST)
    return f"{day.year}年{day.month}月{day.day}日"


def _until(termination: str) -> str:
    try:
        return f"{_day(from_wire(termination))}まで"
    except ValueError:
        return "撤回するまで"
