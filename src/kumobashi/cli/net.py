"""``kumobashi net``: the allow list of 特定通信, for forms and devices, and whether it holds."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from kumobashi.cli.command import Group, command, option
from kumobashi.cli.exits import Exit
from kumobashi.cli.plain_tables import plain_table
from kumobashi.cli.progress import bar
from kumobashi.cli.terminal import Terminal
from kumobashi.cli.wording import hung
from kumobashi.kernel import SystemClock, to_wire

if TYPE_CHECKING:
    from kumobashi.planning.net_rules import End, NetRule, NetRules
    from kumobashi.service.net_probe import Tried

net = Group(
    "net",
    ja="ゲートウェイどうしの通信（特定通信など）の許可の一覧を作り、確かめます。",
    en="Make the list of connections between gateways that are allowed, and see that it holds.",
    example="kumobashi net rules",
)
_FOUND = {
    "open": ("つながる", "open"),
    "refused": ("断られる", "refused"),
    "dropped": ("応答なし", "no answer"),
    "unreachable": ("届かない", "no way there"),
}


@command(
    "rules",
    ja="連携に要る通信だけの一覧を示します。--csv は申請書に付ける表、--nft は機器の設定です。\n"
    "--write で、申請した一覧として net/allowed.csv に残します。",
    en="Show exactly the connections that links need. --csv is the table for the form,\n"
    "--nft the rules of a device. --write keeps the list as net/allowed.csv, as applied for.",
    example="kumobashi net rules --csv 特定通信.csv",
)
@option(
    "--csv",
    "table",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    ja="申請書に付ける表（Excel で開ける CSV）",
    en="The table for the form, for Excel",
)
@option("--nft", "device", metavar="DEVICE", ja="この機器の設定を出す", en="Rules of a device")
@option("--write", "is_written", is_flag=True, ja="申請した一覧として残す", en="Keep it as applied")
def rules(terminal: Terminal, *, table: Path | None, device: str | None, is_written: bool) -> Exit:
    """Show the list, or write it down."""
    from kumobashi.planning.errors import DeviceUnknown
    from kumobashi.planning.net_allowed import no_longer_needed, not_applied_for, write_allowed
    from kumobashi.planning.net_forms import as_csv, as_nftables, devices
    from kumobashi.planning.net_rules import net_rules

    workspace = terminal.workspace()
    found = net_rules(workspace)
    if device is not None:
        known = devices(found)
        if device not in known:
            raise DeviceUnknown(device=device, known="、".join(known) or "-")
        click.echo(as_nftables(found, device), nl=False)
        return Exit.OK
    added = not_applied_for(workspace.folder, found.rules)
    gone = no_longer_needed(workspace.folder, found)
    if table is not None:
        table.write_text(as_csv(found), encoding="utf-8-sig", newline="")
    if is_written:
        write_allowed(workspace.folder, found)
    if terminal.as_json:
        terminal.emit(
            {
                "rules": [_json(rule) for rule in found.rules],
                "unused": [{"from": a, "to": b} for a, b in found.unused],
                "missing": list(found.missing),
                "added": [{"from": r.source.site, "to": r.target.site} for r in added],
                "gone": [list(line) for line in gone],
                "written": is_written,
            }
        )
        return Exit.OK
    _draw(terminal, found)
    for rule in added:
        _say(
            terminal,
            "!",
            f"申請した一覧にない通信: {rule.source.name} → {rule.target.name} {rule.port}",
            f"Not applied for yet: {rule.source.site} → {rule.target.site} {rule.port}",
        )
    for line in gone:
        ends = f"{line[0]} → {line[3]} {line[7]}"
        _say(terminal, "!", f"もう要らない通信: {ends}", f"No longer needed: {ends}")
    if is_written:
        said = ("net/allowed.csv に残しました。", "Kept as net/allowed.csv.")
        _say(terminal, "✓", *said)
    return Exit.OK


@command(
    "verify",
    ja="このサイトから、許可した通信がつながり、ほかの通信が閉じていることを、実際につないで確かめます。\n"
    "接続を開いてすぐ閉じるだけで、何も送りません。各サイトで実行してください。",
    en="Try from this site that what is allowed works and what is not is closed. Connections are\n"
    "opened and closed at once; nothing is sent. Run it at every site.",
    example="kumobashi net verify --site hall-core",
)
@option("--site", required=True, metavar="SITE", ja="実行しているサイト", en="Where this runs")
@option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    ja="記録（JSON）を残すファイル",
    en="Where to keep the record (JSON)",
)
def verify(terminal: Terminal, *, site: str, out: Path | None) -> Exit:
    """Try everything, and say what is not as the list says."""
    from kumobashi.directory.errors import SiteUnknown
    from kumobashi.planning.net_rules import net_rules
    from kumobashi.service.net_probe import probes_from, try_all

    workspace = terminal.workspace()
    if site not in workspace.sites:
        raise SiteUnknown(site=site)
    probes = probes_from(workspace, net_rules(workspace), site)
    with bar(terminal, "つないでみる", "Connecting") as told:
        tried = try_all(probes, told)
    wrong = [one for one in tried if not one.is_right]
    record = {
        "site": site,
        "at": to_wire(SystemClock().now()),
        "tried": [_tried(one) for one in tried],
        "wrong": len(wrong),
    }
    if out is not None:
        text = json.dumps(record, ensure_ascii=False, indent=1) + "\n"
        out.write_text(text, encoding="utf-8", newline="\n")
    if terminal.as_json:
        terminal.emit(record)
    else:
        _tell(terminal, tried)
    return Exit.REFUSED if wrong else Exit.OK


def _draw(terminal: Terminal, found: "NetRules") -> None:
    table = plain_table()
    for ja, en in (("発信元", "From"), ("宛先", "To"), ("ポート", "Port"), ("機器", "Device")):
        table.add_column(terminal.t(ja, en))
    table.add_column(terminal.t("連携", "Links"), justify="right")
    for rule in found.rules:
        a, b = rule.source, rule.target
        names = dict.fromkeys(end.device for end in (a, b) if end.device)
        table.add_row(
            _end(terminal, a),
            _end(terminal, b),
            f"{rule.protocol} {rule.port}",
            "、".join(names) or "―",
            str(len(rule.links)),
        )
    terminal.out.print(table)
    for site in found.missing:
        _say(
            terminal,
            "!",
            f"sites/{site}.yaml に network がありません。申請と機器の設定に要ります。",
            f"sites/{site}.yaml has no network; forms and devices need it.",
        )
    for opened, to in found.unused:
        _say(
            terminal,
            "!",
            f"{opened} → {to} は、どの連携も使いません。閉じてかまいません。",
            f"No link uses {opened} → {to}; it may be closed.",
        )


def _end(terminal: Terminal, end: "End") -> str:
    name = terminal.t(end.name, end.site)
    return f"{name}\n{end.ip}  {end.mac}" if end.ip else name


def _tell(terminal: Terminal, tried: "tuple[Tried, ...]") -> None:
    table = plain_table()
    for heading in (("", ""), ("宛先", "To"), ("", ""), ("一覧", "List"), ("実際", "Found")):
        table.add_column(terminal.t(*heading))
    for one in tried:
        if one.is_right and not one.probe.is_allowed:
            continue
        mark = Text("✓", "green") if one.is_right else Text("×", "red")
        wish = ("許可", "allowed") if one.probe.is_allowed else ("不許可", "closed")
        table.add_row(
            mark,
            one.probe.to_site,
            f"{one.probe.host}:{one.probe.port}",
            terminal.t(*wish),
            terminal.t(*_FOUND[one.found.value]),
        )
    terminal.out.print(table)
    closed = sum(one.is_right and not one.probe.is_allowed for one in tried)
    wrong = sum(not one.is_right for one in tried)
    terminal.out.print(
        terminal.t(
            f"閉じていることを確かめた通信 {closed}、一覧と違う通信 {wrong}",
            f"Closed as they should be: {closed}; not as the list says: {wrong}",
        )
    )


def _say(terminal: Terminal, mark: str, ja: str, en: str) -> None:
    style = "green" if mark == "✓" else "yellow"
    for line in hung(Text(f"{mark} ", style), terminal.t(ja, en), terminal.width):
        terminal.out.print(line, soft_wrap=True)


def _json(rule: "NetRule") -> dict[str, Any]:
    return {
        "from": asdict(rule.source),
        "to": asdict(rule.target),
        "by": rule.by,
        "protocol": rule.protocol,
        "port": rule.port,
        "links": list(rule.links),
    }


def _tried(one: "Tried") -> dict[str, Any]:
    return {
        "to": one.probe.to_site,
        "host": one.probe.host,
        "port": one.probe.port,
        "allowed": one.probe.is_allowed,
        "found": one.found.value,
        "right": one.is_right,
        "links": list(one.probe.links),
    }


for _command in (rules, verify):
    net.add_command(_command)
