"""``kumobashi evidence``: check the log of what happened, hand it to an auditor, look at it."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from kumobashi.cli.command import Group, command, option
from kumobashi.cli.errors import Usage
from kumobashi.cli.evidence_telling import tell, write_table
from kumobashi.cli.exits import Exit
from kumobashi.cli.plain_tables import plain_table
from kumobashi.cli.terminal import Terminal
from kumobashi.kernel import JST

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kumobashi.calls.auditing import JournalAudit
    from kumobashi.crypto.keys import VerifyKey
    from kumobashi.exchange.evidence_state import Selection

evidence = Group(
    "evidence",
    ja="証跡（何が起きたかの、書き換えると分かる記録）を確かめ、書き出し、見ます。",
    en="Verify, export and show the evidence log: what happened, in a form that shows changes.",
    example="kumobashi evidence verify evidence.tar --trust directory.pub",
)
_FILE = click.Path(path_type=Path, dir_okay=False)
_DAY = click.DateTime(["%Y-%m-%d"])
_SITE = option("--site", metavar="SITE", ja="サイトの名前", en="The site")


def selecting(function: "Callable[..., Any]") -> "Callable[..., Any]":
    """Give a command the options that choose records."""
    for names, metavar, kind, ja, en in (
        ("--transfer", "ID", None, "この転送だけ", "This transfer only"),
        ("--link", "LINK", None, "この連携だけ", "This link only"),
        ("--until", "DATE", _DAY, "この日まで（日本時間）", "To this day (Japan)"),
        ("--since", "DATE", _DAY, "この日から（日本時間）", "From this day on (Japan)"),
    ):
        function = option(names, metavar=metavar, type=kind, ja=ja, en=en)(function)
    return function


@command(
    "verify",
    ja="証跡を確かめます。書き出したファイルは、別の機械で公開鍵だけあれば確かめられます。\n"
    "変えられていれば、最初の記録の番号を示して 1 で終わります。",
    en="Verify an evidence file with public keys alone, or the log of a site here.\n"
    "Names the first record that was touched, and ends with 1.",
    example="kumobashi evidence verify evidence.tar --trust directory.pub",
)
@click.argument("file", type=_FILE, required=False)
@_SITE
@option(
    "--trust",
    type=_FILE,
    metavar="FILE",
    ja="信頼する公開鍵 directory.pub（既定: 連携設定フォルダの keys/ の中）",
    en="The public key to trust, directory.pub (default: the workspace's)",
)
@option(
    "--against",
    type=_FILE,
    multiple=True,
    metavar="FILE",
    ja="別のサイトの証跡。そこに残る、この証跡の署名とも突き合わせる（何度でも）",
    en="Evidence of another site, which saw this log; may be given several times",
)
@option(
    "--every-signature",
    is_flag=True,
    ja="到達確認の署名を全部確かめる（既定: 1万通まで。中身は常に全部照合）",
    en="Check the signature of every receipt (default: of 10,000; digests always)",
)
def verify(
    terminal: Terminal,
    *,
    file: Path | None,
    site: str | None,
    trust: Path | None,
    against: "Sequence[Path]",
    every_signature: bool,
) -> Exit:
    """Verify a file or a site."""
    from kumobashi.exchange.auditing import audit_file

    calls: JournalAudit | None = None
    if site is not None and file is None:
        from kumobashi.service.evidence_desk import EvidenceDesk

        desk = EvidenceDesk(terminal.folder, site)
        found = desk.look(lambda log: log.audit(desk.directory, every_signature=every_signature))
        calls = desk.audit_calls(every_signature=every_signature)
    elif file is not None and site is None:
        for one in (file, *against):
            existing(one)
        trusted = trusted_by(terminal, trust)
        found = audit_file(file, trusted, against=against, every_signature=every_signature)
    else:
        raise Usage(
            what="ファイルか --site の、どちらか1つを書いてください",
            what_en="give either a file or --site",
            command="kumobashi evidence verify",
        )
    tell(terminal, found, calls)
    return Exit.OK if found.is_sound and (calls is None or calls.is_sound) else Exit.RED


@command(
    "export",
    ja="証跡を監査のためのファイルに書き出します。.csv は Excel、.html は印刷のための一覧です。",
    en="Write evidence for auditors; .csv is a table for Excel, .html one for paper.",
    example="kumobashi evidence export --site hall-core --out evidence.tar",
)
@_SITE
@option("--out", required=True, type=_FILE, metavar="FILE", ja="書き出し先", en="Where to write")
@selecting
def export(
    terminal: Terminal,
    *,
    site: str | None,
    out: Path,
    since: datetime | None,
    until: datetime | None,
    link: str | None,
    transfer: str | None,
) -> Exit:
    """Write a file."""
    from kumobashi.kernel import SystemClock
    from kumobashi.service.evidence_desk import EvidenceDesk

    desk = EvidenceDesk(terminal.folder, _needed(site, "export"))
    chosen = _selection(since, until, link, transfer)
    desk.sign()
    written: dict[str, Any]
    if out.suffix in {".csv", ".html"}:
        count = desk.look(lambda log: write_table(terminal, out, desk.site, log.readable(chosen)))
        written = {"file": str(out), "records": count}
    else:
        now = SystemClock().now()
        made = desk.look(lambda log: log.export(out, desk.token, chosen, now))
        written = {
            "file": str(out),
            "records": made.records,
            "receipts": made.receipts,
            "signed": made.size,
            "kind": made.kind,
        }
    if terminal.as_json:
        terminal.emit(written)
        return Exit.OK
    count = written["records"]
    said = terminal.t(
        f"書き出しました: {out}（記録 {count:,} 件）", f"Written: {out} ({count:,} records)"
    )
    terminal.out.print(f"[bold green]✓[/] {said}", soft_wrap=True)
    if out.suffix not in {".csv", ".html"}:
        said = terminal.t(
            "確かめる人には、これと keys/directory.pub を別々の経路で渡してください。",
            "Give it to the auditor, and keys/directory.pub by another way.",
        )
        terminal.out.print(f"  {said}", soft_wrap=True)
    return Exit.OK


@command(
    "show",
    ja="証跡の新しい記録を示します。まだ番号・署名のない記録の数も示します。",
    en="Show the newest records, and how many have no number or signature yet.",
    example="kumobashi evidence show --site hall-core --last 20",
)
@_SITE
@option(
    "--last",
    type=click.IntRange(1, 10_000),
    default=20,
    show_default=True,
    metavar="N",
    ja="何件",
    en="How many",
)
@selecting
def show(
    terminal: Terminal,
    *,
    site: str | None,
    last: int,
    since: datetime | None,
    until: datetime | None,
    link: str | None,
    transfer: str | None,
) -> Exit:
    """Show records."""
    from kumobashi.evidence.checkpoints import verifier_key
    from kumobashi.service.evidence_desk import EvidenceDesk

    desk = EvidenceDesk(terminal.folder, _needed(site, "show"))
    chosen = _selection(since, until, link, transfer)
    standing, records = desk.look(lambda log: (log.standing(), log.newest(chosen, last)))
    keys = [verifier_key(standing.origin, k) for k in desk.directory.keys_of(desk.site).values()]
    if terminal.as_json:
        terminal.emit(
            {
                "origin": standing.origin,
                "size": standing.size,
                "waiting": standing.waiting,
                "signed": standing.signed,
                "checkpoint": standing.note,
                "keys": keys,
                "witnessed": standing.witnessed,
                "faults": standing.faults,
                "records": [{"number": number, **said} for number, said in records],
            }
        )
        return Exit.RED if standing.faults else Exit.OK
    t = terminal.t
    terminal.out.print(
        t(
            f"[bold]{standing.origin}[/]  記録 {standing.size:,} 件、署名済み {standing.signed:,} "
            f"件、番号待ち {standing.waiting:,} 件",
            f"[bold]{standing.origin}[/]  {standing.size:,} records, {standing.signed:,} signed, "
            f"{standing.waiting:,} waiting for a number",
        ),
        soft_wrap=True,
    )
    for peer, size in standing.witnessed.items():
        said = t(f"{peer} の証跡を {size:,} 件まで確認", f"{peer} seen up to {size:,} records")
        terminal.out.print(f"  {said}", soft_wrap=True)
    for fault in standing.faults:
        said = t("の証跡が合いません", "has a log that does not fit")
        terminal.out.print(
            Text.assemble(("× ", "bold red"), f"{fault['site']} {said} ({fault['verdict']})"),
            soft_wrap=True,
        )
    from kumobashi.exchange.evidence_tables import COLUMNS, row

    shown = ("number", "at", "by", "event", "link", "change", "code")
    table = plain_table()
    for name in shown:
        table.add_column(terminal.say(COLUMNS[name]))
    for number, record in records:
        cells = row(number, record, terminal.lang)
        table.add_row(*(cells[name] for name in shown))
    terminal.out.print(table)
    return Exit.RED if standing.faults else Exit.OK


for _command in (verify, export, show):
    evidence.add_command(_command)


def existing(file: Path) -> Path:
    """Return ``file`` if it is one that can be read."""
    if not file.is_file():
        raise Usage(
            what=f"ファイル {file} がありません",
            what_en=f"there is no file {file}",
            command="kumobashi evidence verify",
        )
    return file


def trusted_by(terminal: Terminal, trust: Path | None) -> "VerifyKey":
    """Return the public key that is believed: the one given, else the workspace's."""
    from kumobashi.crypto.errors import KeyUnfit
    from kumobashi.crypto.keys import VerifyKey
    from kumobashi.planning.publishing import trusted_key

    if trust is None:
        return trusted_key(terminal.folder)
    try:
        return VerifyKey.from_jwk(json.loads(existing(trust).read_text(encoding="ascii")))
    except (ValueError, AttributeError, KeyUnfit):
        raise Usage(
            what=f"{trust.name} は公開鍵（directory.pub）ではありません",
            what_en=f"{trust.name} is no public key (directory.pub)",
            command="kumobashi evidence verify",
        ) from None


def _needed(site: str | None, name: str) -> str:
    if site is None:
        raise Usage(
            what="--site を書いてください",
            what_en="give --site",
            command=f"kumobashi evidence {name}",
        )
    return site


def _selection(
    since: datetime | None, until: datetime | None, link: str | None, transfer: str | None
) -> "Selection":
    from kumobashi.exchange.evidence_state import Selection

    return Selection(
        since=since.replace(tzinfo=JST) if since else None,
        until=until.replace(tzinfo=JST) + timedelta(days=1) if until else None,
        link=link,
        transfer=transfer,
    )
