"""Alerts over real lines: a mail server of other people, a webhook, gateways, with their faults."""

import email
import json
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from kumobashi.directory.alert_models import AlertsFile
from kumobashi.exchange.views import Words
from kumobashi.kernel import new_id
from kumobashi.monitoring.alerts import Alert, Moment, Urgency
from kumobashi.monitoring.channels.ports import Accepted, Letter, Outcome
from kumobashi.monitoring.channels.posting import Target
from kumobashi.monitoring.channels.signing import HEADER, is_signed
from kumobashi.monitoring.channels.telephone import heard
from kumobashi.monitoring.channels.webhook import WebhookChannel
from kumobashi.monitoring.telling.book import TellingBook, telling_file
from kumobashi.monitoring.telling.dispatching import Dispatcher
from kumobashi.monitoring.telling.errors import (
    CallbackUnsigned,
    ChannelAway,
    DailyLetterUnknown,
    LetterRefused,
)
from kumobashi.monitoring.telling.escalating import Rest
from kumobashi.monitoring.telling.ports import Setup
from kumobashi.service.telling import channels_of
from kumobashi.testing.clocks import HandClock
from kumobashi.testing.sms_gateway import PASSWORD, SEND, USER, SmsGateway
from kumobashi.testing.telephone_gateway import SECRET, TOKEN, TelephoneGateway

controller = pytest.importorskip("aiosmtpd.controller", reason="aiosmtpd is in requirements/dev.in")

MORNING = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)  # Tuesday, 10:00 in Japan
NIGHT = datetime(2026, 11, 23, 17, 14, tzinfo=UTC)  # 2:14 in Japan
TENANT = "999997"
SATO, SUZUKI = "0000000001", "0000000002"
KEY = "a secret of the webhook"


