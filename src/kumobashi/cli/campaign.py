"""``kumobashi campaign``: whom notices mean, and how far coarsened data would miss them."""

from datetime import date
from typing import TYPE_CHECKING

import click

from kumobashi.cli.command import Group, command, option
from kumobashi.cli.exits import Exit
from kumobashi.cli.terminal import Terminal

if TYPE_CHECKING:
    from kumobashi.planning.campaign_story import CampaignLine

campaign = Group(
    "campaign",
    ja="通知の定義を調べます: 抽象化で起きる誤差、データの時点、庁内判定との比べ。",
    en="Look into campaigns: errors by abstraction, data times, predicate-only beside them.",
    example="kumobashi campaign check",
)


@command(
    "check",
    ja="通知ごとに、正確な条件と粗い条件を比べ、余分に届く人・届かない人と判定を示します。\n"
    "通知を1つ名指しすると、生データ・抽象化・庁内判定の3つも比べます。何も送りません。",
    en="For each campaign hold its coarsened condition against the exact one: who is reached\n"
    "wrongly or missed, and the verdict. Naming one also compares the three ways. Nothing leaves.",
    example="kumobashi campaign check landslide",
)
@click.argument("codes", metavar="[CAMPAIGN]...", nargs=-1)
@option(
    "--date",
    "on",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    ja="基準日（既定: 今日）",
    en="The base date (default: today)",
)
def check(terminal: Terminal, *, codes: tuple[str, ...], on: date | None) -> Exit:
    """Print the error table."""
    from kumobashi.kernel import SystemClock, business_date
    from kumobashi.service.campaign_counts import campaign_lines

    workspace = terminal.workspace()
    now = SystemClock().now()
    day = date.fromisoformat(f"{on:%Y-%m-%d}") if on else business_date(now)
    chosen = [workspace.campaign(code) for code in codes or sorted(workspace.campaigns)]
    lines = campaign_lines(
        workspace, chosen, on=day, now=now, is_compared=bool(codes) and len(codes) == 1
    )
    if terminal.as_json:
        from kumobashi.planning.campaign_story import line_json

        terminal.emit({"on": day.isoformat(), "campaigns": [line_json(line) for line in lines]})
    else:
        _show(terminal, lines, day)
    return Exit.RED if any(line.stopped for line in lines) else Exit.OK


campaign.add_command(check)


def _show(terminal: Terminal, lines: "list[CampaignLine]", on: date) -> None:
    from kumobashi.cli.campaign_tables import draw

    if not lines:
        terminal.out.print(
            terminal.t("通知の定義（campaigns/）はありません。", "There are no campaigns.")
        )
        return
    for part in draw(terminal, lines, on):
        terminal.out.print(part, soft_wrap=True)
