"""Deleting what a transfer holds in a target: once, all of it, nothing that another holds."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kumobashi.kernel import new_id
from kumobashi.storage.errors import BaseMissing, NeverApplied
from kumobashi.storage.tables import Removal
from kumobashi.testing.jobs_cloud.running import RunningCloud
from kumobashi.testing.postgresql import running
from tests.contract.jobs_target import cloud_of
from tests.contract.test_table_store import ROW, Target, every_table, load

pytestmark = [pytest.mark.slow, pytest.mark.postgres]
OTHER = ("x", "甲", None, None, None)


@pytest.fixture(scope="module")
def dsn() -> Iterator[str]:
    with running(settings={"shared_buffers": "32MB"}) as uri:
        yield uri


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[RunningCloud]:
    with cloud_of(tmp_path / "cloud", every_table()) as one:
        yield one


@pytest.fixture(params=["duckdb", "postgresql", "jobs"])
def target(request: pytest.FixtureRequest, tmp_path: Path, dsn: str) -> Target:
    if request.param == "jobs":
        return Target("jobs", tmp_path, dsn, cloud=request.getfixturevalue("cloud"))
    return Target(request.param, tmp_path, dsn)


def removal(transfer: str, link: str = "a-link") -> Removal:
    return Removal(tenant="999997", transfer=transfer, link=link, table="t")


def test_deleting_the_newest_full_transfer_empties_the_table(target: Target) -> None:
    transfer = new_id()
    target.store.apply(load([ROW, OTHER], transfer=transfer))

    removed = target.store.remove(removal(transfer))

    assert (removed.rows, removed.taken_over_by, removed.already) == (2, None, False)
    assert target.rows() == []


def test_deleting_twice_says_the_same_and_spares_what_came_since(target: Target) -> None:
    first, second = new_id(), new_id()
    target.store.apply(load([ROW, OTHER], transfer=first))
    target.store.remove(removal(first))
    target.store.apply(load([ROW], transfer=second, sequence=2))

    again = target.store.remove(removal(first))

    assert (again.rows, again.already) == (2, True)
    assert target.rows() == [ROW]


def test_an_older_transfer_has_no_rows_of_its_own_any_more(target: Target) -> None:
    first, second = new_id(), new_id()
    target.store.apply(load([ROW], transfer=first))
    target.store.apply(load([OTHER], transfer=second, sequence=2, base=first))

    removed = target.store.remove(removal(first))

    assert (removed.rows, removed.taken_over_by) == (0, second)
    assert target.rows() == [ROW, OTHER], "held under the newest transfer of the link"


def test_deleting_the_newest_difference_empties_what_it_left_too(target: Target) -> None:
    first, second = new_id(), new_id()
    target.store.apply(load([ROW], transfer=first))
    target.store.apply(load([OTHER], transfer=second, sequence=2, base=first))

    assert target.store.remove(removal(second)).rows == 2
    assert target.rows() == []


def test_no_difference_follows_what_was_deleted_but_a_full_one_does(target: Target) -> None:
    first, second, third = new_id(), new_id(), new_id()
    target.store.apply(load([ROW], transfer=first))
    target.store.remove(removal(first))

    with pytest.raises(BaseMissing):
        target.store.apply(load([OTHER], transfer=second, sequence=2, base=first))
    assert target.rows() == []
    target.store.apply(load([OTHER], transfer=third, sequence=3))

    assert target.rows() == [OTHER]


def test_what_the_target_never_applied_is_not_called_deleted(target: Target) -> None:
    transfer = new_id()
    target.store.apply(load([ROW], transfer=transfer))

    with pytest.raises(NeverApplied):
        target.store.remove(removal(new_id()))

    assert target.rows() == [ROW]
    assert target.store.remove(removal(transfer)).rows == 1
