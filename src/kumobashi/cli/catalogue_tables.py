"""Layouts, items and code lists as the terminal shows them, or as JSON for machines."""

from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from kumobashi.cli.plain_tables import plain_table
from kumobashi.cli.terminal import Terminal
from kumobashi.cli.wording import hung

if TYPE_CHECKING:
    from kumobashi.catalogue import CodeList, Item, Layout, Layouts


def draw_layouts(terminal: Terminal, layouts: "list[Layout]") -> None:
    """Print the list of layouts."""
    from kumobashi.catalogue.layouts import span

    if terminal.as_json:
        terminal.emit([_plain(one, with_fields=False) for one in layouts])
        return
    t = terminal.t
    table = _table(
        (t("レイアウト", "Layout"), t("版", "Version"), t("期間", "Valid"), t("項目", "Items"))
    )
    table.add_column(t("形", "Shape"), no_wrap=True)
    table.add_column(t("名前", "Name"), overflow="fold")
    for one in layouts:
        own = t("独自", "own") if one.own_shape else t("公開", "public")
        table.add_row(one.layout, one.version, span(one), str(len(one.fields)), own, one.ja)
    terminal.out.print(table)


def draw_layout(terminal: Terminal, layout: "Layout") -> None:
    """Print one layout with its fields."""
    from kumobashi.catalogue.layouts import span

    if terminal.as_json:
        terminal.emit(_plain(layout, with_fields=True))
        return
    t = terminal.t
    terminal.out.print(Text.assemble((layout.layout, "bold"), f"  {layout.ja}"))
    said = t(
        f"版 {layout.version}、期間 {span(layout)}", f"version {layout.version}, {span(layout)}"
    )
    terminal.out.print(Text(f"  {said}  {t('行を見分ける項目', 'key')}: {', '.join(layout.key)}"))
    own = t("独自の形。", "Own shape. ") if layout.own_shape else ""
    for line in hung(Text("  ", "dim"), f"{own}{layout.source}", terminal.width):
        terminal.out.print(line)
    table = _table((t("列", "Column"), t("日本語名", "Japanese name"), t("型", "Type")))
    for title in (t("桁", "Digits"), t("コード表", "Codes"), t("必須", "Required")):
        table.add_column(title)
    table.add_column(t("扱い", "Sensitivity"), no_wrap=True)
    for field in layout.fields:
        needed = "✓" if field.required else ""
        if field.condition:
            needed = f"{field.condition.field}={','.join(field.condition.one_of)}".rstrip("=")
        table.add_row(
            field.name,
            field.ja,
            field.type,
            f"{field.size}{'=' if field.is_fixed else ''}",
            field.code_list or "",
            needed,
            field.sensitivity,
        )
    terminal.out.print(table)


def draw_items(terminal: Terminal, items: "list[Item]") -> None:
    """Print the registry."""
    if terminal.as_json:
        terminal.emit([asdict(item) for item in items])
        return
    t = terminal.t
    table = _table((t("項目", "Item"), t("項目ID", "Item id"), t("日本語名", "Japanese name")))
    for title in (t("型", "Type"), t("桁", "Digits"), t("扱い", "Sensitivity")):
        table.add_column(title)
    for item in items:
        size = f"{item.digits or ''}{f',{item.decimals}' if item.decimals else ''}"
        ids = " ".join(item.item_ids)
        table.add_row(item.item, ids, item.ja, item.type, size, item.sensitivity)
    terminal.out.print(table)


def draw_item(terminal: Terminal, item: "Item", layouts: "Layouts") -> None:
    """Print one item and the layouts that hold it."""
    used = [
        {"layout": one.layout, "version": one.version, "column": field.name, "ja": field.ja}
        for one in layouts
        for field in one.fields
        if field.item == item.item
    ]
    if terminal.as_json:
        terminal.emit({**asdict(item), "used": used})
        return
    t = terminal.t
    terminal.out.print(Text.assemble((item.item, "bold"), f"  {item.ja}  {item.en}"))
    size = f"{item.digits or ''}{f',{item.decimals}' if item.decimals else ''}"
    for title, value in (
        (t("項目ID", "Item id"), " ".join(item.item_ids)),
        (t("JSON 名", "Name in JSON"), item.romaji),
        (t("型と桁", "Type, digits"), f"{item.type} {size}".strip()),
        (t("コード表", "Code list"), item.code_list or ""),
        (t("扱い", "Sensitivity"), item.sensitivity),
        (t("出所", "Source"), f"{t('独自。', 'own: ') if item.own_shape else ''}{item.source}"),
    ):
        if value:
            for line in hung(Text(f"  {title}: "), value, terminal.width):
                terminal.out.print(line)
    terminal.out.print(Text(t("使われているところ", "Where it is used"), "bold"))
    for place in used:
        version = t(f"版 {place['version']}", f"version {place['version']}")
        terminal.out.print(Text(f"  {place['layout']} {version}  {place['column']}  {place['ja']}"))


def draw_code_lists(terminal: Terminal, lists: "list[CodeList]") -> None:
    """Print the names of the code lists."""
    if terminal.as_json:
        terminal.emit([{"code_list": one.name, "codes": list(one.values)} for one in lists])
        return
    t = terminal.t
    table = _table((t("コード表", "Code list"), t("数", "Codes")))
    table.add_column(t("例", "Examples"), overflow="fold")
    for one in lists:
        shown = "、".join(f"{code.code} {code.ja}" for code in one.codes[:3])
        table.add_row(one.name, str(len(one.codes)), shown)
    terminal.out.print(table)


def draw_code_list(terminal: Terminal, codes: "CodeList") -> None:
    """Print one code list."""
    if terminal.as_json:
        listed = [asdict(code) for code in codes.codes]
        for held in listed:
            held |= {key: str(held[key] or "") for key in ("valid_from", "valid_to")}
        terminal.emit({"code_list": codes.name, "chain": codes.chain, "codes": listed})
        return
    t = terminal.t
    table = _table((t("値", "Code"), t("意味", "Meaning"), t("期間", "Valid")))
    table.add_column(t("出所", "Source"), overflow="fold", style="dim")
    for code in codes.codes:
        days = f"{code.valid_from}〜{code.valid_to or ''}" if code.valid_from else ""
        table.add_row(code.code, t(code.ja, code.en), days, code.source)
    terminal.out.print(table)


def _plain(layout: "Layout", *, with_fields: bool) -> dict[str, object]:
    found: dict[str, object] = {
        **asdict(layout),
        "valid_from": "" if layout.valid_from == date.min else layout.valid_from.isoformat(),
        "valid_to": layout.valid_to.isoformat() if layout.valid_to else "",
    }
    if not with_fields:
        found["fields"] = len(layout.fields)
    return found


def _table(titles: tuple[str, ...]) -> Table:
    table = plain_table()
    for number, title in enumerate(titles):
        table.add_column(title, style="cyan" if not number else None, no_wrap=not number)
    return table


def property_name(terminal: Terminal, of: str) -> str:
    """Return what a property of a layout or a field is called."""
    ja = {
        "name": "列",
        "ja": "日本語名",
        "item_id": "項目ID",
        "type": "型",
        "size": "桁",
        "code_list": "コード表",
        "required": "必須",
        "condition": "条件",
        "sensitivity": "扱い",
        "romaji": "JSON 名",
        "is_fixed": "桁の固定",
        "key": "行を見分ける項目",
        "valid_from": "使い始める日",
        "valid_to": "使い終わる日",
        "business": "業務番号",
        "own_shape": "独自の形",
        "is_strict": "半角・全角の点検",
    }
    return terminal.t(ja[of], of)
