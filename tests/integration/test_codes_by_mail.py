"""Codes over real SMTP: to a server of other people (aiosmtpd), with STARTTLS and with faults."""

import email
import io
import json
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from kumobashi.cli.entry import root
from kumobashi.consent.channels.errors import AddressRefused, SenderAway
from kumobashi.consent.channels.ports import CodeLetter
from kumobashi.consent.channels.smtp import MailRoute, SmtpSender
from kumobashi.consent.channels.states import Channel
from kumobashi.consent.channels.wording import Office
from kumobashi.planning.sampling import write_sample
from tests.peers.certificates import certified
from tests.unit.registers import write_register

controller = pytest.importorskip("aiosmtpd.controller", reason="aiosmtpd is in requirements/dev.in")
smtp = pytest.importorskip("aiosmtpd.smtp")

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
OFFICE = Office(
    municipality="架空市", name="架空市 市民課", phone="000-000-0002", hours="平日 8:30–17:15"
)
WHERE = "kakuu.taro@example.jp"
USER, PASSWORD = "kumobashi", "correct horse"


class Server:
    """What arrived, and what is answered instead of yes."""

    def __init__(self) -> None:
        self.arrived: list[tuple[str, list[str], bytes]] = []
        self.answers: dict[str, str] = {}
        self.hangs_up_after_data = False

    async def handle_RCPT(  # noqa: N802 - a name of aiosmtpd
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if said := self.answers.get("RCPT"):
            return said
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_MAIL(  # noqa: N802 - likewise
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if said := self.answers.get("MAIL"):
            return said
        envelope.mail_from = address
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.arrived.append((envelope.mail_from, list(envelope.rcpt_tos), envelope.content))
        if self.hangs_up_after_data:
            server.transport.abort()
        return self.answers.get("DATA", "250 OK")

    def message(self) -> EmailMessage:
        read = email.message_from_bytes(self.arrived[-1][2], policy=default)
        assert isinstance(read, EmailMessage)
        return read


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, str]:
    return certified(tmp_path_factory.mktemp("tls"), "mail.example.jp")


def _authenticated(_server: Any, _session: Any, _envelope: Any, _how: str, data: Any) -> Any:
    is_right = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return smtp.AuthResult(success=is_right, handled=False)


@contextmanager
def running(handler: Server, **options: Any) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    made = controller.Controller(handler, hostname="127.0.0.1", port=port, **options)
    made.start()
    try:
        yield port
    finally:
        made.stop()


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def route(server: Server, certificate: tuple[ssl.SSLContext, str]) -> Iterator[MailRoute]:
    context, authority = certificate
    options = {
        "tls_context": context,
        "require_starttls": True,
        "authenticator": _authenticated,
        "auth_required": True,
    }
    with running(server, **options) as port:
        yield MailRoute(
            host="127.0.0.1",
            port=port,
            security="starttls",
            sender="no-reply@city.example.jp",
            user=USER,
            password=PASSWORD,
            authorities=authority,
            patience_seconds=5,
        )


def letter(address: str = WHERE) -> CodeLetter:
    return CodeLetter(
        record="019aa8d1-5b7c-7000-8000-0123456789ab",
        channel=Channel.MAIL,
        address=address,
        code="1234-5678",
        until=NOW + timedelta(hours=24),
        at=NOW,
    )


def changed(route: MailRoute, **values: Any) -> MailRoute:
    from dataclasses import replace

    return replace(route, **values)


def test_the_mail_arrives_as_a_japanese_mail_with_the_code(
    server: Server, route: MailRoute
) -> None:
    SmtpSender(route, OFFICE).send(letter())
    sender, to, raw = server.arrived[0]
    assert (sender, to) == ("no-reply@city.example.jp", [WHERE])
    mail = server.message()
    assert mail["Subject"] == "【架空市】メールアドレスの確認"
    assert mail["To"] == WHERE
    assert mail["From"] == "架空市 <no-reply@city.example.jp>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"].endswith("@city.example.jp>")
    text = mail.get_content()
    assert "1234-5678" in text
    assert "2026年11月23日12時00分まで" in text
    assert "http" not in text
    assert socket.gethostname().encode() not in raw
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))


@pytest.mark.parametrize("local", ["a..b", "a.", ".a", "o'brien", "a+b"])
def test_addresses_that_carriers_gave_out_arrive(
    server: Server, route: MailRoute, local: str
) -> None:
    SmtpSender(route, OFFICE).send(letter(f"{local}@example.jp"))
    (to,) = server.arrived[0][1]
    assert to.replace('"', "") == f"{local}@example.jp"
    assert server.message()["To"].addresses[0].username == local


@pytest.mark.parametrize("said", ["550 5.1.1 <kakuu.taro@example.jp>: unknown", "553 no such"])
def test_no_such_address_is_final_and_not_repeated(
    server: Server, route: MailRoute, said: str
) -> None:
    server.answers["RCPT"] = said
    with pytest.raises(AddressRefused) as refused:
        SmtpSender(route, OFFICE).send(letter())
    assert_says_nothing(refused.value)
    assert server.arrived == []


