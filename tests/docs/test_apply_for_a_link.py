"""The clerk's story of the how-to, with a real gateway: from application to withdrawal."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE, OutputChecker
from pathlib import Path

import pytest
from click.testing import CliRunner

from kumobashi.cli.entry import root
from kumobashi.cli.exits import Exit
from kumobashi.identity import Accounts
from kumobashi.kernel import SystemClock
from kumobashi.planning.publishing import publish_directory
from kumobashi.planning.sampling import write_sample
from kumobashi.testing.agreement_story import Staff
from kumobashi.testing.gateways import GatewayProcess
from kumobashi.testing.town import free_ports

SITES = ("hall-core", "hall-exchange", "asp-relay", "public-cloud")
PAGE = Path(__file__).parents[2] / "docs/how-to/apply-for-a-link.md"
STORY = re.compile(
    r"^<!-- with the hall's gateway -->\n```console\n(.*?)^```$", re.MULTILINE | re.DOTALL
)
pytestmark = [pytest.mark.slow]


def commands(text: str) -> list[tuple[str, str]]:
    """Return each command with what the page shows behind it."""
    found = []
    for block in STORY.findall(text):
        for part in re.split(r"^\$ kumobashi ", block, flags=re.MULTILINE)[1:]:
            command, _, shown = part.partition("\n")
            found.append((command, shown))
    return found


class Hall:
    """The hall's gateway as a process, its people, and the command as they type it."""

    def __init__(self, folder: Path) -> None:
        ports = dict(zip(SITES, free_ports(len(SITES)), strict=True))
        self.folder = write_sample(folder, ports=ports)
        publish_directory(self.folder, now=datetime.now(UTC))
        clock = SystemClock()
        private = self.folder / "private" / "hall-core"
        accounts = Accounts(private, tenant="999997", site="hall-core", clock=clock)
        self._staff = Staff(accounts, clock)
        self._staff.enrol()
        url = f"http://127.0.0.1:{ports['hall-core']}"
        self.gateway = GatewayProcess(self.folder, "hall-core", url).wait_ready()

    def types(self, command: str, *more: str) -> tuple[int, str]:
        words, said = [*command.split(), *more], ""
        if "--account" in words:
            who = self._staff.signs(words[words.index("--account") + 1])
            words.append("--credentials-stdin")
            said = f"{who['password']}\n{who['code']}\n"
        done = CliRunner().invoke(root, words, input=said)
        return done.exit_code, done.output


@pytest.fixture(scope="module")
def running_hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    made = Hall(tmp_path_factory.mktemp("hall") / "city")
    yield made
    made.gateway.kill()


@pytest.fixture
def hall(running_hall: Hall, monkeypatch: pytest.MonkeyPatch) -> Hall:
    monkeypatch.chdir(running_hall.folder)
    monkeypatch.setenv("COLUMNS", "160")
    return running_hall


def test_the_story_of_the_page_is_told_by_a_real_gateway(hall: Hall) -> None:
    same = OutputChecker()
    for command, shown in commands(PAGE.read_text("utf-8")):
        code, output = hall.types(command)
        assert code == 0, f"{command}\n{output}"
        is_shown = same.check_output(shown, output, ELLIPSIS | NORMALIZE_WHITESPACE)
        assert is_shown, f"{command}\nthe page shows:\n{shown}\nit printed:\n{output}"
    for paper, title in (
        ("申請書.html", "利用協議申請書"),
        ("決定通知書.html", "利用協議決定通知書"),
    ):
        assert title in (hall.folder / paper).read_text("utf-8")


NEW = (
    "agreement new notice-attributes --owner 市民課 --purpose 児童手当 --from 2026-11-01"
    " --to 2036-03-31 --account tanaka"
)
REGISTER = """\
kumobashi: 1
processors:
  - {name: 甲社, address: 架空市1, task: 運用, place: 東}
  - {name: 乙社, address: 架空市2, task: 監視, place: 東, under: 甲社}
"""


