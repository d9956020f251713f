"""Register, change, retire, undo: the files, who is affected, and nothing half written."""

import shutil
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kumobashi.directory.errors import SiteKeysMissing
from kumobashi.planning.approval import Standing, approve, standing
from kumobashi.planning.deciding import plan_of
from kumobashi.planning.errors import (
    EntryUnfit,
    NothingToUndo,
    NotRegistered,
    RegisteredAlready,
    StillUsed,
    WorkspaceBroken,
    WorkspaceMoved,
)
from kumobashi.planning.publishing import load_directory, publish_directory
from kumobashi.planning.registering import (
    Occasion,
    change,
    put_in_place,
    register,
    retire,
    undo,
)
from kumobashi.planning.sampling import write_sample
from kumobashi.planning.workspace import load

ON = date(2026, 11, 21)
NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
AT = Occasion(by="試験", now=NOW, on=ON)
CONTACT = "name: 架空の事業者Z # 2027年度から\nphone: 000-000-0099\nhours: 24時間\n"
SERVICE = (
    "name: 予算の照会\nkind: rest\nbase: http://127.0.0.1:8751/api\nversions:\n"
    "  v1:\n    operations:\n      listTotals: {method: GET, path: /totals,"
    ' answer: {layout: collection-totals, version: "1", at: /result}}\n'
)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_sample(tmp_path_factory.mktemp("registering") / "city")
    publish_directory(folder, now=NOW)
    return folder


@pytest.fixture
def folder(published: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(published, tmp_path / "city"))


def _files(folder: Path) -> dict[str, bytes]:
    """The files that people write: no versions, no signed document."""
    return {
        str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.yaml"))
    }


def test_a_dry_run_changes_nothing_and_says_what_would(folder: Path) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    ready = register(folder, "contact", "vendor-z", CONTACT, AT)

    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert "+    name: 架空の事業者Z # 2027年度から\n" in ready.edit.diff()
    assert [(one.kind, one.name, one.what) for one in ready.differences] == [
        ("contact", "vendor-z", "added")
    ]
    assert ready.links == ()


def test_what_was_written_is_in_the_signed_directory(folder: Path) -> None:
    put_in_place(folder, register(folder, "contact", "vendor-z", CONTACT, AT), AT)
    put_in_place(folder, register(folder, "service", "collection.budgets", SERVICE, AT), AT)
    put_in_place(folder, change(folder, "contact", "vendor-z", {"phone": "000-000-0098"}, AT), AT)

    held = load_directory(folder, now=NOW)
    assert held.contacts["vendor-z"].phone == "000-000-0098"
    assert held.systems["collection"].services["budgets"].name == "予算の照会"
    assert held.version == 5  # the sample brings two


@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_change_and_its_inverse_leave_the_files_byte_for_byte(
    folder: Path, data: st.DataObject
) -> None:
    before = _files(folder)
    deed = data.draw(st.sampled_from(["contact", "service", "phone", "url", "standby"]))
    ready = {
        "contact": lambda: register(folder, "contact", "vendor-z", CONTACT, AT),
        "service": lambda: register(folder, "service", "collection.budgets", SERVICE, AT),
        "phone": lambda: change(
            folder,
            "contact",
            data.draw(st.sampled_from(["vendor-a", "tax-office", "relay-desk"])),
            {"phone": data.draw(st.from_regex(r"000-000-[0-9]{4}", fullmatch=True))},
            AT,
        ),
        "url": lambda: change(folder, "site", "public-cloud", {"url": "http://127.0.0.1:8799"}, AT),
        "standby": lambda: change(
            folder, "site", "hall-core", {"profile.at_once": data.draw(st.integers(1, 64))}, AT
        ),
    }[deed]()
    put_in_place(folder, ready, AT)

    put_in_place(folder, undo(folder, AT), AT)

    assert _files(folder) == before


def test_retiring_what_was_registered_leaves_the_files_as_they_were(folder: Path) -> None:
    before = _files(folder)
    put_in_place(folder, register(folder, "contact", "vendor-z", CONTACT, AT), AT)
    put_in_place(folder, register(folder, "service", "collection.budgets", SERVICE, AT), AT)

    put_in_place(folder, retire(folder, "service", "collection.budgets", AT), AT)
    put_in_place(folder, retire(folder, "contact", "vendor-z", AT), AT)

    assert _files(folder) == before


def test_a_system_of_its_own_file_comes_and_goes(folder: Path) -> None:
    before = _files(folder)
    text = before["systems/finance.yaml"].decode().replace("system: finance", "system: assets")

    put_in_place(folder, register(folder, "system", "assets", text, AT), AT)
    assert load(folder).systems["assets"].site == "hall-core"
    put_in_place(folder, retire(folder, "system", "assets", AT), AT)

    assert _files(folder) == before
    put_in_place(folder, undo(folder, AT), AT)  # taken back: it is there again
    assert _files(folder)["systems/assets.yaml"].decode() == text


