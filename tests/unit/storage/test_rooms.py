"""Private rooms for reading: apart from one another, and gone even after a kill."""

import subprocess
import sys
from pathlib import Path

from kumobashi.storage.rooms import reading_room


def test_rooms_are_apart_and_gone_afterwards(tmp_path: Path) -> None:
    with reading_room(tmp_path, "there") as first, reading_room(tmp_path, "there") as second:
        assert first != second
        (first / "rows.csv").write_text("x", encoding="utf-8")
        assert first.exists(), "a second reader clears no room that is in use"

    assert list(tmp_path.glob("reading-*")) == []


def test_what_a_killed_reader_left_goes_with_the_next_one(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from kumobashi.storage.rooms import reading_room\n"
        f"with reading_room(Path({str(tmp_path)!r}), 'there') as room:\n"
        "    (room / 'rows.csv').write_text('x'); print('in', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "in\n"
        with reading_room(tmp_path, "there"):
            assert len(list(tmp_path.glob("reading-*/rows.csv"))) == 1
        other.kill()
        other.wait()

    with reading_room(tmp_path, "there"):
        assert list(tmp_path.glob("reading-*/rows.csv")) == []