class MailServer:
    """What arrived, and what is answered instead of yes."""

    def __init__(self) -> None:
        self.arrived: list[tuple[str, bytes]] = []
        self.answers: dict[str, str] = {}
        self.drops = False
        self.hangs_up_after_data = False
        self.slow_seconds = 0.0

    async def handle_RCPT(  # noqa: N802 - a name of aiosmtpd
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if said := self.answers.get("RCPT"):
            return said
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        import asyncio

        await asyncio.sleep(self.slow_seconds)
        if not self.drops:
            self.arrived.append((envelope.rcpt_tos[0], envelope.content))
        if self.hangs_up_after_data:
            server.transport.abort()
        return self.answers.get("DATA", "250 OK")

    def messages(self) -> list[Any]:
        return [email.message_from_bytes(body, policy=default) for _, body in self.arrived]


class Hook:
    """A web server that alerts are posted to."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.status = 204
        self.answer = b""
        self.headers: dict[str, str] = {}
        self.drips_seconds = 0.0
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.got.append((dict(self.headers.items()), body))
                self.send_response_only(hook.status)
                for name, value in hook.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(hook.answer)))
                self.end_headers()
                if not hook.drips_seconds:
                    self.wfile.write(hook.answer)
                    return
                with suppress(OSError):
                    for byte in hook.answer:
                        self.wfile.write(bytes([byte]))
                        time.sleep(hook.drips_seconds)

            def log_message(self, *_said: object) -> None:
                """Write nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/hook"


class Faults:
    """The record of faults, in memory."""

    def __init__(self) -> None:
        self.taken: dict[str, str] = {}
        self.said: list[tuple[str, str]] = []

    def takers(self, faults: Sequence[str]) -> Mapping[str, str]:
        return {fault: self.taken[fault] for fault in faults if fault in self.taken}

    def take(self, fault: str, by: str) -> None:
        self.taken[fault] = by

    def told(self, fault: str, words: Words) -> None:
        self.said.append((fault, words.ja))


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with running_mail() as server:
        yield server


@contextmanager
def running_mail() -> Iterator[MailServer]:
    server = MailServer()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    made = controller.Controller(server, hostname="127.0.0.1", port=port)
    made.start()
    server.port = port  # type: ignore[attr-defined]
    try:
        yield server
    finally:
        made.stop()


@pytest.fixture
def hook() -> Iterator[Hook]:
    made = Hook()
    made.thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    made.thread.join()


@pytest.fixture
def phone() -> Iterator[TelephoneGateway]:
    with TelephoneGateway() as gateway:
        yield gateway


@pytest.fixture
def sms() -> Iterator[SmsGateway]:
    with SmsGateway() as gateway:
        yield gateway


def plan_of(
    mail: MailServer, phone: TelephoneGateway, hook: Hook | None = None, **more: Any
) -> AlertsFile:
    channels: list[dict[str, Any]] = [
        {
            "channel": "relay-mail",
            "mail": {
                "host": "127.0.0.1",
                "port": mail.port,  # type: ignore[attr-defined]
                "security": "none",
                "sender": "kumobashi@city.example.jp",
            },
        },
        {
            "channel": "phone",
            "telephone": {"url": phone.url, "token": "file:phone.token", "inside": True},
        },
    ]
    if hook:
        said = {"url": hook.url, "secret": "file:hook.secret", "inside": True}
        channels.append({"channel": "desk-hook", "webhook": said})
    steps = [
        {"after_minutes": 0, "to": "it-duty", "by": ["relay-mail"]},
        {"after_minutes": 10, "to": "it-duty", "by": ["phone"]},
        {"after_minutes": 20, "to": "it-duty", "turn": 1, "by": ["relay-mail", "phone"]},
    ]
    said = {
        "kumobashi": 1,
        "people": [
            {"person": "sato", "name": "佐藤", "mail": "sato@city.example.jp", "phone": SATO},
            {"person": "suzuki", "name": "鈴木", "mail": "suzuki@city.example.jp", "phone": SUZUKI},
        ],
        "groups": [{"group": "it-duty", "members": ["sato", "suzuki"]}],
        "channels": channels,
        "rules": [
            {"urgency": ["now"], "steps": steps},
            {"urgency": ["today"], "steps": steps[:1]},
        ],
        **more,
    }
    return AlertsFile.model_validate(said)


def alert(number: int = 0, **changes: Any) -> Alert:
    made = Alert(
        id=new_id(),
        fault=new_id(),
        moment=Moment.OPENED,
        urgency=Urgency.NOW,
        code="network.access_line",
        side="carrier",
        title_ja=f"【発生】アクセス回線が切れています {number}（架空市）",
        title_en=f"[FAULT] the access line is down {number}",
        lines_ja=("原因の側: 回線事業者", "影響: 12件の連携"),
        lines_en=("Side: carrier", "Stops 12 links"),
        links=("tax-to-welfare",),
        more_links=0,
        at=MORNING,
    )
    return replace(made, **changes)


class Desk:
    """A dispatcher with a clock that is set by hand."""

    def __init__(self, folder: Path, plan: AlertsFile, at: datetime = MORNING) -> None:
        (folder / "phone.token").write_text(TOKEN, encoding="ascii")
        (folder / "hook.secret").write_text(KEY, encoding="ascii")
        self.clock = HandClock(at)
        self.faults = Faults()
        self.book = TellingBook(telling_file(folder), tenant=TENANT, clock=self.clock)
        setup = Setup(plan=plan, channels=channels_of(folder, plan))
        self.dispatcher = Dispatcher(
            book=self.book, setup=lambda: setup, faults=self.faults, clock=self.clock
        )

    def tell(self, one: Alert) -> Alert:
        self.book.tell(one)
        return one

    def turn(self, minutes: float = 0, times: int = 1) -> None:
        self.clock.at += timedelta(minutes=minutes)
        for _ in range(times):
            self.dispatcher.turn()
            self.dispatcher.settle()

    def until(self, happened: Callable[[], object]) -> None:
        """Take turns without the clock going on, for what other threads do."""
        ends = time.monotonic() + 10
        while not happened() and time.monotonic() < ends:
            self.turn()
            time.sleep(0.02)
        assert happened()

    def rest(self, one: Alert) -> Rest | None:
        return next(told.rest for told in self.book.listed() if told.alert.id == one.id)


@pytest.fixture
def desk(tmp_path: Path, mail: MailServer, phone: TelephoneGateway) -> Iterator[Desk]:
    made = Desk(tmp_path, plan_of(mail, phone))
    yield made
    made.dispatcher.close()


def test_an_accepted_mail_is_no_rest_and_the_key_of_a_telephone_is(
    desk: Desk, mail: MailServer, phone: TelephoneGateway
) -> None:
    mail.drops = True  # it says yes, and nothing arrives
    phone.people[SATO] = deque([Outcome.ACKNOWLEDGED])
    one = desk.tell(alert())

    desk.turn()
    assert mail.arrived == []
    assert desk.rest(one) is None
    desk.turn(minutes=9)
    assert phone.calls == []
    desk.turn(minutes=1)
    desk.until(lambda: desk.rest(one))

    assert desk.rest(one) is Rest.ACKNOWLEDGED
    assert desk.faults.taken == {one.fault: "佐藤"}
    assert [call.to for call in phone.calls] == [SATO]
    assert "1を押してください" in phone.calls[0].text
    assert not any(SATO in line for line in phone.asked)
    desk.turn(minutes=60)
    assert len(phone.calls) == 1


def test_a_busy_line_brings_the_next_person_at_once(
    desk: Desk, mail: MailServer, phone: TelephoneGateway
) -> None:
    phone.otherwise = Outcome.BUSY
    desk.tell(alert())
    desk.turn()
    desk.turn(minutes=10)
    desk.until(lambda: len(phone.calls) > 1)
    assert [call.to for call in phone.calls] == [SATO, SUZUKI]
    assert any("話し中" in words for _, words in desk.faults.said)
    desk.turn(times=3)  # all ways came to nothing: the next round waits
    assert len(phone.calls) == 2
    desk.turn(minutes=31)
    assert [to for to, _ in mail.arrived][-1] == "sato@city.example.jp"


@pytest.mark.parametrize(
    ("fault", "expected"), [("DATA", "451 later"), ("DATA", "554 no"), ("RCPT", "452 full")]
)
def test_a_mail_server_that_refuses_is_tried_again_and_left_for_the_telephone(
    desk: Desk, mail: MailServer, phone: TelephoneGateway, fault: str, expected: str
) -> None:
    mail.answers[fault] = expected
    desk.tell(alert())
    desk.turn()
    assert phone.calls == []
    desk.turn(minutes=0.1)
    desk.turn()
    assert [call.to for call in phone.calls] == [SATO]


def test_an_address_that_does_not_exist_brings_the_telephone_at_once(
    desk: Desk, mail: MailServer, phone: TelephoneGateway
) -> None:
    mail.answers["RCPT"] = "550 no such user"
    desk.tell(alert())
    desk.turn(times=2)
    assert [call.to for call in phone.calls] == [SATO]


def test_a_mail_server_that_hangs_up_may_have_it_and_gets_the_same_message_again(
    desk: Desk, mail: MailServer
) -> None:
    mail.hangs_up_after_data = True
    one = desk.tell(alert())
    desk.turn()
    mail.hangs_up_after_data = False
    desk.turn(minutes=0.2)
    first, second = mail.messages()
    assert first["Message-ID"] == second["Message-ID"]
    assert first["X-Kumobashi-Alert"] == second["X-Kumobashi-Alert"] == one.id


def test_a_slow_mail_server_holds_up_no_call(
    tmp_path: Path, mail: MailServer, phone: TelephoneGateway
) -> None:
    mail.slow_seconds = 3
    desk = Desk(tmp_path, plan_of(mail, phone))
    desk.tell(alert())
    desk.dispatcher.turn()
    desk.clock.at += timedelta(minutes=10)
    began = time.monotonic()
    desk.dispatcher.turn()
    while not phone.calls and time.monotonic() - began < 2.5:
        time.sleep(0.02)
    assert phone.calls
    assert mail.arrived == []
    desk.dispatcher.settle()
    desk.dispatcher.close()


def test_without_starttls_nothing_is_handed_over(tmp_path: Path, mail: MailServer) -> None:
    said = AlertsFile.model_validate(
        {
            "kumobashi": 1,
            "people": [{"person": "sato", "name": "佐藤", "mail": "sato@city.example.jp"}],
            "channels": [
                {
                    "channel": "relay-mail",
                    "mail": {
                        "host": "127.0.0.1",
                        "port": mail.port,  # type: ignore[attr-defined]
                        "security": "starttls",
                        "sender": "kumobashi@city.example.jp",
                    },
                }
            ],
            "rules": [
                {
                    "urgency": ["today"],
                    "steps": [{"after_minutes": 0, "to": "sato", "by": ["relay-mail"]}],
                },
                {
                    "urgency": ["now"],
                    "steps": [
                        {"after_minutes": 0, "to": "sato", "by": ["relay-mail"]},
                        {
                            "after_minutes": 5,
                            "to": "sato",
                            "everyone": True,
                            "by": ["relay-mail"],
                        },
                    ],
                },
            ],
        }
    )
    channel = channels_of(tmp_path, said)["relay-mail"]
    with pytest.raises(ChannelAway):
        channel.send(
            Letter(id="1", to="sato@city.example.jp", alerts=(alert(),), more=0, at=MORNING)
        )
    assert mail.arrived == []


def test_a_hostile_title_ends_no_header_and_turns_no_line(desk: Desk, mail: MailServer) -> None:
    title = "【発生】回線\r\nBcc: evil@example.jp\u202e逆\u0000\u2028終"
    desk.tell(alert(title_ja=title, lines_ja=("一行\r\n.\r\nMAIL FROM:<x>",)))
    desk.turn()
    message = mail.messages()[0]
    assert message["Bcc"] is None
    assert message["Subject"] == "【発生】回線 Bcc: evil@example.jp逆 終"
    assert [to for to, _ in mail.arrived] == ["sato@city.example.jp"]
    assert "\u202e" not in message.get_content()
    assert "一行 . MAIL FROM:<x>" in message.get_content()


def test_who_was_told_is_told_of_the_end_once_and_not_rung_at_night(
    tmp_path: Path, mail: MailServer, phone: TelephoneGateway
) -> None:
    desk = Desk(tmp_path, plan_of(mail, phone), at=NIGHT)
    one = desk.tell(alert())
    desk.turn()
    desk.turn(minutes=10)
    over = desk.tell(alert(fault=one.fault, moment=Moment.ENDED, title_ja="【復旧】回線"))
    desk.until(lambda: desk.rest(over))
    assert [message["Subject"] for message in mail.messages()][-1] == "【復旧】回線"
    calls, mails = len(phone.calls), len(mail.arrived)
    desk.turn(minutes=12 * 60, times=3)
    assert (len(phone.calls), len(mail.arrived)) == (calls, mails)
    assert desk.rest(one) is Rest.OVER
    desk.dispatcher.close()


def test_an_end_that_follows_before_anybody_was_told_is_told_to_nobody(
    desk: Desk, mail: MailServer
) -> None:
    one = desk.tell(alert())
    over = desk.tell(alert(fault=one.fault, moment=Moment.ENDED))
    desk.turn(times=3)
    assert mail.arrived == []
    assert (desk.rest(one), desk.rest(over)) == (Rest.OVER, Rest.TOLD)


def test_what_is_of_today_waits_for_the_office(
    tmp_path: Path, mail: MailServer, phone: TelephoneGateway
) -> None:
    desk = Desk(tmp_path, plan_of(mail, phone), at=NIGHT)
    one = desk.tell(alert(urgency=Urgency.TODAY))
    desk.turn(times=2)
    assert mail.arrived == []
    desk.turn(minutes=6 * 60 + 16)  # 8:30
    assert len(mail.arrived) == 1
    desk.turn(minutes=31)
    assert desk.rest(one) is Rest.TOLD
    assert phone.calls == []
    desk.dispatcher.close()


def test_whoever_takes_the_fault_ends_the_calling(
    desk: Desk, mail: MailServer, phone: TelephoneGateway
) -> None:
    one = desk.tell(alert())
    desk.turn()
    desk.faults.take(one.fault, "鈴木")  # at the console
    desk.turn(minutes=10, times=2)
    assert phone.calls == []
    assert desk.rest(one) is Rest.ACKNOWLEDGED


def test_five_thousand_alerts_are_a_few_letters_and_none_is_lost(
    desk: Desk, mail: MailServer, phone: TelephoneGateway
) -> None:
    with desk.book.file.writing() as connection:
        for number in range(5_000):
            desk.book.take(connection, alert(number), int(desk.clock.at.timestamp() * 1e6))
    phone.otherwise = Outcome.ACKNOWLEDGED
    for _ in range(11):
        desk.turn()
    desk.turn(minutes=1)
    assert len(mail.arrived) == 11  # nine by themselves, two for all the others
    subjects = [str(message["Subject"]) for message in mail.messages()]
    assert sum("ほか490件" in one for one in subjects) == 1
    assert sum("ほか4,499件" in one for one in subjects) == 1
    import sqlalchemy as sa

    from kumobashi.monitoring.telling.sql import errands

    with desk.book.file.engine.connect() as connection:
        carried = sa.select(sa.func.count()).where(errands.c.letter.is_not(None))
        assert connection.execute(carried).scalar() == 5_000
    for _ in range(80):
        desk.turn(minutes=0.2, times=2)
        if not desk.book.listed(running_only=True, limit=1):
            break
    assert not desk.book.listed(running_only=True, limit=1)
    assert len(phone.calls) <= 3
    assert len(desk.faults.taken) == 5_000


def test_a_lost_daily_letter_is_found_and_a_typed_word_confirms_one(
    tmp_path: Path, mail: MailServer, phone: TelephoneGateway
) -> None:
    letter = {"to": "sato", "by": ["relay-mail"], "confirm_minutes": 60}
    desk = Desk(tmp_path, plan_of(mail, phone, letter=letter), at=MORNING - timedelta(minutes=70))
    desk.tell(alert(urgency=Urgency.NOTE, title_ja="【発生】参考のこと"))
    desk.turn(times=3)
    text = mail.messages()[0].get_content()
    assert "参考のこと" in text
    word = text.partition("合言葉: ")[2].splitlines()[0]
    with pytest.raises(DailyLetterUnknown):
        desk.dispatcher.daily.confirm("00000000", by="佐藤")
    assert desk.dispatcher.daily.confirm(word, by="佐藤") == "relay-mail"
    desk.turn(minutes=90, times=2)
    assert len(mail.arrived) == 1

    mail.drops = True
    desk.turn(minutes=24 * 60 - 90, times=2)  # the next morning
    desk.turn(minutes=61, times=2)
    desk.turn(minutes=10, times=2)
    assert [call.to for call in phone.calls] == [SATO]
    assert "便りが届いていません" in phone.calls[0].text
    assert len(mail.arrived) == 1
    desk.dispatcher.close()


# -- one channel at a time ---------------------------------------------------------------------


def letter_of(one: Alert, to: str = "") -> Letter:
    return Letter(id="letter-1", to=to, alerts=(one,), more=0, at=datetime.now(UTC))


def hooked(hook: Hook, **changes: Any) -> WebhookChannel:
    target = Target(
        channel="desk-hook",
        host="127.0.0.1",
        port=hook.server.server_address[1],
        path="/hook",
        is_encrypted=False,
        may_be_inside=True,
        patience_seconds=1,
    )
    return WebhookChannel(target=replace(target, **changes), secret=KEY.encode())


def test_a_webhook_gets_signed_json_and_may_say_who_sees_to_it(hook: Hook) -> None:
    hook.status, hook.answer = 200, json.dumps({"acknowledged_by": "当番\r\n佐藤"}).encode()
    accepted = hooked(hook).send(letter_of(alert()))
    headers, body = hook.got[0]
    assert is_signed(body, headers[HEADER], KEY.encode(), int(time.time()))
    assert not is_signed(body + b" ", headers[HEADER], KEY.encode(), int(time.time()))
    assert json.loads(body)["alerts"][0]["code"] == "network.access_line"
    assert headers["Idempotency-Key"] == "letter-1"
    assert accepted == Accepted(acknowledged_by="当番 佐藤")


def test_a_webhook_that_leads_elsewhere_is_not_followed(hook: Hook) -> None:
    hook.status, hook.headers = 307, {"Location": "http://169.254.169.254/latest/"}
    with pytest.raises(LetterRefused):
        hooked(hook).send(letter_of(alert()))
    assert len(hook.got) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "169.254.169.254", "10.0.0.1", "::ffff:10.0.0.1"])