@pytest.mark.parametrize(
    ("kind", "name", "user"),
    [
        ("contact", "vendor-b", "links/notice-attributes.yaml"),
        ("site", "public-cloud", "sites/asp-relay.yaml"),
        ("system", "collection", "calls/finance-collection.yaml"),
        ("service", "collection.payments", "calls/arrears-payments.yaml"),
        ("dataset", "collection.collection_addressees", "links/resident-to-collection.yaml"),
    ],
)
def test_what_is_used_is_not_retired(folder: Path, kind: str, name: str, user: str) -> None:
    with pytest.raises(StillUsed) as caught:
        retire(folder, kind, name, AT)

    uses = {one.file: one for one in caught.value.mistakes}
    assert user in uses
    assert uses[user].code == "planning.still_used"
    assert not uses[user].example  # nobody is told to name another one


def test_online_links_are_approved_anew_and_bulk_links_told(folder: Path) -> None:
    for link in ("finance-collection", "notice-attributes"):
        decided = plan_of(load(folder), load_directory(folder, now=NOW), link, on=ON)
        approve(folder, decided, by="前の人", at=NOW, measured=None)

    inside = change(folder, "site", "hall-core", {"provider": "架空の事業者Y"}, AT)
    told = {one.link: one for one in inside.links}

    assert told["finance-collection"].is_approved
    assert told["notice-attributes"].stops
    assert not inside.is_refused
    put_in_place(folder, inside, AT)
    workspace = load(folder)
    decided = plan_of(workspace, load_directory(folder, now=NOW), "finance-collection", on=ON)
    approval = workspace.approvals["finance-collection"]
    assert standing(decided, approval) is Standing.APPROVED
    assert approval.by == "試験"


def test_somebody_who_was_quicker_is_not_overwritten(folder: Path) -> None:
    ready = change(folder, "contact", "vendor-a", {"hours": "24時間"}, AT)
    ready = change(folder, "contact", "vendor-a", {"phone": "000-000-0097"}, AT)
    file = folder / "kumobashi.yaml"
    file.write_text(file.read_text("utf-8") + "# 追記\n", encoding="utf-8")
    with pytest.raises(WorkspaceMoved):
        put_in_place(folder, ready, AT)

    ready = change(folder, "contact", "vendor-a", {"phone": "000-000-0097"}, AT)
    put_in_place(folder, ready, AT)
    file.write_text(file.read_text("utf-8") + "# 追記\n", encoding="utf-8")
    with pytest.raises(WorkspaceMoved):
        undo(folder, AT)


@pytest.mark.parametrize("survives", [0, 1, 2])
def test_what_a_crash_left_half_done_can_be_taken_back(folder: Path, survives: int) -> None:
    before = _files(folder)
    ready = change(folder, "contact", "vendor-a", {"phone": "000-000-0097"}, AT)
    put = dict(list(ready.files.items())[:survives])
    half = type(ready)(
        **{
            name: getattr(ready, name)
            for name in ("deed", "entry", "edit", "links", "differences", "version")
        },
        files=put,
    )
    put_in_place(folder, half, AT)  # as far as it came

    put_in_place(folder, undo(folder, AT), AT)

    assert _files(folder) == before
    assert load_directory(folder, now=NOW).contacts["vendor-a"].phone == "000-000-0011"


def test_bad_entries_are_refused_and_nothing_is_lost(folder: Path) -> None:
    before = _files(folder)
    refused: list[tuple[type[Exception], Any]] = [
        (RegisteredAlready, lambda: register(folder, "contact", "vendor-a", CONTACT, AT)),
        (RegisteredAlready, lambda: register(folder, "site", "hall-core", "site: hall-core", AT)),
        (EntryUnfit, lambda: register(folder, "contact", "vendor-z", "[1", AT)),
        (EntryUnfit, lambda: register(folder, "contact", "../x", CONTACT, AT)),
        (EntryUnfit, lambda: register(folder, "system", "new", "system: other\n", AT)),
        (WorkspaceBroken, lambda: register(folder, "contact", "vendor-z", "phone: 1\n", AT)),
        (NotRegistered, lambda: register(folder, "service", "nobody.s", SERVICE, AT)),
        (NotRegistered, lambda: change(folder, "contact", "nobody", {"phone": "1"}, AT)),
        (EntryUnfit, lambda: change(folder, "site", "hall-core", {"site": "x"}, AT)),
        (EntryUnfit, lambda: change(folder, "contact", "vendor-a", {"name.x": 1}, AT)),
        (EntryUnfit, lambda: change(folder, "contact", "vendor-a", {}, AT, without=["none"])),
        (WorkspaceBroken, lambda: change(folder, "site", "hall-core", {"zone": "moon"}, AT)),
        (NotRegistered, lambda: retire(folder, "system", "nobody", AT)),
        (EntryUnfit, lambda: retire(folder, "version", "collection.payments.v1", AT)),
        (EntryUnfit, lambda: retire(folder, "organisation", "city", AT)),
        (NothingToUndo, lambda: undo(folder, AT)),
    ]
    for error, deed in refused:
        with pytest.raises(error):
            deed()
    assert _files(folder) == before


def test_a_site_without_keys_is_not_registered(folder: Path) -> None:
    text = (folder / "sites/public-cloud.yaml").read_text("utf-8")
    text = text.replace("site: public-cloud", "site: second-cloud").replace(":8743", ":8749")

    with pytest.raises(SiteKeysMissing):
        register(folder, "site", "second-cloud", text, AT)
