"""``kumobashi keys``: back up the keys of transfers by themselves, and bring them back."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kumobashi.cli.command import Group, command, option
from kumobashi.cli.terminal import Terminal

if TYPE_CHECKING:
    from kumobashi.storage.erasable import ErasableSecrets

keys = Group(
    "keys",
    ja="転送の鍵の控えを、ほかの控えとは別に、短い期限で取り、戻します。",
    en="Back up the keys of transfers, apart from everything else and with a short end.",
    example="kumobashi keys backup --site public-cloud --to backups/keys",
)
_SITE = option("--site", required=True, metavar="SITE", ja="サイトの名前", en="The site")


@command(
    "backup",
    ja="転送の鍵の控えを作り、期限の過ぎた控えを消します。ほかの控えに鍵を入れないでください。",
    en="Write a backup of the keys, and destroy those in the folder whose end has come.",
    example="kumobashi keys backup --site public-cloud --to backups/keys --days 7",
)
@_SITE
@option(
    "--to",
    "folder",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    ja="控えを置くフォルダ",
    en="The folder for backups",
)
@option(
    "--days",
    type=click.IntRange(1, 31),
    default=7,
    ja="控えの期限（日、既定 7）",
    en="Days until the backup ends (default 7)",
)
def backup(terminal: Terminal, *, site: str, folder: Path, days: int) -> None:
    """Back the keys up."""
    from kumobashi.kernel import SystemClock, to_wire
    from kumobashi.storage.key_backups import back_up, destroy_ended

    now = SystemClock().now()
    made = back_up(_store(terminal, site), folder, site=site, now=now, keep=timedelta(days=days))
    ended = destroy_ended(folder, site=site, now=now)
    if terminal.as_json:
        terminal.emit(
            {
                "file": str(made.path),
                "keys": made.count,
                "until": to_wire(made.until),
                "destroyed": [path.name for path in ended],
            }
        )
        return
    terminal.out.print(
        terminal.t(
            f"{made.path}: 鍵 {made.count} 個。期限 {to_wire(made.until)[:10]}。"
            f"期限の過ぎた控え {len(ended)} 個を消しました。",
            f"{made.path}: {made.count} keys, until {to_wire(made.until)[:10]};"
            f" {len(ended)} ended backups destroyed.",
        ),
        soft_wrap=True,
    )


@command(
    "restore",
    ja="控えから鍵を戻します。消去した鍵は戻しません。ゲートウェイを止めてから実行してください。",
    en="Bring keys back from a backup; what was erased stays erased. Stop the gateway first.",
    example="kumobashi keys restore --site public-cloud backups/keys/keys-public-cloud-….tar",
)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@_SITE
def restore(terminal: Terminal, *, file: Path, site: str) -> None:
    """Bring keys back."""
    from kumobashi.kernel import SystemClock
    from kumobashi.storage.key_backups import bring_back

    done = bring_back(_store(terminal, site), file, site=site, now=SystemClock().now())
    if terminal.as_json:
        terminal.emit({"restored": done.restored, "there": done.there, "erased": done.erased})
        return
    terminal.out.print(
        terminal.t(
            f"戻した鍵 {done.restored}、もとからある鍵 {done.there}、"
            f"消去済みのため戻さない鍵 {done.erased}",
            f"{done.restored} keys restored, {done.there} were there, {done.erased} stay erased",
        )
    )


keys.add_command(backup)
keys.add_command(restore)


def _store(terminal: Terminal, site: str) -> "ErasableSecrets":
    from kumobashi.service.errors import SiteMissing
    from kumobashi.storage.erasable import ErasableSecrets

    workspace = terminal.workspace()
    if site not in workspace.sites:
        raise SiteMissing(site=site, known=", ".join(sorted(workspace.sites)))
    return ErasableSecrets(workspace.folder / "var" / site / "keys")
