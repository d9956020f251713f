"""Evidence as people read it: who, what, when, on which basis; CSV for Excel, HTML for A4 paper."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import IO, TYPE_CHECKING, Any, Final

from kumobashi.agreements.states import State
from kumobashi.exchange.evidence_search import read_body
from kumobashi.exchange.holding_views import KEEPING_JA
from kumobashi.exchange.views import Words
from kumobashi.kernel import JST, Language, from_wire

if TYPE_CHECKING:
    from datetime import datetime

COLUMNS: Final[Mapping[str, Words]] = {
    "number": Words(ja="番号", en="No."),
    "at": Words(ja="日時（日本時間）", en="When (Japan)"),
    "by": Words(ja="だれが", en="Who"),
    "event": Words(ja="何を", en="What"),
    "link": Words(ja="連携", en="Link"),
    "transfer": Words(ja="転送", en="Transfer"),
    "attempt": Words(ja="試行", en="Attempt"),
    "change": Words(ja="状態", en="State"),
    "basis": Words(ja="法的根拠", en="Legal basis"),
    "plan": Words(ja="承認した判断", en="Approved decision"),
    "counts": Words(ja="件数", en="Counts"),
    "code": Words(ja="符号", en="Code"),
    "receipt": Words(ja="到達確認", en="Receipt"),
    "others": Words(ja="相手・その他", en="Peers and more"),
}
EVENTS: Final[Mapping[str, Words]] = {
    "transfer.started": Words(ja="転送を開始", en="transfer started"),
    "transfer.moved": Words(ja="転送の状態が変化", en="transfer moved"),
    "transfer.paused": Words(ja="転送を一時停止", en="transfer paused"),
    "transfer.resumed": Words(ja="転送の一時停止を解除", en="transfer resumed"),
    "transfer.put_first": Words(ja="転送を先に送る指示", en="transfer put first"),
    "link.paused": Words(ja="連携を一時停止", en="link paused"),
    "link.resumed": Words(ja="連携の一時停止を解除", en="link resumed"),
    "bundle.announced": Words(ja="封緘データの通知を受信", en="bundle announced"),
    "bundle.moved": Words(ja="受信の状態が変化", en="bundle moved"),
    "holding.begun": Words(ja="受け取り側が保持を開始", en="holding begun"),
    "holding.moved": Words(ja="保持の状態が変化", en="holding moved"),
    "individual.read": Words(ja="個別対応リストを閲覧", en="individual cases seen"),
    "person.audited": Words(ja="一人についての提供の記録を閲覧", en="one person's record seen"),
    "holding.deleted_again": Words(ja="復元で戻った行を再び消去", en="deleted again"),
    "receipt.kept": Words(ja="到達確認を保存", en="receipt kept"),
    "plan.proposed": Words(ja="承認を依頼", en="approval asked for"),
    "plan.approved": Words(ja="承認", en="approved"),
    "agreement.moved": Words(ja="利用協議の手続", en="agreement moved"),
    "incident.moved": Words(ja="漏えい等の事案の記録", en="incident noted"),
    "checkpoint.witnessed": Words(ja="相手の証跡の署名を確認", en="peer's checkpoint kept"),
    "access.looked": Words(ja="住民の情報を閲覧", en="looked at a resident"),
    "access.refused": Words(ja="権限がなく断った", en="refused"),
    "access.reviewed": Words(ja="権限の点検", en="access reviewed"),
    "access.explained": Words(ja="ふだんと違うアクセスの確認", en="unusual access looked into"),
    "peer.rewritten": Words(ja="相手の証跡の書き換えを検知", en="peer's log does not fit"),
}
STATES: Final[Mapping[str, str]] = {
    "extracting": "抽出中",
    "held": "承認待ち",
    "sealed": "封緘",
    "sent": "送信",
    "announced": "通知",
    "closed": "受領",
    "passed": "中継",
    "settled": "中継完了",
    "superseded": "新しい試行に交替",
    "delivered": "到達",
    "opened": "復号",
    "validated": "検証",
    "applied": "取込",
    "refused": "拒否",
    "cancelled": "取りやめ",
    "deleted": "消去",
}
_BY = {
    "gateway": Words(ja="ゲートウェイ", en="gateway"),
    "operator": Words(ja="担当者", en="operator"),
    "local-api": Words(ja="ローカル API（端末・予約実行）", en="local API"),
}
_COUNTED = {
    "rows": "件数",
    "deleted_rows": "削除",
    "parts": "分割片",
    "payload_bytes": "元のバイト",
    "sealed_bytes": "封緘のバイト",
    "people": "人数",
}
_STYLE = (
    "@page{size:A4 landscape;margin:12mm}body{font:10pt/1.4 sans-serif;color:#111}"
    "h1{font-size:14pt}table{border-collapse:collapse;width:100%}thead{display:table-header-group}"
    "tr{break-inside:avoid}th,td{border:1px solid #888;padding:2px 4px;text-align:left;"
    "vertical-align:top;font-size:8pt;overflow-wrap:anywhere}th{background:#eee}"
)


def row(number: int, said: Mapping[str, Any], lang: Language = "ja") -> dict[str, str]:
    """Return one record by column, in words."""
    receipt = str(said.get("receipt", ""))
    named = (
        "from_site", "to_site", "peer", "asked_by", "account", "role", "size", "agreement", "act",
        "purpose", "reason", "id",
    )  # fmt: skip
    others = [f"{name}={said[name]}" for name in named if name in said]
    plan = str(said.get("plan_hash", ""))
    return {
        "number": str(number),
        "at": _time(said.get("at")),
        "by": _word(_BY, said.get("by"), lang),
        "event": _word(EVENTS, said.get("event"), lang),
        "link": str(said.get("link", "")),
        "transfer": str(said.get("transfer", "")),
        "attempt": str(said.get("attempt", "")),
        "change": _change(said, lang),
        "basis": str(said.get("legal_basis", "")),
        "plan": plan,
        "counts": _counts(said.get("counts"), lang),
        "code": str(said.get("code", "")),
        "receipt": f"{_state(said.get('stage'), lang)} {receipt}".strip() if receipt else "",
        "others": " ".join(others),
    }


def write_csv(
    target: IO[bytes], records: Iterable[tuple[int, Mapping[str, Any]]], lang: Language
) -> int:
    """Write CSV in UTF-8 with a byte order mark and CRLF; return how many records."""
    text = io.TextIOWrapper(target, encoding="utf-8-sig", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow([_say(words, lang) for words in COLUMNS.values()])
    count = 0
    for number, said in records:
        # A cell that begins like a formula would be run; identifiers never do, but may be forged.
        writer.writerow([_harmless(cell) for cell in row(number, said, lang).values()])
        count += 1
    text.detach()
    return count


def write_html(
    target: IO[bytes],
    records: Iterable[tuple[int, Mapping[str, Any]]],
    lang: Language,
    *,
    title: str,
    lines: Iterable[str],
) -> int:
    """Write one page without scripts that prints on A4; return how many records."""
    head = "".join(f"<th scope=col>{escape(_say(words, lang))}</th>" for words in COLUMNS.values())
    said_first = "".join(f"<p>{escape(line)}</p>" for line in lines)
    target.write(
        f'<!doctype html><html lang="{lang}"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style><h1>{escape(title)}</h1>{said_first}"
        f"<table><thead><tr>{head}</tr></thead><tbody>\n".encode()
    )
    count = 0
    for number, said in records:
        cells = "".join(f"<td>{escape(cell)}</td>" for cell in row(number, said, lang).values())
        target.write(f"<tr>{cells}</tr>\n".encode())
        count += 1
    target.write(b"</tbody></table></html>\n")
    return count


def readable(records: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield what records say; nothing of one that cannot be read."""
    for number, body in records:
        yield number, read_body(body)


