"""``kumobashi request`` at a terminal: deadlines counted, and what is late told plainly."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from shutil import copy

import pytest

from kumobashi.cli.exits import Exit
from kumobashi.cli.request.telling import due_words, is_overdue
from kumobashi.cli.terminal import Terminal
from kumobashi.exchange.migrating import migrate
from kumobashi.requests.states import State
from kumobashi.storage.sqlite import SQLiteState
from kumobashi.testing.clocks import HandClock
from tests.unit.cli.conftest import Kumobashi
from tests.unit.requests.books import NOW, TODAY, Desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    store = SQLiteState(tmp_path / "state.db", owner="here")
    migrate(store)
    yield Desk(store, HandClock(NOW))
    store.close()


def test_both_deadlines_are_counted_with_their_articles(kumobashi: Kumobashi) -> None:
    words = ("request", "due", "suspension", "--received", "2026-11-05")
    done = kumobashi(*words)
    assert done.exit_code == Exit.OK
    assert "決定の期限: 2026-12-07（月）" in done.stdout
    assert "102条2項" in done.stdout
    assert "未確認" in done.stdout
    told = json.loads(kumobashi(*words, "--json").stdout)
    assert (told["first"]["counted"], told["first"]["day"]) == ("2026-12-05", "2026-12-07")
    assert "(Mon)" in kumobashi(*words, "--lang", "en").stdout.replace("（", "(").replace("）", ")")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("due", "disclosure", "--received", "2026-13-01"), Exit.USAGE),
        (("due", "disclosure", "--received", "2020-01-01"), Exit.REFUSED),
        (("decide", "x", "--account", "a"), Exit.USAGE),
        (("decide", "x", "--account", "a", "--outcome", "granted", "--send-back"), Exit.USAGE),
        (("print", "x", "--answer", "nothing.json"), Exit.USAGE),
    ],
)
def test_what_cannot_be_asked_is_said(
    kumobashi: Kumobashi, words: tuple[str, ...], code: Exit
) -> None:
    assert kumobashi("request", *words).exit_code == code


def test_templates_are_copied_once(kumobashi: Kumobashi, sample: Path, tmp_path: Path) -> None:
    copy(sample / "kumobashi.yaml", tmp_path)
    done = kumobashi("request", "templates", "--write", "--workspace", tmp_path)
    assert done.exit_code == Exit.OK
    assert "templates/requests/disclosure.html" in done.stdout
    assert (tmp_path / "templates/requests/style.html").exists()
    again = kumobashi("request", "templates", "--write", "--workspace", tmp_path)
    assert "すでにすべて" in again.stdout


@pytest.mark.parametrize(
    ("days", "said", "style"),
    [
        (0, "2026-12-02 あと30日", ""),
        (23, "2026-12-02 あと7日", "yellow"),
        (30, "2026-12-02 あと0日", "yellow"),
        (31, "2026-12-02 期限超過", "bold red"),
    ],
)
def test_a_deadline_is_coloured_by_what_it_means(
    desk: Desk, days: int, said: str, style: str
) -> None:
    plain = desk.bring(State.CHECKED).plain(TODAY + timedelta(days=days))
    words = due_words(Terminal(), plain)
    assert (words.plain, words.style) == (said, style)
    assert is_overdue({"requests": [plain]}) is (style == "bold red")


def test_a_stopped_clock_and_a_touched_row_are_told(desk: Desk) -> None:
    plain = desk.bring(State.ASKED).plain(TODAY + timedelta(days=300))
    assert "停止中" in due_words(Terminal(), plain).plain
    assert not is_overdue({"requests": [plain]})
    assert is_overdue({"requests": [], "touched": [{}]})