def test_a_webhook_does_not_reach_into_the_network_unless_it_may(hook: Hook, host: str) -> None:
    with pytest.raises(LetterRefused, match="address_inside"):
        hooked(hook, host=host, may_be_inside=False).send(letter_of(alert()))
    assert hook.got == []


def test_a_webhook_that_drips_is_left_in_time(hook: Hook) -> None:
    hook.status, hook.answer, hook.drips_seconds = 200, b"{" * 200, 0.1
    began = time.monotonic()
    assert hooked(hook).send(letter_of(alert())) == Accepted()  # its status came, and stands
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    ("status", "kind"), [(500, ChannelAway), (429, ChannelAway), (400, LetterRefused)]
)
def test_the_answer_of_a_webhook_says_whether_to_try_again(
    hook: Hook, status: int, kind: type[Exception]
) -> None:
    hook.status = status
    with pytest.raises(kind):
        hooked(hook).send(letter_of(alert()))


@pytest.mark.parametrize("answer", [b"[" * 60_000, b"\xff", b"{" + b" " * 70_000, b"null"])
def test_a_strange_answer_of_a_webhook_is_a_plain_yes(hook: Hook, answer: bytes) -> None:
    hook.status, hook.answer = 200, answer
    assert hooked(hook).send(letter_of(alert())) == Accepted()


