"""``kumobashi consent`` without a gateway: the number comes from stdin and goes nowhere."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from kumobashi.cli.entry import root
from kumobashi.cli.exits import Exit
from kumobashi.planning.sampling import write_sample
from tests.unit.registers import write_register

NUMBER = "0001234567"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    city = write_sample(tmp_path_factory.mktemp("consent") / "city")
    write_register(city, NUMBER, "1", "2")
    return city


def run(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    *args: str,
    lines: str = f"{NUMBER}\n",
) -> tuple[int, Any]:
    monkeypatch.setattr("sys.stdin", io.StringIO(lines))
    with pytest.raises(SystemExit) as over:
        root.main(["consent", *args, "--workspace", str(folder), "--json"])
    out = capsys.readouterr().out
    assert NUMBER not in out
    return int(over.value.code or 0), json.loads(out)


def test_a_consent_is_granted_checked_withdrawn_and_receipted(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    def do(*args: str) -> tuple[int, Any]:
        return run(folder, capsys, monkeypatch, *args)

    assert do("check", "child-notices") == (Exit.REFUSED, {"in_force": False, "reason": "none"})
    code, made = do("grant", "child-notices", "--given-by", "guardian")
    assert (code, made["records"][0]["given_by"]) == (Exit.OK, "guardian")
    record = made["records"][0]["record"]
    assert do("check", "child-notices") == (Exit.OK, {"in_force": True, "reason": None})
    assert do("check", "child-notices", "--tier", "register", "--tier", "tax")[0] == Exit.REFUSED

    path = tmp_path / "receipt.jws"
    assert do("receipt", "issue", record, "--output", str(path))[0] == Exit.OK
    assert do("receipt", "verify", str(path))[1]["consentReceiptID"] == record

    # Typed without its zeros it is the same resident, not somebody else's withdrawal.
    run(folder, capsys, monkeypatch, "withdraw", "child-notices", lines=NUMBER.lstrip("0") + "\n")
    assert do("check", "child-notices")[1]["reason"] == "withdrawn"
    assert do("verify") == (Exit.OK, {"faults": []})
    assert [one["state"] for one in do("history", record)[1]["revisions"]][-1] == "withdrawn"
    assert {one["state"] for one in do("counts")[1]["counts"]} == {"withdrawn"}


def test_a_mistake_is_said_and_nothing_is_kept(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, said = run(folder, capsys, monkeypatch, "grant", "child-notices", lines="not a number!\n")
    assert (code, said["error"]["code"]) == (Exit.REFUSED, "consent.subject_unfit")
    nobody = "7654321\n"
    for command in (("grant", "child-notices"), ("withdraw", "child-notices"), ("show",)):
        code, said = run(folder, capsys, monkeypatch, *command, lines=nobody)
        assert (code, said["error"]["code"]) == (Exit.REFUSED, "service.resident_unknown")
        assert nobody.strip() not in json.dumps(said)
    code, said = run(folder, capsys, monkeypatch, "grant", "nothing")
    assert said["error"]["code"] == "consent.purpose_unknown"


def test_an_import_tells_its_findings(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    path = tmp_path / "c.csv"
    path.write_text(
        "resident_no,purpose,tier,version,granted_on,withdrawn_on\n"
        "1,child-notices,register,1,2026-05-01,\n2,child-notices,register,8,2026-05-01,\n",
        encoding="utf-8",
    )
    code, said = run(folder, capsys, monkeypatch, "import", str(path), "--dry-run")
    assert (code, said["imported"], said["judged"]["good"]) == (Exit.RED, None, 1)
    code, said = run(folder, capsys, monkeypatch, "import", str(path))
    assert said["imported"]["granted"] == 1
    out = tmp_path / "out.csv"
    assert run(folder, capsys, monkeypatch, "export", str(out))[0] == Exit.OK
    assert out.stat().st_mode & 0o077 == 0
    assert run(folder, capsys, monkeypatch, "export", str(out))[1]["error"]["code"]
