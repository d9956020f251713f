"""What ``channels:`` of the workspace may say, and which senders come of it."""

from pathlib import Path

import pytest

from kumobashi.consent.channels.errors import ChannelSettingsUnfit
from kumobashi.consent.channels.letters import LetterSender
from kumobashi.consent.channels.sms import SmsSender
from kumobashi.consent.channels.smtp import SmtpSender
from kumobashi.consent.channels.states import Channel
from kumobashi.planning.errors import WorkspaceBroken
from kumobashi.planning.sampling import write_sample
from kumobashi.planning.workspace import load
from kumobashi.service.channels import senders_of
from kumobashi.service.errors import SecretMissing

SMS = "url: 'https://sms.example.jp/sms/api/', user: x, password: 'env:KUMOBASHI_SMS'"
PLAIN = "host: 127.0.0.1, security: none, sender: a@example.jp"
MAIL = "host: mail.example.jp, sender: no-reply@city.example.jp"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_sample(tmp_path / "city")


def write(folder: Path, said: str) -> None:
    path = folder / "kumobashi.yaml"
    text = path.read_text("utf-8") + f"channels: {{{said}}}\n"
    path.write_text(text, encoding="utf-8", newline="\n")


def test_nothing_is_sent_where_nothing_is_written(folder: Path) -> None:
    assert senders_of(load(folder), "hall-core") == {}


def test_each_channel_that_is_written_about_has_a_sender(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUMOBASHI_SMS", "hunter2")
    write(folder, f"contact: consent-office, mail: {{{MAIL}}}, post: {{}}, sms: {{{SMS}}}")
    found = senders_of(load(folder), "hall-core")
    assert {name: type(one) for name, one in found.items()} == {
        Channel.MAIL: SmtpSender,
        Channel.POST: LetterSender,
        Channel.SMS: SmsSender,
    }
    assert "hunter2" not in repr(vars(found[Channel.SMS]))


def test_a_name_that_leaves_no_room_for_a_code_is_said_before_anything_is_sent(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUMOBASHI_SMS", "hunter2")
    path = folder / "kumobashi.yaml"
    text = path.read_text("utf-8")
    assert "name: 架空市" in text
    path.write_text(text.replace("name: 架空市", f"name: 架空{'長' * 30}市", 1), encoding="utf-8")
    write(folder, f"contact: consent-office, sms: {{{SMS}}}")
    with pytest.raises(ChannelSettingsUnfit):
        senders_of(load(folder), "hall-core")


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ("contact: nobody, post: {}", "nobody"),
        ("post: {}", "contact"),
        (f"contact: it-desk, mail: {{{MAIL}, security: none}}", "security"),
        (f"contact: it-desk, mail: {{{MAIL}, user: x}}", "user"),
        (f"contact: it-desk, mail: {{{MAIL}, user: x, password: hunter2}}", "password"),
        (f"contact: it-desk, mail: {{{PLAIN}, user: x, password: 'env:X'}}", "security"),
        ("contact: it-desk, mail: {host: 'h h', sender: a@example.jp}", "host"),
        ('contact: it-desk, mail: {host: h, sender: "a@example.jp\\nBcc: b@x.jp"}', "sender"),
        ("contact: it-desk, sms: {}", "sms"),
        (f"contact: it-desk, sms: {{{SMS}, password: hunter2}}", "password"),
        (f"contact: it-desk, sms: {{{SMS}, longest: 140}}", "longest"),
        (f"contact: it-desk, sms: {{{SMS}, refused: [200]}}", "refused"),
        (f"contact: it-desk, sms: {{{SMS.replace('https', 'http')}}}", "url"),
        (f"contact: it-desk, sms: {{{SMS.replace('sms.', 'u:hunter2@sms.')}}}", "url"),
    ],
)
def test_mistakes_are_said_with_their_key_and_no_secret(folder: Path, said: str, word: str) -> None:
    write(folder, said)
    with pytest.raises(WorkspaceBroken) as broken:
        load(folder)
    told = repr(broken.value.mistakes)
    assert word in told
    assert "hunter2" not in told


def test_a_secret_that_is_not_there_is_said(folder: Path) -> None:
    asked = "user: x, password: 'file:private/no.password'"
    write(folder, f"contact: it-desk, mail: {{{MAIL}, {asked}}}")
    with pytest.raises(SecretMissing):
        senders_of(load(folder), "hall-core")


def test_what_is_no_certificate_is_said(folder: Path) -> None:
    write(folder, f"contact: it-desk, mail: {{{MAIL}, authorities: 'file:kumobashi.yaml'}}")
    with pytest.raises(ChannelSettingsUnfit):
        senders_of(load(folder), "hall-core")
