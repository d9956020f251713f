"""Moving a system: one line, what follows from it, and nothing half done."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from kumobashi.directory.errors import SiteUnknown, SystemUnknown
from kumobashi.planning.approval import Standing, approve, standing
from kumobashi.planning.deciding import plan_of
from kumobashi.planning.errors import MoveRefused, WorkspaceBroken, WorkspaceMoved
from kumobashi.planning.moving import Move, prepare, put_in_place
from kumobashi.planning.publishing import load_directory, publish_directory
from kumobashi.planning.sample_vendors import VENDOR_PORTS, add_vendors
from kumobashi.planning.sampling import write_sample
from kumobashi.planning.workspace import load

ON = date(2026, 11, 21)
NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
ONLINE = ("arrears-finance", "finance-collection")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = write_sample(tmp_path / "city")
    add_vendors(folder, ports=VENDOR_PORTS)
    publish_directory(folder, now=NOW)
    return folder


def _approve(folder: Path, *links: str) -> None:
    workspace, directory = load(folder), load_directory(folder, now=NOW)
    for link in links:
        decided = plan_of(workspace, directory, link, on=ON)
        approve(folder, decided, by="試験", at=NOW, measured=None)


def _standing(folder: Path, link: str) -> Standing:
    workspace = load(folder)
    decided = plan_of(workspace, load_directory(folder, now=NOW), link, on=ON)
    return standing(decided, workspace.approvals.get(link))


def _ready(folder: Path, system: str = "finance", to_site: str = "vendor-b") -> Move:
    return prepare(folder, system, to_site, by="試験", now=NOW, on=ON)


def _files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_every_link_goes_on_and_one_line_changes(folder: Path) -> None:
    _approve(folder, *ONLINE, "arrears-payments", "notice-attributes")
    before = _files(folder)

    ready = _ready(folder)

    assert _files(folder) == before  # nothing was put in place yet
    put_in_place(folder, ready, now=NOW)
    after = _files(folder)
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed == {
        "systems/finance.yaml", "directory.jws", "directories/3.jws",
        *(f"approvals/{link}.yaml" for link in ONLINE),
    }  # fmt: skip
    old, new = (held["systems/finance.yaml"].decode() for held in (before, after))
    assert new == old.replace("site: vendor-a\n", "site: vendor-b\n")
    for link in (*ONLINE, "arrears-payments", "notice-attributes"):
        assert _standing(folder, link) is Standing.APPROVED, link


def test_what_nobody_approved_is_not_approved_by_a_move(folder: Path) -> None:
    _approve(folder, ONLINE[0])

    put_in_place(folder, _ready(folder), now=NOW)

    assert _standing(folder, ONLINE[0]) is Standing.APPROVED
    assert _standing(folder, ONLINE[1]) is Standing.UNAPPROVED


def test_there_and_back_leaves_everything_as_it_was(folder: Path) -> None:
    _approve(folder, *ONLINE)
    hashes = {link: load(folder).approvals[link].hash for link in ONLINE}
    put_in_place(folder, _ready(folder), now=NOW)
    put_in_place(folder, _ready(folder, to_site="vendor-a"), now=NOW)

    assert {link: load(folder).approvals[link].hash for link in ONLINE} == hashes
    assert load(folder).systems["finance"].site == "vendor-a"


def test_a_link_that_may_not_go_there_is_told(folder: Path) -> None:
    _approve(folder, *ONLINE)

    ready = _ready(folder, to_site="public-cloud")

    told = {one.link: one for one in ready.links}
    assert told["finance-collection"].stops
    assert told["finance-collection"].reasons
    assert "approvals/finance-collection.yaml" not in ready.files


def test_somebody_who_was_quicker_is_not_overwritten(folder: Path) -> None:
    ready = _ready(folder)
    file = folder / "systems/finance.yaml"
    file.write_text(file.read_text("utf-8") + "# 追記\n", encoding="utf-8")
    with pytest.raises(WorkspaceMoved):
        put_in_place(folder, ready, now=NOW)

    ready = _ready(folder)
    publish_directory(folder, now=NOW)
    with pytest.raises(WorkspaceMoved):
        put_in_place(folder, ready, now=NOW)


def test_places_where_nothing_can_move_are_refused(folder: Path) -> None:
    with pytest.raises(SystemUnknown):
        _ready(folder, system="nothing")
    with pytest.raises(SiteUnknown):
        _ready(folder, to_site="nowhere")
    for site in ("vendor-a", "asp-relay"):  # it is there; systems do not run at relays
        with pytest.raises(MoveRefused):
            _ready(folder, to_site=site)
    with pytest.raises(WorkspaceBroken):  # bulk links read data at one site
        _ready(folder, system="integrated-db", to_site="vendor-b")


def test_the_file_may_quote_the_site_and_say_why(folder: Path) -> None:
    file = folder / "systems/finance.yaml"
    text = file.read_text("utf-8").replace("site: vendor-a", 'site: "vendor-a" # 2026年度の契約')
    file.write_text(text, encoding="utf-8")

    assert "site: vendor-b # 2026年度の契約\n" in _ready(folder).rewrite.after
