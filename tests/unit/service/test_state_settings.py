"""Where the state is kept and who works: read from outside, every secret by reference only."""

import multiprocessing
import time
from multiprocessing.synchronize import Event as EventType
from pathlib import Path

import pytest

from kumobashi.kernel.crash import arm
from kumobashi.service.errors import BadRequest, SecretMissing
from kumobashi.service.rooms import Rooms
from kumobashi.service.settings import Settings, read_settings
from kumobashi.service.stating import open_state, state_reference
from kumobashi.storage.sqlite import SQLiteState

SITE = "kumobashi: 1\nsite: here\nname: ここ\nkind: on_premises\nzone: lgwan\nrole: endpoint\n"
SITE += "provider: 架空市\njurisdiction: JP\nurl: http://127.0.0.1:8740\ncontact: desk\n"


def settings(folder: Path, **env: str) -> Settings:
    return read_settings(folder, "here", env)


def test_without_a_word_the_state_is_a_file_and_this_process_works(tmp_path: Path) -> None:
    read = settings(tmp_path)

    assert (read.state, read.works, read.lease_seconds) == (None, True, 60.0)
    assert state_reference(read) is None
    store = open_state(read, "999997")
    assert isinstance(store, SQLiteState)
    store.close()


def test_the_sites_file_names_it_and_the_environment_and_the_command_go_before(
    tmp_path: Path,
) -> None:
    (tmp_path / "sites").mkdir()
    (tmp_path / "sites" / "here.yaml").write_text(f"{SITE}state: file:a.dsn\n", "utf-8")

    assert state_reference(settings(tmp_path)) == "file:a.dsn"
    assert state_reference(settings(tmp_path, KUMO_STATE="env:B")) == "env:B"
    said = read_settings(tmp_path, "here", {"KUMO_STATE": "env:B"}, state="env:C")
    assert state_reference(said) == "env:C"


def test_an_address_with_its_password_is_refused_and_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(BadRequest) as refused:
        settings(tmp_path, KUMO_STATE="postgresql://u:geheim@h/d")

    assert "geheim" not in str(refused.value)


def test_a_reference_that_leads_nowhere_is_told(tmp_path: Path) -> None:
    with pytest.raises(SecretMissing):
        open_state(settings(tmp_path, KUMO_STATE="file:nowhere"), "999997")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KUMO_WORK", "maybe"),
        ("KUMO_LEASE_SECONDS", "0"),
        ("KUMO_LEASE_SECONDS", "1e9"),
        ("KUMO_LEASE_SECONDS", "-1"),
        ("KUMO_RECALL_SECONDS", "often"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(BadRequest) as refused:
        settings(tmp_path, **{name: value})

    assert refused.value.facts["field"] == name


def test_work_may_be_left_to_others(tmp_path: Path) -> None:
    assert settings(tmp_path, KUMO_WORK="off").works is False
    assert read_settings(tmp_path, "here", {"KUMO_WORK": "off"}, works=True).works is True


def _hold(work: str, ready: EventType) -> None:
    mine = Rooms(Path(work), "living")
    (Path(work) / "living").mkdir(parents=True)
    ready.set()
    time.sleep(60)
    mine.close()


def test_folders_of_the_dead_are_removed_and_those_of_the_living_stay(tmp_path: Path) -> None:
    work = tmp_path / "work"
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    other = context.Process(target=_hold, args=(str(work), ready), daemon=True)
    other.start()
    assert ready.wait(30)
    (work / "dead").mkdir()
    mine = Rooms(work, "mine")
    (work / "mine").mkdir()

    mine.clear()
    assert sorted(path.name for path in work.iterdir()) == ["living", "mine"]

    other.kill()
    other.join()
    mine.clear()
    assert [path.name for path in work.iterdir()] == ["mine"]
    mine.close()
    assert list(work.iterdir()) == []


def test_a_point_may_freeze_instead_of_killing() -> None:
    arm("a.point:2:SIGSTOP")
    with pytest.raises(KeyError):
        arm("a.point:1:SIGNONE")
    arm("")
