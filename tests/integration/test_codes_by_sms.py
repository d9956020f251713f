"""Codes by SMS: over HTTP to a gateway with the limits and faults of those sold in Japan."""

import io
import json
import re
import socket
import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kumobashi.cli.entry import root
from kumobashi.consent.channels.errors import SenderAway
from kumobashi.consent.channels.ports import CodeLetter, Delivery
from kumobashi.consent.channels.sms import SmsRoute, SmsSender
from kumobashi.consent.channels.states import Channel
from kumobashi.planning.sampling import write_sample
from kumobashi.testing.sms_gateway import (
    OUT_OF_REACH,
    PASSWORD,
    REPORTS,
    SEND,
    SWITCHED_OFF,
    USER,
    SmsGateway,
)
from tests.integration.test_codes_by_mail import OFFICE, certificate
from tests.unit.registers import write_register

__all__ = ["certificate"]  # a fixture
NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
WHERE = "09000000001"


def route_to(gateway: SmsGateway, **changed: Any) -> SmsRoute:
    plain = SmsRoute(
        host="127.0.0.1",
        port=gateway.port,
        is_encrypted=False,
        path=SEND,
        reports=REPORTS,
        user=USER,
        password=PASSWORD,
        longest=70,
        refused=frozenset({560}),
        patience_seconds=5,
    )
    return replace(plain, **changed)


def letter(number: str = WHERE, sending: int = 1) -> CodeLetter:
    return CodeLetter(
        record="019aa8d1-5b7c-7000-8000-0123456789ab",
        channel=Channel.SMS,
        address=number,
        code="1234-5678",
        until=NOW + timedelta(minutes=30),
        at=NOW,
        sending=sending,
    )


def away(sender: SmsSender, sent: CodeLetter | None = None) -> str:
    with pytest.raises(SenderAway) as raised:
        sender.send(sent or letter())
    assert WHERE not in f"{raised.value!r} {vars(raised.value)!r} {raised.value.__cause__!r}"
    return str(raised.value.reason)


def test_the_number_is_in_no_line_of_http_and_the_text_fits(
    certificate: tuple[ssl.SSLContext, str],
) -> None:
    context, authority = certificate
    with SmsGateway(tls=context) as gateway:
        route = route_to(gateway, is_encrypted=True, authorities=authority)
        SmsSender(route, OFFICE).send(letter())
        assert SmsSender(route, OFFICE).delivery(letter().record, 1) is Delivery.DELIVERED
        for strange in (replace(route, authorities=None), replace(route, host="localhost")):
            assert away(SmsSender(strange, OFFICE)) == "tls"
    (message,) = gateway.messages
    assert message.number == WHERE
    assert len(message.text) <= 70
    assert "1234-5678" in message.text
    assert gateway.lines == [f"POST {SEND} HTTP/1.1", f"POST {REPORTS} HTTP/1.1"]


def test_what_the_gateway_says_is_told_as_a_number_and_ends_no_address() -> None:
    with SmsGateway(per_second=1) as gateway:
        sender = SmsSender(route_to(gateway), OFFICE)
        for code in (401, 403, 500, 585, 301):
            gateway.answers.append(code)
            assert away(sender) == ("auth" if code in {401, 403} else str(code))
        assert gateway.messages == []
        sender.send(letter())
        assert away(sender, letter(sending=2)) == "503"  # more than the contract lets in a second
        assert away(SmsSender(route_to(gateway, password="x"), OFFICE)) == "auth"
        # Without a code for it in the settings, a number that is none ends nothing either.
        gateway.answers.append(560)
        assert away(SmsSender(route_to(gateway, refused=frozenset()), OFFICE)) == "560"


