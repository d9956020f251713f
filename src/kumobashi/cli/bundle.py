"""``kumobashi bundle``: write a transfer's sealed bundle into one file, and check such a file."""

from pathlib import Path

import click
from rich.text import Text

from kumobashi.cli.command import Group, command, option
from kumobashi.cli.evidence import existing, trusted_by
from kumobashi.cli.exits import Exit
from kumobashi.cli.terminal import Terminal

bundle = Group(
    "bundle",
    ja="封緘データを1つのファイルに書き出し、公開鍵だけで確かめます。中身は開きません。",
    en="Write a sealed bundle into one file, and check it with public keys; nothing is opened.",
    example="kumobashi bundle verify bundle.tar --trust directory.pub",
)
_FILE = click.Path(path_type=Path, dir_okay=False)


@command(
    "verify",
    ja="封緘データのファイルを、別の機械でも、公開鍵だけで確かめます。",
    en="Check a bundle file, also on another machine, with public keys alone.",
    example="kumobashi bundle verify bundle.tar --trust directory.pub",
)
@click.argument("file", type=_FILE)
@option(
    "--trust",
    type=_FILE,
    metavar="FILE",
    ja="信頼する公開鍵 directory.pub（既定: 連携設定フォルダの keys/ の中）",
    en="The public key to trust, directory.pub (default: the workspace's)",
)
def verify(terminal: Terminal, *, file: Path, trust: Path | None) -> Exit:
    """Verify a file."""
    from kumobashi.console.labels import STAGES
    from kumobashi.messages.bundle_files import verify_bundle

    found = verify_bundle(existing(file), trusted_by(terminal, trust))
    manifest = found.manifest
    if terminal.as_json:
        terminal.emit(
            {
                "is_sound": True,
                "transfer": manifest.transfer,
                "attempt": manifest.attempt,
                "link": manifest.link,
                "from_site": manifest.from_site,
                "to_site": manifest.to_site,
                "business_date": manifest.business_date.isoformat(),
                "manifest_digest": manifest.digest(),
                "rows": manifest.rows,
                "parts": len(manifest.parts),
                "has_parts": found.has_parts,
                "sealed_bytes": manifest.sealed_bytes,
                "receipts": [one.stage.value for one in found.receipts],
                "directory_version": found.directory.version,
            }
        )
        return Exit.OK
    t = terminal.t
    said = t("封緘データは送り側が署名したとおりです", "The bundle is as its sender signed it")
    terminal.out.print(Text.assemble(("✓ ", "bold green"), (said, "bold")))
    stages = "→".join(terminal.say(STAGES[one.stage.value]) for one in found.receipts)
    parts = (
        t("すべて照合", "all checked")
        if found.has_parts
        else t("入っていない（破棄後の書き出し）", "not in the file")
    )
    for line in (
        f"{manifest.link}  {manifest.from_site} → {manifest.to_site}  {manifest.business_date}",
        f"{t('転送', 'transfer')} {manifest.transfer}  {t('試行', 'attempt')} {manifest.attempt}",
        f"{t('分割片', 'parts')} {len(manifest.parts):,}  {manifest.sealed_bytes:,} B  {parts}",
        f"{t('到達確認', 'receipts')} {stages or t('まだない', 'none yet')}",
    ):
        terminal.out.print(f"  {line}", soft_wrap=True)
    return Exit.OK


@command(
    "export",
    ja="転送の封緘データを1つのファイルに書き出します（目録・分割片・到達確認・ディレクトリ）。\n"
    "分割片は、取り込みが終わると消えます。そのあとは --without-parts で残りを書き出せます。",
    en="Write a transfer's bundle into one file: manifest, parts, receipts, directory.\n"
    "Parts are gone once they were applied; --without-parts writes the rest.",
    example="kumobashi bundle export 0192f3b2-7c1e-7aaa-8bbb-0123456789ab --site hall-core"
    " --out bundle.tar",
)
@click.argument("transfer")
@option("--site", required=True, metavar="SITE", ja="サイトの名前", en="The site")
@option("--out", required=True, type=_FILE, metavar="FILE", ja="書き出し先", en="Where to write")
@option("--without-parts", is_flag=True, ja="分割片を入れない", en="Leave the parts out")
def export(terminal: Terminal, *, transfer: str, site: str, out: Path, without_parts: bool) -> Exit:
    """Write a file."""
    from kumobashi.exchange.bundles import export_bundle
    from kumobashi.service.evidence_desk import EvidenceDesk

    desk = EvidenceDesk(terminal.folder, site)
    manifest = desk.read(
        lambda connection: export_bundle(
            connection,
            out,
            tenant=desk.tenant,
            transfer=transfer,
            directory=desk.directory,
            token=desk.token,
            var=terminal.folder / "var" / site,
            with_parts=not without_parts,
        )
    )
    if terminal.as_json:
        parts = 0 if without_parts else len(manifest.parts)
        terminal.emit({"file": str(out), "attempt": manifest.attempt, "parts": parts})
    else:
        said = terminal.t(f"書き出しました: {out}", f"Written: {out}")
        terminal.out.print(f"[bold green]✓[/] {said}", soft_wrap=True)
    return Exit.OK


for _command in (verify, export):
    bundle.add_command(_command)