def test_a_short_message_fits_and_a_repeat_arrives_once(tmp_path: Path, sms: SmsGateway) -> None:
    (tmp_path / "sms.password").write_text(PASSWORD, encoding="ascii")
    from kumobashi.directory.channel_models import SmsChannel as Settings
    from kumobashi.monitoring.channels.sms import SmsChannel
    from kumobashi.service.channels import sms_route

    said = Settings.model_validate(
        {
            "url": f"http://127.0.0.1:{sms.port}{SEND}",
            "user": USER,
            "password": "file:sms.password",
        }
    )
    channel = SmsChannel("sms", sms_route(tmp_path, said, None))
    long = letter_of(alert(title_ja="【発生】" + "長い題😀" * 40), to="09000000001")
    channel.send(long)
    channel.send(long)
    assert len(sms.messages) == 1
    assert len(sms.messages[0].text) <= 70
    assert sms.messages[0].text.startswith("【発生】長い題〓")


def test_a_gateway_out_of_lines_is_asked_again_with_the_same_id(
    desk: Desk, phone: TelephoneGateway
) -> None:
    phone.answers.append(429)
    phone.people[SATO] = deque([Outcome.ACKNOWLEDGED])
    one = desk.tell(alert())
    desk.turn()
    desk.turn(minutes=10)
    desk.turn(minutes=0.2)
    desk.until(lambda: desk.rest(one))
    assert SATO in [call.to for call in phone.calls]


