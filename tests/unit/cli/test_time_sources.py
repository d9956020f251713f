"""doctor: a time source that is silent, one that agrees, one by which our clock is wrong."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from kumobashi.cli.checkup.checks import Check, State
from kumobashi.cli.checkup.time_sources import checks
from kumobashi.monitoring.clocks import Skew

GIVE_OR_TAKE = timedelta(milliseconds=20)


def answers(servers: Sequence[str]) -> Iterator[tuple[str, Skew]]:
    """Answer as servers of these names do; others are silent."""
    for server in servers:
        if server.startswith("right"):
            yield f"ntp:{server}", Skew(ahead=timedelta(), within=GIVE_OR_TAKE)
        if server.startswith("late"):
            yield f"ntp:{server}", Skew(ahead=timedelta(hours=1), within=GIVE_OR_TAKE)


@pytest.fixture
def looked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Check]:
    named = "right.example, late.example:1123, silent.example"
    monkeypatch.setenv("KUMO_CLOCK_SOURCES", named)
    return list(checks(tmp_path, ["hall-core"], asking=answers))


def test_each_server_is_judged(looked: list[Check]) -> None:
    assert [check.state for check in looked] == [State.GOOD, State.WRONG, State.CAUTION]
    assert "3600.0 s or more ahead" in looked[1].said.en
    assert looked[2].code == "doctor.time_source_silent"
    assert "silent.example" in looked[2].name.en


def test_where_none_is_named_nothing_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KUMO_CLOCK_SOURCES", raising=False)
    assert list(checks(tmp_path, ["hall-core"], asking=answers)) == []
    monkeypatch.setenv("KUMO_CLOCK_SOURCES", "right.example")
    assert list(checks(tmp_path, [], asking=answers)) == []


def test_names_that_are_none_are_said_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUMO_CLOCK_SOURCES", "a b:c:d,,")
    (found,) = checks(tmp_path, ["hall-core"], asking=answers)
    assert found.state is State.WRONG
    assert "KUMO_CLOCK_SOURCES" in found.where
