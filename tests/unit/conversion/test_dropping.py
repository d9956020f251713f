"""Which file of a drop folder is taken, when, and what stays when it has been."""

import os
import threading
import time
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.conversion.dropping import Dropped, FileName, Newness, newest
from kumobashi.conversion.errors import FileChanged
from kumobashi.conversion.taking import DropFolder, peek, take
from kumobashi.storage.errors import FileAwaited, FileUnsettled, FolderUnreachable

DAY = date(2026, 11, 21)
NAME = FileName("名簿_{date}*.csv")


@pytest.fixture
def drop(tmp_path: Path) -> DropFolder:
    (tmp_path / "drop").mkdir()
    return DropFolder(
        system="desk",
        name="窓口",
        folder=tmp_path / "drop",
        kept=tmp_path / "kept",
        quiet_seconds=0.3,
    )


def put(drop: DropFolder, name: str, text: str, seconds_ago: float = 60) -> Path:
    path = drop.folder / name
    path.write_text(text, encoding="utf-8")
    then = time.time() - seconds_ago
    os.utime(path, (then, then))
    return path


@pytest.mark.parametrize(
    "name",
    [
        "名簿_20261121.csv.part",
        "名簿_20261121.csv.tmp",
        "~$名簿_20261121.csv",
        ".名簿_20261121.csv",
        "名簿_20261131.csv",
        "名簿.csv",
        "別_20261121.csv",
    ],
)
def test_other_names_are_left_alone(name: str) -> None:
    assert NAME.read(name) is None


@given(
    day=st.dates(date(1900, 1, 1)),
    sequence=st.integers(0, 9999),
    front=st.text("名簿ab.()[]+", min_size=1, max_size=5).filter(lambda text: text[0] != "."),
)
def test_a_name_that_was_filled_is_read_back(day: date, sequence: int, front: str) -> None:
    name = FileName(front + "_{date}_{sequence}.csv")

    assert name.read(name.fill(day, sequence)) == (day, sequence)


@given(
    files=st.lists(
        st.tuples(st.dates(DAY - timedelta(3), DAY + timedelta(3)), st.integers(0, 3)), max_size=6
    ),
    taken=st.none() | st.tuples(st.dates(DAY - timedelta(3), DAY), st.integers(0, 3)),
)
def test_the_newest_is_never_older_than_what_was_taken_nor_of_a_later_day(
    files: list[tuple[date, int]], taken: tuple[date, int] | None
) -> None:
    dropped = [
        Dropped(name=f"{n}", newness=Newness(day.isoformat(), 0, arrived), size=1)
        for n, (day, arrived) in enumerate(files)
    ]
    last = Newness(taken[0].isoformat(), 0, taken[1]) if taken else None

    found = newest(dropped, on=DAY, taken=last)

    meant = [
        file
        for file in dropped
        if file.newness.day <= DAY.isoformat() and (last is None or file.newness > last)
    ]
    assert (found is None) == (not meant)
    assert found is None or found.newness == max(file.newness for file in meant)


def test_what_was_taken_is_kept_and_taken_again_for_the_same_day(drop: DropFolder) -> None:
    path = put(drop, "名簿_20261121.csv", "a")

    first, again = take(drop, "t", NAME, DAY), take(drop, "t", NAME, DAY)

    assert first == again
    assert first.path.read_text() == "a"
    assert not path.exists()
    assert first.path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileAwaited):
        take(drop, "t", NAME, DAY + timedelta(1))


def test_a_corrected_copy_wins_and_an_old_file_never_does(drop: DropFolder) -> None:
    put(drop, "名簿_20261121.csv", "wrong")
    take(drop, "t", NAME, DAY)
    put(drop, "名簿_20261121.csv", "right", seconds_ago=3600)  # saved long ago, put there now

    assert take(drop, "t", NAME, DAY).path.read_text() == "right"

    put(drop, "名簿_20261120.csv", "yesterday's")
    assert take(drop, "t", NAME, DAY).path.read_text() == "right"
    assert (drop.folder / "名簿_20261120.csv").exists()


def test_a_file_that_was_kept_and_has_changed_since_is_not_sent(drop: DropFolder) -> None:
    put(drop, "名簿_20261121.csv", "a")
    take(drop, "t", NAME, DAY).path.write_text("b")

    with pytest.raises(FileChanged):
        take(drop, "t", NAME, DAY)


def test_a_file_that_grows_is_not_taken(drop: DropFolder) -> None:
    path = put(drop, "名簿_20261121.csv", "a", seconds_ago=0)
    growing = threading.Timer(0.1, lambda: path.write_text("ab", encoding="utf-8"))
    growing.start()

    with pytest.raises(FileUnsettled):
        take(drop, "t", NAME, DAY)
    growing.join()

    assert path.exists()
    assert take(drop, "t", NAME, DAY).path.read_text() == "ab"


def test_a_clock_that_is_ahead_only_makes_us_look_for_ourselves(drop: DropFolder) -> None:
    put(drop, "名簿_20261121.csv", "a", seconds_ago=-86_400)

    assert take(drop, "t", NAME, DAY).path.read_text() == "a"


def test_a_done_mark_is_waited_for_and_removed(drop: DropFolder) -> None:
    marked = DropFolder(
        system="desk", name="窓口", folder=drop.folder, kept=drop.kept, complete="done"
    )
    put(marked, "名簿_20261121.csv", "a")
    with pytest.raises(FileUnsettled):
        take(marked, "t", NAME, DAY)
    (drop.folder / "名簿_20261121.csv.done").touch()

    assert take(marked, "t", NAME, DAY).path.read_text() == "a"
    assert list(drop.folder.iterdir()) == []


def test_a_workbook_that_is_open_is_left_alone(drop: DropFolder) -> None:
    put(drop, "名簿_20261121.csv", "a")
    put(drop, "~$名簿_20261121.csv", "")

    with pytest.raises(FileUnsettled):
        take(drop, "t", NAME, DAY)


def test_looking_moves_nothing(drop: DropFolder, tmp_path: Path) -> None:
    path = put(drop, "名簿_20261121.csv", "a")
    room = tmp_path / "room"
    room.mkdir()

    assert peek(drop, "t", NAME, room).path.read_text() == "a"

    assert path.exists()
    assert not drop.kept.exists()


def test_links_and_folders_are_no_files(drop: DropFolder, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s")
    (drop.folder / "名簿_20261121.csv").symlink_to(secret)
    (drop.folder / "名簿_20261120.csv").mkdir()

    with pytest.raises(FileAwaited):
        take(drop, "t", NAME, DAY)


def test_a_folder_that_is_not_there_is_told(drop: DropFolder) -> None:
    drop.folder.rmdir()

    with pytest.raises(FolderUnreachable) as told:
        take(drop, "t", NAME, DAY)

    assert told.value.retryable


def test_files_are_kept_so_many_days(drop: DropFolder) -> None:
    put(drop, "名簿_20261121.csv", "a")
    old = take(drop, "t", NAME, DAY)
    put(drop, "名簿_20261222.csv", "b")
    take(drop, "t", NAME, DAY + timedelta(31))
    assert old.path.exists()

    put(drop, "名簿_20261223.csv", "c")
    take(drop, "t", NAME, DAY + timedelta(32))

    assert not old.path.exists()