def test_a_gateway_that_hangs_up_after_taking_places_one_call(
    desk: Desk, phone: TelephoneGateway
) -> None:
    phone.hangs_up_after_taking = True
    desk.tell(alert())
    desk.turn()
    desk.turn(minutes=10)
    phone.hangs_up_after_taking = False
    desk.turn(minutes=0.2)
    assert [call.to for call in phone.calls] == [SATO]


def test_what_a_gateway_says_by_itself_counts_once_and_only_signed(
    desk: Desk, phone: TelephoneGateway
) -> None:
    came: list[tuple[bytes, str]] = []
    hook = Hook()
    hook.thread.start()
    phone.callback, phone.callbacks = hook.url, 3
    phone.people[SATO] = deque([Outcome.ACKNOWLEDGED])
    one = desk.tell(alert())
    desk.turn()
    desk.turn(minutes=10)
    ends = time.monotonic() + 5
    while len(hook.got) < 3 and time.monotonic() < ends:
        time.sleep(0.02)
    came = [(body, headers[HEADER]) for headers, body in hook.got]
    hook.server.shutdown()
    hook.server.server_close()
    for body, signature in came:
        call, outcome = heard(body, signature, SECRET, int(time.time()))
        desk.dispatcher.heard("phone", call, outcome)
    with pytest.raises(CallbackUnsigned):
        heard(came[0][0], came[0][1], b"another secret", int(time.time()))
    assert len(came) == 3
    assert desk.faults.taken == {one.fault: "佐藤"}
    assert desk.rest(one) is Rest.ACKNOWLEDGED
