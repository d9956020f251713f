r"""Write the pages of the reference that the code knows best: files, failures, layouts.

    python -m tools.reference_pages

The Japanese words about each key are in ``reference_words.yaml``. A test compares what is written
with what would be written now.

>>> escaped("a|b <c>")
'a\\|b &lt;c&gt;'
>>> yaml_line({"site": "a", "by": ["lgwan", True], "code": "001"})
'{site: a, by: [lgwan, true], code: "001"}'
"""

import sys
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from kumobashi.catalogue import CodeList, Field, Layout, load_code_lists, load_layouts
from kumobashi.catalogue.items import load_items
from kumobashi.catalogue.layouts import span
from kumobashi.cli.exits import MEANINGS, exit_of
from kumobashi.cli.tables import all_errors
from kumobashi.planning.schemas import SCHEMAS
from kumobashi.policy.tables import LegalBasisRow, Origin, RetentionRow, load_tables
from kumobashi.storage import spool as spool  # noqa: PLC0414 - has a failure of its own

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reference"
WORDS: Mapping[str, Any] = YAML(typ="safe", pure=True).load(
    (Path(__file__).parent / "reference_words.yaml").read_text(encoding="utf-8")
)
_NOTE = "<!-- Written by `python -m tools.reference_pages`; do not change it by hand. -->"
_SHAPES = {  # patterns that stand for a kind of text
    r"^[a-z0-9][a-z0-9-]*$": "識別名（英小文字・数字・`-`）",
    r"^[a-z][a-z0-9_]*$": "名前（英小文字・数字・`_`）",
    r"^([01][0-9]|2[0-3]):[0-5][0-9]$": "時刻（`01:20`）",
    r"^[a-z0-9][a-z0-9-]*\.[a-z][a-z0-9_]*$": "`システム.データセット`",
    r"^[0-9]{3}$": "数字3桁",
    r"^[A-Z]{2}$": "英大文字2字",
    r"^sha256:[0-9a-f]{64}$": "`sha256:` と16進64桁",
    r"^https?://[^\s/?#]+$": "`http://` か `https://` のアドレス",
    r"^[0-9+][0-9-]{5,19}$": "電話番号",
}
_FORMATS = {"date": "日付（`2026-11-21`）", "date-time": "時刻（UTC）"}
Schema = Mapping[str, Any]


def pages() -> dict[str, str]:
    """Return file name and content of every generated page."""
    made = {
        "workspace-files.md": _workspace_files(),
        "errors.md": _errors(),
        "layouts.md": _layouts(),
        "items.md": _items(),
    }
    return {name: "\n".join(lines).rstrip("\n") + "\n" for name, lines in made.items()}


def write(folder: Path = FOLDER) -> None:
    """Write all generated pages."""
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")


def escaped(text: str) -> str:
    """Return text that a cell of a Markdown table shows as it is."""
    text = text.replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("|", "\\|").replace("*", "\\*").replace("\n", "<br>")


def yaml_line(value: object) -> str:
    """Return a value as one would write it in one line of YAML."""
    match value:
        case bool():
            return "true" if value else "false"
        case Mapping():
            return "{" + ", ".join(f"{key}: {yaml_line(held)}" for key, held in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(yaml_line, value)) + "]"
        case str() if value.isdigit():
            return f'"{value}"'
        case _:
            return str(value)


def _code(text: str) -> str:
    return "`" + text.replace("|", "\\|") + "`"


# -- files of the workspace -----------------------------------------------------------------------


def _workspace_files() -> Iterator[str]:
    yield from (
        "# 連携設定フォルダのファイル",
        "",
        _NOTE,
        "",
        WORDS["intros"]["workspace_files"],
        "",
    )
    yield from ("| ファイル | 内容 |", "| --- | --- |")
    for name, said in WORDS["files"].items():
        yield f"| [{_code(said['file'])}](#file-{name}) | {said['is']} |"
    yield from ("", WORDS["intros"]["other_files"], "")
    seen: set[str] = set()
    for name, model in SCHEMAS.items():
        schema = model.model_json_schema()
        parts: Mapping[str, Schema] = schema.get("$defs", {})
        said = WORDS["files"][name]
        yield from (f"(file-{name})=", f"## {_code(said['file'])}", "", said["is"], "")
        yield from _keys(model.__name__, schema, parts)
        for part, described in parts.items():
            if "properties" in described and part not in seen:
                seen.add(part)
                yield from (f"(part-{part.lower()})=", f"### {WORDS['parts'][part]}", "")
                yield from _keys(part, described, parts)
    yield from ("(legal-bases)=", "## 法的根拠の符号", "", WORDS["intros"]["legal_bases"], "")
    yield "| 符号 | 根拠 | 条文 | 要るもの | 使える範囲 | 期間 | 確認 |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    yield from map(_basis, load_tables().bases)
    yield from ("", "(retention-classes)=", "## 保持区分の符号", "")
    yield from (WORDS["intros"]["retention_classes"], "")
    yield "| 符号 | 区分 | 日数 | 法令で保存 | 根拠 | 期間 | 確認 |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    yield from map(_retention, load_tables().retentions)


