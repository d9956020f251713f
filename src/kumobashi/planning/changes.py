"""What of a decision is not what it was, in words people can judge, and not as two hashes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from kumobashi.kernel import Language
from kumobashi.release.columns import Column
from kumobashi.release.saying import said

_COLUMN: TypeAdapter[Column] = TypeAdapter(Column)
_NAMES = {  # keys of the decision, as people say them
    "network_model": ("三層の対策のモデル", "network model"),
    "link": ("連携", "link"),
    "mode": ("方式", "mode"),
    "purpose": ("目的", "purpose"),
    "format": ("形式", "format"),
    "characters": ("文字", "characters"),
    "legal_basis": ("法的根拠", "legal basis"),
    "retention": ("保持期間", "retention"),
    "rule": ("提供ルール", "release rule"),
    "items": ("項目", "item"),
    "route": ("経路", "route"),
    "layouts": ("レイアウト", "layout"),
    "sites": ("サイト", "site"),
    "keys": ("署名の鍵", "signing key"),
    "recipient": ("封緘の鍵", "sealing key"),
    "service": ("サービス", "service"),
    "hidden": ("隠す項目", "hidden items"),
    "request": ("照会で渡す項目", "request item"),
    "fetched": ("取りに行く照会", "fetched"),
    "standby": ("ほかのサイト", "standby"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing of the decision that is not what was approved."""

    key: str  # items.town_code.operation.length
    ja: str
    en: str

    def say(self, lang: Language = "ja") -> str:
        """Return the sentence."""
        return self.ja if lang == "ja" else self.en


def differences(
    before: Mapping[str, Any], after: Mapping[str, Any], names: Mapping[str, str]
) -> Iterator[Change]:
    """Compare two decisions key by key; ``names`` gives the Japanese names of items.

    Items are compared by name, so that a moved item is not a changed one.
    """
    yield from _differences((), _by_name(before), _by_name(after), names)


def _by_name(decision: Mapping[str, Any]) -> dict[str, Any]:
    """Return the decision with its items by name, so that a moved item is not a changed one."""
    held = dict(decision)
    items: Sequence[Mapping[str, Any]] = held.get("items") or ()
    held["items"] = {str(item.get("name")): dict(item) for item in items}
    held["order of items"] = [item.get("name") for item in items]
    return held


def _of_item(
    path: tuple[str, ...],
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    names: Mapping[str, str],
) -> Change:
    """Return an item that came, went, or is made in another way."""
    name = path[1]
    ja, en = names.get(name, name), name
    if path[2:]:
        was, now = _made(before), _made(after)
        return Change(
            key=".".join(path),
            ja=f"項目「{ja}」の操作: {was[0]} → {now[0]}",
            en=f"item {en}, operation: {was[1]} → {now[1]}",
        )
    held = after if before is None else before
    how_ja, how_en = _made(held.get("operation") if held else None)
    came_ja, came_en = (
        ("新たに出す", "sent now") if before is None else ("出さなくなる", "no more sent")
    )
    return Change(
        key=".".join(path),
        ja=f"項目「{ja}」（{how_ja}）を{came_ja}",
        en=f"item {en} ({how_en}) is {came_en}",
    )


def _made(operation: Mapping[str, Any] | None) -> tuple[str, str]:
    """Say how an item is made; what an older release wrote is shown as it stands."""
    try:
        return said(_COLUMN.validate_python(operation))
    except ValidationError:
        return _short(operation, "なし"), _short(operation, "none")


def _differences(
    path: tuple[str, ...],
    before: Any,  # noqa: ANN401 - JSON
    after: Any,  # noqa: ANN401 - JSON
    names: Mapping[str, str],
) -> Iterator[Change]:
    if before == after:
        return
    is_whole = len(path) == 2 and (before is None or after is None)  # noqa: PLR2004 - items.name
    if path[:1] == ("items",) and (is_whole or path[2:] == ("operation",)):
        yield _of_item(path, before, after, names)
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys([*before, *after]):
            yield from _differences((*path, str(key)), before.get(key), after.get(key), names)
        return
    head_ja, head_en = _NAMES.get(path[0], (path[0], path[0]))
    rest = ".".join(path[1:])
    ja = f"{head_ja}「{rest}」" if rest else head_ja
    en = f"{head_en} {rest}" if rest else head_en
    yield Change(
        key=".".join(path),
        ja=f"{ja}: {_short(before, 'なし')} → {_short(after, 'なし')}",
        en=f"{en}: {_short(before, 'none')} → {_short(after, 'none')}",
    )


def _short(value: Any, none: str) -> str:  # noqa: ANN401 - JSON
    if value is None:
        return none
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_short(held, none)}" for key, held in value.items()) + "}"
    if isinstance(value, list):
        if value and all(isinstance(held, Mapping) and "to" in held for held in value):
            return " → ".join([str(value[0]["from"]), *(str(held["to"]) for held in value)])
        return "[" + ", ".join(_short(held, none) for held in value) + "]"
    text = str(value)
    return f"{text[:19]}…" if text.startswith("sha256:") else text
