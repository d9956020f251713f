"""A rule explained: what stands at a step is what the rule makes there, and nothing else."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from kumobashi.directory.entries import Directory
from kumobashi.planning.explaining import Explanation, explain
from kumobashi.planning.fictional import example_of
from kumobashi.planning.plan import plan
from kumobashi.planning.workspace import Workspace, load
from kumobashi.release.ladders import steps
from kumobashi.testing import gates
from tests.unit.planning.test_coded_links import code
from tests.unit.planning.test_plan import edit

LINK = "notice-attributes"
ON = date(2026, 11, 22)


def explained(workspace: Workspace, directory: Directory, link: str = LINK) -> Explanation:
    return explain(workspace, plan(workspace, directory, link, on=ON))


def test_what_stands_at_a_step_is_what_the_rule_makes_there(
    workspace: Workspace, directory: Directory
) -> None:
    found = explained(workspace, directory)
    rule = workspace.rules[LINK]
    seen = 0
    for column in (one for one in found.columns if one.has_ladder):
        for level, rung in enumerate(column.rungs):
            # The same rule, written that coarse from the start.
            written = rule.at_levels({column.name: level})
            other = replace(workspace, rules={**workspace.rules, LINK: written})
            made = example_of(other, workspace.links[LINK], on=ON).after[column.name]
            assert rung.value == made, (column.name, level)
            seen += level > 0
    assert seen == sum(len(steps(column)) - 1 for column in rule.released)


@pytest.mark.parametrize("link", ["childcare-notices", "vaccination-reminders", "resident-to-nhi"])
def test_every_rule_of_the_sample_is_explained(
    workspace: Workspace, directory: Directory, link: str
) -> None:
    found = explained(workspace, directory, link)
    rule = workspace.rules[workspace.links[link].release]

    assert [c.name for c in found.columns] == [column.name for column in rule.released]
    assert all(len(c.rungs) == len(steps(rule.released[n])) for n, c in enumerate(found.columns))
    assert found.person


def test_a_step_that_drops_a_column_shows_no_value(
    workspace: Workspace, directory: Directory
) -> None:
    rule = workspace.rules[LINK]
    columns = [
        column.model_copy(update={"ladder": [10, 6, "drop"]})
        if column.name == "town_code"
        else column
        for column in rule.columns
    ]
    droppable = rule.model_copy(update={"columns": columns})
    workspace = replace(workspace, rules={**workspace.rules, LINK: droppable})

    town = next(c for c in explained(workspace, directory).columns if c.name == "town_code")

    assert [rung.is_dropped for rung in town.rungs] == [False, False, False, True]
    assert [rung.value for rung in town.rungs] == ["9999970012003", "9999970012", "999997", ""]


def test_a_link_under_codes_is_explained_by_names(folder: Path, directory: Directory) -> None:
    plain = explained(load(folder), directory)
    book = code(folder)

    coded = explained(load(folder), directory)

    assert coded.columns == plain.columns
    assert not set(book.order) & {column.name for column in coded.columns}
    assert coded.levels(gates.climbed()) == plain.levels(gates.climbed())


def test_a_birthday_is_compared_with_what_is_made_from_it(
    workspace: Workspace, directory: Directory
) -> None:
    found = explained(workspace, directory)

    birthday, beside = found.clues({"birth_ym": 2, "child_birth_yms": 1})

    assert "「生年月: 5年ごとに」" in birthday[0]
    assert "「子の生年月: 世帯の18歳未満の生年」" in birthday[0]
    assert "性別" in beside[0]
    assert "birth_ym (to five years)" in birthday[1]
    assert "town_code" in beside[1]
    assert "個人住民税" not in birthday[0] + beside[0]  # nobody should know it


def test_where_nothing_of_a_birthday_leaves_it_does_not_help(
    workspace: Workspace, directory: Directory
) -> None:
    found = explained(workspace, directory, "campaign-targets")

    birthday, beside = found.clues({})

    assert "手がかりになりません" in birthday[0]
    assert "ほかに、人を見分けられる項目は出ません" in beside[0]
    assert found.is_predicate_only
    assert not found.is_gated


def test_being_listed_tells_what_the_rule_asks_of_everybody(
    workspace: Workspace, directory: Directory
) -> None:
    ja, en = explained(workspace, directory, "vaccination-reminders").listed

    assert "9歳であること、" in ja
    assert "記録がない" in ja
    assert "aged 9" in en
    assert explained(workspace, directory).listed == ("", "")


def test_the_notice_is_one_that_the_link_serves(workspace: Workspace, directory: Directory) -> None:
    served = explained(workspace, directory, "campaign-targets").notice
    other = explained(workspace, directory, "resident-to-nhi").notice

    assert served is not None
    assert served.code == "infant-check-18m"
    assert other is not None
    alone = replace(workspace, campaigns={})
    assert explained(alone, directory, "resident-to-nhi").notice is None


def test_levels_are_those_of_a_report_of_the_same_rule_only(
    folder: Path, workspace: Workspace, directory: Directory
) -> None:
    report = gates.climbed()
    found = explained(workspace, directory)

    assert found.levels(report) == {
        "birth_ym": 2,
        "town_code": 2,
        "household_ages": 2,
        "child_birth_yms": 2,
    }
    assert found.levels(None) == {}
    edit(folder, f"rules/{LINK}.yaml", "ladder: [10, 6]", "ladder: [6]")
    assert explained(load(folder), directory).levels(report) is None
    assert explained(workspace, directory, "childcare-notices").levels(report) is None
    fewer = replace(report, names={"token": report.names["token"]})
    assert found.levels(fewer) is None
