"""Approve a plan, and tell later what has changed since.

An approval holds the hash, the whole decision behind it and the counts it was made on. The decision
is compared key by key, so that people read 「住所: 町丁目 → 区」 and not two hashes.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from kumobashi.directory.document import write_durably
from kumobashi.kernel import to_wire
from kumobashi.planning.approvals import ApprovalFile
from kumobashi.planning.changes import Change, differences
from kumobashi.planning.decided import Decided
from kumobashi.planning.errors import ApprovalMissing, PlanRefused
from kumobashi.planning.measured import Measured
from kumobashi.release.gate_report import GateReport, report_of
from kumobashi.release.gate_words import headline


class Standing(StrEnum):
    """Where a plan stands; ``kumobashi plan`` ends with 0, 0, 2 and 3."""

    APPROVED = "approved"
    UNAPPROVED = "unapproved"
    REFUSED = "refused"
    DRIFTED = "drifted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a run may be without asking again, both ends included."""

    rows: tuple[int, int] | None
    bytes: tuple[int, int] | None
    gate: GateReport | None = None  # that was seen when it was approved


def approve(
    folder: Path, plan: Decided, *, by: str, at: datetime, measured: Measured | None
) -> ApprovalFile:
    """Write ``approvals/<link>.yaml`` for a plan that permits the link, and return it.

    Raises:
        PlanRefused: the plan does not permit the link, or its gate lets nothing leave and nothing
            steps in; there is nothing to approve.
    """
    if not plan.is_permitted:
        raise PlanRefused(
            link=plan.link.link, reason=plan.reasons[0].ja, reason_en=plan.reasons[0].en
        )
    if measured and measured.gate and measured.is_refused and not plan.fallback:
        ja, en = headline(measured.gate)
        raise PlanRefused(link=plan.link.link, reason=ja, reason_en=en)
    approval = ApprovalFile.model_validate(
        {
            "kumobashi": 1,
            "link": plan.link.link,
            "hash": plan.hash,
            "by": by,
            "at": at,
            "counted": _counted(measured) if measured else None,
            "bounds": plan.bounds.model_dump() if plan.bounds else None,
            "decision": dict(plan.decision),
        }
    )
    held = approval.model_dump(mode="json", exclude_none=False)
    if approval.bounds is None:
        del held["bounds"]
    if approval.counted and approval.counted.gate is None:
        del held["counted"]["gate"]
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


def _counted(measured: Measured) -> dict[str, Any]:
    found: dict[str, Any] = {"on": measured.on, "rows": measured.rows, "bytes": measured.bytes}
    # What was seen when it was approved is how coarse it leaves: the gate begins with it.
    return found | ({"gate": measured.gate.facts()} if measured.gate else {})


def drift(plan: Decided, approval: ApprovalFile | None) -> list[Change]:
    """Return what has changed since the approval; nothing when the hash is the same.

    Raises:
        ApprovalMissing: nobody has approved the link yet.
    """
    if approval is None:
        raise ApprovalMissing(link=plan.link.link)
    if approval.hash == plan.hash:
        return []
    found = list(
        differences(approval.decision, plan.decision, {item.name: item.ja for item in plan.items})
    )
    # The hash of the rule says nothing to people when its items do.
    telling = [change for change in found if not change.key.endswith(".hash")]
    return telling or found


def standing(
    plan: Decided, approval: ApprovalFile | None, measured: Measured | None = None
) -> Standing:
    """Return where a plan stands; what the gate was measured to refuse is refused."""
    if not plan.is_permitted or (measured and measured.is_refused):
        return Standing.REFUSED
    if approval is None:
        return Standing.UNAPPROVED
    return Standing.APPROVED if approval.hash == plan.hash else Standing.DRIFTED


def limits(approval: ApprovalFile) -> Limits:
    """Return how many rows and bytes a run may have without a person."""
    counted, bounds = approval.counted, approval.bounds
    if counted is None or bounds is None:
        return Limits(rows=None, bytes=None)
    return Limits(
        rows=_around(counted.rows, bounds.rows),
        bytes=_around(counted.bytes, bounds.bytes),
        gate=report_of(counted.gate) if counted.gate else None,
    )


def _around(count: int, share: float) -> tuple[int, int]:
    parts = round(share * 10_000)  # a share is meant to four places, whatever binary makes of it
    low, high = count * (10_000 - parts), count * (10_000 + parts)
    return max(0, -(-low // 10_000)), high // 10_000
