"""The page of campaigns, over a real desk and a small city."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from starlette.applications import Starlette

from kumobashi.cli.city import write_city
from kumobashi.console import console_routes, error_pages
from kumobashi.planning.sampling import write_sample
from kumobashi.planning.workspace import Workspace, load
from kumobashi.service.campaign_desk import CampaignDesk
from kumobashi.testing import scenes
from kumobashi.testing.boards import SceneBoard
from kumobashi.testing.clocks import HandClock
from tests.unit.console.conftest import Browser


class Counting:
    """A workspace that counts how often it is asked for, and may be another."""

    def __init__(self, folder: Path) -> None:
        self.workspace = load(folder)

    def __call__(self) -> Workspace:
        return self.workspace


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = write_sample(tmp_path_factory.mktemp("campaigns") / "w")
    write_city(made, residents=2_000, seed=1)
    return made


@pytest.fixture
def clock() -> HandClock:
    return HandClock(datetime.now(UTC))


@pytest.fixture
def desk(folder: Path, clock: HandClock) -> CampaignDesk:
    return CampaignDesk(workspace=Counting(folder), site="hall-core", clock=clock)


def browser(desk: CampaignDesk | None) -> Browser:
    routes = console_routes(SceneBoard(scenes.morning), campaigns=desk)
    return Browser(Starlette(routes=routes, exception_handlers={**error_pages()}))


def test_the_page_shows_verdicts_and_what_codes_tell(desk: CampaignDesk) -> None:
    ja = browser(desk).get("/campaigns")
    en = browser(desk).get("/campaigns?lang=en")

    assert ja.status == en.status == 200
    for word in ("ピンポイント可", "不可", "土砂災害の啓発", "同意者では", "庁内判定", "時点"):
        assert word in ja.text
    assert "unfit" in en.text
    assert 'href="/campaigns"' in browser(desk).get("/").text
    assert "<script" not in ja.text.partition("<main")[2]


def test_a_console_without_campaigns_has_no_such_page() -> None:
    alone = browser(None)

    assert alone.get("/campaigns").status == 404
    assert "/campaigns" not in alone.get("/").text


def test_the_table_is_kept_for_ten_minutes(desk: CampaignDesk, clock: HandClock) -> None:
    first = desk.table()
    clock.at += timedelta(minutes=9)
    again = desk.table()
    clock.at += timedelta(minutes=2)

    assert again is first
    assert desk.table() is not first


def test_old_data_are_shown_on_their_line(desk: CampaignDesk, clock: HandClock) -> None:
    clock.at += timedelta(days=4)

    table = desk.table()

    assert table.failed is None
    assert all(row.is_stopped for row in table.rows)
    assert "古すぎます" in browser(desk).get("/campaigns").text


def test_a_source_that_does_not_answer_is_told_and_asked_again(
    tmp_path: Path, clock: HandClock
) -> None:
    empty = CampaignDesk(
        workspace=Counting(write_sample(tmp_path / "w")), site="hall-core", clock=clock
    )

    failed = empty.table()

    assert failed.failed is not None
    assert failed.rows == ()
    assert failed.failed.ja in browser(empty).get("/campaigns").text
    assert empty.table() is not failed


def test_another_site_sees_none_of_the_halls(folder: Path, clock: HandClock) -> None:
    cloud = CampaignDesk(workspace=Counting(folder), site="public-cloud", clock=clock)

    assert cloud.table().rows == ()
    assert "通知の定義（campaigns/）はありません" in browser(cloud).get("/campaigns").text