def _keys(model: str, schema: Schema, parts: Mapping[str, Schema]) -> Iterator[str]:
    yield "| キー | 値 | 必須・既定 | 説明 | 例 |"
    yield "| --- | --- | --- | --- | --- |"
    required = set(schema.get("required", ()))
    for key, held in schema["properties"].items():
        default = "必須" if key in required else _default(held)
        examples = held.get("examples") or [None]
        example = "" if examples[0] is None else _code(yaml_line(examples[0]))
        words = WORDS["keys"][model][key]
        yield f"| `{key}` | {_kind(held, parts)} | {default} | {words} | {example} |"
    yield ""


def _default(held: Schema) -> str:
    default = held.get("default")
    return "なし" if default in (None, {}, [], ()) else _code(yaml_line(default))


def _kind(held: Schema, parts: Mapping[str, Schema]) -> str:
    """Return in Japanese what may stand behind a key."""
    if ref := held.get("$ref"):
        kind = _part(str(ref).rpartition("/")[2], parts)
    elif several := held.get("anyOf") or held.get("oneOf"):
        kinds = [_kind(one, parts) for one in several if one.get("type") != "null"]
        kind = " / ".join(dict.fromkeys(kinds))
    elif values := held.get("enum") or ([held["const"]] if "const" in held else []):
        kind = " \\| ".join(_code(yaml_line(value)) for value in values)
    else:
        kind = _plain_kind(held, parts)
    return kind


def _plain_kind(held: Schema, parts: Mapping[str, Schema]) -> str:
    match held.get("type"):
        case "array" if "items" in held:
            return f"{_kind(held['items'], parts)} の並び"
        case "object":
            patterned = next(iter(held.get("patternProperties", {}).values()), None)
            inside = patterned or held.get("additionalProperties")
            return f"名前: {_kind(inside, parts)}" if isinstance(inside, Mapping) else "対応表"
        case "integer" | "number" as kind:
            return _number(kind, held)
        case "boolean":
            return "`true` \\| `false`"
        case _:
            text = _FORMATS.get(held.get("format", ""))
            return text or _SHAPES.get(held.get("pattern", ""), "文字列")


def _part(name: str, parts: Mapping[str, Schema]) -> str:
    described = parts[name]
    if "properties" in described:
        return f"[{WORDS['parts'][name]}](#part-{name.lower()})"
    return _kind(described, parts)


def _number(kind: str, held: Schema) -> str:
    word = "整数" if kind == "integer" else "数"
    low, high = held.get("minimum"), held.get("maximum")
    if low is None and high is None:
        return word
    return f"{word}（{'' if low is None else f'{low:,}'}〜{'' if high is None else f'{high:,}'}）"


def _basis(row: LegalBasisRow) -> str:
    wanted = {
        "同意（`consent`）": row.needs_consent,
        "理由（`note`）": row.needs_note,
        "条例（`ordinance`）": row.needs_ordinance,
        "終わりの日（`until`、なければ注意が出る）": row.is_beyond_purpose,
    }
    needs = "、".join(word for word, is_needed in wanted.items() if is_needed) or "なし"
    reach = "庁内だけ" if row.is_in_hall_only else "庁内・庁外"
    return (
        f"| `{row.code}` | {escaped(row.ja)} | {escaped(row.article_ja)} | {needs} | {reach} |"
        f" {_dated(row.origin)} |"
    )


def _retention(row: RetentionRow) -> str:
    by_law = "はい" if row.is_by_law else "いいえ"
    return (
        f"| `{row.code}` | {escaped(row.ja)} | {row.days} | {by_law} | {escaped(row.article_ja)} |"
        f" {_dated(row.origin)} |"
    )


def _dated(origin: Origin) -> str:
    looked = "確認済" if origin.is_verified else "未確認"
    return f"{_span(origin.valid_from, origin.valid_to)} | {looked}"


def _span(first: date, last: date | None) -> str:
    return f"{first}〜{last or ''}"


# -- failures -------------------------------------------------------------------------------------


