"""Whether a change is important: each kind of it, with the real sample before and after."""

import re
import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.papers.comparing import change_paper, side_of_approval, side_of_plan
from kumobashi.papers.important import Judged, Party, Side, judge, verdict_of
from kumobashi.papers.rules import all_rows
from kumobashi.papers.weaker import column_aspect, gate_aspect, scope_aspect
from kumobashi.planning.approval import approve
from kumobashi.planning.plan import Plan, plan
from kumobashi.planning.publishing import load_directory
from kumobashi.planning.sampling import write_sample
from kumobashi.planning.workspace import Workspace, load

LINK, ON = "notice-attributes", date(2026, 11, 22)
RULE, FILE = "rules/notice-attributes.yaml", "links/notice-attributes.yaml"
NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample(tmp_path_factory.mktemp("before") / "w")


def planned(folder: Path, directory: Path) -> tuple[Workspace, Plan]:
    workspace = load(folder)
    held = load_directory(directory, now=datetime.now(UTC))
    return workspace, plan(workspace, held, LINK, on=ON)


@pytest.fixture
def changed(sample: Path, tmp_path: Path) -> Callable[..., tuple[Judged, ...]]:
    def change(*edits: tuple[str, str, str]) -> tuple[Judged, ...]:
        folder = tmp_path / "after"
        shutil.copytree(sample, folder, dirs_exist_ok=True)
        for file, pattern, instead in edits:
            path = folder / file
            text, count = re.subn(pattern, instead, path.read_text("utf-8"), flags=re.MULTILINE)
            assert count == 1, (file, pattern, count)
            path.write_text(text, encoding="utf-8", newline="\n")
        old, new = planned(sample, sample), planned(folder, sample)
        return judge(
            side_of_plan(old[1], old[0]),
            side_of_plan(new[1], new[0]),
            names=new[1].names,
            on=ON,
        )

    return change


CASES = [
    ("basis", "yes", (FILE, r'code: "69-2-1"', 'code: "69-1"')),
    ("basis-words", "ask", (FILE, r'until: "2036', 'until: "2040')),
    ("retention-shorter", "no", (FILE, r"^contact:", "retention: {class: service}\ncontact:")),
    ("item-coarser", "no", (RULE, r"to: month, ladder: \[year,", "to: year, ladder: [")),
    ("gate-weaker", "yes", (RULE, r"^  k: 5", "  k: 3")),
    ("gate-stronger", "no", (RULE, r"^  k: 5", "  k: 9")),
    ("gate-changed", "ask", (RULE, r"max_suppressed: 0.05", "max_suppressed: 0.20")),
    ("scope-larger", "yes", (RULE, r'resident_status: \["1"\]', 'resident_status: ["1", "2"]')),
    ("consent-dropped", "yes", (RULE, r"^consent: .*\n", "")),
    ("technical", "no", (FILE, r"^format: parquet", "format: csv")),
    ("fallback", "ask", (FILE, r"^fallback: .*\n", "")),
    ("protection-dropped", "yes", ("kumobashi.yaml", r"^protective_measures:\n(  .*\n)+", "")),
]


@pytest.mark.parametrize(("aspect", "verdict", "edit"), CASES, ids=[case[0] for case in CASES])
def test_each_kind_of_change_has_its_verdict(
    changed: Callable[..., tuple[Judged, ...]],
    aspect: str,
    verdict: str,
    edit: tuple[str, str, str],
) -> None:
    found = changed(edit)
    assert aspect in {one.row.aspect for one in found}, [one.plain() for one in found]
    assert verdict_of(found) == verdict, [one.plain() for one in found]


def test_nothing_changed_is_nothing_important(changed: Callable[..., tuple[Judged, ...]]) -> None:
    assert changed() == ()


def test_decisions_tell_receivers_and_items(sample: Path) -> None:
    _, made = planned(sample, sample)
    decision = dict(made.decision)
    first, *rest = decision["items"]
    assert first["name"] == "token"
    other = {**decision, "items": rest}
    link = {**decision["link"], "to": {"system": "elsewhere", "dataset": "x"}}
    purpose = {**decision["link"], "purpose": "elsewhere"}
    for before, now, aspect, verdict in (
        (other, decision, "item-added", "yes"),
        (decision, other, "item-dropped", "no"),
        (decision, {**decision, "link": link}, "receiver", "yes"),
        (decision, {**decision, "link": purpose}, "purpose", "yes"),
        (decision, {**decision, "something": 1}, "other", "ask"),
    ):
        found = judge(Side(decision=before), Side(decision=now), names={}, on=ON)
        assert aspect in {one.row.aspect for one in found}
        assert verdict_of(found) == verdict


