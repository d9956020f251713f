"""A plan and alerts that the tests of telling share."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from kumobashi.directory.alert_models import AlertsFile
from kumobashi.monitoring.alerts import Alert, Moment, Urgency

MORNING = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)  # Tuesday, 10:00 in Japan
NIGHT = datetime(2026, 11, 23, 17, 14, tzinfo=UTC)  # 2:14 in Japan
SMS = {"url": "https://sms.example.jp/", "user": "kumobashi", "password": "file:x"}
MAIL = {"host": "mail.example.jp", "sender": "kumobashi@city.example.jp"}
PHONE = {"url": "https://phone.example.jp/calls", "token": "file:x"}


def said(**changes: Any) -> dict[str, Any]:
    return {
        "kumobashi": 1,
        "people": [
            {
                "person": name,
                "name": name,
                "mail": f"{name}@city.example.jp",
                "sms": f"0900000000{number}",
                "phone": f"000000000{number}",
            }
            for number, name in enumerate(("sato", "suzuki", "tanaka"), 1)
        ],
        "groups": [{"group": "it-duty", "members": ["sato", "suzuki", "tanaka"]}],
        "channels": [
            {"channel": "relay-mail", "mail": MAIL},
            {"channel": "sms", "sms": SMS},
            {"channel": "phone", "telephone": PHONE},
        ],
        "rules": [
            {
                "urgency": ["now"],
                "steps": [
                    {"after_minutes": 0, "to": "it-duty", "by": ["relay-mail"]},
                    {"after_minutes": 10, "to": "it-duty", "by": ["sms"]},
                    {"after_minutes": 20, "to": "it-duty", "by": ["phone"]},
                    {"after_minutes": 30, "to": "it-duty", "turn": 1, "by": ["relay-mail"]},
                    {
                        "after_minutes": 45,
                        "to": "it-duty",
                        "everyone": True,
                        "by": ["relay-mail", "phone"],
                    },
                ],
            },
            {
                "urgency": ["today"],
                "steps": [
                    {"after_minutes": 0, "to": "it-duty", "by": ["relay-mail"]},
                    {"after_minutes": 60, "to": "it-duty", "turn": 1, "by": ["sms"]},
                ],
            },
        ],
        **changes,
    }


def plan(**changes: Any) -> AlertsFile:
    return AlertsFile.model_validate(said(**changes))


def alert(**changes: Any) -> Alert:
    made = Alert(
        id="019aa8d1-5b7c-7000-8000-0123456789ab",
        fault="019aa8d1-5b7c-7000-8000-0123456789ff",
        moment=Moment.OPENED,
        urgency=Urgency.NOW,
        code="network.access_line",
        side="carrier",
        title_ja="【発生】アクセス回線が切れています（架空市）",
        title_en="[FAULT] the access line is down",
        lines_ja=("原因の側: 回線事業者",),
        lines_en=("Side: carrier",),
        links=("tax-to-welfare",),
        more_links=0,
        at=MORNING,
    )
    return replace(made, **changes)
