"""``kumobashi catalogue``: layouts, items, code lists, versions, and where an item goes."""

from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING

import click
from rich.text import Text

from kumobashi.cli.catalogue_tables import (
    draw_code_list,
    draw_code_lists,
    draw_item,
    draw_items,
    draw_layout,
    draw_layouts,
    property_name,
)
from kumobashi.cli.command import Group, command, option
from kumobashi.cli.errors import NoWorkspace
from kumobashi.cli.exits import Exit
from kumobashi.cli.terminal import Terminal
from kumobashi.cli.wording import hung

if TYPE_CHECKING:
    from kumobashi.catalogue import Item, Layout, Layouts

catalogue = Group(
    "catalogue",
    ja="レイアウト・項目・コード表を見て、版を比べ、項目の行き先をたどります。",
    en="Look at layouts, items and code lists, compare versions, follow an item.",
    example="kumobashi catalogue list",
)


@command(
    "list",
    ja="レイアウトの一覧です。版と期間、項目の数を示します。",
    en="All layouts with their versions and the days they are valid.",
    example="kumobashi catalogue list --date 2026-11-22",
)
@option("--items", is_flag=True, ja="項目の登録簿を出す", en="List the registry of items")
@option("--codes", is_flag=True, ja="コード表の一覧を出す", en="List the code lists")
@option(
    "--date",
    "on",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    ja="その日に使える版だけを出す",
    en="Only versions that are valid on that day",
)
def list_(terminal: Terminal, *, items: bool, codes: bool, on: date | None) -> Exit:
    """List layouts, items or code lists."""
    from kumobashi.catalogue import load_code_lists, load_items

    if items:
        draw_items(terminal, list(load_items().values()))
    elif codes:
        draw_code_lists(terminal, list(load_code_lists().values()))
    else:
        day = date.fromisoformat(f"{on:%Y-%m-%d}") if on else None
        held = sorted(layouts_here(terminal), key=lambda held: (held.layout, held.valid_from))
        draw_layouts(terminal, [one for one in held if day is None or one.is_valid(day)])
    return Exit.OK


@command(
    "show",
    ja="1つのレイアウト、項目、またはコード表を示します。項目は、使われているところも示します。",
    en="One layout, item or code list; an item with the layouts that hold it.",
    example="kumobashi catalogue show resident-registry --version 2",
)
@click.argument("name", metavar="NAME")
@option("--version", metavar="VERSION", ja="版（既定: 今日使う版）", en="Default: today's")
def show(terminal: Terminal, *, name: str, version: str | None) -> Exit:
    """Show whatever has this name."""
    from kumobashi.catalogue import load_code_lists

    layouts = layouts_here(terminal)
    if version or name in layouts.names():
        draw_layout(terminal, layout_here(layouts, name, version))
        return Exit.OK
    if name in list(load_code_lists()):
        draw_code_list(terminal, load_code_lists()[name])
        return Exit.OK
    draw_item(terminal, _item_called(name), layouts)
    return Exit.OK


@command(
    "diff",
    ja="レイアウトの2つの版の違いです。",
    en="What changed between two versions of a layout.",
    example="kumobashi catalogue diff resident-registry 1 2",
)
@click.argument("name", metavar="LAYOUT")
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
def diff(terminal: Terminal, *, name: str, old: str, new: str) -> Exit:
    """Compare two versions."""
    from kumobashi.catalogue.differences import differences

    t, layouts = terminal.t, layouts_here(terminal)
    found = differences(layouts.get(name, old), layouts.get(name, new))
    if terminal.as_json:
        terminal.emit({"layout": name, "old": old, "new": new, **asdict(found)})
        return Exit.OK
    title = t(f"版 {old} → 版 {new}", f"version {old} → {new}")
    terminal.out.print(Text.assemble((name, "bold"), f"  {title}"))
    if found.is_empty:
        terminal.out.print(t("違いはありません。", "There is no difference."))
    for change in found.whole:
        head = Text(f"  {property_name(terminal, change.of)}: ")
        for line in hung(head, f"{change.old or '-'} → {change.new or '-'}", terminal.width):
            terminal.out.print(line)
    signs = {"added": ("＋", "green"), "removed": ("−", "red"), "changed": ("～", "yellow")}
    for field in found.fields:
        said = "、".join(
            f"{property_name(terminal, c.of)} {c.old or '-'} → {c.new or '-'}"
            for c in field.changes
        )
        sign = signs[field.kind]
        head = Text.assemble("  ", sign, " ")
        for line in hung(head, f"{field.name}  {field.ja}  {said}".rstrip(), terminal.width):
            terminal.out.print(line)
    if found.is_reordered:
        terminal.out.print(t("  項目の順序も変わりました。", "  The order changed too."))
    return Exit.OK


