"""``kumobashi consent channel``: addresses of residents, each proven by a round trip."""

import click

from kumobashi.cli.command import Group, command
from kumobashi.cli.consent.asking import SITE, Answer, ask, ledger_site, number_from
from kumobashi.cli.consent.telling import draw
from kumobashi.cli.plain_tables import plain_table
from kumobashi.cli.terminal import Terminal
from kumobashi.kernel import JST, from_wire

STATES = {
    "unproven": ("未確認", "unproven"),
    "sent": ("コード送信済み", "code sent"),
    "proven": ("確認済み", "proven"),
    "failed": ("確認できず", "failed"),
    "expired": ("期限切れ", "expired"),
    "withdrawn": ("取消", "withdrawn"),
}
REASONS = {
    "locked": ("コードの間違い", "wrong codes"),
    "refused": ("宛先なし", "no such address"),
    "time": ("期限", "time"),
    "asked": ("本人の申出", "asked for"),
    "replaced": ("新しい連絡先", "replaced"),
    "consent": ("同意の終わり", "consent ended"),
    "died": ("死亡", "died"),
    "merged": ("番号の統合", "merged"),
}
CHANNELS = {
    "mail": ("電子メール", "mail"),
    "sms": ("SMS", "sms"),
    "app": ("アプリ", "app"),
    "post": ("郵便", "post"),
}
CHANNEL = click.Choice(sorted(CHANNELS))
_RECORD = click.argument("record")
_EXAMPLE = "019aa8d1-5b7c-7000-8000-0123456789ab"

channel = Group(
    "channel",
    ja="連絡先: 登録し、届いたコードで確かめ、取り消します。宛先とコードは標準入力から読みます。",
    en="Addresses of residents: register, prove by a code, remove; all said on standard input.",
    example="kumobashi consent channel add mail",
)


@command(
    "add",
    ja="連絡先を登録し、確認コードを送ります。1行目に宛名番号、2行目に宛先を読みます。",
    en="Register an address and send it a code; reads the number, then the address, a line each.",
    example="kumobashi consent channel add mail",
)
@click.argument("channel", type=CHANNEL)
@SITE
def add(terminal: Terminal, *, channel: str, site: str | None) -> None:
    """Register an address."""
    said = {
        "channel": channel,
        "resident_no": number_from(terminal),
        "address": number_from(terminal, words=("宛先", "Address")),
    }
    _told(terminal, site, ask(terminal, site, "channel_add", said))


@command(
    "confirm",
    ja="届いたコードを標準入力から受け取り、連絡先を確認済みにします。",
    en="Take the code that arrived from standard input; the address is proven then.",
    example=f"kumobashi consent channel confirm {_EXAMPLE}",
)
@_RECORD
@SITE
def confirm(terminal: Terminal, *, record: str, site: str | None) -> None:
    """Prove an address."""
    typed = number_from(terminal, words=("確認コード", "Code"))
    said = {"record": record, "code": typed}
    _told(terminal, site, ask(terminal, site, "channel_confirm", said))


@command(
    "resend",
    ja="新しい確認コードを送ります。前のコードは使えなくなります。",
    en="Send a new code; an earlier one is void.",
    example=f"kumobashi consent channel resend {_EXAMPLE}",
)
@_RECORD
@SITE
def resend(terminal: Terminal, *, record: str, site: str | None) -> None:
    """Send a code again."""
    _told(terminal, site, ask(terminal, site, "channel_resend", {"record": record}))


@command(
    "delivery",
    ja="いちばん新しいコードが端末に届いたかを、送った側に尋ねます（SMS の送達結果）。",
    en="Ask the channel whether the newest code reached the handset (short messages).",
    example=f"kumobashi consent channel delivery {_EXAMPLE}",
)
@_RECORD
@SITE
def delivery(terminal: Terminal, *, record: str, site: str | None) -> None:
    """Ask what became of a code."""
    found = ask(terminal, site, "channel_delivery", {"record": record})
    _told(terminal, site, found)
    if terminal.as_json:
        return
    words = terminal.t(found["delivery_ja"], found["delivery"])
    terminal.out.print(f"{terminal.t('送達結果', 'Delivery')}: {words}", soft_wrap=True)


@command(
    "list",
    ja="1人の連絡先の状態を示します（宛先そのものは示しません）。",
    en="Show the states of one resident's addresses; never the addresses.",
    example="kumobashi consent channel list",
)
@SITE
def list_(terminal: Terminal, *, site: str | None) -> None:
    """List addresses."""
    found = ask(terminal, site, "channel_list", {"resident_no": number_from(terminal)})
    _told(terminal, site, found)


@command(
    "remove",
    ja="連絡先を取り消し、消します。控えからも開けなくなります。",
    en="Remove an address and erase it; no backup opens it any more.",
    example=f"kumobashi consent channel remove {_EXAMPLE}",
)
@_RECORD
@SITE
def remove(terminal: Terminal, *, record: str, site: str | None) -> None:
    """Remove an address."""
    _told(terminal, site, ask(terminal, site, "channel_remove", {"record": record}))


def _told(terminal: Terminal, site: str | None, answer: Answer) -> None:
    if terminal.as_json:
        terminal.emit(answer)
        return
    t = terminal.t
    if not answer["addresses"]:
        terminal.out.print(t("連絡先はありません。", "No addresses."))
        return
    table = plain_table()
    for ja, en in (("記録", "Record"), ("手段", "Channel"), ("状態", "State"), ("期限", "Until")):
        table.add_column(t(ja, en), no_wrap=en == "Record", overflow="fold")
    for one in answer["addresses"]:
        reason = f"（{t(*REASONS[one['reason']])}）" if one["reason"] else ""
        is_waiting = one["state"] in {"unproven", "sent"}
        until = from_wire(one["until"]).astimezone(JST).strftime("%Y-%m-%d %H:%M")
        table.add_row(
            one["record"],
            t(*CHANNELS[one["channel"]]),
            t(*STATES[one["state"]]) + reason,
            until if is_waiting else "-",
        )
    terminal.out.print(table)
    for one in answer["addresses"]:
        if one["channel"] == "post" and one["state"] == "sent":
            name = site or ledger_site(terminal.workspace())
            place = f"var/{name}/letters/{one['record']}.html"
            terminal.out.print(t(f"手紙: {place}", f"Letter: {place}"), soft_wrap=True)
    if answer.get("records"):
        terminal.out.print(t("同意になりました:", "Granted:"))
        draw(terminal, answer["records"])


for _each in (add, confirm, resend, delivery, list_, remove):
    channel.add_command(_each)
