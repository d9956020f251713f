"""Approve a plan, and tell later what has changed since.

An approval holds the hash, the whole decision behind it and the counts it was made on. The decision
is compared key by key, so that people read 「住所: 町丁目 → 区」 and not two hashes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from kumobashi.directory.document import write_durably
from kumobashi.kernel import Language, to_wire
from kumobashi.planning.approvals import ApprovalFile
from kumobashi.planning.errors import ApprovalMissing, PlanRefused
from kumobashi.planning.measured import Measured
from kumobashi.planning.plan import Plan

_NAMES = {  # keys of the decision, as people say them
    "network_model": ("三層の対策のモデル", "network model"),
    "link": ("連携", "link"),
    "mode": ("方式", "mode"),
    "purpose": ("目的", "purpose"),
    "format": ("形式", "format"),
    "characters": ("文字", "characters"),
    "legal_basis": ("法的根拠", "legal basis"),
    "rule": ("提供ルール", "release rule"),
    "items": ("項目", "item"),
    "route": ("経路", "route"),
    "layouts": ("レイアウト", "layout"),
    "directory": ("ディレクトリの版", "directory version"),
    "keys": ("署名の鍵", "signing key"),
    "recipient": ("封緘の鍵", "sealing key"),
}


class Standing(StrEnum):
    """Where a plan stands; ``kumobashi plan`` ends with 0, 0, 2 and 3."""

    APPROVED = "approved"
    UNAPPROVED = "unapproved"
    REFUSED = "refused"
    DRIFTED = "drifted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing of the decision that is not what was approved."""

    key: str  # items.town_code.operation.length
    ja: str
    en: str

    def say(self, lang: Language = "ja") -> str:
        """Return the sentence."""
        return self.ja if lang == "ja" else self.en


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a run may be without asking again, both ends included."""

    rows: tuple[int, int] | None
    bytes: tuple[int, int] | None


def approve(
    folder: Path, plan: Plan, *, by: str, at: datetime, measured: Measured | None
) -> ApprovalFile:
    """Write ``approvals/<link>.yaml`` for a plan that permits the link, and return it.

    Raises:
        PlanRefused: the plan does not permit the link; there is nothing to approve.
    """
    if not plan.is_permitted:
        raise PlanRefused(
            link=plan.link.link, reason=plan.reasons[0].ja, reason_en=plan.reasons[0].en
        )
    approval = ApprovalFile.model_validate(
        {
            "kumobashi": 1,
            "link": plan.link.link,
            "hash": plan.hash,
            "by": by,
            "at": at,
            "counted": {"on": measured.on, "rows": measured.rows, "bytes": measured.bytes}
            if measured
            else None,
            "bounds": plan.bounds.model_dump(),
            "decision": dict(plan.decision),
        }
    )
    held = approval.model_dump(mode="json", exclude_none=False)
    held["at"] = to_wire(at)
    text = StringIO()
    text.write(
        "# yaml-language-server: $schema=../.schemas/approval.json\n"
        f"# 事前点検 {plan.number} の承認。手で直さず、次で書き直します:\n"
        f"# kumobashi plan {plan.link.link} --approve\n"
    )
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.allow_unicode = True
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.dump(held, text)
    write_durably(folder / "approvals" / f"{plan.link.link}.yaml", text.getvalue().encode("utf-8"))
    return approval


def drift(plan: Plan, approval: ApprovalFile | None) -> list[Change]:
    """Return what has changed since the approval; nothing when the hash is the same.

    Raises:
        ApprovalMissing: nobody has approved the link yet.
    """
    if approval is None:
        raise ApprovalMissing(link=plan.link.link)
    if approval.hash == plan.hash:
        return []
    before, after = _by_name(approval.decision), _by_name(plan.decision)
    found = list(_differences((), before, after))
    # The hash of the rule says nothing to people when its items do.
    telling = [change for change in found if not change.key.endswith(".hash")]
    return telling or found


def standing(plan: Plan, approval: ApprovalFile | None) -> Standing:
    """Return where a plan stands."""
    if not plan.is_permitted:
        return Standing.REFUSED
    if approval is None:
        return Standing.UNAPPROVED
    return Standing.APPROVED if approval.hash == plan.hash else Standing.DRIFTED


def limits(approval: ApprovalFile) -> Limits:
    """Return how many rows and bytes a run may have without a person."""
    counted = approval.counted
    if counted is None:
        return Limits(rows=None, bytes=None)
    return Limits(
        rows=_around(counted.rows, approval.bounds.rows),
        bytes=_around(counted.bytes, approval.bounds.bytes),
    )


def _around(count: int, share: float) -> tuple[int, int]:
    parts = round(share * 10_000)  # a share is meant to four places, whatever binary makes of it
    low, high = count * (10_000 - parts), count * (10_000 + parts)
    return max(0, -(-low // 10_000)), high // 10_000


def _by_name(decision: Mapping[str, Any]) -> dict[str, Any]:
    """Return the decision with its items by name, so that a moved item is not a changed one."""
    held = dict(decision)
    items: Sequence[Mapping[str, Any]] = held.get("items") or ()
    held["items"] = {str(item.get("name")): dict(item) for item in items}
    held["order of items"] = [item.get("name") for item in items]
    return held


def _differences(path: tuple[str, ...], before: Any, after: Any) -> Iterator[Change]:  # noqa: ANN401 - JSON
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys([*before, *after]):
            yield from _differences((*path, str(key)), before.get(key), after.get(key))
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
