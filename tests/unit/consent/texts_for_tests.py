"""A consent text with two versions and both tiers, for tests."""

from typing import Any

from kumobashi.consent.texts import ConsentText

PURPOSE = "child-notices"


def version(number: int, **changed: Any) -> dict[str, Any]:
    return {
        "version": number,
        "from": f"202{5 + number}-04-01",
        "controller": "架空市長（市民部広報課）",
        "holder": "架空市（市民部市民課）",
        "purpose_of_use": "子育てに関する制度のお知らせを送るため",
        "tiers": [
            {"tier": "register", "items": ["生年月", "町丁目"]},
            {"tier": "tax", "items": ["非課税区分"]},
        ],
        "recorded_as": "電磁的記録",
        **changed,
    }


def text(*versions: dict[str, Any], **changed: Any) -> ConsentText:
    return ConsentText.model_validate(
        {
            "kumobashi": 1,
            "purpose": PURPOSE,
            "name": "子育て関連制度のお知らせ",
            "category": {"code": "child-rearing", "name": "子育て関連制度のお知らせ"},
            "covers": [{"link": "notice-attributes"}],
            "versions": list(versions) or [version(1)],
            **changed,
        }
    )
