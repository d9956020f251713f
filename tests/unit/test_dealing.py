"""Files are dealt whole, and long ones first, by the pytest and pytest-xdist that are installed."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.dealing import unit_of

ROOT = Path(__file__).parents[2]
_SAYS = """
import json, os, pathlib, pytest
@pytest.fixture(scope="module", autouse=True)
def dear(request):
    with pathlib.Path(os.environ["MADE"]).open("a") as made:
        made.write(json.dumps(str(request.path)) + chr(10))
@pytest.mark.parametrize("number", range(6))
def test_it(number):
    pass
"""


def test_what_a_file_makes_is_made_once(tmp_path: Path) -> None:
    names = ["unit/test_b", "scenario/test_z", "unit/test_a", "contract/test_y"]
    for name in names:
        path = tmp_path / "tests" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_SAYS, "utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", "utf-8")
    made = tmp_path / "made"

    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "xdist.plugin", "-p", "tests.conftest",
         "-n", "2", "--dist", "loadfile", "--rootdir", str(tmp_path), "tests"],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTHONPATH": str(ROOT),
            "MADE": str(made),
        },
        capture_output=True,
        check=True,
    )  # fmt: skip

    said = [json.loads(line) for line in made.read_text("utf-8").splitlines()]
    dealt = [Path(path).relative_to(tmp_path / "tests").with_suffix("").as_posix() for path in said]
    assert sorted(dealt) == sorted(names), "each once"
    assert set(dealt[:2]) == {"scenario/test_z", "contract/test_y"}, "the long ones first"


def test_files_that_measure_are_one() -> None:
    one, other = (f"tests/integration/test_bench_{name}.py::test_it[a]" for name in ("link", "x"))

    assert unit_of(one) == unit_of(other)
    assert unit_of("tests/unit/test_a.py::test_it[x::y]") == "tests/unit/test_a.py"
