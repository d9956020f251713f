"""What the papers of an agreement may say: one value for each placeholder (差込項目)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from kumobashi.agreements.states import Act, State
from kumobashi.agreements.views import AgreementView, MoveView
from kumobashi.catalogue.eras import era_date
from kumobashi.kernel import JST

_KIB, _MIB = 1 << 10, 1 << 20
_DESKS: Final = (Act.SUBMIT, Act.REVIEW, Act.CONCUR)
_LEVELS: Final = ("委託", "再委託", "再々委託")


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What of the papers is not in the agreement itself."""

    town: str
    code: str
    link_name: str
    from_name: str
    to_name: str
    basis_name: str
    names: Mapping[str, str]  # how pages call an account
    changes: str | None  # number of the agreement that this one changes
    digest: str  # of the last move


MEANINGS: Final[Mapping[str, str]] = {
    "団体名": "市区町村の名前",
    "団体コード": "全国地方公共団体コード",
    "文書番号": "例 8架総第123号。申請の前は空",
    "版": "修正のたびに1つ増える番号",
    "状態": "いまの状態",
    "作成日時": "この紙を作った日時（日本時間）",
    "連携": "連携の符号",
    "連携名": "連携の名前",
    "送り側": "送る業務システム",
    "受け側": "受け取る業務システム",
    "申請課": "申請する課",
    "申請者": "申請した人",
    "申請者職名": "その職名",
    "申請日": "申請した日（|日付 で和暦）",
    "所管課": "情報を所管する課",
    "目的": "利用の目的",
    "根拠": "法的根拠の符号",
    "根拠名": "法的根拠の条文",
    "項目": "一覧。それぞれに .項目 .名前 .形",
    "条件": "申請した条件の一覧",
    "決定条件": "決定で付いた条件の一覧",
    "期間始": "期間の始めの日",
    "期間終": "期間の終わりの日",
    "事前点検番号": "判定番号",
    "事前点検ハッシュ": "判定のハッシュ",
    "添付": "一覧。それぞれに .名前 .大きさ .ハッシュ",
    "再委託": "一覧。.段階 .事業者 .所在地 .業務 .データの所在 .国 .許可番号 .許可期限 .指摘",
    "手続": "履歴の一覧。.日時 .手続 .課 .職名 .氏名 .代 .備考",
    "決裁欄": "申請・審査・合議・決定の欄。.手続 .課 .職名 .氏名 .代 .日付",
    "決定": "承認 か 不承認。決定の前は空",
    "決定日": "決定した日",
    "決定者": "決定した人（代決なら、代わられた人）",
    "決定者職名": "その職名",
    "決定者の代": "代決した人。代決でなければ空",
    "決定理由": "決定のときの備考",
    "終わり": "撤回・満了していれば、その状態と日",
    "変更元": "変更の申請なら、もとの文書番号",
    "最後の手続": "最後の手続の記録のハッシュ",
}
"""Every placeholder, and what it is; ``kumobashi agreement templates`` shows them."""


