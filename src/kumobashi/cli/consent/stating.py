"""``kumobashi consent grant | withdraw | died | merge``: what residents state or suffer."""

import click

from kumobashi.cli.command import command, option
from kumobashi.cli.consent.asking import SITE, Answer, ask, number_from
from kumobashi.cli.consent.telling import draw
from kumobashi.cli.signing_in import ACCOUNT, STDIN, signing_in
from kumobashi.cli.terminal import Terminal

_PURPOSE = click.argument("purpose")
_TIER = click.Choice(["register", "tax"])
_GIVEN_BY = option(
    "--given-by",
    type=click.Choice(["self", "guardian", "proxy"]),
    default="self",
    ja="だれが申し出たか: 本人・法定代理人・任意代理人",
    en="Who states it: the resident, a guardian, a proxy",
)
_CHANNEL = option(
    "--channel",
    type=click.Choice(["mail", "sms", "app", "post"]),
    ja="連絡手段（確認済みの連絡先が要ります）",
    en="How she is reached; needs a proven address",
)
_SOURCE = option(
    "--source", default="counter", metavar="NAME", ja="受付の窓口", en="The desk that takes it"
)
_AT = option(
    "--stated-at",
    metavar="TIME",
    ja="申出の日時（例 2026-11-22T10:00:00+09:00、既定: いま）",
    en="When it was stated (default: now)",
)


@command(
    "grant",
    ja="窓口で本人確認をした同意を記録します。宛名番号は標準入力から読みます。",
    en="Record a consent whose applicant was checked; the number is read from standard input.",
    example="kumobashi consent grant child-notices --tier register --tier tax",
)
@_PURPOSE
@SITE
@option("--tier", "tiers", type=_TIER, multiple=True, ja="情報の区分", en="Tier of data")
@option("--version", type=int, ja="見せた文の版（既定: いまの版）", en="Version that was shown")
@option(
    "--method",
    type=click.Choice(["counter", "mailed_code", "four_items"]),
    default="counter",
    ja="本人確認の方法",
    en="How identity was checked",
)
@_CHANNEL
@option(
    "--document",
    metavar="KIND",
    ja="窓口で見た書類の種類（consent documents の一覧から。--account が要ります）",
    en="Kind of document that was seen (see consent documents); needs --account",
)
@_GIVEN_BY
@_SOURCE
@_AT
@ACCOUNT
@STDIN
def grant(
    terminal: Terminal,
    *,
    purpose: str,
    site: str | None,
    account: str | None,
    password_stdin: bool,
    **said: object,
) -> None:
    """Record a consent; the number is the first line, password and code come behind it."""
    tiers = said.pop("tiers") or ("register",)
    body = {**said, "purpose": purpose, "tiers": list(tiers)}  # type: ignore[call-overload]
    body |= {"resident_no": number_from(terminal)}
    body |= signing_in(terminal, account, from_stdin=password_stdin)
    _told(terminal, ask(terminal, site, "give", body))


@command(
    "withdraw",
    ja="同意の撤回を記録します。すぐに効き、受け取り側にも伝わります。",
    en="Record a withdrawal; it counts at once and receivers are told.",
    example="kumobashi consent withdraw child-notices",
)
@_PURPOSE
@SITE
@option("--tier", type=_TIER, ja="情報の区分（既定: 全部）", en="Tier of data (default: all)")
@_GIVEN_BY
@_SOURCE
@_AT
def withdraw(terminal: Terminal, *, purpose: str, site: str | None, **said: object) -> None:
    """Record a withdrawal."""
    body = {**said, "purpose": purpose, "resident_no": number_from(terminal)}
    _told(terminal, ask(terminal, site, "withdraw", body))


@command(
    "apply",
    ja="申込を記録します。本人確認は、このあと郵送コードでします。宛名番号は標準入力から読みます。",
    en="Record an application whose identity is checked by a mailed code afterwards.",
    example="kumobashi consent apply child-notices --source portal",
)
@_PURPOSE
@SITE
@option("--tier", type=_TIER, default="register", ja="情報の区分", en="Tier of data")
@option("--version", type=int, ja="見せた文の版（既定: いまの版）", en="Version that was shown")
@_CHANNEL
@_GIVEN_BY
@_SOURCE
@_AT
def apply(terminal: Terminal, *, purpose: str, site: str | None, **said: object) -> None:
    """Record an application."""
    body = {**said, "purpose": purpose, "resident_no": number_from(terminal)}
    _told(terminal, ask(terminal, site, "apply", body))


@command(
    "code",
    ja="申込者に郵送するコードを作ります。いちどだけ表示します。前のコードは使えなくなります。",
    en="Make the code that is mailed to an applicant; shown once, an earlier one is void.",
    example="kumobashi consent code 019aa8d1-5b7c-7000-8000-0123456789ab",
)
@click.argument("record")
@SITE
def code(terminal: Terminal, *, record: str, site: str | None) -> None:
    """Make a code."""
    made = ask(terminal, site, "code", {"record": record})
    if terminal.as_json:
        terminal.emit(made)
    else:
        until = made["until"][:10]
        terminal.out.print(
            terminal.t(
                f"郵送コード: {made['code']}（{until} まで）", f"Code: {made['code']} (to {until})"
            )
        )


@command(
    "prove",
    ja="届いたコードを標準入力から受け取り、合っていれば同意にします。5回まちがえると止まります。",
    en="Take the mailed code from standard input; a right one makes the application a consent.",
    example="kumobashi consent prove 019aa8d1-5b7c-7000-8000-0123456789ab",
)
@click.argument("record")
@SITE
def prove(terminal: Terminal, *, record: str, site: str | None) -> None:
    """Take a code."""
    typed = number_from(terminal, words=("郵送コード", "Mailed code"))
    _told(terminal, ask(terminal, site, "prove", {"record": record, "code": typed}))


@command(
    "died",
    ja="亡くなった方の同意を終えます。以後どの同意も効きません。",
    en="End the consents of a resident who died; none counts from then on.",
    example="kumobashi consent died",
)
@SITE
def died(terminal: Terminal, *, site: str | None) -> None:
    """End consents."""
    _told(terminal, ask(terminal, site, "died", {"resident_no": number_from(terminal)}))


@command(
    "merge",
    ja="番号の統合: 1行目の番号の記録を、2行目の番号に引き継ぎます。厳しいほうが残ります。",
    en="Let the records of the first number follow the second; the stricter counts.",
    example="kumobashi consent merge",
)
@SITE
def merge(terminal: Terminal, *, site: str | None) -> None:
    """Merge two numbers."""
    old = number_from(terminal, words=("統合される番号", "The number that goes"))
    into = number_from(terminal, words=("残る番号", "The number that stays"))
    _told(terminal, ask(terminal, site, "merge", {"resident_no": old, "into": into}))


def _told(terminal: Terminal, answer: Answer) -> None:
    if terminal.as_json:
        terminal.emit(answer)
    else:
        draw(terminal, answer["records"])