@command(
    "lineage",
    ja="項目が、どのデータセットから、どの連携と操作を経て、どこへ行くかをたどります。",
    en="Follow an item: from which dataset, through which links and operations, to where.",
    example="kumobashi catalogue lineage birth_date",
)
@click.argument("item", metavar="ITEM")
def follow(terminal: Terminal, *, item: str) -> Exit:
    """Follow an item through the workspace."""
    from kumobashi.cli.lineage import lineage

    t, found = terminal.t, lineage(terminal.workspace(), item)
    if terminal.as_json:
        terminal.emit(
            {
                "item": found.item,
                "held": [
                    {"place": str(place), "ja": ja, "system": system}
                    for place, ja, system in found.held
                ],
                "flows": [
                    {
                        **asdict(flow),
                        "source": str(flow.source),
                        "target": str(flow.target) if flow.target else None,
                    }
                    for flow in found.flows
                ],
            }
        )
        return Exit.OK
    terminal.out.print(
        Text(t(f"「{item}」を持つデータセット", f"Datasets that hold {item!r}"), "bold")
    )
    for place, ja, system in found.held:
        terminal.out.print(Text(f"  {place}  {ja}  {t(f'（{system}）', '')}".rstrip()))
    terminal.out.print()
    terminal.out.print(Text(t("行き先と使われ方", "Where it goes and what it decides"), "bold"))
    if not found.flows:
        terminal.out.print(t("  どの連携も使っていません。", "  No link uses it."))
    shown = None
    for flow in found.flows:
        if flow.source != shown:
            terminal.out.print(Text(f"  {flow.source}  {flow.source_ja}"))
            shown = flow.source
        said = terminal.say(flow.said)
        to = f"{flow.target}  {flow.target_ja}  {t(f'［{said}］', f'[{said}]')}"
        head = Text("    → " if flow.target else "    ? ")
        for line in hung(head, to if flow.target else said, terminal.width):
            terminal.out.print(line)
        where = t(f"{flow.file} {flow.line}行目", f"{flow.file}, line {flow.line}")
        terminal.out.print(Text(f"      {t('連携', 'link')} {flow.link}  {where}", "dim"))
    return Exit.OK


for made in (list_, show, diff, follow):
    catalogue.add_command(made)


def layouts_here(terminal: Terminal) -> "Layouts":
    """Return the layouts that ship, with those of the workspace if there is one here."""
    from kumobashi.catalogue import load_layouts
    from kumobashi.planning.errors import WorkspaceBroken
    from kumobashi.planning.layout_files import read_layouts

    try:
        folder = terminal.folder
    except NoWorkspace:
        if terminal.wish:
            raise
        return load_layouts()
    layouts, _, mistakes = read_layouts(folder)
    if mistakes:
        raise WorkspaceBroken(mistakes)
    return layouts


def layout_here(layouts: "Layouts", name: str, version: str | None) -> "Layout":
    """Return a version, or that of today, or the last there was."""
    from kumobashi.catalogue.errors import LayoutUnknown
    from kumobashi.kernel import SystemClock, business_date

    if version:
        return layouts.get(name, version)
    try:
        return layouts.on(name, business_date(SystemClock().now()))
    except LayoutUnknown:
        return layouts.get(name, (layouts.versions(name) or ("1",))[-1])


def _item_called(name: str) -> "Item":
    """Return an item by its name, its Japanese name, its romaji or its id."""
    from kumobashi.catalogue import load_items

    items = load_items()
    if name in items:
        return items[name]
    called = (i for i in items.values() if name in {i.ja, i.romaji, *i.item_ids})
    return next(called, None) or items[name]  # the last raises, with the nearest names