def test_commands_end_with_the_code_that_says_how_it_went(hall: Hall) -> None:
    (hall.folder / "台帳.yaml").write_text(REGISTER, "utf-8")
    (hall.folder / "仕様.pdf").write_bytes(b"%PDF-1.7")
    code, output = hall.types(NEW, "--processors", "台帳.yaml", "--json")
    assert code == Exit.OK, output
    made = json.loads(output)
    name = made["agreement"][-8:]
    assert (made["state"], made["number"]) == ("draft", None)
    assert hall.types(f"agreement attach {name} 仕様.pdf --account tanaka")[0] == Exit.OK
    edited = f"agreement edit {name} --owner 市民課 --purpose 変更 --from 2026-11-01"
    assert hall.types(f"{edited} --to 2036-03-31 --account tanaka")[0] == Exit.OK
    assert hall.types(f"agreement submit {name} --account tanaka --dry-run")[0] == Exit.OK
    assert json.loads(hall.types(f"agreement show {name} --json")[1])["state"] == "draft"
    code, output = hall.types(f"agreement submit {name} --account tanaka --number 8子第7号")
    assert (code, "8子第7号" in output) == (Exit.OK, True)

    code, output = hall.types("agreement review 8子第7号 --account tanaka")
    assert (code, "agreement.not_a_member" in output or "権限" in output) == (Exit.REFUSED, True)
    assert hall.types("agreement return 8子第7号 --account sato")[0] == Exit.OK
    assert hall.types("agreement submit 8子第7号 --account tanaka")[0] == Exit.OK
    for command in (
        "agreement review 8子第7号 --account sato",
        "agreement concur 8子第7号 --account suzuki",
        "agreement decide 8子第7号 --approve --condition 月1回の報告 --account yamada",
    ):
        assert hall.types(command)[0] == Exit.OK
    code, output = hall.types("agreement list --waiting --site hall-core")
    assert (code, "乙社（再委託の許可がありません）" in output) == (Exit.RED, True)
    assert hall.types("agreement show 8子第7号")[0] == Exit.RED
    assert hall.types("agreement files 8子第7号 --to 添付")[0] == Exit.OK
    assert (hall.folder / "添付/仕様.pdf").read_bytes() == b"%PDF-1.7"
    assert hall.types("agreement files 8子第7号 --to 添付")[0] == Exit.REFUSED

    permitted = REGISTER.replace(
        "under: 甲社}", "under: 甲社, permission: 8総第1号, permitted_until: 2036-03-31}"
    )
    (hall.folder / "台帳.yaml").write_text(permitted, "utf-8")
    code, output = hall.types(
        "agreement processors 8子第7号 --file 台帳.yaml --account suzuki --json"
    )
    assert (code, json.loads(output)["state"]) == (Exit.OK, "in_force")
    (hall.folder / "台帳.yaml").write_text("kumobashi: 1\nprocessors: [{name: 甲社}]\n", "utf-8")
    code, output = hall.types("agreement processors 8子第7号 --file 台帳.yaml --account suzuki")
    assert (code, "台帳.yaml" in output) == (Exit.REFUSED, True)


def test_what_is_not_there_and_who_does_not_answer_have_their_codes(hall: Hall) -> None:
    assert hall.types("agreement show 9架総第99号 --site hall-core")[0] == Exit.USAGE
    silent = "agreement show 9架総第99号 --site public-cloud"
    assert hall.types(silent)[0] == Exit.GATEWAY_DOWN
    assert hall.types("agreement list --site hall-core --state nonsense")[0] != Exit.OK
    code, output = hall.types("agreement verify --site hall-core --json")
    assert (code, json.loads(output)["hall-core"]["faults"]) == (Exit.OK, [])
    wrong = [*NEW.split(), "--credentials-stdin"]
    assert CliRunner().invoke(root, wrong, input="wrong\n000000\n").exit_code == Exit.REFUSED
