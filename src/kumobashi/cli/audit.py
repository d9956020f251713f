"""``kumobashi audit``: what an auditor asks, answered in one command."""

import sys
from pathlib import Path

import click

from kumobashi.cli.command import Group, command, option
from kumobashi.cli.errors import Usage
from kumobashi.cli.exits import Exit
from kumobashi.cli.local_api import open_local_api
from kumobashi.cli.signing_in import STDIN, signing_in
from kumobashi.cli.terminal import Terminal

_EXAMPLE = "kumobashi audit person --year 2026 --account kansa"
audit = Group(
    "audit",
    ja="監査の問いに答えます。",
    en="Answer what auditors ask.",
    example=_EXAMPLE,
)


@command(
    "person",
    ja="一人の住民のデータが、その年に、どこへ、どの根拠で、どの項目がどの粗さで出て、消去されたか。\n"
    "番号は尋ねられてから打つか標準入力で渡します。見たことは証跡に残り、番号はどこにも残りません。",
    en="To whom one resident's data was sent in a year, on which basis, how coarse, and who has\n"
    "deleted it. The number is prompted for or read from standard input, and is kept nowhere.",
    example=_EXAMPLE,
)
@option(
    "--year",
    type=click.IntRange(2000, 9998),
    required=True,
    metavar="YEAR",
    ja="西暦の年（1月から12月、転送の開始日時）",
    en="The calendar year in which transfers began",
)
@option(
    "--number-stdin",
    is_flag=True,
    ja="宛名番号を標準入力の最初の1行から読む",
    en="Read the resident number from the first line of standard input",
)
@option(
    "--account",
    required=True,
    metavar="NAME",
    ja="名乗る利用者（監査または承認の役。パスワードと確認コードを尋ねます）",
    en="The account to sign in as: an auditor or approver (password and code are asked for)",
)
@STDIN
@option("--site", metavar="SITE", ja="送ったサイト", en="The site that sent")
@option(
    "--html",
    "page",
    type=click.Path(path_type=Path, dir_okay=False, writable=True),
    metavar="FILE",
    ja="印刷するページ（A4）に書き出す",
    en="Write a page for printing (A4)",
)
def person(
    terminal: Terminal,
    *,
    year: int,
    number_stdin: bool,
    account: str,
    password_stdin: bool,
    site: str | None,
    page: Path | None,
) -> Exit:
    """Answer for one resident."""
    from kumobashi.service.person_report import COLUMNS, as_html, cautions, cells

    workspace = terminal.workspace()
    sites = sorted({workspace.systems[link.from_].site for link in workspace.links.values()})
    if site is None and len(sites) != 1:
        raise Usage(
            what=f"--site を書いてください（{'、'.join(sites)}）",
            what_en=f"give --site: {', '.join(sites)}",
            command="kumobashi audit person",
        )
    api = open_local_api(workspace, site or sites[0])
    number = (
        sys.stdin.readline().strip()
        if number_stdin
        else click.prompt(terminal.t("宛名番号", "Resident number"), hide_input=True, err=True)
    )
    said = signing_in(terminal, account, from_stdin=password_stdin)
    found = api.audit_person({**said, "number": number, "year": year})
    if page:
        page.write_text(as_html(found, terminal.lang), encoding="utf-8", newline="\n")
        written = terminal.t(f"書き出しました: {page}", f"Written: {page}")
        if not terminal.as_json:
            terminal.out.print(written, soft_wrap=True)
    if terminal.as_json:
        terminal.emit({**found, "cautions": cautions(found, terminal.lang)})
    elif not page:
        for line in found["transfers"]:
            for title, cell in zip(COLUMNS, cells(line, terminal.lang), strict=True):
                text = f"{terminal.t(*title)}: {cell}"
                terminal.out.print(text, soft_wrap=True, markup=False, highlight=False)
            terminal.out.print()
        if not found["transfers"]:
            terminal.out.print(terminal.t("出た転送はありません。", "Nothing was sent."))
        for one in cautions(found, terminal.lang):
            terminal.out.print(one, soft_wrap=True, markup=False, highlight=False, style="dim")
    return Exit.OK


audit.add_command(person)
