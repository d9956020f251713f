"""``kumobashi consent receipt``: what a resident takes home, and whether it is ours."""

from pathlib import Path

import click

from kumobashi.cli.command import Group, command, option
from kumobashi.cli.consent.asking import SITE, ask, ledger_site
from kumobashi.cli.terminal import Terminal

_FILE = click.Path(path_type=Path, dir_okay=False)

receipt = Group(
    "receipt",
    ja="同意の受領証を出し、確かめます。",
    en="Issue and verify receipts of consents.",
    example="kumobashi consent receipt verify receipt.jws",
)


@command(
    "issue",
    ja="1つの記録の受領証を、署名して書き出します。--print で A4 の紙にする HTML も書きます。",
    en="Write the signed receipt of a record; --print also writes HTML for a page of A4.",
    example="kumobashi consent receipt issue 019aa8d1-5b7c-7000-8000-0123456789ab --output r.jws",
)
@click.argument("record")
@SITE
@option("--output", type=_FILE, required=True, metavar="FILE", ja="書き出す先", en="Where to write")
@option("--print", "paper", type=_FILE, metavar="FILE", ja="A4 の HTML", en="HTML for A4")
def issue(
    terminal: Terminal, *, record: str, site: str | None, output: Path, paper: Path | None
) -> None:
    """Issue a receipt."""
    from kumobashi.consent.printing import page_of
    from kumobashi.consent.receipts import receipt_of, sign
    from kumobashi.consent.records import plain_to_record
    from kumobashi.crypto.keys import SigningKey
    from kumobashi.evidence.revisions import Revision

    workspace = terminal.workspace()
    name = site or ledger_site(workspace)
    found = ask(terminal, name, "record", {"record": record})
    key = SigningKey.load(workspace.folder / "private" / name / "sign.key")
    kept = plain_to_record(found["record"])
    first = found["first"]
    made = receipt_of(
        kept,
        Revision(number=1, hash=first["hash"], body=first["body"].encode()),
        workspace.consents[kept.purpose],
        site=name,
        tenant=workspace.municipality.municipality.code,
        kid=key.kid,
    )
    token = sign(made, key)
    output.write_text(token + "\n", encoding="ascii", newline="\n")
    if paper:
        page = page_of(made, token, municipality=workspace.municipality.municipality.name)
        paper.write_text(page, encoding="utf-8", newline="\n")
    if terminal.as_json:
        terminal.emit({"receipt": token, "fields": made.model_dump(mode="json")})
    else:
        terminal.out.print(
            terminal.t(f"受領証を書き出しました: {output}", f"Receipt written: {output}"),
            soft_wrap=True,
        )


@command(
    "verify",
    ja="受領証を、団体の公開鍵だけで確かめます。",
    en="Verify a receipt with the municipality's public keys alone.",
    example="kumobashi consent receipt verify receipt.jws",
)
@click.argument("file", type=_FILE)
@SITE
def verify(terminal: Terminal, *, file: Path, site: str | None) -> None:
    """Verify a receipt."""
    from kumobashi.consent.errors import ConsentReceiptWrong
    from kumobashi.consent.receipts import verify as verified
    from kumobashi.kernel import SystemClock
    from kumobashi.planning.publishing import load_directory

    directory = load_directory(terminal.workspace().folder, now=SystemClock().now())
    names = [site] if site else sorted(directory.sites)
    keys = {kid: key for name in names for kid, key in directory.site(name).verify_keys.items()}
    try:
        token = file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        raise ConsentReceiptWrong(reason=f"{file.name} を読めません") from None
    found = verified(token, keys)
    if terminal.as_json:
        terminal.emit(found.model_dump(mode="json"))
        return
    purpose = found.services[0].purposes[0]
    terminal.out.print(
        terminal.t(
            f"✓ 署名を確かめました: {found.consentReceiptID}（{found.state}）",
            f"✓ The signature holds: {found.consentReceiptID} ({found.state})",
        ),
        soft_wrap=True,
    )
    terminal.out.print(f"  {purpose.purpose}", soft_wrap=True, markup=False)


receipt.add_command(issue)
receipt.add_command(verify)
