"""What every sender of codes does: mail, short messages and letters, each over the real thing."""

import email
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.policy import default
from pathlib import Path

import pytest

from kumobashi.consent.channels.errors import AddressRefused, SenderAway
from kumobashi.consent.channels.letters import LetterSender
from kumobashi.consent.channels.ports import CodeLetter, Delivery, Reporting, Sender
from kumobashi.consent.channels.sms import SmsSender
from kumobashi.consent.channels.smtp import MailRoute, SmtpSender
from kumobashi.consent.channels.states import Channel
from kumobashi.testing.sms_gateway import NO_SUCH_NUMBER, SmsGateway
from tests.integration.test_codes_by_mail import OFFICE, PASSWORD, Server, running
from tests.integration.test_codes_by_sms import route_to

pytestmark = pytest.mark.slow
NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A sender with what is at its other end."""

    sender: Sender
    channel: Channel
    address: str
    texts: Callable[[], list[str]]  # what arrived, or lies there
    shut: Callable[[], None]  # from here on the other end takes nothing
    nobody: Callable[[], str] | None = None  # prepares, and returns, an address that is none

    def letter(self, code: str = "1234-5678", sending: int = 1) -> CodeLetter:
        return CodeLetter(
            record="019aa8d1-5b7c-7000-8000-0123456789ab",
            channel=self.channel,
            address=self.address,
            code=code,
            until=NOW + timedelta(hours=24),
            at=NOW,
            sending=sending,
        )


def by_mail() -> Iterator[Way]:
    server = Server()

    def read() -> list[str]:
        arrived = (email.message_from_bytes(raw, policy=default) for _, _, raw in server.arrived)
        return [mail.get_content() for mail in arrived]

    def unknown() -> str:
        server.answers["RCPT"] = "550 5.1.1 <kakuu.taro@example.jp>: unknown"
        return "kakuu.taro@example.jp"

    with running(server) as port:
        route = MailRoute(
            host="127.0.0.1", port=port, security="none", sender="no-reply@city.example.jp"
        )
        yield Way(
            sender=SmtpSender(route, OFFICE),
            channel=Channel.MAIL,
            address="kakuu.taro@example.jp",
            texts=read,
            shut=lambda: server.answers.update(RCPT="451 4.7.1 kakuu.taro@example.jp"),
            nobody=unknown,
        )


def by_sms() -> Iterator[Way]:
    with SmsGateway() as gateway:
        yield Way(
            sender=SmsSender(route_to(gateway), OFFICE),
            channel=Channel.SMS,
            address="09000000001",
            texts=lambda: [one.text for one in gateway.messages],
            shut=lambda: gateway.answers.extend([503] * 9),
            nobody=lambda: NO_SUCH_NUMBER,
        )


def by_post(folder: Path) -> Iterator[Way]:
    letters = folder / "letters"

    def shut() -> None:
        for page in letters.glob("*"):
            page.unlink()
        letters.rmdir()
        letters.write_bytes(b"no folder")

    yield Way(
        sender=LetterSender(letters, OFFICE),
        channel=Channel.POST,
        address="架空市架空町1-2 架空太郎",
        texts=lambda: [page.read_text("utf-8") for page in letters.glob("*.html")],
        shut=shut,
    )


@pytest.fixture(params=["mail", "sms", "post"])
def way(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Way]:
    if request.param == "post":
        yield from by_post(tmp_path)
    else:
        yield from (by_mail() if request.param == "mail" else by_sms())


def test_a_code_arrives_with_its_last_day_and_whom_to_call(way: Way) -> None:
    way.sender.send(way.letter())
    (text,) = way.texts()
    for said in ("架空市", "1234-5678", "11月23日12時00分まで", OFFICE.phone, "教えないで"):
        assert said in text
    assert "http" not in text
    assert way.letter().record not in text


def test_the_newest_of_several_is_there(way: Way) -> None:
    way.sender.send(way.letter())
    way.sender.send(way.letter("8765-4321", sending=2))
    assert "8765-4321" in way.texts()[-1]


def test_what_goes_wrong_may_go_right_later_and_says_nothing_of_anybody(way: Way) -> None:
    way.sender.send(way.letter())
    way.shut()
    with pytest.raises(SenderAway) as away:
        way.sender.send(way.letter("8765-4321", sending=2))
    assert away.value.retryable
    assert away.value.record == way.letter().record
    assert_says_nothing(away.value, way.letter("8765-4321"))


def test_no_such_address_is_final(way: Way) -> None:
    if way.nobody is None:
        pytest.skip("a letter comes back by post")
    letter = replace(way.letter(), address=way.nobody())
    with pytest.raises(AddressRefused) as refused:
        way.sender.send(letter)
    assert way.texts() == []
    assert_says_nothing(refused.value, letter)


def test_what_became_of_a_code_is_told_by_those_who_are_told(way: Way) -> None:
    way.sender.send(way.letter())
    if not isinstance(way.sender, Reporting):
        assert way.channel is not Channel.SMS
        return
    assert way.sender.delivery(way.letter().record, 1) is Delivery.DELIVERED
    assert way.sender.delivery(way.letter().record, 2) is Delivery.UNKNOWN


def assert_says_nothing(error: Exception, letter: CodeLetter) -> None:
    said = f"{error!r} {error} {error.__cause__!r} {vars(error)!r}"
    for secret in (letter.address, letter.code, PASSWORD):
        assert secret not in said
    assert error.__context__ is None or error.__suppress_context__
