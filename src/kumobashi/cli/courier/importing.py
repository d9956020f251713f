"""``kumobashi courier import``: read in what a medium brought."""

from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

import click

from kumobashi.cli.command import command, option
from kumobashi.cli.courier.showing import SITE, gateway_of
from kumobashi.cli.errors import GatewayRefused
from kumobashi.cli.exits import Exit
from kumobashi.cli.progress import bar
from kumobashi.cli.terminal import Terminal

if TYPE_CHECKING:
    from kumobashi.cli.courier.gateway import CourierGateway, Json
    from kumobashi.courier.reading import Opened

_FOLDER = click.Path(path_type=Path, file_okay=False)
_PARTS_MISSING = "message.parts_missing"


@command(
    "import",
    ja="媒体の内容を確かめて取り込みます。送り側の署名を確かめるまで、何も取り込みません。\n"
    "途中で切れても、もう一度実行すれば続きから取り込みます。",
    en="Check what a medium brought and take it in; nothing is used before its signature holds.\n"
    "Run again after anything broke off, it goes on.",
    example="kumobashi courier import /media/usb --site public-cloud",
)
@click.argument("folder", type=_FOLDER)
@SITE
@option(
    "--dry-run",
    is_flag=True,
    ja="最後まで読んで確かめるだけで、取り込まない",
    en="Read and check all of it, and take nothing in",
)
def import_(terminal: Terminal, *, folder: Path, site: str, dry_run: bool) -> Exit:
    """Read one medium."""
    from kumobashi.courier.index import Kind
    from kumobashi.courier.reading import Reader, open_medium
    from kumobashi.crypto.keys import SealKey
    from kumobashi.kernel import KumobashiError, SystemClock
    from kumobashi.service.errors import GatewayDown
    from kumobashi.service.evidence_desk import EvidenceDesk

    gateway = gateway_of(terminal, site)
    desk = EvidenceDesk(terminal.folder, site)
    reader = Reader(
        tenant=desk.tenant,
        site=site,
        key=SealKey.load(terminal.folder / "private" / site / "seal.key"),
        keys_of=desk.directory.keys_of,
    )
    medium: str | None = None
    try:
        opened = open_medium(folder, reader, now=SystemClock().now())
        medium = opened.index.medium
        if not dry_run:
            gateway.arrive(opened.token)
        if opened.index.kind is Kind.RECEIPTS:
            found = _receipts(gateway, opened, dry_run=dry_run)
        else:
            found = _bundle(terminal, gateway, opened, dry_run=dry_run)
    except (GatewayRefused, GatewayDown):
        raise
    except KumobashiError as refused:
        if not dry_run:
            gateway.refused(medium, refused.code)
        raise
    if not dry_run:
        gateway.end(opened.index.medium)
    _tell(terminal, opened, {**found, "is_dry_run": dry_run})
    return Exit.OK


def _receipts(gateway: "CourierGateway", opened: "Opened", *, dry_run: bool) -> "Json":
    from kumobashi.courier.content import read_receipts_content

    said = read_receipts_content(cast("BinaryIO", opened.content))
    opened.content.read_to_end()
    states = {} if dry_run else dict(gateway.receipts(opened.index.medium, said))
    return {"kind": "receipts", "transfers": states or {one.transfer: None for one in said}}


def _bundle(
    terminal: Terminal, gateway: "CourierGateway", opened: "Opened", *, dry_run: bool
) -> "Json":
    """Hand over what is missing there, part by part."""
    from kumobashi.courier.content import BundleContent
    from kumobashi.courier.reading import check_key, manifest_of
    from kumobashi.messages.announcement import AttemptState

    index, content = opened.index, BundleContent(cast("BinaryIO", opened.content))
    papers = content.papers
    manifest = manifest_of(papers.manifest, opened)
    check_key(papers.key, manifest, opened.reader.key)
    have: set[str] = set()
    state = AttemptState.OPEN.value
    if not dry_run:
        answer = gateway.announce(index.medium, papers)
        have, state = set(answer["have"]), str(answer["state"])
    read = 0
    with bar(terminal, "読込み", "Reading") as told:
        for part, pieces in content.parts(manifest.parts):
            if not dry_run and part.digest not in have and state == AttemptState.OPEN.value:
                hex_ = part.digest.removeprefix("sha256:")
                gateway.part(index.medium, hex_, part.bytes, pieces)
            read += 1
            told(read, len(manifest.parts))
    opened.content.read_to_end()  # before anything is handed on to be applied
    missing = len(manifest.parts) - read
    if not dry_run:
        state, missing = _closed(gateway, index.medium, papers.manifest)
    return {
        "kind": "bundle",
        "transfer": index.transfer,
        "link": manifest.link,
        "parts": read,
        "parts_missing": missing,
        "state": state,
    }


def _closed(gateway: "CourierGateway", medium: str, manifest: str) -> tuple[str, int]:
    """Return the state of the attempt, and how many parts other media have to bring."""
    try:
        return str(gateway.close_bundle(medium, manifest)["state"]), 0
    except GatewayRefused as refused:
        if refused.said != _PARTS_MISSING:
            raise
        return "open", len(refused.missing)


def _tell(terminal: Terminal, opened: "Opened", found: "Json") -> None:
    index, t = opened.index, terminal.t
    if terminal.as_json:
        terminal.emit({"medium": index.medium, "permit": index.permit, **found})
        return
    done = (
        t("確かめました（取り込んでいません）", "Checked; nothing was taken in")
        if found["is_dry_run"]
        else t("取り込みました", "Taken in")
    )
    terminal.out.print(f"[bold green]✓[/] {done}: {index.from_site} → {index.to_site}")
    if found["kind"] == "receipts":
        for transfer, state in found["transfers"].items():
            terminal.out.print(f"  {transfer}  {state or ''}".rstrip(), soft_wrap=True)
    else:
        terminal.out.print(f"  {found['link']}  {found['transfer']}", soft_wrap=True)
        if found["parts_missing"]:
            left = t(
                f"分割片があと {found['parts_missing']} 個要ります。次の媒体を取り込んでください。",
                f"{found['parts_missing']} parts are still missing: import the next medium.",
            )
            terminal.out.print(f"  {left}", soft_wrap=True)
    if not found["is_dry_run"]:
        terminal.out.print(
            t("  媒体は消去して返却してください。", "  Erase the medium and return it.")
        )
