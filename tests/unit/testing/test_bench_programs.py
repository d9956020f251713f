"""What the benchmark asks for before it does any work."""

import pytest
from click.testing import CliRunner

from kumobashi.cli.entry import root
from kumobashi.testing.bench import programs
from kumobashi.testing.bench.pipeline import marks_of
from kumobashi.testing.bench.programs import missing_programs


def test_nothing_is_missing_where_everything_is_there() -> None:
    assert missing_programs("all", which=lambda name: f"/bin/{name}", has_package=bool) == []


def test_programs_and_packages_that_are_missing_are_all_named_at_once() -> None:
    missing = missing_programs(
        "all",
        which=lambda name: None if name in {"age", "curl"} else name,
        has_package={"psutil"}.__contains__,
    )

    assert {"age", "curl", "lxml", "dlt"} <= set(missing)
    assert not {"zstd", "psutil"} & set(missing)


def test_fewer_peers_need_less() -> None:
    def nothing(_name: str) -> None:
        return None

    assert missing_programs("none", which=nothing, has_package=bool) == []
    floors = missing_programs("floors", which=nothing, has_package=lambda name: name != "dlt")
    assert floors == ["age", "zstd", "curl", "bash"]


def test_the_command_names_what_is_missing_and_exits_with_3(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(programs, "missing_programs", lambda _peers: ["age", "zstd"])

    ended = CliRunner().invoke(root, ["bench", "link", "--residents", "1000"])

    assert ended.exit_code == 3
    assert "age, zstd" in ended.output


def test_the_marks_of_a_pipeline_become_seconds_by_stage() -> None:
    said = "@ start 100.5\nsome warning\n@ sent 102.0\n@ loaded 102.25\n"

    assert marks_of(said) == {"sent": 1.5, "loaded": 0.25}
