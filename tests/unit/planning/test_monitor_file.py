"""``monitor.yaml``: what is wrong in it is told with its line, all at once."""

from pathlib import Path

import pytest

from kumobashi.planning.errors import WorkspaceBroken
from kumobashi.planning.sampling import write_sample
from kumobashi.planning.workspace import load

HANDBOOK = Path("docs/how-to/operators-handbook.md")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_sample(tmp_path / "w")


def mistakes(folder: Path, text: str) -> list[tuple[int, str]]:
    (folder / "monitor.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(WorkspaceBroken) as caught:
        load(folder)
    return [(one.line, one.code) for one in caught.value.mistakes]


def test_without_the_file_the_defaults_hold(folder: Path) -> None:
    assert load(folder).monitor.deadlines.default == "08:00"


def test_the_example_of_the_handbook_is_good(folder: Path) -> None:
    text = HANDBOOK.read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    text = text.replace('  contacts: {tax-office: "07:30"}   # 担当ごとの期限\n', "")
    (folder / "monitor.yaml").write_text(text, encoding="utf-8")
    assert len(load(folder).monitor.probes) == 5


def test_sites_and_contacts_that_are_not_there_are_named(folder: Path) -> None:
    text = (
        "kumobashi: 1\n"
        "deadlines:\n  contacts: {nobody: '07:00'}\n"
        "parts:\n  - {part: a, name: 線, kind: access_line, side: 会社, stops: [nowhere]}\n"
    )
    assert mistakes(folder, text) == [(3, "workspace.unknown"), (5, "workspace.unknown")]


@pytest.mark.parametrize(
    "probe",
    [
        "{probe: p, ask: 'ftp://x', over: [a]}",
        "{probe: p, ask: 'tcp://x', over: [a]}",
        "{probe: p, ask: 'http://u:p@x/', over: [a]}",
        "{probe: p, ask: 'tcp://x:99999', over: [a]}",
        "{probe: p, ask: 'tcp://x:1', over: []}",
        "{probe: p, ask: 'tcp://x:1', over: [b]}",
    ],
)
def test_a_probe_that_cannot_be_tried_is_refused(folder: Path, probe: str) -> None:
    part = "  - {part: a, name: 線, kind: access_line, side: 会社}\n"
    found = mistakes(folder, f"kumobashi: 1\nparts:\n{part}probes:\n  - {probe}\n")
    assert [line for line, _ in found] == [5]


def test_planned_work_that_ends_before_it_begins_is_refused(folder: Path) -> None:
    work = "{sites: [public-cloud], begins: 2026-12-06T05:00:00+09:00, "
    work += "ends: 2026-12-05T05:00:00+09:00, reason: 保守}"
    assert mistakes(folder, f"kumobashi: 1\nplanned:\n  - {work}\n")[0][0] == 3
