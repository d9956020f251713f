"""The clerk's story of the how-to, with a real gateway: from application to withdrawal."""

import re
from datetime import UTC, datetime
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE, OutputChecker
from pathlib import Path

import pytest
from click.testing import CliRunner

from kumobashi.cli.entry import root
from kumobashi.identity import Accounts
from kumobashi.kernel import SystemClock
from kumobashi.planning.publishing import publish_directory
from kumobashi.planning.sampling import write_sample
from kumobashi.testing.agreement_story import Staff
from kumobashi.testing.gateways import GatewayProcess
from kumobashi.testing.town import free_ports

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


def test_the_story_of_the_page_is_told_by_a_real_gateway(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sites = ("hall-core", "hall-exchange", "asp-relay", "public-cloud")
    ports = dict(zip(sites, free_ports(len(sites)), strict=True))
    folder = write_sample(tmp_path / "city", ports=ports)
    publish_directory(folder, now=datetime.now(UTC))
    clock = SystemClock()
    private = folder / "private" / "hall-core"
    staff = Staff(Accounts(private, tenant="999997", site="hall-core", clock=clock), clock)
    staff.enrol()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "160")
    url = f"http://127.0.0.1:{ports['hall-core']}"
    gateway = GatewayProcess(folder, "hall-core", url).wait_ready()
    same = OutputChecker()
    try:
        for command, shown in commands(PAGE.read_text("utf-8")):
            words = command.split()
            said = ""
            if "--account" in words:
                who = staff.signs(words[words.index("--account") + 1])
                words.append("--credentials-stdin")
                said = f"{who['password']}\n{who['code']}\n"
            done = CliRunner().invoke(root, words, input=said)
            assert done.exit_code == 0, f"{command}\n{done.output}"
            is_shown = same.check_output(shown, done.output, ELLIPSIS | NORMALIZE_WHITESPACE)
            assert is_shown, f"{command}\nthe page shows:\n{shown}\nit printed:\n{done.output}"
    finally:
        gateway.kill()
    for paper, title in (
        ("申請書.html", "利用協議申請書"),
        ("決定通知書.html", "利用協議決定通知書"),
    ):
        assert title in (folder / paper).read_text("utf-8")
