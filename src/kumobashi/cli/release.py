"""``kumobashi release``: what stays in the hall about a release: the codebook of a destination."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kumobashi.cli.command import Group, command, option
from kumobashi.cli.terminal import Terminal

if TYPE_CHECKING:
    from kumobashi.planning.workspace import Workspace
    from kumobashi.release.coding import Codebook

release = Group(
    "release",
    ja="提供ルールのうち庁内に残すもの（コードブック）を作り、見ます。",
    en="Make and read what stays in the hall about a release: the codebook.",
    example="kumobashi release codebook notice-attributes",
)


@command(
    "codebook",
    ja="符号と項目名の対応（コードブック）を見ます。--make は受け取り側のレイアウトも書きます。\n"
    "コードブックは var/<サイト>/codebooks に 0600 で置かれ、庁外へは出ません。\n"
    "終了コード: 0 できた、2 まだない・失われた・連携の coding がない。",
    en="Show which code stands for which column. --make writes it, and the receiver's layout.\n"
    "It lies in var/<site>/codebooks with mode 0600 and never leaves the hall.\n"
    "Exit codes: 0 done, 2 not made yet, lost, or a link without coding.",
    example="kumobashi release codebook notice-attributes --make",
)
@click.argument("link")
@option(
    "--make", is_flag=True, ja="作る（あれば何も変えない）", en="Make it; one that is there stays"
)
def codebook(terminal: Terminal, *, link: str, make: bool) -> None:
    """Show or make a codebook."""
    from kumobashi.exchange.codebooks import Codebooks
    from kumobashi.planning.coding import logical_layout
    from kumobashi.release.errors import CodingUndeclared

    workspace = terminal.workspace()
    declared = workspace.link(link)
    coding = workspace.rules[declared.release].coding
    if coding is None:
        raise CodingUndeclared(link=link, rule=declared.release)
    site = workspace.systems[declared.from_].site
    books = Codebooks(workspace.folder / "var" / site / "codebooks")
    written: Path | None = None
    if make:
        book = _made(workspace, link)
        books.keep(book)
        written = _write_layout(workspace, link, book)
    book = books.read(declared.to.system, declared.to.dataset, coding.epoch)
    layout = logical_layout(workspace, declared)
    if terminal.as_json:
        terminal.emit(
            {
                "system": book.system,
                "dataset": book.dataset,
                "epoch": book.epoch,
                "hash": book.digest,
                "layout": coding.coded_layout,
                "written": str(written.relative_to(workspace.folder)) if written else None,
                "columns": [
                    {"code": code, "name": name, "ja": layout.field(name).ja}
                    for code, name in book.columns
                ],
            }
        )
        return
    for code, name in book.columns:
        terminal.out.print(f"{code}  {name}  {layout.field(name).ja}", soft_wrap=True)
    if written:
        terminal.out.print(
            terminal.t(
                f"{written.relative_to(workspace.folder)} を書きました。"
                f"受け取り側のデータセットの layout を {coding.coded_layout} に、表を新しい名前に"
                "してください。",
                f"Wrote {written.relative_to(workspace.folder)}; give the receiver's dataset the"
                f" layout {coding.coded_layout} and a new table.",
            ),
            soft_wrap=True,
        )


release.add_command(codebook)


def _made(workspace: "Workspace", link: str) -> "Codebook":
    from kumobashi.crypto.keys import TokenKey
    from kumobashi.exchange.tokens import column_key
    from kumobashi.planning.coding import logical_layout
    from kumobashi.release.coding import codebook as of_key

    declared = workspace.link(link)
    coding = workspace.rules[declared.release].coding
    if coding is None:
        raise AssertionError("asked before")
    site = workspace.systems[declared.from_].site
    secret = TokenKey.load(workspace.folder / "private" / site / "token.key").secret
    system, dataset = declared.to.system, declared.to.dataset
    key = column_key(secret, workspace.municipality.municipality.code, system, coding.epoch)
    return of_key(key, system, dataset, coding.epoch, logical_layout(workspace, declared).names)


def _write_layout(workspace: "Workspace", link: str, book: "Codebook") -> Path | None:
    """Write the coded layout; none where it stands already."""
    from kumobashi.planning.coding import coded_layout_text, logical_layout

    declared = workspace.link(link)
    coding = workspace.rules[declared.release].coding
    if coding is None:
        raise AssertionError("asked before")
    path = workspace.folder / "layouts" / f"{coding.coded_layout}.yaml"
    if path.exists():
        return None
    path.parent.mkdir(exist_ok=True)
    text = coded_layout_text(logical_layout(workspace, declared), book, coding)
    path.write_text(text, encoding="utf-8", newline="\n")
    return path
