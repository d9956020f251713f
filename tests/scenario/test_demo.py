"""The demo as a person starts it: a small city, its night, and nothing left behind."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from rich.cells import cell_len

from kumobashi.identity import Accounts
from kumobashi.kernel import SystemClock, business_date
from kumobashi.testing.city.golden import golden

pytestmark = [pytest.mark.scenario, pytest.mark.slow]
RESIDENTS = 6_000  # enough for the gate to let somebody leave


def _command(folder: Path, *more: str) -> list[str]:
    options = ["--residents", str(RESIDENTS), "--no-browser", "--folder", str(folder), *more]
    return [sys.executable, "-m", "kumobashi", "demo", *options]


def _left_over(folder: Path) -> list[str]:
    """Return the processes that still mention the folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if str(folder) in line:
                found.append(line)
    return found


def _rows(folder: Path, site: str, system: str, table: str) -> int:
    path = folder / "city" / "var" / site / "data" / f"{system}.duckdb"
    with duckdb.connect(str(path), read_only=True) as connection:
        row = connection.execute(f"select count(*) from {table}").fetchone()
        return int(row[0]) if row else 0


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("demo") / "work"
    done = subprocess.run(
        _command(folder, "--exit", "--keep"),
        capture_output=True,
        encoding="utf-8",
        timeout=240,
        check=False,
        env={**os.environ, "COLUMNS": "100"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert not done.stderr
    return folder, done.stdout


def test_an_application_is_decided_and_its_notice_can_be_printed(told: tuple[Path, str]) -> None:
    folder, said = told

    assert "効力あり" in said
    notice = (folder / "city" / "決定通知書.html").read_text(encoding="utf-8")
    assert "総務部" in notice
    assert "架総第1号" in notice


def test_a_request_is_answered_and_a_leak_drafted_and_nobody_is_named(
    told: tuple[Path, str],
) -> None:
    folder, said = told

    assert "証跡から記録を作成: 転送" in said
    assert "訓練なので別の人が終了" in said
    notice, draft = (
        (folder / "city" / name).read_text(encoding="utf-8")
        for name in ("開示決定通知書.html", "漏えい等速報（案）.html")
    )
    assert "保有個人情報開示決定通知書" in notice
    assert "別紙　提供の記録" in notice
    assert "含まれた（" in notice
    assert "【要記入" in draft
    for text in (said, notice, draft):
        assert golden("centenarian").number not in text


def test_whoever_opens_the_console_may_look_since_nobody_of_the_story_keeps_an_account(
    told: tuple[Path, str],
) -> None:
    private = told[0] / "city" / "private" / "hall-core"
    accounts = Accounts(private, tenant="999997", site="hall-core", clock=SystemClock())
    try:
        assert accounts.path.exists(), "the story had people"
        assert accounts.is_empty
    finally:
        accounts.close()


def test_protected_persons_are_left_to_an_office(told: tuple[Path, str]) -> None:
    _, said = told

    assert "自動では出さなかった人（支援措置）" in said
    assert "kumobashi individual list" in said


def test_the_night_is_told_and_summed_up(told: tuple[Path, str]) -> None:
    _, out = told

    assert "送れません：統合DB → 市民アプリ" in out
    assert "停止: まだ取り込まれていません" in out
    assert "000-000-0013" in out  # whom to call
    assert out.count("●●●●") == 5
    assert "●●●◌" in out
    assert "抽象化済でも個人情報です。" in out
    assert "http://127.0.0.1:" in out
    assert "匿名" not in out


def test_one_release_is_refused_climbed_and_sent_as_codes_alone(told: tuple[Path, str]) -> None:
    _, out = told

    assert "書いたまま  × 出せません" in out
    assert "粗くして    ✓ 出しました" in out
    assert "符号だけ    属性は出ない" in out
    assert "同じに見える人は最少1人→" in "".join(out.split())


def test_a_vendor_is_changed_and_not_one_call_is_lost(told: tuple[Path, str]) -> None:
    folder, out = told
    act = out.partition("事業者の乗り換え")[2].partition("──\n")[2].partition("──")[0]
    counts = {
        line.rpartition("  ")[0].strip(): line.split()[-1] for line in act.splitlines() if line
    }

    assert "+site: vendor-b" in act
    assert counts["失われた"] == counts["二重に届いた"] == "0"
    assert counts["計上した照会"] == counts["回答あり"] != "0"
    assert "書き添えた計上 1 件" in "".join(act.split("\n"))
    assert "site: vendor-b" in (folder / "city/systems/finance.yaml").read_text("utf-8")


def test_it_is_plain_text_of_a_hundred_columns(told: tuple[Path, str]) -> None:
    _, out = told

    assert "\x1b" not in out
    assert max(cell_len(line.rstrip()) for line in out.splitlines()) <= 100


def test_the_destinations_hold_what_was_sent(told: tuple[Path, str]) -> None:
    folder, _ = told
    hall = folder / "city/var/hall-core/data"
    with duckdb.connect(str(hall / "integrated-db.duckdb"), read_only=True) as source:
        source.execute(f"attach '{hall / 'nhi.duckdb'}' as nhi (read_only)")
        counted = source.execute(
            """select
                (select count(*) from resident_registry where resident_status = '1'
                    and resident_no not in (select resident_no from support_measures
                        where support_from <= $today and support_to >= $today - 1
                        and (ended_on is null or ended_on >= $today - 1))),
                (select count(*) from nhi.insured_residents),
                (select count(*) from resident_registry r join nhi.insured_residents n
                    using (resident_no) where r.resident_status = '1'
                    and r.address_number is not distinct from n.address_number)""",
            {"today": business_date(datetime.now(UTC))},
        ).fetchone()

    assert counted is not None
    assert counted[0] == counted[1] == counted[2]  # everybody, with today's address
    assert 0 < _rows(folder, "public-cloud", "notice-cloud", "notice_attributes") < RESIDENTS
    assert _rows(folder, "public-cloud", "notice-cloud", "vaccination_reminders") > 0


def test_nothing_is_left_running(told: tuple[Path, str]) -> None:
    folder, _ = told

    assert not _left_over(folder)


def test_machines_are_told_in_json_and_the_city_is_not_built_twice(
    told: tuple[Path, str],
) -> None:
    folder, _ = told
    cached = next((folder / "cache").glob("*/rows.json"))
    before = cached.stat().st_mtime_ns

    done = subprocess.run(
        _command(folder, "--exit", "--json"),
        capture_output=True,
        encoding="utf-8",
        timeout=240,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    lights = {(t["link"], t["light"]) for t in summary["transfers"]}
    assert ("childcare-notices", "stopped") in lights
    assert ("notice-attributes", "applied") in lights
    assert summary["papers"]["transfers"] >= 5
    assert summary["gate_as_written"]["outcome"] == "refused"
    assert [way["way"] for way in summary["ways"]] == [
        "raw", "coarsened", "climbed", "predicate_only",
    ]  # fmt: skip
    assert cached.stat().st_mtime_ns == before
    assert not (folder / "city").exists()  # gone without --keep


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_leaves_no_process_and_no_traceback(
    tmp_path: Path, ending: signal.Signals
) -> None:
    with subprocess.Popen(
        _command(tmp_path / "work"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    ) as demo:
        until = time.monotonic() + 120
        while len(_left_over(tmp_path / "work")) < 5 and time.monotonic() < until:
            time.sleep(0.1)  # the demo and its four gateways
        time.sleep(1)

        demo.send_signal(ending)
        try:
            _, err = demo.communicate(timeout=60)
        finally:
            demo.kill()

    # A shell says 130 for both: Python ends itself by SIGINT when compiled code was interrupted.
    assert demo.returncode in {130, -signal.SIGINT}, err[-3000:]
    assert "Traceback" not in err
    assert not _left_over(tmp_path / "work")
