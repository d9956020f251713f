"""What a resident reads when a code arrives. Nothing of her stands in it but the code.

Whoever reads along at the channel learns that somebody has dealings with the municipality, and
nothing else: no name, no purpose, no service, no link to press.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Final

from kumobashi.consent.channels.ports import CodeLetter
from kumobashi.consent.channels.states import Channel
from kumobashi.kernel import JST

LONGEST_CODE: Final = CodeLetter(
    record="-",
    channel=Channel.SMS,
    address="-",
    code="0000-0000",
    until=datetime(2026, 12, 31, 14, 59, tzinfo=UTC),
    at=datetime(2026, 12, 31, tzinfo=UTC),
)
"""A code whose message is as long as any."""
_STYLE = """
@page { size: A4; margin: 20mm; }
body { font-family: "Noto Sans CJK JP", "BIZ UDGothic", sans-serif; line-height: 1.8; color: #000;
  font-size: 12pt; }
.to { min-height: 45mm; width: 95mm; font-size: 13pt; }
.from { text-align: right; }
h1 { font-size: 16pt; text-align: center; margin: 6mm 0; }
.code { font-size: 28pt; text-align: center; letter-spacing: 0.12em; border: 1px solid #000;
  padding: 5mm; margin: 8mm 0; font-family: "Noto Sans Mono CJK JP", monospace; }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """Who writes, and whom to call."""

    municipality: str
    name: str
    phone: str
    hours: str


def subject_of(office: Office) -> str:
    """Return the subject of the mail, in one line whatever the names hold."""
    return f"【{' '.join(office.municipality.split())}】メールアドレスの確認"


def mail_of(letter: CodeLetter, office: Office) -> str:
    """Return the text of the mail."""
    return (
        f"{office.municipality}です。\n"
        "このメールアドレスでお知らせを受け取るための、確認コードをお送りします。\n\n"
        f"　確認コード: {letter.code}\n"
        f"　有効期限: {_moment(letter.until)}まで\n\n"
        "手続をした窓口または画面で、このコードを入力してください。\n"
        "コードを電話やメールでお尋ねすることはありません。ほかの人に教えないでください。\n"
        "このメールにはリンクを付けていません。\n\n"
        "お心当たりがないときは、このメールを捨ててください。登録はされません。\n"
        "このメールには返信できません。お問い合わせは下記にお願いします。\n\n"
        f"{office.name}\n"
        f"電話 {office.phone}（{office.hours}）\n"
    )


def sms_of(letter: CodeLetter, office: Office) -> str:
    """Return the short message, in one line: what it costs is counted in characters."""
    day = letter.until.astimezone(JST)
    until = f"{day.month}月{day.day}日{day.hour}時{day.minute:02d}分まで"
    name = " ".join(office.municipality.split())
    return (
        f"{name}の確認コード {letter.code}（{until}）。人に教えないでください。電話{office.phone}"
    )


def page_of(letter: CodeLetter, office: Office) -> str:
    """Return the letter, a page of A4 with the address where an envelope has its window."""
    title = "連絡先の確認コードのお知らせ"
    at = letter.at.astimezone(JST)
    return (
        '<!doctype html><html lang="ja"><head><meta charset="utf-8">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body>"
        f'<div class="to">{escape(letter.address)} 様</div>'
        f'<p class="from">{at.year}年{at.month}月{at.day}日<br>'
        f"{escape(office.name)}</p><h1>{title}</h1>"
        "<p>この住所に郵便でお知らせを受け取るための、確認コードをお送りします。"
        "手続をした窓口または画面で、次のコードを入力してください。</p>"
        f'<p class="code">{escape(letter.code)}</p>'
        f"<p>有効期限: {_moment(letter.until)}まで</p>"
        "<p>コードを電話でお尋ねすることはありません。ほかの人に教えないでください。"
        "お心当たりがないときは、この手紙を捨ててください。登録はされません。</p>"
        f"<p>お問い合わせ: {escape(office.name)} "
        f"電話 {escape(office.phone)}（{escape(office.hours)}）</p></body></html>\n"
    )


def _moment(at: datetime) -> str:
    day = at.astimezone(JST)
    return f"{day.year}年{day.month}月{day.day}日{day.hour}時{day.minute:02d}分"
