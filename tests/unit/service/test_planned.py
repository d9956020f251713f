"""Plans are made once for the files and the day, and anew when one of them is another."""

from datetime import date
from pathlib import Path

import pytest

from kumobashi.kernel import SystemClock
from kumobashi.planning.publishing import load_directory
from kumobashi.planning.sampling import write_sample
from kumobashi.planning.workspace import load
from kumobashi.service.planned import Planned

LINK = "notice-attributes"


class Days:
    """A calendar turned by hand."""

    today = date(2026, 11, 22)

    def __call__(self) -> date:
        return self.today


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample(tmp_path_factory.mktemp("planned") / "city")


def test_a_plan_is_kept_until_the_files_or_the_day_are_others(folder: Path) -> None:
    days, workspace = Days(), load(folder)
    planned = Planned(load_directory(folder, now=SystemClock().now()), days)

    first = planned.plan(workspace, LINK)
    assert planned.plan(workspace, LINK) is first

    again = load(folder)  # read anew, as after a change
    other = planned.plan(again, LINK)
    assert other is not first
    assert other.hash == first.hash

    days.today = date(2026, 11, 23)
    assert planned.plan(again, LINK) is not other
