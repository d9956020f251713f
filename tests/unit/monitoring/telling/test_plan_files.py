"""``alerts.yaml``: what would leave somebody untold, or leave a closed zone, is a mistake."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from kumobashi.directory.alert_models import AlertsFile
from kumobashi.kernel.zones import Zone
from kumobashi.monitoring.telling.errors import ChannelNotFromZone
from kumobashi.service.telling import check_zone
from kumobashi.storage.documents import Document, read_text
from tests.unit.monitoring.telling.plans_for_tests import MAIL, PHONE, plan, said

RELAY = {"channel": "relay-mail", "mail": {**MAIL, "relay": True}}
CARRIED = {
    "channel": "phone",
    "carried": {
        "way": "telephone",
        "by": "relay-mail",
        "bridge": "bridge@alerts.example.jp",
        "secret": "file:private/bridge.secret",
    },
}
SMS_BY_BRIDGE = {"channel": "sms", "carried": {**CARRIED["carried"], "way": "sms"}}  # type: ignore[dict-item]


def _without_number(made: dict[str, Any]) -> None:
    del made["people"][1]["phone"]


def _one_step(made: dict[str, Any]) -> None:
    made["rules"][0]["steps"] = made["rules"][0]["steps"][:1]


def _same_way(made: dict[str, Any]) -> None:
    made["rules"][0]["steps"][1]["by"] = ["relay-mail"]


def _only_some(made: dict[str, Any]) -> None:
    made["rules"][0]["sides"] = ["carrier"]


def _unknown(made: dict[str, Any]) -> None:
    made["rules"][0]["steps"][0]["to"] = "nobody"


def _two_kinds(made: dict[str, Any]) -> None:
    made["channels"][0]["telephone"] = PHONE


def _plain_secret(made: dict[str, Any]) -> None:
    made["channels"][2]["telephone"] = {**PHONE, "token": "correct horse"}


def _plain_line(made: dict[str, Any]) -> None:
    made["channels"][2]["telephone"] = {**PHONE, "url": "http://phone.example.jp/calls"}


def _carried_by_none(made: dict[str, Any]) -> None:
    made["channels"][2] = {**CARRIED, "carried": {**CARRIED["carried"], "by": "sms"}}  # type: ignore[dict-item]


def _header_in_address(made: dict[str, Any]) -> None:
    made["people"][0]["mail"] = "sato@city.example.jp\nBcc: x@example.jp"


@pytest.mark.parametrize(
    "change",
    [
        _without_number,
        _one_step,
        _same_way,
        _only_some,
        _unknown,
        _two_kinds,
        _plain_secret,
        _plain_line,
        _carried_by_none,
        _header_in_address,
    ],
)
def test_a_plan_that_leaves_a_hole_is_a_mistake(change: Any) -> None:
    made = deepcopy(said())
    AlertsFile.model_validate(made)
    change(made)
    with pytest.raises(ValidationError):
        AlertsFile.model_validate(made)


def test_the_plan_of_the_how_to_can_be_used_from_a_closed_zone() -> None:
    page = Path(__file__).parents[4] / "docs" / "how-to" / "who-is-told.md"
    text = page.read_text(encoding="utf-8").partition("```yaml\n")[2].partition("```")[0]
    read = read_text(text, AlertsFile, file="alerts.yaml")
    assert isinstance(read, Document), read
    check_zone(read.value, "hall-core", Zone.LGWAN)


@pytest.mark.parametrize("zone", [Zone.LGWAN, Zone.MYNUMBER])
def test_from_a_closed_zone_only_mail_to_the_relay_leaves(zone: Zone) -> None:
    with pytest.raises(ChannelNotFromZone) as refused:
        check_zone(plan(), "hall-core", zone)
    assert refused.value.code == "monitor.channel_not_from_zone"
    with pytest.raises(ChannelNotFromZone, match="phone"):
        check_zone(plan(channels=[RELAY, SMS_BY_BRIDGE, said()["channels"][2]]), "hall-core", zone)
    check_zone(plan(channels=[RELAY, SMS_BY_BRIDGE, CARRIED]), "hall-core", zone)


def test_mail_that_is_no_relay_carries_nothing_out_of_a_closed_zone() -> None:
    plain = {"channel": "relay-mail", "mail": MAIL}
    with pytest.raises(ChannelNotFromZone):
        check_zone(plan(channels=[plain, SMS_BY_BRIDGE, CARRIED]), "hall-core", Zone.LGWAN)


def test_from_the_internet_zone_any_channel_leaves() -> None:
    check_zone(plan(), "hall-web", Zone.INTERNET)
