"""``kumobashi request receiver`` and ``lift``: after a request was carried out."""

from kumobashi.cli.command import command, option
from kumobashi.cli.errors import Usage
from kumobashi.cli.request.asking import REQUEST, Answer, act, signed
from kumobashi.cli.request.telling import draw, draw_one, receiver_lines
from kumobashi.cli.terminal import Terminal

_ID = "019aa8d1-5b7c-7000-8000-0123456789ab"


@command(
    "receiver",
    ja="受け取り先に文書で知らせたこと（--told）、確かめたこと（--confirmed）を記録します。\n"
    "転送で伝わる受け取り先は、次の転送の受領証で自動に確認済みになります。",
    en="Record that a receiver was told on paper (--told), or confirmed (--confirmed). Receivers\n"
    "that runs tell are confirmed by the receipt of the next one.",
    example=f"kumobashi request receiver {_ID} --link nhi-residents --confirmed --account tanaka",
)
@REQUEST
@option("--link", required=True, metavar="LINK", ja="その連携", en="The link it is reached by")
@option("--told", is_flag=True, ja="知らせた", en="It was told")
@option("--confirmed", is_flag=True, ja="消去・訂正を確かめた", en="It confirmed")
@signed
def receiver(terminal: Terminal, *, told: bool, confirmed: bool, **said: object) -> None:
    """Note what was said on paper."""
    if told == confirmed:
        raise Usage(
            what="--told と --confirmed のどちらかを示してください。",
            what_en="Give one of --told and --confirmed.",
            command="kumobashi request receiver",
        )
    draw_followed(terminal, act(terminal, "receiver", {**said, "confirmed": confirmed}))


@command(
    "lift",
    ja="利用停止を解きます。一人が --reason で申し出て、別の承認者が --confirm で解きます。\n"
    "次の転送から、本人の行がまた出ます。",
    en="Lift a suspension: one asks with --reason, another approver lifts it with --confirm.\n"
    "From the next run on the resident's rows leave again.",
    example=f"kumobashi request lift {_ID} --reason 本人申出 --account tanaka",
)
@REQUEST
@option("--reason", metavar="TEXT", ja="理由（個人の情報は書かない）", en="The reason")
@option("--confirm", is_flag=True, ja="申出のとおり解く", en="Lift it as was asked")
@signed
def lift(terminal: Terminal, *, confirm: bool, **said: object) -> None:
    """Ask to lift a suspension, or lift it."""
    if bool(said["reason"]) == confirm:
        raise Usage(
            what="--reason と --confirm のどちらかを示してください。",
            what_en="Give one of --reason and --confirm.",
            command="kumobashi request lift",
        )
    draw_one(terminal, act(terminal, "lift" if confirm else "ask_lift", said))


def draw_followed(terminal: Terminal, found: Answer) -> None:
    """Draw a request with its receivers, and transfers under way."""
    draw(terminal, found)
    if terminal.as_json:
        return
    lines = receiver_lines(terminal, found["requests"][0])
    for line in (*lines, *found.get("under_way", [])):
        terminal.out.print(line, soft_wrap=True, markup=False, highlight=False)
