"""``kumobashi directory list``, ``search`` and ``diff``, and ``show`` of one system."""

from typing import TYPE_CHECKING, Any

import click
from rich.table import Table
from rich.text import Text

from kumobashi.cli.command import command
from kumobashi.cli.exits import Exit
from kumobashi.cli.plain_tables import plain_table
from kumobashi.cli.terminal import Terminal
from kumobashi.kernel import SystemClock

if TYPE_CHECKING:
    from kumobashi.directory.differences import Difference
    from kumobashi.directory.entries import Directory, ServiceEntry, SystemEntry

_WHAT = {
    "added": ("＋ 追加", "+ added", "green"),
    "changed": ("≠ 変更", "≠ changed", "yellow"),
    "retired": ("－ 廃止", "- retired", "red"),
}


@command(
    "list",
    ja="システムと、そのサイト・データセット・サービスの一覧です。",
    en="List the systems with their sites, datasets and services.",
    example="kumobashi directory list",
)
def list_systems(terminal: Terminal) -> Exit:
    """List the systems."""
    held = _published(terminal)
    if terminal.as_json:
        terminal.emit(
            [
                {
                    "system": name,
                    "name": system.name,
                    "site": system.site,
                    "standby": list(system.standby),
                    "datasets": sorted(system.datasets),
                    "services": {
                        service: sorted(entry.interfaces)
                        for service, entry in system.services.items()
                    },
                }
                for name, system in held.systems.items()
            ]
        )
        return Exit.OK
    t = terminal.t
    table = _table(
        t("システム", "System"),
        t("名前", "Name"),
        t("サイト", "Site"),
        t("データセット", "Datasets"),
        t("サービス", "Services"),
    )
    for name, system in held.systems.items():
        services = ", ".join(
            f"{service} {'・'.join(entry.interfaces)}" for service, entry in system.services.items()
        )
        sites = ", ".join((system.site, *system.standby))
        table.add_row(name, system.name, sites, str(len(system.datasets)), services or "―")
    terminal.out.print(table)
    return Exit.OK


@command(
    "search",
    ja="サイト・システム・サービス・操作・連絡先を、語で探します（空白で区切ると、すべて含むもの）。",
    en="Search sites, systems, services, operations and contacts for all words of a text.",
    example="kumobashi directory search 納付",
)
@click.argument("text", metavar="TEXT")
def search(terminal: Terminal, *, text: str) -> Exit:
    """Search the directory."""
    from kumobashi.directory.differences import KINDS, searched

    found = searched(_published(terminal), text)
    if terminal.as_json:
        terminal.emit([{"kind": kind, "name": name, **facts} for kind, name, facts in found])
    elif not found:
        none = terminal.t(
            f"「{text}」を含むものはディレクトリにありません。",
            f"Nothing in the directory holds {text!r}.",
        )
        terminal.out.print(none, soft_wrap=True)
    else:
        table = _table(terminal.t("種類", "Kind"), terminal.t("名前", "Name"), "")
        for kind, name, facts in found:
            known = facts.get("name") or " ".join(
                facts[key] for key in ("method", "path", "layout") if key in facts
            )
            table.add_row(terminal.t(KINDS[kind], kind), name, known)
        terminal.out.print(table)
    return Exit.OK if found else Exit.USAGE


@command(
    "diff",
    ja="ディレクトリの2つの版の違い（追加・変更・廃止）。版の番号か、ファイルで指します。",
    en="Compare two versions of the directory, by number or as files: added, changed, retired.",
    example="kumobashi directory diff 1 2",
)
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
def diff(terminal: Terminal, *, old: str, new: str) -> Exit:
    """Compare two versions."""
    from kumobashi.directory.differences import differences
    from kumobashi.planning.publishing import load_version

    before, after = (load_version(terminal.folder, one) for one in (old, new))
    found = differences(before, after)
    if terminal.as_json:
        terminal.emit(
            {
                "old": before.version,
                "new": after.version,
                "differences": [difference_json(one) for one in found],
            }
        )
        return Exit.DRIFTED if found else Exit.OK
    t = terminal.t
    head = t(
        f"第 {before.version} 版 → 第 {after.version} 版: 違いは {len(found)} 件です。",
        f"Version {before.version} → {after.version}: {len(found)} differences.",
    )
    terminal.out.print(Text(head, "bold"), soft_wrap=True)
    for one in found:
        for line in difference_lines(terminal, one):
            terminal.out.print(line, soft_wrap=True)
    return Exit.DRIFTED if found else Exit.OK