def test_slow_silent_and_broken_lines_leave_it_open_whether_a_code_went_out() -> None:
    with SmsGateway() as gateway:
        gateway.slow_seconds = 0.6
        assert away(SmsSender(route_to(gateway, patience_seconds=0.1), OFFICE)) == "timeout"
        gateway.slow_seconds = 0.0
        gateway.hangs_up_after_taking = True
        assert away(SmsSender(route_to(gateway), OFFICE), letter(sending=2)) == "disconnected"
        assert len(gateway.messages) == 2  # both codes are out, and count if they come back
        gone = route_to(gateway)
    assert away(SmsSender(gone, OFFICE)) == "no_connection"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        quick = replace(gone, port=port, patience_seconds=0.2)
        assert away(SmsSender(quick, OFFICE)) == "timeout"


def test_what_became_of_a_message_is_asked_for_by_our_own_id() -> None:
    with SmsGateway() as gateway:
        sender = SmsSender(route_to(gateway), OFFICE)
        told = []
        for sending, number in enumerate((WHERE, OUT_OF_REACH, SWITCHED_OFF), 1):
            sender.send(letter(number, sending))
            told.append(sender.delivery(letter().record, sending))
        assert told == [Delivery.DELIVERED, Delivery.UNDELIVERED, Delivery.WAITING]
        gateway.brings_twice = True
        sender.send(letter(sending=4))
        sender.send(letter(sending=4))  # the same once more is no second message
        assert [one.id[-1] for one in gateway.messages] == ["1", "4", "4"]
        gateway.remembers = False  # after 48 hours
        assert sender.delivery(letter().record, 1) is Delivery.UNKNOWN
        nobody = SmsSender(route_to(gateway, reports=None), OFFICE)
        assert nobody.delivery(letter().record, 1) is Delivery.UNKNOWN


def test_from_the_terminal_to_the_handset_and_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_sample(tmp_path / "city")
    write_register(folder, "0000000001")
    monkeypatch.setenv("KUMOBASHI_SMS", PASSWORD)

    def do(*args: str, lines: str = "") -> Any:
        monkeypatch.setattr("sys.stdin", io.StringIO(lines))
        with pytest.raises(SystemExit) as over:
            root.main(["consent", *args, "--workspace", str(folder), "--json"])
        said = capsys.readouterr()
        assert WHERE not in said.out + said.err
        return over.value.code or 0, json.loads(said.out)

    with SmsGateway() as gateway:
        url = f"url: 'http://127.0.0.1:{gateway.port}{SEND}', reports: '{REPORTS}'"
        sms = f"{{{url}, user: {USER}, password: 'env:KUMOBASHI_SMS', refused: [560]}}"
        path = folder / "kumobashi.yaml"
        text = path.read_text("utf-8") + f"channels: {{contact: consent-office, sms: {sms}}}\n"
        path.write_text(text, encoding="utf-8", newline="\n")
        gateway.hangs_up_after_taking = True
        code, said = do("channel", "add", "sms", lines="0000000001\n０９０-0000-0001\n")
        assert (code != 0, said["error"]["code"]) == (True, "channel.sender_away")
        gateway.hangs_up_after_taking = False
        _, listed = do("channel", "list", lines="0000000001\n")
        record = listed["addresses"][0]["record"]
        _, told = do("channel", "delivery", record)
        assert told["delivery"] == "delivered"
        found = re.search(r"\d{4}-\d{4}", gateway.messages[0].text)
        assert found  # the line broke, the code was out, and it counts
        _, proven = do("channel", "confirm", record, lines=found.group())
        assert proven["addresses"][0]["state"] == "proven"
        code, said = do("channel", "add", "sms", lines="0000000001\n09000000002\n")
        assert (code != 0, said["error"]["code"]) == (True, "channel.address_refused")
    code, granted = do("grant", "child-notices", "--channel", "sms", lines="0000000001\n")
    assert (code, granted["records"][0]["state"]) == (0, "granted")
    assert not any(WHERE in line for line in gateway.lines)
    for path in (folder / "var").rglob("*"):
        assert path.is_dir() or WHERE.encode() not in path.read_bytes()
