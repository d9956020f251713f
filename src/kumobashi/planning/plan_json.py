"""A plan as a JSON value for machines: the decision, what was counted, and the story's facts."""

from typing import Any

from kumobashi.planning.approval import drift, standing
from kumobashi.planning.approvals import ApprovalFile
from kumobashi.planning.decided import Decided
from kumobashi.planning.measured import Measured
from kumobashi.planning.plan import Plan
from kumobashi.planning.sentences import why
from kumobashi.planning.story import ItemStory, Story
from kumobashi.planning.told import Told
from kumobashi.policy.deciding import Reason


def as_json(
    plan: Plan, *, measured: Measured | None = None, approval: ApprovalFile | None = None
) -> dict[str, Any]:
    """Return a plan as a JSON value."""
    return decided_json(plan, measured=measured, approval=approval) | {
        "retention": _retention_json(plan),
        "courier": plan.link.courier.model_dump() if plan.link.courier else None,
        "measured": _measured_json(measured) if measured else None,
    }


def decided_json(
    plan: Decided, *, measured: Measured | None = None, approval: ApprovalFile | None = None
) -> dict[str, Any]:
    """Return what every plan tells machines, of whichever kind of link."""
    stands = standing(plan, approval, measured)
    return {
        "link": plan.link.link,
        "name": plan.link.name,
        "standing": stands.value,
        "hash": plan.hash,
        "on": plan.on.isoformat(),
        "reasons": [_reason_json(reason) for reason in plan.reasons],
        "cautions": [_reason_json(reason) for reason in plan.cautions],
        "changes": [
            {"key": change.key, "ja": change.ja, "en": change.en}
            for change in (drift(plan, approval) if approval else [])
        ],
        "decision": dict(plan.decision),
        "rules": [
            {
                "file": row.file,
                "line": row.row,
                "valid_to": row.valid_to.isoformat() if row.valid_to else None,
                "verified": row.is_verified,
                "source": row.source,
            }
            for row in plan.rows
        ],
        "approval": {"by": approval.by, "at": approval.at.isoformat(), "hash": approval.hash}
        if approval
        else None,
    }


def told_json(story: Told) -> dict[str, Any]:
    """Return the sentence of a plan, its basis, its parties and its way."""
    return {
        "story": {"ja": story.sentence_ja, "en": story.sentence_en},
        "basis": dict(zip(("ja", "en"), why(story.plan), strict=True)),
        "from": {"system": story.giver.system, "site": story.giver.site_name},
        "to": {"system": story.receiver.system, "site": story.receiver.site_name},
        "doors": [
            {
                "from": door.from_name,
                "to": door.to_name,
                "from_zone": door.from_zone.value,
                "to_zone": door.to_zone.value,
                "by": door.by.value,
                "host": door.host,
                "port": door.port,
                "largest_part_bytes": door.largest_part_bytes,
                "profile": door.profile.model_dump(mode="json"),
                "sealed": door.is_relay,
                "permitted_by": door.flow.article_ja if door.flow else None,
            }
            for door in story.doors
        ],
    }


def story_json(story: Story) -> dict[str, Any]:
    """Return a plan with its story: items before and after, doors, what others must do, the time.

    The example is an invented resident; nobody of the municipality stands in it.
    """
    found = as_json(story.plan, measured=story.measured, approval=story.approval)
    return (
        found
        | told_json(story)
        | {
            "example": story.person or None,
            "items": [_item_json(item) for item in story.items],
            "dropped": [_item_json(item) for item in story.dropped],
            "asks": [{"of": ask.whom, "ja": ask.ja, "en": ask.en} for ask in story.asks],
            "why_not_counted": {"ja": story.why_not_counted[0], "en": story.why_not_counted[1]}
            if story.why_not_counted
            else None,
            "expected": {"seconds": story.expected.seconds, "runs": story.expected.runs}
            if story.expected
            else None,
            **_campaigns_json(story),
            "pace": {"parts": story.pace.parts, "seconds": story.pace.seconds}
            if story.pace
            else None,
        }
    )


def _campaigns_json(story: Story) -> dict[str, Any]:
    """Return the campaigns of a link that serves some; other links have no such keys."""
    if not story.campaigns:
        return {}
    from kumobashi.planning.campaign_story import line_json, ways_json  # noqa: PLC0415 - DuckDB

    return {
        "campaigns": [line_json(line) for line in story.campaigns],
        "ways": ways_json(story.ways),
    }


def _item_json(item: ItemStory) -> dict[str, Any]:
    return {
        "name": item.name,
        "ja": item.ja,
        "form": item.form,
        "operation": {"ja": item.said_ja, "en": item.said_en},
        "sensitivity": item.sensitivity,
        "before": item.before,
        "after": item.after,
    }


def _reason_json(reason: Reason) -> dict[str, Any]:
    return {
        "code": reason.code,
        "ja": reason.ja,
        "en": reason.en,
        "file": reason.where.file,
        "line": reason.where.line,
        "key": reason.where.key,
        "article": {"ja": reason.article_ja, "en": reason.article_en},
        "remedy": {"ja": reason.remedy_ja, "en": reason.remedy_en},
        "example": reason.example,
        "rule": {
            "file": reason.origin.file,
            "row": reason.origin.row,
            "valid_from": reason.origin.valid_from.isoformat(),
            "verified": reason.origin.is_verified,
        }
        if reason.origin
        else None,
    }


def _measured_json(measured: Measured) -> dict[str, Any]:
    return {
        "on": measured.on.isoformat(),
        "rows": measured.rows,
        "extracted": measured.extracted,
        "without_consent": measured.without_consent,
        "untied": dict(measured.untied),
        "bytes": measured.bytes,
        "parts": measured.parts,
        "k": measured.smallest_class,
        "rows_below_five": measured.rows_below_five,
        "findings": sum(finding.rows for finding in measured.findings),
        "losses": [
            {
                "item": held.item,
                "text": held.loss.text,
                "code_point": held.loss.code_point,
                "name": held.loss.name,
                "kind": held.loss.kind,
                "rows": held.loss.rows,
                "substitute": held.loss.substitute,
                "candidates": list(held.loss.candidates),
            }
            for held in measured.losses
        ],
        "gate": measured.gate.facts() if measured.gate else None,
    }


def _retention_json(plan: Plan) -> dict[str, Any] | None:
    kept = plan.retention
    if kept is None:
        return None
    return {"class": kept.name, "days": kept.days, "by_law": kept.is_kept_by_law}
