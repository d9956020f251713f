"""``kumobashi tie`` without a gateway: from a service to a withdrawal, the number from stdin."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kumobashi.cli.entry import root
from kumobashi.cli.exits import Exit
from kumobashi.planning.sampling import write_sample
from tests.unit.registers import write_register

NUMBER, OTHER = "0001234567", "0007654321"
Do = Callable[..., tuple[int, Any]]
TERMS = ("--item", "name", "--item", "address", "--channel", "post", "--channel", "portal")
OFTEN = ("--times", "4", "--days", "28", "--first", "2026-01-01", "--last", "2099-12-31")
SERVICE = (
    "service", "add", "child-health", "--name", "乳幼児健診のお知らせ", "--provider", "架空市",
    "--section", "子育て支援課", "--clause", "架空市乳幼児健診条例第4条", "--first", "2026-01-01",
)  # fmt: skip


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = write_sample(tmp_path_factory.mktemp("tie") / "city")
    write_register(made, NUMBER, OTHER)
    return made


@pytest.fixture
def do(city: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Do:
    def run(*args: str, number: str = NUMBER, words: bool = False) -> tuple[int, Any]:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{number}\n"))
        more = ["--lang", "ja"] if words else ["--json"]
        with pytest.raises(SystemExit) as over:
            root.main([*args, "--workspace", str(city), *more])
        out = capsys.readouterr().out
        assert number not in out
        return int(over.value.code or 0), out if words else json.loads(out)

    return run


def test_a_tie_from_its_service_to_its_withdrawal(do: Do) -> None:
    def tie(*args: str) -> Any:
        code, said = do("tie", *args)
        assert code == Exit.OK, said
        return said

    tie(*SERVICE)
    assert tie("service", "list", "健診", "--offered")["services"][0]["section"] == "子育て支援課"
    (made,) = tie("propose", "child-health", *TERMS, *OFTEN)["ties"]
    name = made["tie"]
    ask = ("may", name, "--item", "name", "--channel", "post")
    assert do("tie", *ask)[1]["reason"] == "not_in_force"

    (made,) = tie("narrow", name, "--item", "name", "--times", "1")["ties"]
    assert (made["terms"]["items"], made["terms"]["times"]) == (["name"], 1)
    code, said = do("tie", "narrow", name, "--item", "address")
    assert (code, said["error"]["code"]) == (Exit.REFUSED, "tie.terms_widen")
    code, said = do("tie", "accept", name, "--as", "service", "--terms", "sha256:other")
    assert said["error"]["code"] == "tie.terms_unlike"
    tie("accept", name, "--as", "resident", "--terms", made["hash"])
    (made,) = tie("accept", name, "--as", "service", "--terms", made["hash"])["ties"]
    assert made["state"] == "in_force"

    assert tie(*ask)["clause"] == "架空市乳幼児健診条例第4条"
    assert do("tie", *ask[:2], "--item", "address", "--channel", "post") == (
        Exit.REFUSED,
        {
            "permitted": False,
            "reason": "item",
            "service": "child-health",
            "clause": "架空市乳幼児健診条例第4条",
        },
    )
    assert "架空市乳幼児健診条例" in do("tie", *ask, words=True)[1]
    assert "効力あり" in do("tie", "list", "--service", "child-health", words=True)[1]
    assert "sha256:" in do("tie", "show", name, words=True)[1]

    assert tie("withdraw", name)["ties"][0]["state"] == "withdrawn"
    assert do("tie", *ask)[1]["reason"] == "withdrawn"
    assert [one["act"] for one in tie("show", name)["revisions"]] == [
        "propose", "narrow", "resident_accept", "service_accept", "withdraw",
    ]  # fmt: skip
    assert [one["tie"] for one in tie("list", "--resident")["ties"]] == [name]
    assert tie("verify") == {"faults": []}
    tie("service", "status", "child-health", "receiving")
    (known,) = tie("service", "of")["services"]
    assert (known["status"], known["clause"]) == ("receiving", "架空市乳幼児健診条例第4条")
    assert "利用中" in do("tie", "service", "of", words=True)[1]
    tie("service", "delete", "child-health")
    assert tie("service", "list")["services"] == []


def test_a_death_at_the_ledger_of_consents_ends_ties(do: Do) -> None:
    service = [*SERVICE]
    service[2] = "other"
    assert do("tie", *service)[0] == Exit.OK

    (made,) = do("tie", "propose", "other", *TERMS, *OFTEN, number=OTHER)[1]["ties"]
    assert do("consent", "died", number=OTHER)[0] == Exit.OK
    assert do("tie", "show", made["tie"])[1]["ties"][0]["reason"] == "die"


def test_mistakes_are_said(do: Do) -> None:
    code, said = do("tie", "propose", "nothing", *TERMS, *OFTEN)
    assert (code, said["error"]["code"]) == (Exit.REFUSED, "tie.service_unknown")
    code, said = do("tie", "propose", "nothing")
    assert said["error"]["code"] == "tie.terms_unfit"
    assert do("tie", "withdraw")[0] == Exit.USAGE
    code, said = do("tie", "withdraw", "--service", "nothing", number="not a number!")
    assert said["error"]["code"] == "consent.subject_unfit"