def placeholders(view: AgreementView, around: Around, now: datetime) -> dict[str, Any]:
    """Return the value of each placeholder."""
    submitted = _last(view, Act.SUBMIT)
    author = submitted or view.moves[0]
    decided = _last(view, Act.APPROVE) or _last(view, Act.REFUSE)
    is_approved = decided is not None and decided.act == Act.APPROVE.value
    added = list(decided.conditions) if decided else []
    names = around.names

    def person(move: MoveView | None) -> str:
        """Return whose desk it is: with a deputy, the person acted for."""
        return names.get(move.instead_of or move.by, move.instead_of or move.by) if move else ""

    def deputy(move: MoveView | None) -> str:
        return names.get(move.by, move.by) if move and move.instead_of else ""

    def desk(act: Act, name: str, move: MoveView | None) -> dict[str, str]:
        return {
            "手続": name or act.ja,
            "課": move.section if move else "",
            "職名": move.title if move else "",
            "氏名": _short(person(move)),
            "代": _short(deputy(move)),
            "日付": _dotted(move.at) if move else "",
        }

    return {
        "団体名": around.town,
        "団体コード": around.code,
        "文書番号": view.number or "",
        "版": view.revision,
        "状態": view.state_ja,
        "作成日時": f"{now.astimezone(JST):%Y-%m-%d %H:%M}",
        "連携": view.link,
        "連携名": around.link_name,
        "送り側": around.from_name,
        "受け側": around.to_name,
        "申請課": view.applicant_section,
        "申請者": _short(person(author)),
        "申請者職名": author.title,
        "申請日": _day(submitted),
        "所管課": view.owner_section,
        "目的": view.purpose,
        "根拠": view.basis,
        "根拠名": around.basis_name,
        "項目": [{"項目": i.ja, "名前": i.name, "形": i.form} for i in view.items],
        "条件": [one for one in view.conditions if one not in added],
        "決定条件": added,
        "期間始": view.first,
        "期間終": view.last,
        "事前点検番号": view.plan_number,
        "事前点検ハッシュ": view.plan_hash,
        "添付": [
            {"名前": one.name, "大きさ": _size(one.size), "ハッシュ": one.digest}
            for one in view.attachments
        ],
        "再委託": [
            {
                "段階": _LEVELS[one.level - 1] if one.level <= len(_LEVELS) else f"{one.level}次",
                "事業者": one.name,
                "所在地": one.address,
                "業務": one.task,
                "データの所在": one.place,
                "国": one.jurisdiction,
                "許可番号": one.permission or "",
                "許可期限": one.permitted_until,
                "指摘": one.fault or "",
            }
            for one in view.processors
        ],
        "手続": [
            {
                "日時": f"{move.at.astimezone(JST):%Y-%m-%d %H:%M}",
                "手続": move.act_ja,
                "課": move.section,
                "職名": move.title,
                "氏名": person(move),
                "代": deputy(move),
                "備考": move.note,
            }
            for move in view.moves
        ],
        "決裁欄": [
            desk(Act.SUBMIT, "申請課", submitted),
            *(desk(act, "", _last(view, act)) for act in _DESKS[1:]),
            desk(Act.APPROVE, "決定", decided),
        ],
        "決定": ("承認" if is_approved else "不承認") if decided else "",
        "決定日": _day(decided),
        "決定者": _short(person(decided)),
        "決定者職名": decided.title if decided else "",
        "決定者の代": _short(deputy(decided)),
        "決定理由": decided.note if decided else "",
        "終わり": _over(view),
        "変更元": around.changes or "",
        "最後の手続": around.digest,
    }


def _last(view: AgreementView, act: Act) -> MoveView | None:
    """Return the last move of a kind that was not sent back since."""
    returned = max((m.number for m in view.moves if m.act == Act.RETURN.value), default=0)
    found = [m for m in view.moves if m.act == act.value and m.number > returned]
    return found[-1] if found else None


def _over(view: AgreementView) -> str:
    if view.state not in {State.EXPIRED.value, State.WITHDRAWN.value}:
        return ""
    return f"（{_dotted(view.moves[-1].at)} {view.state_ja}）"


def _day(move: MoveView | None) -> date | None:
    return move.at.astimezone(JST).date() if move else None


def _dotted(at: datetime) -> str:
    day = era_date(at.astimezone(JST).date())
    return f"{day.year}.{day.month}.{day.day}"


def _short(shown: str) -> str:
    """Return the name behind section and title, as seals have it.

    >>> _short("総務課 課長 鈴木"), _short("suzuki")
    ('鈴木', 'suzuki')
    """
    return shown.rsplit(maxsplit=1)[-1] if shown.split() else ""


def _size(count: int) -> str:
    if count >= _MIB:
        return f"{count / _MIB:.1f} MB"
    return f"{count / _KIB:.0f} KB" if count >= _KIB else f"{count} B"
