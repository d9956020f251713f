"""How a transfer is drawn on a terminal, and how Japanese is folded."""

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from kumobashi.cli.local_api import LocalApi, Watched
from kumobashi.cli.terminal import Terminal
from kumobashi.cli.watching import Watching
from kumobashi.cli.wording import fold
from kumobashi.exchange.views import TransferView
from kumobashi.testing import scenes
from tests.unit.cli.conftest import Kumobashi
from tests.unit.cli.fake_gateway import FakeGateway

SENTENCES = st.text("復旧すると（自動）で「再開」します。、ab12 .:/-", max_size=120)


@given(SENTENCES, st.integers(20, 60))
def test_folding_loses_nothing_but_spaces_at_the_ends(text: str, width: int) -> None:
    lines = fold(text, width)

    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


@given(st.text("復旧すると自動で再開します。、", max_size=120), st.integers(20, 60))
def test_no_line_is_too_long_or_begins_with_a_full_stop_of_one(text: str, width: int) -> None:
    lines = fold(text, width)

    assert all(cell_len(line) <= width for line in lines)
    if not set("。、") >= set(text[:1]) and "。。" not in text and "、、" not in text:
        for line in lines[1:]:
            assert line[0] not in "。、" or set(text) <= set("。、")


def test_a_terminal_sees_the_picture_change(gateway: FakeGateway) -> None:
    running, applied = scenes.running().latest, scenes.applied().latest
    assert running is not None
    assert applied is not None
    gateway.transfers = [applied]
    screen = io.StringIO()
    terminal = Terminal()
    terminal.__dict__["out"] = Console(file=screen, force_terminal=True, width=100)
    api = LocalApi(site="hall-core", url=f"http://127.0.0.1:{gateway.port}", token="t")
    watching = Watching(terminal=terminal, api=api, name="お知らせ", to_site="公共クラウド")

    last = watching.watch(Watched(version="0", transfer=running))

    drawn = screen.getvalue()
    assert last.transfer == applied
    assert "\x1b[" in drawn
    assert drawn.index("抽出") < drawn.index("完了")


def test_ctrl_c_stops_watching_only(
    kumobashi: Kumobashi, served: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_self: Watching, _watched: Watched) -> Watched:
        raise KeyboardInterrupt

    monkeypatch.setattr(Watching, "watch", interrupt)

    done = kumobashi("link", "run", "notice-attributes", "--workspace", served)

    assert done.exit_code == 130
    assert "転送はゲートウェイで続いています" in done.stderr
    assert "--resume" in done.stderr


def test_a_running_transfer_can_be_drawn_at_any_stage(gateway: FakeGateway) -> None:
    from kumobashi.cli.picture import receipts_line, stage_lines

    for scene in (scenes.running(), scenes.waiting(), scenes.stopped(), scenes.held()):
        view = scene.latest
        assert isinstance(view, TransferView)
        drawn = [*stage_lines(Terminal(), view), receipts_line(Terminal(), view)]
        assert all(line.cell_len <= 100 for line in drawn)
