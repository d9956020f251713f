"""``kumobashi request new | check | ask-more | resume | extend | carry-out | close | withdraw``."""

import sys

import click

from kumobashi.cli.command import command, option
from kumobashi.cli.request.asking import REQUEST, act, signed
from kumobashi.cli.request.telling import day_words, draw, warn
from kumobashi.cli.terminal import Terminal

_ID = "019aa8d1-5b7c-7000-8000-0123456789ab"
_IDENTITIES = click.Choice(["counter", "mailed", "signed"])
_IDENTITY_WORDS = ("本人確認の方法: 窓口、郵送、電子署名", "How it was checked who asks")


@command(
    "new",
    ja="請求を受け付けます。宛名番号は尋ねられてから打つか標準入力で渡し、封じて残します。\n"
    "氏名・住所は残しません（通知書に手で書きます）。",
    en="Receive a request. The number is prompted for or read from standard input, kept sealed;\n"
    "name and address are not kept (they are written on the papers by hand).",
    example="kumobashi request new disclosure --identity counter --account tanaka",
)
@click.argument("kind", type=click.Choice(["disclosure", "correction", "suspension"]))
@option(
    "--applicant",
    type=click.Choice(["self", "guardian", "proxy"]),
    default="self",
    ja="だれが請求したか: 本人・法定代理人・任意代理人",
    en="Who asks: the resident, a guardian, a proxy",
)
@option("--identity", type=_IDENTITIES, ja=_IDENTITY_WORDS[0], en=_IDENTITY_WORDS[1])
@option(
    "--link",
    "links",
    multiple=True,
    metavar="LINK",
    ja="対象の連携（既定: このサイトから出たもの全部）",
    en="A link that it is about (default: all that left this site)",
)
@option(
    "--section-asked",
    metavar="SECTION",
    ja="支援措置の方への代理請求で、確認した担当課",
    en="The section that was asked about a protected resident",
)
@option(
    "--number-stdin",
    is_flag=True,
    ja="宛名番号を標準入力の最初の1行から読む",
    en="Read the resident number from the first line of standard input",
)
@option("--dry-run", is_flag=True, ja="受け付けずに期限だけを示す", en="Tell the deadline only")
@signed
def new(
    terminal: Terminal,
    *,
    number_stdin: bool,
    links: tuple[str, ...],
    **said: object,
) -> None:
    """Receive a request."""
    number = (
        sys.stdin.readline().strip()
        if number_stdin
        else click.prompt(terminal.t("宛名番号", "Resident number"), hide_input=True, err=True)
    )
    body = {**said, "links": list(links), "number": number}
    found = act(terminal, "new", body)
    if "due" in found and not terminal.as_json:
        warn(terminal, found)
        words = day_words(terminal, found["due"]["day"])
        terminal.out.print(terminal.t(f"期限: {words}", f"Due: {words}"))
        return
    draw(terminal, found)


@command(
    "check",
    ja="本人（または代理人）であることの確認を記録します。",
    en="Record how it was checked who asks.",
    example=f"kumobashi request check {_ID} --identity mailed --account tanaka",
)
@REQUEST
@option("--identity", required=True, type=_IDENTITIES, ja=_IDENTITY_WORDS[0], en=_IDENTITY_WORDS[1])
@signed
def check(terminal: Terminal, **said: object) -> None:
    """Record the check."""
    draw(terminal, act(terminal, "check", said))


@command(
    "ask-more",
    ja="補正を求めます。届くまで期限の時計が止まります。",
    en="Ask the applicant to complete it; the clock stands still until it comes.",
    example=f"kumobashi request ask-more {_ID} --what 委任状 --account tanaka",
)
@REQUEST
@option("--what", required=True, metavar="TEXT", ja="足りないもの", en="What is lacking")
@signed
def ask_more(terminal: Terminal, **said: object) -> None:
    """Ask for more."""
    draw(terminal, act(terminal, "ask_more", said))


@command(
    "resume",
    ja="補正が届いたことを記録します。時計がまた進みます。",
    en="Record that what was lacking came; the clock runs again.",
    example=f"kumobashi request resume {_ID} --identity counter --account tanaka",
)
@REQUEST
@option("--identity", type=_IDENTITIES, ja=_IDENTITY_WORDS[0], en=_IDENTITY_WORDS[1])
@signed
def resume(terminal: Terminal, **said: object) -> None:
    """Go on."""
    draw(terminal, act(terminal, "resume", said))


@command(
    "extend",
    ja="期限を1回だけ延長します。--until は期限の特例（84条・95条・103条）です。",
    en="Put the deadline off, once; --until is the special rule (arts. 84, 95, 103).",
    example=f"kumobashi request extend {_ID} --reason 大量請求 --account suzuki",
)
@REQUEST
@option("--reason", required=True, metavar="TEXT", ja="理由（通知書に出ます）", en="The reason")
@option(
    "--days", type=int, metavar="DAYS", ja="延長する日数（既定: 上限）", en="Days (default: most)"
)
@option("--until", metavar="DATE", ja="特例で定める期限", en="The day set under the special rule")
@signed
def extend(terminal: Terminal, **said: object) -> None:
    """Extend."""
    draw(terminal, act(terminal, "extend", said))


@command(
    "carry-out",
    ja="決定を実施します。利用停止では、次の転送から本人の行が出なくなります。\n"
    "訂正と利用停止は、決定した人とは別の人が行います。",
    en="Do what was decided: from the next run on a suspended resident's rows do not leave.\n"
    "Another person than decided it carries out a correction or suspension.",
    example=f"kumobashi request carry-out {_ID} --account tanaka",
)
@REQUEST
@option(
    "--link",
    "links",
    multiple=True,
    metavar="LINK",
    ja="止める連携（一部を認めたとき。既定: 請求の対象の全部）",
    en="A link that is suspended, when it was granted in part (default: all asked for)",
)
@signed
def carry_out(terminal: Terminal, *, links: tuple[str, ...], **said: object) -> None:
    """Carry out."""
    from kumobashi.cli.request.following import draw_followed

    draw_followed(terminal, act(terminal, "carry_out", {**said, "links": list(links)}))


@command(
    "close",
    ja="請求の手続を終えます。",
    en="End a request.",
    example=f"kumobashi request close {_ID} --account tanaka",
)
@REQUEST
@signed
def close(terminal: Terminal, **said: object) -> None:
    """Close."""
    draw(terminal, act(terminal, "close", said))


@command(
    "withdraw",
    ja="本人の取下げを記録します。決定のあとは取り下げられません。",
    en="Record that the applicant takes it back; nothing decided is taken back.",
    example=f"kumobashi request withdraw {_ID} --account tanaka",
)
@REQUEST
@signed
def withdraw(terminal: Terminal, **said: object) -> None:
    """Withdraw."""
    draw(terminal, act(terminal, "withdraw", said))
