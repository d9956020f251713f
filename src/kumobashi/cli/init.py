"""``kumobashi init``: make a workspace, with the fictional city's data if asked for."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kumobashi.cli.command import command, option
from kumobashi.cli.errors import Usage
from kumobashi.cli.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Mapping


@command(
    "init",
    ja="連携設定フォルダを作ります。--sample は架空市の見本です（鍵と署名付きディレクトリも）。",
    en="Make a workspace; --sample is the fictional city's, with keys and a signed directory.",
    example="kumobashi init --sample city",
)
@click.argument(
    "folder", metavar="[DIR]", default=".", type=click.Path(path_type=Path, file_okay=False)
)
@option(
    "--sample", is_flag=True, ja="架空市の見本を書く", en="Write the sample of the fictional city"
)
@option(
    "--port-base",
    type=click.IntRange(1024, 65_532),
    default=8740,
    show_default=True,
    metavar="N",
    ja="4つのゲートウェイの最初のポート",
    en="The first of the four gateways' ports",
)
@option(
    "--residents",
    type=click.IntRange(1_000, 4_000_000),
    metavar="N",
    ja="この人数の架空の住民データも作る",
    en="Also make data of so many fictional residents",
)
@option(
    "--seed",
    type=int,
    default=1,
    show_default=True,
    metavar="S",
    ja="架空の住民の種",
    en="Seed of the city",
)
def init(
    terminal: Terminal,
    *,
    folder: Path,
    sample: bool,
    port_base: int,
    residents: int | None,
    seed: int,
) -> None:
    """Write the workspace."""
    from kumobashi.planning.sampling import SAMPLE_PORTS, write_sample
    from kumobashi.planning.workspace import load

    if not sample:
        raise Usage(
            what="いま作れるのは見本だけです。--sample を付けてください。",
            what_en="Only a sample can be made so far; add --sample.",
            command="kumobashi init",
        )
    ports = {site: port_base + number for number, site in enumerate(SAMPLE_PORTS)}
    write_sample(folder, ports=ports)
    rows: Mapping[str, int] = {}
    if residents is not None:
        from kumobashi.cli.city import write_city

        rows = write_city(folder, residents=residents, seed=seed)
    workspace = load(folder)
    if terminal.as_json:
        terminal.emit(
            {
                "folder": str(folder),
                "links": sorted(workspace.every_link),
                "ports": ports,
                "rows": rows,
            }
        )
        return
    say = terminal.out.print
    say(
        terminal.t(
            f"連携設定を作りました: {folder}（サイト {len(workspace.sites)}、"
            f"システム {len(workspace.systems)}、連携 {len(workspace.every_link)}）",
            f"Made {folder}: {len(workspace.sites)} sites, {len(workspace.systems)} systems,"
            f" {len(workspace.every_link)} links",
        ),
        soft_wrap=True,
    )
    if rows:
        say(
            terminal.t(
                f"架空の住民 {residents:,} 人のデータを入れました（{sum(rows.values()):,} 行）。",
                f"Data of {residents:,} fictional residents: {sum(rows.values()):,} rows.",
            )
        )
    say(terminal.t("次に: ", "Next: ") + f"kumobashi --workspace {folder} plan", soft_wrap=True)
    url = f"http://127.0.0.1:{ports['hall-core']}/"
    command = f"kumobashi --workspace {folder} serve --site hall-core"
    say(
        terminal.t(f"画面は: {command} → {url}", f"Console: {command} → {url}"),
        soft_wrap=True,
    )
