"""``kumobashi system``: move a system to another site while others go on asking it."""

import getpass
from datetime import date
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from kumobashi.cli.command import Group, command, option
from kumobashi.cli.exits import Exit
from kumobashi.cli.places import try_place
from kumobashi.cli.terminal import Terminal
from kumobashi.cli.wording import hung

if TYPE_CHECKING:
    from kumobashi.planning.following import MovedLink
    from kumobashi.planning.moving import Move

system = Group(
    "system",
    ja="業務システムを、ほかを止めずに別のサイトへ移し、ファイルの置き場所を確かめます。",
    en="Move a system to another site while others go on; try where its files lie.",
    example="kumobashi system move finance --to vendor-b",
)


@command(
    "move",
    ja="システムのサイトを替えたら何が変わるかを示します。--write で、連携の承認と署名付き\n"
    "ディレクトリも合わせて一度に置き換えます。ほかのシステムは何も変えずに照会を続けられます。",
    en="Show what a move to another site changes. With --write the file, the approvals and the\n"
    "signed directory change at once; other systems go on asking as before.",
    example="kumobashi system move finance --to vendor-b --write --by 情報政策課",
)
@click.argument("name", metavar="SYSTEM")
@option("--to", "to_site", required=True, metavar="SITE", ja="移す先のサイト", en="Where to")
@option("--write", "is_written", is_flag=True, ja="置き換える", en="Put it in place")
@option(
    "--by",
    metavar="NAME",
    ja="承認する人（既定: この利用者）",
    en="Who approves (default: this user)",
)
@option(
    "--date",
    "on",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    ja="基準日（既定: 今日）",
    en="The day",
)
def move(
    terminal: Terminal,
    *,
    name: str,
    to_site: str,
    is_written: bool,
    by: str | None,
    on: date | None,
) -> Exit:
    """Show a move, or make it."""
    from kumobashi.kernel import SystemClock, business_date
    from kumobashi.planning.moving import prepare, put_in_place

    now = SystemClock().now()
    day = date.fromisoformat(f"{on:%Y-%m-%d}") if on else business_date(now)
    ready = prepare(terminal.folder, name, to_site, by=by or getpass.getuser(), now=now, on=day)
    stopping = [link for link in ready.links if link.stops]
    if is_written and not any(link.is_online for link in stopping):
        put_in_place(terminal.folder, ready, now=now)
        is_done = True
    else:
        is_done = False
    if terminal.as_json:
        terminal.emit(_json(ready, is_written=is_done))
    else:
        _tell(terminal, ready, is_wished=is_written, is_done=is_done)
    return Exit.REFUSED if stopping else Exit.OK


def _tell(terminal: Terminal, ready: "Move", *, is_wished: bool, is_done: bool) -> None:
    head = terminal.t(
        f"{ready.name}：{ready.from_site} → {ready.to_site}（ディレクトリ第{ready.version}版）",
        f"{ready.system}: {ready.from_site} → {ready.to_site} (directory {ready.version})",
    )
    terminal.out.print(Text(head, style="bold"), soft_wrap=True)
    for row in diff_lines(ready.rewrite.diff()):
        terminal.out.print(row, soft_wrap=True)
    for link in ready.links:
        for line in link_lines(terminal, link):
            terminal.out.print(line, soft_wrap=True)
    if is_done:
        said = terminal.t(
            "置き換えました。ゲートウェイは2秒以内に切り替わり、その間の照会は待ちます。"
            f"戻すには: kumobashi system move {ready.system} --to {ready.from_site} --write",
            "In place. Gateways follow within two seconds, and calls wait for it. To go back:"
            f" kumobashi system move {ready.system} --to {ready.from_site} --write",
        )
    elif is_wished:
        said = terminal.t(
            "× の連携が止まるので、何も置き換えていません。",
            "Nothing was changed: the links marked × would stop.",
        )
    else:
        said = terminal.t(
            "まだ何も変えていません。置き換えるには --write を付けます。",
            "Nothing was changed yet. Add --write to put it in place.",
        )
    for line in hung(Text(""), said, terminal.width):
        terminal.out.print(line, soft_wrap=True)


def said_of(terminal: Terminal, link: "MovedLink") -> str:
    """Return what becomes of a link, in a sentence."""
    if link.goes_on and link.is_same:
        what = terminal.t("そのまま続きます", "goes on")
    elif link.is_approved:
        what = terminal.t("そのまま続きます（承認し直し）", "goes on, approved anew")
    elif not link.is_permitted:
        first = link.reasons[0]
        what = terminal.t(first[0], first[1])
    elif link.stops:
        what = terminal.t(
            f"件数を数えて承認し直すまで止まります: kumobashi plan {link.link} --approve",
            f"stops until counted and approved: kumobashi plan {link.link} --approve",
        )
    else:
        what = terminal.t("いまも動いていません", "does not run now either")
    return f"{terminal.t(link.name, link.link)}：{what}"


def _json(ready: "Move", *, is_written: bool) -> dict[str, Any]:
    return {
        "system": ready.system,
        "from_site": ready.from_site,
        "to_site": ready.to_site,
        "directory": ready.version,
        "written": is_written,
        "file": ready.rewrite.file,
        "diff": ready.rewrite.diff(),
        "links": [link_json(link) for link in ready.links],
    }


def link_json(link: "MovedLink") -> dict[str, Any]:
    """Return what becomes of a link, for machines."""
    return {
        "link": link.link,
        "online": link.is_online,
        "agreement": link.agreement,
        "was": link.was.value,
        "permitted": link.is_permitted,
        "approved": link.is_approved,
        "stops": link.stops,
        "reasons": [{"ja": ja, "en": en} for ja, en in link.reasons],
        "changes": [{"key": one.key, "ja": one.ja, "en": one.en} for one in link.changes],
    }


def link_lines(terminal: Terminal, link: "MovedLink") -> list[Text]:
    """Return the lines that people read about a link."""
    mark, style = ("×", "red") if link.stops else ("✓", "green") if link.goes_on else ("−", "dim")
    return hung(Text(f"  {mark} ", style=style), said_of(terminal, link), terminal.width)


def diff_lines(diff: str) -> list[Text]:
    """Return the changed rows of a difference, coloured."""
    return [
        Text(f"  {row}", style="green" if row.startswith("+") else "red")
        for row in diff.splitlines()[2:]
        if row[:1] in {"+", "-"}
    ]


for _command in (move, try_place):
    system.add_command(_command)
