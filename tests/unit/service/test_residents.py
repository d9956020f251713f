"""Whose number it is: as the register writes it, however it was typed; nobody's is refused."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from kumobashi.cli.city import write_city
from kumobashi.planning.sampling import write_sample
from kumobashi.planning.workspace import Workspace, load
from kumobashi.service.errors import ResidentUnclear, ResidentUnknown
from kumobashi.service.residents import Residents
from kumobashi.storage.errors import StorageFailed

STORE = "var/hall-core/data/integrated-db.duckdb"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder = write_sample(tmp_path_factory.mktemp("residents") / "city")
    write_city(folder, residents=1_000, seed=3)
    return load(folder)


@pytest.fixture(scope="module")
def number(workspace: Workspace) -> str:
    with duckdb.connect(str(workspace.folder / STORE), read_only=True) as held:
        found = held.execute("select min(resident_no) from resident_registry").fetchone()
    assert found
    assert str(found[0]).startswith("0")
    return str(found[0])


def named(workspace: Workspace, typed: str, *kept: str, site: str = "hall-core") -> str:
    return Residents(lambda: workspace, site).named(typed, is_kept=lambda one: one in kept)


@pytest.mark.parametrize(
    "typing",
    [
        str,
        lambda one: one.lstrip("0"),
        lambda one: f" 00{one} ",
        lambda one: one.translate(str.maketrans("0123456789", "０１２３４５６７８９")),
    ],
)
def test_however_it_is_typed_it_is_the_same_resident(
    workspace: Workspace, number: str, typing: Callable[[str], str]
) -> None:
    assert named(workspace, typing(number)) == number


def test_who_is_not_there_is_refused_unless_something_is_kept_of_them(
    workspace: Workspace,
) -> None:
    with pytest.raises(ResidentUnknown) as refused:
        named(workspace, "777777777777777")
    assert "777" not in refused.value.say("ja") + refused.value.say("en")
    assert named(workspace, "777777777777777", "777777777777777") == "777777777777777"


def test_where_two_are_alike_one_must_say_which(workspace: Workspace, number: str) -> None:
    table = "resident_registry"
    with duckdb.connect(str(workspace.folder / STORE)) as held:
        held.execute(
            f"insert into {table} by name select * replace ('0' || resident_no as resident_no)"
            f" from {table} where resident_no = ?",
            [number],
        )
    try:
        assert named(workspace, number) == number
        assert named(workspace, "0" + number) == "0" + number
        with pytest.raises(ResidentUnclear):
            named(workspace, number.lstrip("0"))
    finally:
        with duckdb.connect(str(workspace.folder / STORE)) as held:
            held.execute(f"delete from {table} where resident_no = ?", ["0" + number])


def test_a_site_without_such_a_source_takes_a_number_as_it_is(workspace: Workspace) -> None:
    assert named(workspace, "1", site="public-cloud") == "1"


def test_a_register_that_cannot_be_read_stops_what_is_new_and_no_withdrawal(
    tmp_path: Path,
) -> None:
    empty = load(write_sample(tmp_path / "empty"))
    with pytest.raises(StorageFailed):
        named(empty, "1")
    assert named(empty, "1", "1") == "1"
