"""``kumobashi individual``: the protected persons whom transfers left to people."""

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kumobashi.cli.command import Group, command, option
from kumobashi.cli.exits import Exit
from kumobashi.cli.local_api import LocalApi, open_local_api
from kumobashi.cli.plain_tables import plain_table
from kumobashi.cli.signing_in import ACCOUNT, STDIN, signing_in
from kumobashi.cli.terminal import Terminal

if TYPE_CHECKING:
    from kumobashi.planning.workspace import Workspace

individual = Group(
    "individual",
    ja="個別対応リスト: 支援措置のため自動では出さず、担当課が一人ずつ対応する人の一覧。",
    en="Individual cases: protected persons whom no link carries and whom an office sees to.",
    example="kumobashi individual list",
)


@command(
    "list",
    ja="どの転送が何人を自動では出さなかったかの一覧。番号は出しません。",
    en="Which transfers left how many persons out; no numbers are shown.",
    example="kumobashi individual list",
)
@option("--link", metavar="LINK", ja="この連携だけ", en="Of this link only")
def list_(terminal: Terminal, *, link: str | None) -> Exit:
    """List the lists."""
    workspace = terminal.workspace()
    lists = [one for api in _senders(workspace) for one in api.individual_lists()]
    found = [one for one in lists if link in {None, one["link"]}]
    if terminal.as_json:
        terminal.emit(found)
        return Exit.OK
    if not found:
        terminal.out.print(
            terminal.t("個別対応リストはありません。", "There are no individual cases.")
        )
        return Exit.OK
    table = plain_table()
    for title in (terminal.t("業務日", "Day"), terminal.t("連携", "Link")):
        table.add_column(title, no_wrap=True)
    table.add_column(terminal.t("人数", "People"), justify="right", no_wrap=True)
    table.add_column(terminal.t("転送", "Transfer"), no_wrap=True)
    for one in found:
        declared = workspace.links.get(one["link"])
        name = terminal.t(declared.name if declared else one["link"], one["link"])
        table.add_row(one["business_date"], name, f"{one['people']:,}", one["transfer"])
    terminal.out.print(table)
    office = _office(workspace)
    terminal.out.print(
        terminal.t(
            f"担当: {office}。番号は kumobashi individual show 転送 --account 名前 で見ます。",
            f"In charge: {office}. kumobashi individual show TRANSFER --account NAME shows who.",
        ),
        style="dim",
    )
    return Exit.OK


@command(
    "show",
    ja="1つの転送の個別対応リストを、名乗った人に見せます（見たことは証跡に残ります）。",
    en="Show the list of one transfer to whoever signs in; that it was seen is on record.",
    example="kumobashi individual show 019aa8d1-5b7c-7000-8000-0123456789ab --account suzuki",
)
@click.argument("transfer")
@ACCOUNT
@STDIN
@option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False, writable=True),
    metavar="FILE",
    ja="CSV（UTF-8、Excel で開ける形）に書き出す",
    en="Write a CSV file that Excel opens",
)
def show(
    terminal: Terminal,
    *,
    transfer: str,
    account: str | None,
    password_stdin: bool,
    output: Path | None,
) -> Exit:
    """Show one list."""
    api = _holder_of(terminal.workspace(), transfer)
    found = api.individual_list(transfer, signing_in(terminal, account, from_stdin=password_stdin))
    if output:
        text = io.StringIO()
        rows = csv.writer(text, lineterminator="\r\n")
        rows.writerow(["連携", "業務日", "宛名番号"])
        rows.writerows([found["link"], found["business_date"], n] for n in found["numbers"])
        output.write_text(text.getvalue(), encoding="utf-8-sig", newline="")
        said = terminal.t(f"書き出しました: {output}", f"Written: {output}")
        terminal.out.print(said, soft_wrap=True)
    elif terminal.as_json:
        terminal.emit(found)
    else:
        for number in found["numbers"]:
            terminal.out.print(number, highlight=False)
    return Exit.OK


for _each in (list_, show):
    individual.add_command(_each)


def _senders(workspace: "Workspace") -> list[LocalApi]:
    sites = {workspace.systems[link.from_].site for link in workspace.links.values()}
    return [open_local_api(workspace, site) for site in sorted(sites)]


def _holder_of(workspace: "Workspace", transfer: str) -> LocalApi:
    """Return the gateway that has the list; the last one asked says what is wrong."""
    apis = _senders(workspace)
    for api in apis[:-1]:
        held: list[dict[str, Any]] = api.individual_lists()
        if any(one["transfer"] == transfer for one in held):
            return api
    return apis[-1]


def _office(workspace: "Workspace") -> str:
    measures = workspace.municipality.protective_measures
    return workspace.municipality.contacts[measures.contact].name if measures else "―"