@pytest.mark.parametrize(
    ("at", "said", "reason"),
    [
        ("RCPT", "451 4.7.1 greylisted, kakuu.taro@example.jp", "451"),
        ("RCPT", "550 5.7.1 relaying denied for kakuu.taro@example.jp", "550"),
        ("RCPT", "552 5.2.2 mailbox full", "552"),
        ("MAIL", "550 5.7.1 you are blocked", "550"),
        ("DATA", "554 5.6.0 content refused", "554"),
        ("DATA", "452 4.3.1 no space", "452"),
    ],
)
def test_what_is_not_about_the_address_may_go_through_later(
    server: Server, route: MailRoute, at: str, said: str, reason: str
) -> None:
    server.answers[at] = said
    with pytest.raises(SenderAway) as away:
        SmtpSender(route, OFFICE).send(letter())
    assert away.value.reason == reason
    assert away.value.retryable
    assert_says_nothing(away.value)


def assert_says_nothing(error: Exception) -> None:
    assert "kakuu" not in f"{error!r} {error} {error.__cause__!r} {vars(error)!r}"
    assert error.__context__ is None or error.__suppress_context__


def test_a_line_that_breaks_behind_the_message_leaves_it_open(
    server: Server, route: MailRoute
) -> None:
    server.hangs_up_after_data = True
    with pytest.raises(SenderAway) as away:
        SmtpSender(route, OFFICE).send(letter())
    assert away.value.reason in {"disconnected", "no_connection"}
    assert len(server.arrived) == 1  # the code may have gone out, so it counts if it comes back


def test_a_wrong_password_is_said_without_it(server: Server, route: MailRoute) -> None:
    wrong = changed(route, password="another one")
    with pytest.raises(SenderAway) as away:
        SmtpSender(wrong, OFFICE).send(letter())
    assert away.value.reason == "auth"
    assert "another one" not in f"{away.value} {wrong!r}"


def test_nothing_is_said_to_a_server_without_encryption(server: Server, route: MailRoute) -> None:
    with running(server) as port, pytest.raises(SenderAway):
        SmtpSender(changed(route, port=port), OFFICE).send(letter())
    assert server.arrived == []


def test_a_server_that_nobody_vouches_for_gets_nothing(server: Server, route: MailRoute) -> None:
    for strange in (changed(route, authorities=None), changed(route, host="localhost")):
        with pytest.raises(SenderAway) as away:
            SmtpSender(strange, OFFICE).send(letter())
        assert away.value.reason == "tls"
    assert server.arrived == []


def test_a_server_that_is_away_or_silent_is_waited_for_no_longer_than_said(
    route: MailRoute,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        quick = changed(route, port=port, patience_seconds=0.3)
        with pytest.raises(SenderAway) as away:
            SmtpSender(quick, OFFICE).send(letter())
        assert away.value.reason in {"timeout", "disconnected"}
    with pytest.raises(SenderAway) as away:
        SmtpSender(changed(quick, port=port), OFFICE).send(letter())
    assert away.value.reason == "no_connection"


def test_a_relay_on_this_machine_needs_no_encryption(server: Server) -> None:
    with running(server) as port:
        plain = MailRoute(
            host="127.0.0.1", port=port, security="none", sender="no-reply@city.example.jp"
        )
        SmtpSender(plain, OFFICE).send(letter())
    assert len(server.arrived) == 1


def test_a_server_that_babbles_is_no_server(route: MailRoute) -> None:
    def babble(listening: socket.socket) -> None:
        held, _ = listening.accept()
        with held:
            held.sendall(b"220 " + b"x" * 100_000 + b"\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=babble, args=(listening,))
        thread.start()
        with pytest.raises(SenderAway):
            SmtpSender(changed(route, port=listening.getsockname()[1]), OFFICE).send(letter())
        thread.join()


def test_from_the_terminal_to_the_mail_and_back(
    server: Server,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = write_sample(tmp_path / "city")
    write_register(folder, "0000000001")

    def do(*args: str, lines: str) -> Any:
        monkeypatch.setattr("sys.stdin", io.StringIO(lines))
        with pytest.raises(SystemExit) as over:
            root.main(["consent", *args, "--workspace", str(folder), "--json"])
        said = capsys.readouterr()
        assert "kakuu" not in said.out + said.err
        return over.value.code or 0, json.loads(said.out)

    with running(server) as port:
        mail = f"{{host: 127.0.0.1, port: {port}, security: none, sender: no-reply@x.example.jp}}"
        path = folder / "kumobashi.yaml"
        text = path.read_text("utf-8") + f"channels: {{contact: consent-office, mail: {mail}}}\n"
        path.write_text(text, encoding="utf-8", newline="\n")
        server.answers["RCPT"] = "451 4.7.1 greylisted"
        code, said = do("channel", "add", "mail", lines=f"0000000001\n{WHERE}\n")
        assert (code != 0, said["error"]["code"]) == (True, "channel.sender_away")
        del server.answers["RCPT"]
        _, made = do("channel", "add", "mail", lines=f"0000000001\n{WHERE}\n")
    record = made["addresses"][0]["record"]
    found = re.search(r"\d{4}-\d{4}", server.message().get_content())
    assert found
    assert "架空市 市民課 同意受付" in server.message().get_content()
    _, proven = do("channel", "confirm", record, lines=found.group())
    assert proven["addresses"][0]["state"] == "proven"
    code, granted = do("grant", "child-notices", "--channel", "mail", lines="0000000001\n")
    assert (code, granted["records"][0]["state"]) == (0, "granted")
    for path in (folder / "var").rglob("*"):
        assert path.is_dir() or b"kakuu" not in path.read_bytes()