def _change(said: Mapping[str, Any], lang: Language) -> str:
    if "after" not in said:
        return ""
    words: Mapping[str, str]
    match str(said.get("event")).partition(".")[0]:
        case "holding":
            words = {state.value: ja for state, ja in KEEPING_JA.items()}
        case "agreement":
            words = {state.value: state.ja for state in State}
        case _:
            words = STATES
    return f"{_state(said.get('before'), lang, words)} → {_state(said['after'], lang, words)}"


def _state(name: object, lang: Language, words: Mapping[str, str] = STATES) -> str:
    text = str(name or "")
    return words.get(text, text) if lang == "ja" else text


def _counts(counts: object, lang: Language) -> str:
    if not isinstance(counts, Mapping):
        return ""
    named = [
        f"{_COUNTED.get(name, name) if lang == 'ja' else name} {count:,}"
        for name, count in counts.items()
        if isinstance(count, int)
    ]
    return " / ".join(named)


def _word(words: Mapping[str, Words], name: object, lang: Language) -> str:
    text = str(name or "")
    return _say(words[text], lang) if text in words else text


def _say(words: Words, lang: Language) -> str:
    return words.ja if lang == "ja" else words.en


def _time(text: object) -> str:
    try:
        at: datetime = from_wire(str(text))
    except ValueError:
        return ""
    return f"{at.astimezone(JST):%Y-%m-%d %H:%M:%S}"


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
