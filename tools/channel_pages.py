"""Write how a code arrives, as pages for a browser: the letter, and the mail as a reader shows it.

``python -m tools.channel_pages FOLDER``; clock, code and people stand still.
"""

import sys
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from html import escape
from pathlib import Path

from kumobashi.consent.channels.ports import CodeLetter
from kumobashi.consent.channels.smtp import message_of
from kumobashi.consent.channels.states import Channel
from kumobashi.consent.channels.wording import Office, page_of

_NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
_OFFICE = Office(
    municipality="架空市",
    name="架空市 市民課 同意受付",
    phone="000-000-0002",
    hours="平日 8:30–17:15",
)
_STYLE = """
body { font-family: "Noto Sans CJK JP", sans-serif; margin: 32px; color: #000; }
th { text-align: left; padding-right: 24px; font-weight: 400; color: #555; }
pre { font-family: inherit; font-size: 15px; line-height: 1.7; border-top: 1px solid #999;
  padding-top: 16px; }
"""


def letter(channel: Channel, address: str, lives: timedelta) -> CodeLetter:
    """Return a code on its way to somebody who does not exist."""
    return CodeLetter(
        record="019aa8d1-5b7c-7000-8000-0123456789ab",
        channel=channel,
        address=address,
        code="4821-0937",
        until=_NOW + lives,
        at=_NOW,
    )


def mail_page() -> str:
    """Return the mail, read from its bytes as a receiver has them."""
    sent = letter(Channel.MAIL, "kakuu.hanako@example.jp", timedelta(hours=24))
    raw = message_of(sent, _OFFICE, sender="no-reply@city.example.jp").as_bytes()
    read = message_from_bytes(raw, _class=EmailMessage, policy=default)
    rows = "".join(
        f"<tr><th>{shown}</th><td>{escape(str(read[name]))}</td></tr>"
        for name, shown in (("Subject", "件名"), ("From", "差出人"), ("To", "宛先"))
    )
    return (
        f'<!doctype html><html lang="ja"><meta charset="utf-8"><style>{_STYLE}</style>'
        f"<table>{rows}</table><pre>{escape(read.get_content())}</pre></html>\n"
    )


def letter_page() -> str:
    """Return the letter."""
    lives = timedelta(days=30)
    where = "000-0000 架空県架空市架空町一丁目2番3号 架空 花子"
    return page_of(letter(Channel.POST, where, lives), _OFFICE)


def main() -> None:
    """Write both pages."""
    folder = Path(sys.argv[1])
    for name, page in (("channel-mail", mail_page()), ("channel-letter", letter_page())):
        (folder / f"{name}.html").write_text(page, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
