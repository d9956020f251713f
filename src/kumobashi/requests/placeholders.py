"""What the papers of a request may say: one value for each placeholder (差込項目)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from kumobashi.kernel import JST, business_date
from kumobashi.requests.deadlines import RULES, Due, Step, due_of
from kumobashi.requests.records import Request
from kumobashi.requests.states import Kind, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What of the papers is not in the request itself."""

    town: str
    code: str
    now: datetime
    links: Sequence[str]  # names; empty: all
    rows: Sequence[Mapping[str, str]]  # of the record, in words
    receivers: Sequence[Mapping[str, Any]]
    told: Sequence[Mapping[str, Any]]  # receivers, and how far each is
    notes: Sequence[str]


MEANINGS: Final[Mapping[str, str]] = {
    "団体名": "市区町村の名前",
    "団体コード": "全国地方公共団体コード",
    "作成日": "この紙を作った日（|日付 で和暦）",
    "請求": "請求の番号",
    "種類": "開示請求・訂正請求・利用停止請求",
    "求め": "開示・訂正・利用停止",
    "請求日": "請求を受けた日",
    "請求者": "本人・法定代理人・任意代理人",
    "対象": "対象とする連携の名前の一覧。空なら、このサイトから出たもの全部",
    "期限": "決定の期限の日（数えた末日。休日でも動かさない）",
    "開庁日の期限": "数えた末日か、休日ならその次の開庁日",
    "期限の条文": "その根拠",
    "元の期限": "延長の前の期限の日（数えた末日）",
    "数えない日数": "補正のため数えない日数",
    "部分の期限": "84条の特例で、相当の部分を決定する期限。なければ空",
    "延長の理由": "延長の理由",
    "延長の知らせ": "延長を決めた日",
    "特例": "期限の特例（84条・95条・103条）なら はい",
    "補正の内容": "補正を求める内容",
    "補正の求め": "最後に補正を求めた日",
    "決定": "全部認める・一部認める・認めない",
    "決定日": "決定した日",
    "決定の条文": "決定の根拠の条文",
    "遅れ": "開庁日の期限を過ぎた日数。0 は期限内",
    "条項": "認めない条項の一覧",
    "理由": "認めない理由、または備考",
    "回答の指紋": "決定に添えた記録のハッシュ",
    "記録": "提供の記録。.開始 .連携・送り先 などは 一つ['連携・送り先'] と書く",
    "受け取り先": "データを持ちうる受け取り先。.連携 .送り先 .転送 .状態",
    "実施日": "訂正・利用停止を実施した日",
    "提供先": (
        "実施のとき本人のデータを持ちえた提供先。.連携 .送り先 .転送（一覧） .状態 .日 .期限"
    ),
    "注意": "記録の注意書きの一覧",
    "移送先": "移送した先",
    "移送の理由": "移送の理由",
    "記録のハッシュ": "この請求の最後の改訂のハッシュ",
}
"""Every placeholder, and what it is; ``kumobashi request templates`` shows them."""
_ASKED: Final = {
    Kind.DISCLOSURE: "開示",
    Kind.CORRECTION: "訂正",
    Kind.SUSPENSION: "利用停止",
}
_ARTICLES: Final = {  # of the decision: granted in whole or in part, and refused
    Kind.DISCLOSURE: ("82条1項", "82条2項"),
    Kind.CORRECTION: ("93条1項", "93条2項"),
    Kind.SUSPENSION: ("101条1項", "101条2項"),
}


def placeholders(request: Request, around: Around) -> dict[str, Any]:
    """Return the value of each placeholder."""
    held, texts = request.details, request.texts
    due, before = _dues(request, around)
    decision = held.decision
    is_refused = decision is not None and decision.outcome is Outcome.REFUSED
    article = f"個人情報保護法 {_ARTICLES[request.kind][is_refused]}"
    return {
        "団体名": around.town,
        "団体コード": around.code,
        "作成日": around.now.astimezone(JST).date(),
        "請求": request.request,
        "種類": request.kind.ja,
        "求め": _ASKED[request.kind],
        "請求日": request.received_on,
        "請求者": held.applicant.ja,
        "対象": list(around.links),
        "期限": due.counted,
        "開庁日の期限": due.day,
        "期限の条文": due.article_ja,
        "元の期限": before.counted,
        "数えない日数": due.lost,
        "部分の期限": due.part,
        "延長の理由": texts.get("extend", ""),
        "延長の知らせ": held.extension.told if held.extension else None,
        "特例": "はい" if held.extension and held.extension.step is Step.SPECIAL else "",
        "補正の内容": texts.get("ask", ""),
        "補正の求め": held.stops[-1].asked if held.stops else None,
        "決定": decision.outcome.ja if decision else "",
        "決定日": held.decided_on,
        "決定の条文": article if decision else "",
        "遅れ": held.days_late,
        "条項": [_clause(code, request, held.decided_on) for code in decision.clauses]
        if decision
        else [],
        "理由": texts.get("decide", "") if decision else "",
        "回答の指紋": (decision.answer if decision else None) or "",
        "記録": list(around.rows),
        "受け取り先": [
            {
                "連携": one["link"],
                "送り先": one["to_name"] or one["to_site"],
                "転送": one["transfer"],
                "状態": one["state_ja"],
            }
            for one in around.receivers
        ],
        "実施日": held.carried_out_on,
        "提供先": [
            {
                "連携": one["link"],
                "送り先": one["to_name"],
                "転送": list(one["transfers"]),
                "状態": one["state_ja"],
                "日": date.fromisoformat(one["on"]) if one["on"] else None,
                "期限": date.fromisoformat(one["due"]),
            }
            for one in around.told
        ],
        "注意": list(around.notes),
        "移送先": texts.get("transfer_to", ""),
        "移送の理由": texts.get("transfer", ""),
        "記録のハッシュ": request.head,
    }


def _dues(request: Request, around: Around) -> tuple[Due, Due]:
    """Return the deadline as it is, and as it was before it was put off."""
    today = business_date(around.now)
    rows = RULES.of(request.kind, request.received_on)
    before = due_of(
        request.received_on, rows, RULES.closed, stops=request.details.stops, today=today
    )
    return request.due(today), before


def _clause(code: str, request: Request, on: date | None) -> str:
    for outcome in (Outcome.PARTLY, Outcome.REFUSED):
        found = RULES.refusal(code, request.kind, outcome.value, on or request.received_on)
        if found is not None:
            return found.ja
    return code
