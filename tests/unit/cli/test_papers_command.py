"""Incidents and papers at the terminal: exit codes, colours, refusals, both languages."""

import json
import re
import shutil
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kumobashi.cli.entry import root
from kumobashi.cli.exits import Exit
from kumobashi.identity import Accounts, Role
from kumobashi.identity.errors import AccountUnknown
from kumobashi.kernel import JST, SystemClock
from kumobashi.planning.sampling import write_sample
from kumobashi.testing.office import code_of
from tests.unit.cli.conftest import Kumobashi

LINK = "notice-attributes"
NOW = datetime.now(UTC)


@pytest.fixture
def city(tmp_path: Path) -> Path:
    ports = dict.fromkeys(("hall-core", "hall-exchange", "asp-relay", "public-cloud"), 1)
    return write_sample(tmp_path / "city", ports=ports)  # where nobody listens


def signed(city: Path, name: str, *words: str) -> Result:
    """Do something at the terminal as somebody of the hall, who is let in anew each time."""
    clock = SystemClock()
    private = city / "private" / "hall-core"
    with closing(Accounts(private, tenant="999997", site="hall-core", clock=clock)) as accounts:
        role = Role.APPROVER if name == "suzuki" else Role.OPERATOR
        try:
            made = accounts.reset(name)
        except AccountUnknown:
            made = accounts.add(name, shown=name, role=role)
    typed = f"{made.password}\n{code_of(made.secret, clock.now())}\n"
    signing = ["--account", name, "--password-stdin"]
    return CliRunner().invoke(root, [*words, *signing], input=typed)


def opened(city: Path, *, days: int, more: tuple[str, ...] = ()) -> str:
    noticed = (NOW - timedelta(days=days)).astimezone(JST).strftime("%Y-%m-%dT%H:%M")
    words = ("--workspace", str(city), "--json", "--link", LINK, "--noticed", noticed)
    done = signed(city, "tanaka", "incident", "open", *words, "--kind", "leak", *more)
    assert done.exit_code == 0, done.stderr
    return str(json.loads(done.stdout)["incident"]["incident"])


def test_an_overdue_report_makes_the_list_red(kumobashi: Kumobashi, city: Path) -> None:
    at = ("--workspace", str(city))
    assert kumobashi("incident", "list", *at).exit_code == Exit.OK
    opened(city, days=0)
    assert kumobashi("incident", "list", *at).exit_code == Exit.OK
    late = opened(city, days=6)
    listed = kumobashi("incident", "list", *at)
    assert listed.exit_code == Exit.RED
    assert "超過" in listed.stdout
    assert late[-8:] in listed.stdout
    first = json.loads(kumobashi("incident", "list", *at, "--json").stdout)["incidents"][0]
    assert first["incident"] == late  # the worst stands first
    english = kumobashi("incident", "list", *at, "--lang", "en")
    assert "days late" in english.stdout
    words = ("--reason", "mistaken", "--note", "誤検知")
    closing_it = ("incident", "close", late[-8:], *at, *words)
    assert signed(city, "tanaka", *closing_it).exit_code != Exit.OK  # approvers close
    done = signed(city, "suzuki", *closing_it)
    assert done.exit_code == Exit.OK, done.stderr
    assert kumobashi("incident", "list", *at).exit_code == Exit.OK


def test_what_cannot_be_is_told_and_not_repeated(kumobashi: Kumobashi, city: Path) -> None:
    at = ("--workspace", str(city))
    base = ("incident", "open", *at, "--link", LINK, "--kind", "leak")
    do = partial(signed, city, "tanaka")
    note = do(*base, "--noticed", "2026-11-20T10:00", "--note", "番号 123456789")
    assert note.exit_code == Exit.REFUSED
    assert "123456789" not in note.stdout + note.stderr
    assert do(*base, "--noticed", "きのう").exit_code == Exit.USAGE
    assert do(*base, "--noticed", "2099-01-01").exit_code == Exit.REFUSED
    before_the_law = do(*base, "--noticed", "2020-01-01")
    assert before_the_law.exit_code == Exit.REFUSED
    assert json.loads(kumobashi("incident", "list", *at, "--json").stdout)["incidents"] == []
    unknown = kumobashi("incident", "show", "12345678", *at)
    assert unknown.exit_code == Exit.USAGE
    other = ("incident", "open", *at, "--link", "nothing", "--kind", "leak")
    assert do(*other, "--noticed", "2026-11-20T10:00").exit_code == Exit.USAGE


