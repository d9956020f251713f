"""What a plan decides, and what its hash covers."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from kumobashi.directory.entries import Directory
from kumobashi.planning.plan import Plan, plan
from kumobashi.planning.workspace import Workspace, load

ON = date(2026, 11, 21)
LINK = "notice-attributes"


def test_the_sample_is_ready_but_for_the_link_that_shows_a_refusal(
    workspace: Workspace, directory: Directory
) -> None:
    permitted = {
        link: plan(workspace, directory, link, on=ON).is_permitted for link in workspace.links
    }

    assert permitted.pop("welfare-to-citizen-app") is False
    assert len(permitted) == 10
    assert all(permitted.values())


def test_a_refusal_names_line_article_row_and_remedy(
    workspace: Workspace, directory: Directory
) -> None:
    refused = plan(workspace, directory, "welfare-to-citizen-app", on=ON)

    basis, item = refused.reasons
    assert basis.code == "policy.no_basis"
    assert basis.where.file == "links/welfare-to-citizen-app.yaml"
    assert "69条" in basis.article_ja
    assert basis.example.startswith("legal_basis:")
    assert item.code == "policy.item_forbidden"
    assert "扶助の種類" in item.ja
    assert "op: flag" in item.remedy_ja
    assert item.origin is not None
    table = Path("src/kumobashi") / item.origin.file
    row = table.read_text(encoding="utf-8").splitlines()[item.origin.row - 1]
    assert row.startswith("special,internet,kept,no")


def test_the_way_of_the_sample_is_that_of_the_trial(
    workspace: Workspace, directory: Directory
) -> None:
    found = plan(workspace, directory, LINK, on=ON)

    assert [(hop.to_site, hop.by) for hop in found.hops] == [
        ("hall-exchange", "designated_communication"),
        ("asp-relay", "lgwan"),
        ("public-cloud", "ip_vpn"),
    ]
    assert found.largest_part_bytes == 2097152
    assert "氏" in found.left_out


def test_no_directory_or_a_stale_one_is_a_reason(
    workspace: Workspace, directory: Directory
) -> None:
    moved = replace(
        directory,
        sites=directory.sites
        | {"asp-relay": replace(directory.sites["asp-relay"], url="http://127.0.0.1:1")},
    )

    assert plan(workspace, None, LINK, on=ON).reasons[0].code == "planning.no_directory"
    assert plan(workspace, moved, LINK, on=ON).reasons[0].code == "planning.directory_stale"


def test_a_layout_that_does_not_hold_on_the_day_is_a_reason(
    workspace: Workspace, directory: Directory
) -> None:
    codes = {
        reason.code for reason in plan(workspace, directory, LINK, on=date(2026, 3, 31)).reasons
    }

    assert "planning.layout_not_valid" in codes


def test_dates_counts_and_the_like_do_not_change_the_hash(
    folder: Path, workspace: Workspace, directory: Directory
) -> None:
    first = plan(workspace, directory, LINK, on=ON)
    edit(folder, f"links/{LINK}.yaml", "rows: 0.05", "rows: 0.20")
    edit(folder, f"links/{LINK}.yaml", 'daily: "01:20"', 'daily: "03:20"')
    edit(folder, f"links/{LINK}.yaml", "contact: vendor-b", "contact: it-desk")
    edit(folder, "sites/hall-core.yaml", "127.0.0.1:8740", "127.0.0.1:9740")
    edit(folder, f"rules/{LINK}.yaml", "# だれについてのデータか", "# だれの")

    again = plan(load(folder), directory, LINK, on=date(2027, 3, 1))

    assert again.hash == first.hash
    assert again.number == first.number


def edit(folder: Path, file: str, before: str, after: str) -> None:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        (f"rules/{LINK}.yaml", "length: 13, ladder: [10, 6]", "length: 10"),  # an item's operation
        (f"rules/{LINK}.yaml", "version: 4", "version: 5"),
        (f"rules/{LINK}.yaml", 'resident_status: ["1"]', 'resident_status: ["1", "2"]'),
        (f"rules/{LINK}.yaml", "by: subject", "by: household_head"),
        (f"links/{LINK}.yaml", 'code: "69-2-1"', 'code: "69-1"'),
        (f"links/{LINK}.yaml", "on_findings: quarantine", "on_findings: go_on"),
        (f"links/{LINK}.yaml", "format: parquet", "format: csv"),
        (f"links/{LINK}.yaml", "mode: full", "mode: difference"),
        ("kumobashi.yaml", "network_model: alpha", "network_model: beta"),
        ("sites/public-cloud.yaml", "zone: internet", "zone: lgwan"),
        ("sites/asp-relay.yaml", "by: ip_vpn", "by: dedicated_line"),
    ],
)
def test_every_decision_changes_the_hash(
    folder: Path, workspace: Workspace, directory: Directory, file: str, before: str, after: str
) -> None:
    first = plan(workspace, directory, LINK, on=ON)

    edit(folder, file, before, after)

    assert plan(load(folder), directory, LINK, on=ON).hash != first.hash


def other_provider(directory: Directory) -> Directory:
    sites = directory.sites
    sold = replace(sites["asp-relay"], provider="架空の事業者Z")
    return replace(directory, sites=sites | {"asp-relay": sold})


def other_version(directory: Directory) -> Directory:
    sites = directory.sites
    aside = replace(sites["asp-relay"], url="http://127.0.0.1:9", contact="it-desk")
    return replace(directory, version=9, sites=sites | {"asp-relay": aside})


def other_key_owner(directory: Directory) -> Directory:
    sites = directory.sites
    swapped = replace(sites["public-cloud"], sign=sites["hall-core"].sign)
    return replace(directory, sites=sites | {"public-cloud": swapped})


def other_recipient(directory: Directory) -> Directory:
    sites = directory.sites
    swapped = replace(sites["public-cloud"], seal=sites["hall-core"].seal)
    return replace(directory, sites=sites | {"public-cloud": swapped})


@pytest.mark.parametrize("change", [other_provider, other_key_owner, other_recipient])
def test_whoever_runs_the_way_and_owns_its_keys_changes_the_hash(
    workspace: Workspace, directory: Directory, change: Callable[[Directory], Directory]
) -> None:
    first: Plan = plan(workspace, directory, LINK, on=ON)

    assert plan(workspace, change(directory), LINK, on=ON).hash != first.hash


def test_what_the_directory_says_of_others_leaves_the_hash_alone(
    workspace: Workspace, directory: Directory
) -> None:
    first: Plan = plan(workspace, directory, LINK, on=ON)

    assert plan(workspace, other_version(directory), LINK, on=ON).hash == first.hash


def test_another_layout_version_changes_the_hash(
    folder: Path, workspace: Workspace, directory: Directory
) -> None:
    link = "welfare-to-citizen-app"
    first = plan(workspace, directory, link, on=ON)
    edit(folder, "layouts/welfare-profiles.yaml", 'version: "1"', 'version: "2"')
    edit(folder, "systems/citizen-app.yaml", 'version: "1"', 'version: "2"')
    second = plan(load(folder), directory, link, on=ON)
    edit(folder, "layouts/welfare-profiles.yaml", "digits: 2", "digits: 3")
    third = plan(load(folder), directory, link, on=ON)

    assert len({first.hash, second.hash, third.hash}) == 3
