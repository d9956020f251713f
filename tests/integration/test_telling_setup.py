"""``alerts.yaml`` of a workspace, put together: zones, secrets, the file while it is broken."""

import email
import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email.policy import default
from pathlib import Path

import pytest

from kumobashi.kernel import SystemClock
from kumobashi.monitoring.book import FaultBook, watch_file
from kumobashi.monitoring.channels.carried import CarriedByMail
from kumobashi.monitoring.channels.ports import Letter
from kumobashi.monitoring.channels.signing import HEADER, is_signed
from kumobashi.monitoring.telling.errors import AlertChannelUnfit, ChannelNotFromZone
from kumobashi.planning.errors import WorkspaceBroken
from kumobashi.planning.sampling import write_sample
from kumobashi.service.errors import SecretMissing
from kumobashi.service.telling import AlertSettings, telling_of
from tests.integration.test_telling import MailServer, alert, running_mail

SITE = "hall-core"
ALERTS = """kumobashi: 1
people:
  - {{person: sato, name: 佐藤, mail: sato@city.example.jp, phone: "0000000001"}}
  - {{person: suzuki, name: 鈴木, mail: suzuki@city.example.jp, phone: "0000000002"}}
channels:
  - channel: relay-mail
    mail: {{host: 127.0.0.1, port: {port}, security: none, sender: k@city.example.jp, relay: true}}
  - channel: phone
    carried: {{way: telephone, by: relay-mail, bridge: bridge@alerts.example.jp, secret: "file:b"}}
rules:
  - urgency: [now, today]
    steps:
      - {{after_minutes: 0, to: sato, by: [relay-mail]}}
      - {{after_minutes: 10, to: suzuki, by: [phone]}}
"""


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with running_mail() as server:
        yield server


@pytest.fixture
def workspace(tmp_path: Path, mail: MailServer) -> Path:
    write_sample(tmp_path / "city")
    folder = tmp_path / "city"
    (folder / "b").write_text("a secret of the bridge", encoding="ascii")
    text = ALERTS.format(port=mail.port)  # type: ignore[attr-defined]
    (folder / "alerts.yaml").write_text(text, encoding="utf-8")
    return folder


def changed(workspace: Path, old: str, new: str) -> None:
    path = workspace / "alerts.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_from_a_closed_zone_a_call_goes_as_a_signed_mail_to_the_bridge(
    workspace: Path, mail: MailServer
) -> None:
    channel = AlertSettings(workspace, SITE)().channels["phone"]
    assert isinstance(channel, CarriedByMail)
    channel.send(
        Letter(id="letter-1", to="0000000002", alerts=(alert(),), more=0, at=datetime.now(UTC))
    )
    ((to, body),) = mail.arrived
    message = email.message_from_bytes(body, policy=default)
    (attached,) = message.iter_attachments()
    said = attached.get_content()
    now = int(datetime.now(UTC).timestamp())
    assert to == "bridge@alerts.example.jp"
    assert is_signed(said, message[HEADER], b"a secret of the bridge", now)
    assert json.loads(said)["way"] == "telephone"
    assert json.loads(said)["to"] == "0000000002"
    assert "0000000002" not in str(message["Subject"])


def test_a_relay_that_is_none_is_refused_at_a_site_of_a_closed_zone(workspace: Path) -> None:
    changed(workspace, ", relay: true", "")
    with pytest.raises(ChannelNotFromZone):
        AlertSettings(workspace, SITE)


def test_a_secret_that_is_missing_or_short_is_said_at_the_start(workspace: Path) -> None:
    (workspace / "b").write_text("short", encoding="ascii")
    with pytest.raises(AlertChannelUnfit):
        AlertSettings(workspace, SITE)
    (workspace / "b").unlink()
    with pytest.raises(SecretMissing):
        AlertSettings(workspace, SITE)


def test_a_file_that_breaks_later_leaves_what_was_known_in_force(workspace: Path) -> None:
    settings = AlertSettings(workspace, SITE)
    changed(workspace, "to: suzuki", "to: nobody")
    assert settings().plan.rules[0].steps[1].to == "suzuki"
    changed(workspace, "to: nobody", "to: sato")
    assert settings().plan.rules[0].steps[1].to == "sato"
    (workspace / "alerts.yaml").unlink()
    assert settings().plan.rules[0].steps[1].to == "sato"


def test_without_alerts_yaml_telling_does_not_begin(workspace: Path) -> None:
    (workspace / "alerts.yaml").unlink()
    with pytest.raises(WorkspaceBroken):
        AlertSettings(workspace, SITE)


def test_put_together_it_tells_in_threads_of_its_own_and_ends(
    workspace: Path, mail: MailServer
) -> None:
    clock = SystemClock()
    tenant = "999997"
    file = watch_file(workspace / "var" / SITE)
    faults = FaultBook(file, tenant=tenant, site=SITE, clock=clock)
    telling = telling_of(workspace, SITE, faults, tenant=tenant, clock=clock)
    telling.start()
    try:
        telling.tell(alert())
        ends = time.monotonic() + 15
        while not mail.arrived and time.monotonic() < ends:
            time.sleep(0.02)
    finally:
        telling.close()
    assert [to for to, _ in mail.arrived] == ["sato@city.example.jp"]
    if os.name == "posix":
        assert (workspace / "var" / SITE / "telling.db").stat().st_mode & 0o077 == 0
