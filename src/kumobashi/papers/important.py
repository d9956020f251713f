"""Is this an important change? Two decisions side by side, each difference judged by a row. Pure.

What changed is found by :func:`kumobashi.planning.changes.differences`; here each change is given
an aspect, and ``important_changes.csv`` says for the aspect yes, no or ask. What cannot be told
from the decisions is ``ask``: never ``no``.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from kumobashi.papers.rules import ImportantRow, important_row
from kumobashi.papers.weaker import column_aspect, gate_aspect, retention_aspect, scope_aspect
from kumobashi.planning.changes import Change, differences

_SENSITIVITIES: Final = ("public", "attribute", "personal", "identifier", "special")
_TECHNICAL: Final = (
    "link.format", "link.characters", "link.mode", "layouts", "directory", "keys", "recipient",
    "order of items", "format", "rule.version", "link.release",
)  # fmt: skip
_RULE_WORDS: Final = frozenset({"kumobashi", "release", "version", "name", "columns"})
_ASPECTS: Final[Mapping[str, str]] = {
    "link.to": "receiver",
    "link.from": "source-system",
    "link.purpose": "purpose",
    "purpose": "purpose",
    "protective_measures": "protection-dropped",
    "route": "route",
    "link.courier": "courier",
    "link.fallback": "fallback",
    "campaigns": "campaigns",
    "network_model": "network-model",
    "municipality": "other",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One change with its verdict."""

    key: str
    ja: str  # what changed
    en: str
    row: ImportantRow

    @property
    def verdict(self) -> str:
        """Whether it is important: yes, no, ask."""
        return self.row.verdict

    def plain(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "key": self.key,
            "aspect": self.row.aspect,
            "important": self.verdict,
            "ja": self.ja,
            "en": self.en,
            "why": {"ja": self.row.ja, "en": self.row.en},
            "rule": self.row.origin.place,
            "verified": self.row.origin.is_verified,
            "source": self.row.origin.source,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One side of the comparison; ``None`` is what that side does not tell."""

    decision: Mapping[str, Any]
    rule: Mapping[str, Any] | None = None  # as the file has it
    retention_days: int | None = None
    rows: int | None = None  # counted when it was approved
    processors: tuple["Party", ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A processor or sub-processor, as the register of the agreement has it."""

    name: str
    said: tuple[str, ...]  # task, place, jurisdiction, under, permission

    @property
    def text(self) -> str:
        """What the register says of it."""
        return "、".join(filter(None, self.said))


def judge(before: Side, now: Side, *, names: Mapping[str, str], on: date) -> tuple[Judged, ...]:
    """Return every change with its verdict, the important ones first.

    Raises:
        PaperRulesMissing: no row holds on that day.
    """
    found: list[tuple[str, Change]] = []
    for change in differences(before.decision, now.decision, names):
        if change.key == "rule.hash":
            found += _of_rule(change, before, now)
        else:
            found.append((_aspect(change.key, before, now), change))
    found += _of_counts(before, now)
    found += _of_processors(before, now)
    judged = [
        Judged(key=change.key, ja=change.ja, en=change.en, row=important_row(aspect, on=on))
        for aspect, change in found
    ]
    order = {"yes": 0, "ask": 1, "no": 2}
    return tuple(sorted(judged, key=lambda one: order[one.verdict]))


def unread_registers(*, on: date) -> Judged:
    """Return that nobody knows whether processors changed, for their register does not answer."""
    return Judged(
        key="processors",
        ja="委託先の増減が分からない（利用協議の台帳に届かない）",
        en="whether processors changed is not known: the register does not answer",
        row=important_row("processor-changed", on=on),
    )


def verdict_of(judged: Sequence[Judged]) -> str:
    """Return the verdict of all changes together: yes, ask or no.

    >>> verdict_of([])
    'no'
    """
    verdicts = {one.verdict for one in judged}
    return next((one for one in ("yes", "ask") if one in verdicts), "no")


def _aspect(key: str, before: Side, now: Side) -> str:
    """Return what kind of change a difference is."""
    if key.startswith("items."):
        return _item_aspect(key.split("."), before.decision, now.decision)
    if key.startswith("legal_basis"):
        return _basis_aspect(key, before.decision, now.decision)
    if key.startswith("retention"):
        return retention_aspect(before, now)
    if key == "protective_measures" and before.decision.get(key) is None:
        return "scope-smaller"
    if any(key == one or key.startswith(f"{one}.") for one in _TECHNICAL):
        return "technical"
    found = (name for head, name in _ASPECTS.items() if key == head or key.startswith(f"{head}."))
    return next(found, "other")


def _item_aspect(path: Sequence[str], before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    was, then = (_item(side, path[1]) for side in (before, now))
    if was is None:
        return "item-added"
    if then is None:
        return "item-dropped"
    match path[2:3]:
        case ["operation"]:
            return column_aspect(was.get("operation"), then.get("operation"))
        case ["sensitivity"]:
            risen = _rank(then.get("sensitivity")) > _rank(was.get("sensitivity"))
            return "item-sensitivity" if risen else "item-changed"
        case ["outcome"]:
            return "technical"
        case _:
            return "item-changed"


def _rank(sensitivity: object) -> int:
    """Return how sensitive something is; what is not known counts as the most."""
    known = sensitivity in _SENSITIVITIES
    return _SENSITIVITIES.index(str(sensitivity)) if known else len(_SENSITIVITIES)


def _basis_aspect(key: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    was, then = (side.get("legal_basis") or {} for side in (before, now))
    if was.get("code") != then.get("code"):
        return "basis"
    if was.get("consent") != then.get("consent"):
        return "consent-dropped"
    return "basis-words" if key != "legal_basis" or was else "basis"


def _of_rule(change: Change, before: Side, now: Side) -> Iterator[tuple[str, Change]]:
    """Say what of the rule changed beside its items; a hash alone tells that something did."""
    if before.rule is None or now.rule is None:
        yield (
            "scope-changed",
            Change(
                key=change.key,
                ja="提供ルールの中身が変わった（項目のほか、対象の条件・同意・危険度の確認も"
                "ありえる。--before で変更前のフォルダを示すと比べます）",
                en="the release rule has changed, perhaps conditions, consent or gate too;"
                " name the folder of before with --before to compare them",
            ),
        )
        return
    for name in dict.fromkeys([*before.rule, *now.rule]):
        was, then = before.rule.get(name), now.rule.get(name)
        if was == then or name in _RULE_WORDS:
            continue
        yield (
            _rule_aspect(name, was, then),
            Change(
                key=f"rule.{name}",
                ja=f"提供ルールの{_RULE_JA.get(name, name)}: {_unlike(was, then)}",
                en=f"{name} of the release rule: {_unlike(was, then)}",
            ),
        )


_RULE_JA: Final[Mapping[str, str]] = {
    "subject": "対象",
    "consent": "同意の取り方",
    "gate": "危険度の確認",
    "datasets": "データセット",
    "coding": "符号化",
    "campaigns": "通知の定義",
    "predicate_only": "庁内判定だけにするか",
    "allow_empty": "空でよいか",
}


def _rule_aspect(name: str, was: object, then: object) -> str:
    if name == "consent":
        return "scope-smaller" if was is None else "consent-dropped"
    compared = {"subject": scope_aspect, "gate": gate_aspect}.get(name)
    if compared is not None:
        return compared(was, then)
    return {
        "campaigns": "campaigns",
        "datasets": "source-system",
        "allow_empty": "technical",
    }.get(name, "other")


def _of_counts(before: Side, now: Side) -> Iterator[tuple[str, Change]]:
    """Say that more persons are concerned than when it was approved."""
    if before.rows is None or now.rows is None or before.rows == now.rows:
        return
    aspect = "scope-larger" if now.rows > before.rows else "scope-smaller"
    yield (
        aspect,
        Change(
            key="rows",
            ja=f"対象の件数: {before.rows:,} → {now.rows:,}",
            en=f"rows: {before.rows:,} → {now.rows:,}",
        ),
    )


def _of_processors(before: Side, now: Side) -> Iterator[tuple[str, Change]]:
    if before.processors is None or now.processors is None:
        return
    was, then = ({one.name: one for one in side} for side in (before.processors, now.processors))
    for name in dict.fromkeys([*was, *then]):
        if name not in was:
            said = then[name].text
            yield "processor-added", _party(name, f"増える（{said}）", f"is added ({said})")
        elif name not in then:
            yield "processor-dropped", _party(name, "なくなる", "is dropped")
        elif was[name] != then[name]:
            said = f"{was[name].text} → {then[name].text}"
            yield "processor-changed", _party(name, said, said)


def _party(name: str, ja: str, en: str) -> Change:
    return Change(key=f"processors.{name}", ja=f"委託先「{name}」: {ja}", en=f"{name}: {en}")


def _item(decision: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    items: Sequence[Mapping[str, Any]] = decision.get("items") or ()
    return next((item for item in items if item.get("name") == name), None)


def _unlike(was: object, then: object) -> str:
    """Say what differs: of two mappings only the members that do."""
    if not (isinstance(was, Mapping) and isinstance(then, Mapping)):
        return f"{_short(was)} → {_short(then)}"
    names = [name for name in {**was, **then} if was.get(name) != then.get(name)]
    return "、".join(f"{n}: {_short(was.get(n))} → {_short(then.get(n))}" for n in names)


def _short(value: object) -> str:
    if value is None:
        return "なし"
    text = str(value)
    return text if len(text) <= 160 else f"{text[:159]}…"  # noqa: PLR2004 - letters of a line