def test_a_report_is_written_and_filed(kumobashi: Kumobashi, city: Path, tmp_path: Path) -> None:
    at, page = ("--workspace", str(city)), tmp_path / "速報.html"
    found = opened(city, days=1, more=("--improper", "yes"))
    told = kumobashi("incident", "report", found, *at, "--kind", "prompt", "--html", str(page))
    assert told.exit_code == Exit.OK, told.stderr
    text = page.read_text("utf-8")
    count = text.count("<mark>")
    assert f"空欄 {count} か所" in told.stdout
    assert "確報（不正の目的" not in text  # the row's words are for tables; the days are said
    assert "60日" in text
    filed = NOW.isoformat()
    filing = ("incident", "report", found, *at, "--kind", "prompt", "--filed", filed)
    nobody = kumobashi(*filing)
    assert nobody.exit_code not in {Exit.OK, Exit.RED}
    assert "service.account_needed" in kumobashi(*filing, "--json").stdout
    done = signed(city, "suzuki", *filing)
    assert done.exit_code == Exit.OK, done.stderr
    again = signed(city, "suzuki", *filing)
    assert again.exit_code == Exit.REFUSED
    shown = json.loads(kumobashi("incident", "show", found, *at, "--json").stdout)
    assert shown["incident"]["state"] == "prompted"
    assert [one["act"] for one in shown["history"]] == ["open", "file_prompt"]


def test_the_exit_code_says_whether_a_change_is_important(
    kumobashi: Kumobashi, city: Path, tmp_path: Path
) -> None:
    before = shutil.copytree(city, tmp_path / "before")
    ask = ("papers", "change", "--workspace", str(city), "--link", LINK, "--no-processors")
    assert kumobashi(*ask).exit_code == Exit.REFUSED  # nobody approved it
    plan = ("plan", LINK, "--workspace", str(city), "--approve", "--by", "試験", "--no-count")
    assert kumobashi(*plan).exit_code == Exit.OK
    assert kumobashi(*ask).exit_code == Exit.OK
    rule = city / "rules" / f"{LINK}.yaml"
    text = rule.read_text("utf-8")
    rule.write_text(re.sub(r"(?m)^  k: 5", "  k: 3", text), encoding="utf-8", newline="\n")
    assert kumobashi(*ask).exit_code == Exit.HELD
    compared = kumobashi(*ask, "--before", str(before), "--json")
    assert compared.exit_code == Exit.RED
    facts = json.loads(compared.stdout)["facts"]
    assert facts["important"] == "yes"
    assert {one["aspect"] for one in facts["changes"]} == {"gate-weaker"}
    both = kumobashi(*ask, "--before", str(before), "--since", str(rule))
    assert both.exit_code == Exit.USAGE
    since = kumobashi(*ask, "--since", str(city / "approvals" / f"{LINK}.yaml"))
    assert since.exit_code == Exit.HELD
    assert kumobashi(*ask, "--since", str(rule)).exit_code == Exit.REFUSED  # no approval


def test_a_register_that_does_not_answer_is_for_people(kumobashi: Kumobashi, city: Path) -> None:
    plan = ("plan", LINK, "--workspace", str(city), "--approve", "--by", "試験", "--no-count")
    assert kumobashi(*plan).exit_code == Exit.OK
    asked = kumobashi("papers", "change", "--workspace", str(city), "--link", LINK)
    assert asked.exit_code == Exit.HELD
    assert "委託先" in asked.stdout


def test_register_and_assessment_are_written(
    kumobashi: Kumobashi, city: Path, tmp_path: Path
) -> None:
    at, table = ("--workspace", str(city)), tmp_path / "簿.csv"
    assert kumobashi("papers", "register", *at, "--csv", str(table)).exit_code == Exit.OK
    assert table.read_bytes().startswith(b"\xef\xbb\xbf")  # spreadsheets see that it is UTF-8
    assert kumobashi("papers", "register", *at, "--system", "nothing").exit_code == Exit.USAGE
    told = kumobashi("papers", "assessment", *at, "--link", LINK, "--json")
    assert told.exit_code == Exit.OK, told.stderr
    assert json.loads(told.stdout)["facts"]["individual_numbers"] == []
    assert kumobashi("papers", "templates", *at, "--write").exit_code == Exit.OK
    body = city / "templates" / "papers" / "body.html"
    body.write_text("{{ ない }}", encoding="utf-8", newline="\n")
    broken = kumobashi("papers", "assessment", *at, "--link", LINK)
    assert broken.exit_code == Exit.REFUSED
    assert "body.html" in broken.stderr
