"""``kumobashi consent channel``: a letter goes out, its code comes back, and nothing is shown."""

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from kumobashi.cli.entry import root
from kumobashi.cli.exits import Exit
from kumobashi.planning.sampling import write_sample
from tests.unit.registers import write_register

NUMBER = "0001234567"
WHERE = "架空市架空町１丁目２番３号 架空 髙子"
CHANNELS = "channels: {contact: consent-office, post: {}}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = write_sample(tmp_path / "city")
    write_register(made, NUMBER)
    settings = made / "kumobashi.yaml"
    settings.write_text(settings.read_text("utf-8") + CHANNELS, encoding="utf-8", newline="\n")
    return made


class Desk:
    def __init__(
        self, folder: Path, capsys: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch
    ) -> None:
        self.folder, self._capsys, self._patch = folder, capsys, patch

    def do(self, *args: str, lines: str = f"{NUMBER}\n", words: bool = False) -> tuple[int, Any]:
        self._patch.setattr("sys.stdin", io.StringIO(lines))
        form = [] if words else ["--json"]
        with pytest.raises(SystemExit) as over:
            root.main(["consent", *args, "--workspace", str(self.folder), *form])
        said = self._capsys.readouterr()
        for secret in (NUMBER, "髙子", "架空町"):
            assert secret not in said.out + said.err
        return int(over.value.code or 0), said.out if words else json.loads(said.out)

    @property
    def letters(self) -> list[Path]:
        return sorted((self.folder / "var").glob("*/letters/*"))

    def code(self) -> str:
        (page,) = self.letters
        assert page.stat().st_mode & 0o077 == 0
        text = page.read_text("utf-8")
        assert f"{WHERE} 様" in text
        found = re.search(r"\d{4}-\d{4}", text)
        assert found
        return found.group()


@pytest.fixture
def desk(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(folder, capsys, monkeypatch)


def test_a_letter_proves_an_address_and_a_consent_rests_on_it(desk: Desk) -> None:
    granting = ("grant", "child-notices", "--channel", "post")
    assert desk.do(*granting)[1]["error"]["code"] == "channel.unproven"
    code, made = desk.do("channel", "add", "post", lines=f"{NUMBER}\n{WHERE}\n")
    (row,) = made["addresses"]
    assert (code, row["state"]) == (Exit.OK, "sent")
    code, said = desk.do("channel", "confirm", row["record"], lines="00000000\n")
    assert said["error"]["code"] == "channel.code_wrong"
    code, proven = desk.do("channel", "confirm", row["record"], lines=desk.code())
    assert proven["addresses"][0]["state"] == "proven"
    assert desk.letters == []
    code, granted = desk.do(*granting)
    assert (code, granted["records"][0]["channel"]) == (Exit.OK, "post")
    desk.do("withdraw", "child-notices")
    code, found = desk.do("channel", "list")
    assert [(one["state"], one["reason"]) for one in found["addresses"]] == [
        ("withdrawn", "consent")
    ]
    assert list((desk.folder / "var").glob("*/keys/channels/*")) == []
    assert desk.do("verify") == (Exit.OK, {"faults": []})


def test_an_application_is_granted_when_its_address_is_proven(desk: Desk) -> None:
    desk.do("apply", "child-notices", "--channel", "post")
    _, applied = desk.do("list")
    record = applied["records"][0]["record"]
    _, letter = desk.do("code", record)
    _, proved = desk.do("prove", record, lines=letter["code"])
    assert proved["records"][0]["state"] == "checked"
    _, made = desk.do("channel", "add", "post", lines=f"{NUMBER}\n{WHERE}\n")
    _, proven = desk.do("channel", "confirm", made["addresses"][0]["record"], lines=desk.code())
    assert [(one["record"], one["state"]) for one in proven["records"]] == [(record, "granted")]


def test_people_see_states_and_where_the_letter_lies(desk: Desk) -> None:
    _, said = desk.do("channel", "add", "post", lines=f"{NUMBER}\n{WHERE}\n", words=True)
    assert "コード送信済み" in said
    assert "letters/" in said
    record = desk.letters[0].stem
    assert "取消（本人の申出）" in desk.do("channel", "remove", record, words=True)[1]
    assert desk.letters == []


def test_what_is_not_set_up_or_no_address_is_said_without_it(desk: Desk) -> None:
    lines = f"{NUMBER}\nkakuu@example.jp\n"
    code, said = desk.do("channel", "add", "mail", lines=lines)
    assert (code, said["error"]["code"]) == (Exit.REFUSED, "channel.closed")
    code, said = desk.do("channel", "add", "mail", lines=f"{NUMBER}\nkakuu\n")
    assert said["error"]["code"] == "channel.address_unfit"
    assert "kakuu" not in json.dumps(said)