def difference_json(one: "Difference") -> dict[str, Any]:
    """Return a difference for machines."""
    return {
        "kind": one.kind,
        "name": one.name,
        "what": one.what,
        "facts": {key: {"before": was, "after": now} for key, (was, now) in one.facts.items()},
    }


def difference_lines(terminal: Terminal, one: "Difference") -> list[Text]:
    """Return a difference for people: what came, went or is another, and each fact."""
    from kumobashi.directory.differences import KINDS

    t = terminal.t
    ja, en, style = _WHAT[one.what]
    head = Text.assemble(
        (f"  {t(ja, en)} ", style), f"{t(KINDS[one.kind], one.kind)} ", (one.name, "bold")
    )
    facts = (Text(f"      {key}: {was} → {now}", "dim") for key, (was, now) in one.facts.items())
    return [head, *facts]


def show_system(terminal: Terminal, held: "Directory", name: str) -> Exit:
    """Show one system with its services.

    Raises:
        SystemUnknown: the directory has no such system.
    """
    system = held.system(name)
    if terminal.as_json:
        from kumobashi.service.local_api import plain

        terminal.emit({"system": name, "version": held.version, **plain(system)})
        return Exit.OK
    t, site = terminal.t, held.site(system.site)
    terminal.out.print(Text.assemble((system.name, "bold"), f"  {name}"))
    for label, said in _about(
        terminal, held, system, f"{site.name}（{system.site}、{site.zone.ja}）"
    ):
        terminal.out.print(Text.assemble((f"  {label}  ", "dim"), said), soft_wrap=True)
    for dataset, entry in system.datasets.items():
        line = f"  {t('データセット', 'Dataset')} {dataset}  {entry.layout} {entry.version}"
        terminal.out.print(line, soft_wrap=True)
    for service, held_service in system.services.items():
        _show_service(terminal, service, held_service)
    return Exit.OK


def _about(
    terminal: Terminal, held: "Directory", system: "SystemEntry", at: str
) -> list[tuple[str, str]]:
    t = terminal.t
    found = [(t("サイト", "Site"), at)]
    if system.standby:
        names = "、".join(f"{held.site(one).name}（{one}）" for one in system.standby)
        found.append((t("ほかのサイト", "Standby"), names))
    if contact := held.contacts.get(system.contact):
        said = f"{contact.name} {contact.phone}（{contact.hours}）"
        found.append((t("連絡先", "Contact"), said))
    return found


def _show_service(terminal: Terminal, name: str, service: "ServiceEntry") -> None:
    t = terminal.t
    tests = t("、試験の照会だけ", ", tests only") if service.test_only else ""
    line = f"  {t('サービス', 'Service')} {name}  {service.name}（{service.kind}{tests}）"
    terminal.out.print(line, soft_wrap=True)
    for version, interface in service.interfaces.items():
        digest = f"  {interface.document[:19]}…" if interface.document else ""
        until = interface.last_day
        last = t(f"  {until} まで", f"  until {until}") if until else ""
        terminal.out.print(f"    {version}{last}{digest}", soft_wrap=True)
        for operation, asked in interface.operations.items():
            said = f"      {operation}  {asked.method} /{version}{asked.path}"
            terminal.out.print(Text(said), soft_wrap=True)


def _published(terminal: Terminal) -> "Directory":
    from kumobashi.planning.publishing import load_directory

    return load_directory(terminal.folder, now=SystemClock().now())


def _table(*titles: str) -> Table:
    table = plain_table()
    for title in titles:
        table.add_column(title)
    return table