def _errors() -> Iterator[str]:
    intros = WORDS["intros"]
    yield from ("# 失敗の符号 / error codes", "", _NOTE, "", intros["errors"], "")
    yield from (intros["errors_en"], "", "| 終了コード | 意味 | meaning |", "| --- | --- | --- |")
    for code, words in MEANINGS.items():
        yield f"| {int(code)} | {escaped(words.ja)} | {escaped(words.en)} |"
    yield ""
    known = sorted(all_errors(), key=lambda error: error.code)
    for domain, group in groupby(known, key=lambda error: error.code.partition(".")[0]):
        yield from (f"## {domain}: {WORDS['domains'][domain]}", "")
        yield "| 符号 | HTTP | 再試行 | 終了 | 意味と対応 |"
        yield "| --- | --- | --- | --- | --- |"
        for error in group:
            again = "する" if error.retryable else ""
            ja = escaped(f"{error.ja} {error.remedy_ja}".strip())
            en = escaped(f"{error.en} {error.remedy_en}".strip()).replace("!r}", "}")
            row = f"| `{error.code}` | {error.status} | {again} | {int(exit_of(error.code))} |"
            yield f"{row} {ja}<br>*{en}* |"
        yield ""


# -- layouts and code lists -----------------------------------------------------------------------


def _layouts() -> Iterator[str]:
    held = sorted(load_layouts(), key=lambda layout: (layout.layout, layout.version))
    yield from ("# レイアウトとコード表", "", _NOTE, "", WORDS["intros"]["layouts"], "")
    yield from ("| レイアウト | 版 | 名前 | 期間 | 項目 | 出所 |",)
    yield "| --- | --- | --- | --- | --- | --- |"
    for layout in held:
        origin = escaped(f"{'独自。' if layout.own_shape else ''}{layout.source}")
        yield (
            f"| [`{layout.layout}`](#{_anchor(layout)}) | {layout.version} |"
            f" {escaped(layout.ja)} | {span(layout)} | {len(layout.fields)} | {origin} |"
        )
    yield ""
    for layout in held:
        yield from _layout(layout)
    yield from ("## コード表", "")
    lists = load_code_lists()
    for name in sorted(lists):
        yield from _code_list(name, lists[name])


def _anchor(layout: Layout) -> str:
    return f"layout-{layout.layout}" + ("" if layout.version == "1" else f"-{layout.version}")


def _layout(layout: Layout) -> Iterator[str]:
    keys = "、".join(f"`{key}`" for key in layout.key)
    version = "" if layout.version == "1" else f"、版 {layout.version}"
    yield from (f"({_anchor(layout)})=", f"## {layout.layout}{version}: {layout.ja}", "")
    said = [f"版 {layout.version}、期間 {span(layout)}。行を見分ける項目: {keys}。"]
    if layout.parallel:
        said.append(f"版 {'、'.join(layout.parallel)} と並行して使えます。")
    if layout.is_strict:
        said.append("半角・全角と固定の桁数も確かめます。")
    yield from ("".join(said), "")
    yield "| 列 | 日本語名（CSV の見出し） | 型 | 桁 | コード表 | 必須 | 扱い |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for field in layout.fields:
        codes = f"[`{field.code_list}`](#codes-{field.code_list})" if field.code_list else ""
        yield (
            f"| `{field.name}` | {escaped(field.ja)} | {field.type} | {field.size} |"
            f" {codes} | {_needed(field)} | {field.sensitivity} |"
        )
    yield ""


def _needed(field: Field) -> str:
    if field.condition is None:
        return "✓" if field.required else ""
    values = "・".join(f"`{value}`" for value in field.condition.one_of)
    return f"`{field.condition.field}` が{f' {values} の' if values else 'ある'}とき"


def _code_list(name: str, codes: CodeList) -> Iterator[str]:
    yield from (f"(codes-{name})=", f"### {name}", "")
    is_dated = any(code.valid_from for code in codes.codes)
    yield "| 値 | 意味 |" + (" 期間 |" if is_dated else "") + " 出所 |"
    yield "| --- | --- |" + (" --- |" if is_dated else "") + " --- |"
    for code in codes.codes:
        days = f" {code.valid_from or ''}〜{code.valid_to or ''} |" if is_dated else ""
        yield f"| `{code.code}` | {escaped(code.ja)} |{days} {escaped(code.source)} |"
    yield ""


# -- the registry of items ------------------------------------------------------------------------


def _items() -> Iterator[str]:
    yield from ("# 項目の登録簿", "", _NOTE, "", WORDS["intros"]["items"], "")
    yield "| 項目 | 項目ID | 日本語名 | JSON 名 | 型 | 桁 | コード表 | 扱い | 出所 |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    for item in load_items().values():
        digits = f"{item.digits or ''}{f',{item.decimals}' if item.decimals else ''}"
        codes = f"`{item.code_list}`" if item.code_list else ""
        origin = ("独自。" if item.own_shape else "") + item.source
        yield (
            f"| `{item.item}` | {' '.join(item.item_ids)} | {escaped(item.ja)} | `{item.romaji}` |"
            f" {item.type} | {digits}{' 固定' if item.is_fixed else ''} | {codes} |"
            f" {item.sensitivity} | {escaped(origin)} |"
        )


if __name__ == "__main__":
    write(*map(Path, sys.argv[1:]))
