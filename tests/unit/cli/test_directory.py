"""``kumobashi directory``: what is in the published directory, and what has changed in it."""

import json
from pathlib import Path

from kumobashi.cli.exits import Exit
from tests.unit.cli.conftest import Kumobashi


def test_systems_are_listed_with_what_they_answer(kumobashi: Kumobashi, sample: Path) -> None:
    people = kumobashi("directory", "list", "--workspace", sample)
    machines = kumobashi("directory", "list", "--workspace", sample, "--json")

    assert people.exit_code == machines.exit_code == Exit.OK
    assert "payments v1" in people.stdout
    held = {one["system"]: one for one in json.loads(machines.stdout)}
    assert held["collection"]["services"] == {"accounts": ["v1"], "payments": ["v1"]}
    assert held["arrears"]["datasets"] == []


def test_a_system_is_shown_without_the_address_of_its_service(
    kumobashi: Kumobashi, sample: Path
) -> None:
    people = kumobashi("directory", "show", "collection", "--workspace", sample)
    machines = kumobashi("directory", "show", "collection", "--workspace", sample, "--json")

    assert "searchPayments  POST /v1/payments/search" in people.stdout
    assert json.loads(machines.stdout)["services"]["payments"]["kind"] == "rest"
    assert "8751" not in people.stdout + machines.stdout
    unknown = kumobashi("directory", "show", "nobody", "--workspace", sample)
    assert unknown.exit_code == Exit.USAGE
    assert "directory.system_unknown" in unknown.stderr


def test_everything_is_searched_whatever_its_width_and_case(
    kumobashi: Kumobashi, sample: Path
) -> None:
    found = kumobashi(
        "directory", "search", "ｐａｙｍｅｎｔｓ post", "--workspace", sample, "--json"
    )
    named = kumobashi("directory", "search", "収納管理", "--workspace", sample)
    none = kumobashi("directory", "search", "ない名前", "--workspace", sample)

    assert [one["name"] for one in json.loads(found.stdout)] == [
        "collection.payments v1 searchPayments"
    ]
    assert "collection" in named.stdout
    assert (found.exit_code, none.exit_code) == (Exit.OK, Exit.USAGE)
    assert "ない名前" in none.stdout


def test_two_versions_are_compared(kumobashi: Kumobashi, workspace: Path) -> None:
    system = workspace / "systems" / "collection.yaml"
    text = system.read_text(encoding="utf-8")
    system.write_text(text.replace("name: 収納管理", "name: 収納"), encoding="utf-8")
    interface = workspace / "interfaces" / "collection-payments-v1.yaml"
    body = interface.read_text(encoding="utf-8")
    interface.write_text(body.replace("/payments/search", "/payments/find"), encoding="utf-8")
    (workspace / "calls" / "finance-collection.yaml").unlink()
    (workspace / "systems" / "finance.yaml").unlink()
    assert kumobashi("directory", "publish", "--workspace", workspace).exit_code == Exit.OK

    people = kumobashi("directory", "diff", "1", "2", "--workspace", workspace)
    machines = kumobashi("directory", "diff", "1", "2", "--workspace", workspace, "--json")
    same = kumobashi(
        "directory", "diff", "2", workspace / "directory.jws", "--workspace", workspace
    )
    unknown = kumobashi("directory", "diff", "1", "9", "--workspace", workspace)

    assert people.exit_code == machines.exit_code == Exit.DRIFTED
    told = {(one["kind"], one["name"]): one for one in json.loads(machines.stdout)["differences"]}
    assert told["system", "finance"]["what"] == "retired"
    assert told["system", "collection"]["facts"] == {
        "name": {"before": "収納管理", "after": "収納"}
    }
    operation = told["operation", "collection.payments v1 searchPayments"]
    assert operation["facts"]["path"]["after"] == "/payments/find"
    assert ("interface", "collection.payments v1") in told
    assert ("interface", "collection.accounts v1") not in told
    assert "廃止" in people.stdout
    assert same.exit_code == Exit.OK
    assert unknown.exit_code == Exit.USAGE
    assert "1, 2" in unknown.stderr


def test_a_version_that_somebody_changed_is_not_compared(
    kumobashi: Kumobashi, workspace: Path
) -> None:
    kept = workspace / "directories" / "1.jws"
    kept.write_text(kept.read_text(encoding="ascii")[:-4] + "AAAA", encoding="ascii")

    done = kumobashi("directory", "diff", "1", "1", "--workspace", workspace)

    assert done.exit_code == Exit.REFUSED
    assert "directory.altered" in done.stderr


def test_an_entry_is_changed_shown_first_and_taken_back(
    kumobashi: Kumobashi, workspace: Path
) -> None:
    asked = ("directory", "change", "contact", "tax-office", "phone=000-000-0066")
    before = (workspace / "kumobashi.yaml").read_bytes()

    shown = kumobashi(*asked, "--workspace", workspace)
    assert shown.exit_code == Exit.OK
    assert "+  tax-office: {name: 架空市 収納課, phone: 000-000-0066" in shown.stdout
    assert (workspace / "kumobashi.yaml").read_bytes() == before
    written = kumobashi(*asked, "--write", "--workspace", workspace, "--json")
    told = json.loads(written.stdout)
    assert (told["written"], told["differences"]) == (
        True, [{"kind": "contact", "name": "tax-office", "what": "changed"}],
    )  # fmt: skip
    undone = kumobashi("directory", "undo", "--write", "--workspace", workspace)

    assert undone.exit_code == Exit.OK
    assert (workspace / "kumobashi.yaml").read_bytes() == before


def test_what_is_used_is_not_retired_and_the_lines_are_told(
    kumobashi: Kumobashi, sample: Path
) -> None:
    people = kumobashi("directory", "retire", "system", "collection", "--workspace", sample)
    machines = kumobashi(
        "directory", "retire", "system", "collection", "--workspace", sample, "--json"
    )

    assert people.exit_code == Exit.REFUSED
    assert "calls/finance-collection.yaml:6" in people.stderr
    assert "planning.still_used" in people.stderr
    told = json.loads(machines.stdout)["error"]["mistakes"]
    assert "calls/finance-collection.yaml" in {one["file"] for one in told}


def test_an_entry_is_registered_from_a_file_and_retired(
    kumobashi: Kumobashi, workspace: Path, tmp_path: Path
) -> None:
    given = tmp_path / "desk.yaml"
    given.write_text("name: 架空の窓口\nphone: 000-000-0067\nhours: 24時間\n", encoding="utf-8")
    before = (workspace / "kumobashi.yaml").read_bytes()

    for words in (("register", "contact", "desk", "--from", given), ("retire", "contact", "desk")):
        done = kumobashi("directory", *words, "--write", "--workspace", workspace)
        assert done.exit_code == Exit.OK, done.stderr

    assert (workspace / "kumobashi.yaml").read_bytes() == before
    wrong = kumobashi("directory", "change", "contact", "desk", "phone", "--workspace", workspace)
    assert wrong.exit_code == Exit.USAGE
    (tmp_path / "sjis.yaml").write_bytes("name: 架空".encode("cp932"))
    for name in ("nothing.yaml", "sjis.yaml"):
        given = tmp_path / name
        told = kumobashi(
            "directory", "register", "contact", "d", "--from", given, "--workspace", workspace
        )
        assert told.exit_code == Exit.USAGE
