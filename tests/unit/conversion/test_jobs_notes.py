"""What is remembered of jobs, and what of a cloud's words may be told."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from kumobashi.conversion.jobs.cloud import code_of
from kumobashi.conversion.jobs.ingest import State, job_of
from kumobashi.conversion.jobs.remembering import Remembered
from kumobashi.conversion.jobs.sql import Step, opened
from kumobashi.storage.errors import StoreBusy
from tests.unit.conversion.test_jobs_pieces import load


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("STRING_TOO_LONG:name: data value too large: 髙橋 花子:name --", "STRING_TOO_LONG"),
        ("InvalidBatch : Field name not found : x", "InvalidBatch"),
        ("INVALIDJOB", "INVALIDJOB"),
        ("髙橋 花子", "-"),
        ("Takahashi Hanako", "-"),
        ("", "-"),
        (None, "-"),
        ({"a": 1}, "-"),
        ("A" * 200, "-"),
    ],
)
def test_of_an_error_only_a_code_is_told(said: object, code: str) -> None:
    assert code_of(said) == code


@pytest.mark.parametrize(
    "said", [None, [], {}, {"state": "Dancing", "numberRecordsProcessed": "x"}]
)
def test_what_a_cloud_does_not_tell_counts_as_nothing_done(said: object) -> None:
    job = job_of(said)
    assert (job.state, job.processed, job.failed) == (State.AT_WORK, 0, 0)


def test_a_query_is_remembered_for_its_own_wish_only(tmp_path: Path) -> None:
    note = Remembered(tmp_path / "t.asked", "2026-11-21")
    assert note.job() is None
    note.note("750A")

    assert note.job() == "750A"
    assert Remembered(tmp_path / "t.asked", "2026-11-22").job() is None
    (tmp_path / "t.asked").write_text("{torn", encoding="utf-8")
    assert note.job() is None
    note.forget()
    note.forget()


def test_the_book_tells_what_is_unsettled_and_what_is_done(tmp_path: Path) -> None:
    with duckdb.connect() as work, opened(tmp_path / "a.duckdb", "there") as book:
        one = load(work, [])
        first = book.begin(one, "upsert", "d1", 5)
        second = book.begin(one, "delete", "d2", 3)
        book.made(first, "750A", "005X")
        assert [(n.number, n.step, n.job) for n in book.unsettled("t")] == [
            (first, Step.MADE, "750A"),
            (second, Step.MAKING, ""),
        ]
        book.step(first, Step.DONE)
        book.step(second, Step.DONE)

        assert book.unsettled("t") == []
        assert (book.is_done("-", "d1"), book.is_done("other", "d1")) == (True, False)
        assert (book.deleted_rows("-"), book.created_by()) == (3, "005X")
        assert not book.is_torn(one)
        book.forget("t")
        assert (book.newest(), book.created_by()) == (0, "005X")


def test_rows_of_a_transfer_that_was_never_applied_make_the_table_torn(tmp_path: Path) -> None:
    with duckdb.connect() as work, opened(tmp_path / "a.duckdb", "there") as book:
        one = load(work, [])
        number = book.begin(one, "upsert", "d1", 5)
        for step, is_torn in (
            (Step.MADE, False), (Step.DROPPED, False), (Step.CLOSING, True), (Step.ENDED, True),
        ):  # fmt: skip
            book.step(number, step)
            assert book.is_torn(replace(one, transfer="another")) is is_torn


def test_notes_that_another_process_has_open_are_busy(tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    code = f"import duckdb; c = duckdb.connect({str(path)!r}); print('open', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        with pytest.raises(StoreBusy), opened(path, "there"):
            pass
        other.communicate("\n")