def test_a_rule_known_by_its_hash_alone_is_for_people(sample: Path, tmp_path: Path) -> None:
    workspace, made = planned(sample, sample)
    approval = approve(tmp_path, made, by="試験", at=NOW, measured=None)
    folder = tmp_path / "after"
    shutil.copytree(sample, folder)
    path = folder / RULE
    path.write_text(path.read_text("utf-8").replace("k: 5 #", "k: 3 #"), "utf-8", newline="\n")
    after = planned(folder, sample)
    old = side_of_approval(approval, workspace.tables, processors=None, on=ON)
    found = judge(old, side_of_plan(after[1], after[0]), names=after[1].names, on=ON)
    assert verdict_of(found) == "ask"
    paper = change_paper(
        after[1], found, compared_with="承認", has_registers=False, town="架空市", now=NOW
    )
    assert paper.blanks


def test_processors_that_are_added_changed_and_dropped(sample: Path) -> None:
    _, made = planned(sample, sample)
    one, two = Party(name="甲", said=("運用", "東京")), Party(name="乙", said=("保守", "大阪"))
    moved = Party(name="甲", said=("運用", "国外"))

    def between(before: tuple[Party, ...], now: tuple[Party, ...]) -> set[tuple[str, str]]:
        sides = (Side(decision=made.decision, processors=side) for side in (before, now))
        found = judge(*sides, names={}, on=ON)
        return {(judged.row.aspect, judged.verdict) for judged in found}

    assert between((one,), (one, two)) == {("processor-added", "yes")}
    assert between((one, two), (one,)) == {("processor-dropped", "no")}
    assert between((one,), (moved,)) == {("processor-changed", "ask")}
    assert between((one,), (one,)) == set()


def test_more_rows_than_were_approved_are_a_larger_scope(sample: Path) -> None:
    _, made = planned(sample, sample)
    few, many = (Side(decision=made.decision, rows=rows) for rows in (10, 11))
    assert verdict_of(judge(few, many, names={}, on=ON)) == "yes"
    assert verdict_of(judge(many, few, names={}, on=ON)) == "no"


_LENGTHS = st.integers(1, 20)


@given(_LENGTHS, _LENGTHS)
def test_finer_and_coarser_are_each_others_opposite(one: int, other: int) -> None:
    was, then = ({"name": "a", "op": "prefix", "of": "a", "length": n} for n in (one, other))
    opposite = {"item-finer": "item-coarser", "item-coarser": "item-finer"}
    found = column_aspect(was, then)
    assert column_aspect(then, was) == opposite.get(found, found)
    assert (found == "item-finer") == (other > one)


@given(st.sets(st.sampled_from("abcd")), st.sets(st.sampled_from("abcd")))
def test_scope_is_larger_only_where_codes_are_added(one: set[str], other: set[str]) -> None:
    was, then = ({"only": {"status": sorted(codes)}} for codes in (one, other))
    found = scope_aspect(was, then)
    assert (found == "scope-larger") == (one < other)
    if not (one <= other or other <= one):
        assert found == "scope-changed"


@given(st.integers(2, 50), st.integers(2, 50))
def test_a_gate_of_less_k_is_weaker_whatever_else_it_says(one: int, other: int) -> None:
    found = gate_aspect({"k": one}, {"k": other, "max_unique_share": 0.1})
    assert (found == "gate-weaker") == (other < one)
    assert gate_aspect({"k": one}, None) == gate_aspect({"k": one}, {"none": "庁内だけで使う"})


def test_what_nobody_can_read_is_never_called_harmless() -> None:
    assert column_aspect({"op": "of a later release"}, {"op": "keep", "name": "a", "of": "a"}) == (
        "item-changed"
    )


def test_every_row_says_where_it_comes_from_and_overlaps_no_other() -> None:
    for file, rows in all_rows().items():
        assert rows, file
        for row in rows:
            assert row.origin.source
            if row.origin.is_verified:
                assert "未確認" not in row.origin.source
