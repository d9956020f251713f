"""The plan of an online link as a JSON value for machines, and for the console's page."""

from typing import Any

from kumobashi.planning.call_items import CallItem
from kumobashi.planning.call_story import CallStory
from kumobashi.planning.plan_json import decided_json, told_json


def call_json(story: CallStory) -> dict[str, Any]:
    """Return a plan of an online link: what a bulk link's tells, as far as it is there."""
    plan = story.plan
    way = {"ja": story.way_ja, "en": story.way_en}
    return (
        decided_json(plan, approval=story.approval)
        | told_json(story)
        | {
            "kind": "call",
            "service": f"{plan.link.from_}.{plan.link.service}",
            "operations": [
                {
                    "version": one.version,
                    "name": one.name,
                    "method": one.method,
                    "path": one.path,
                    "request": list(one.request),
                }
                for one in plan.operations
            ],
            "items": [_item(item, item.form) for item in plan.items],
            "dropped": [_item(item, "dropped") for item in plan.hidden],
            "requested": [_item(item, item.form) for item in plan.requested],
            "way": way,
            "fetched": plan.is_fetched,
            "standby": [one.site for one in plan.ways[1:]],
            "answer_seconds": plan.link.answer_seconds,
            "largest_answer_bytes": plan.link.largest_answer_bytes,
        }
    )


def _item(item: CallItem, form: str) -> dict[str, Any]:
    is_hidden = form == "dropped"
    return {
        "name": item.name,
        "ja": item.ja,
        "form": form,
        "operation": {
            "ja": "隠す" if is_hidden else item.operation_ja,
            "en": "hidden" if is_hidden else item.operation_en,
        },
        "sensitivity": item.sensitivity,
    }
