"""``kumobashi campaign check`` on a small fictional city."""

import json
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from kumobashi.cli.city import write_city
from kumobashi.cli.exits import Exit
from kumobashi.planning.sampling import write_sample
from kumobashi.planning.workspace import load
from kumobashi.release.verdicts import Error, Verdict
from kumobashi.service.campaign_counts import campaign_lines
from kumobashi.testing.city import date_anew
from tests.unit.cli.conftest import Kumobashi
from tests.unit.planning.test_workspace_mistakes import change

pytestmark = pytest.mark.slow  # a city of 12,000, counted again and again
STORE = "var/hall-core/data/integrated-db.duckdb"
NONE = ("childcare-benefit", "encephalitis-9y", "lone-parent", "health-check-40")
TODAY = "2026-11-22"


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_sample(tmp_path_factory.mktemp("city") / "w")
    write_city(folder, residents=12_000, seed=1)
    return folder


@pytest.fixture
def own(city: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(city, tmp_path / "w"))


def table(kumobashi: Kumobashi, folder: Path, *args: str) -> dict[str, Any]:
    done = kumobashi("campaign", "check", *args, "--json", "--workspace", folder)
    assert done.exit_code in {Exit.OK, Exit.RED}, done.output
    return {line["campaign"]: line for line in json.loads(done.stdout)["campaigns"]}


@pytest.mark.parametrize("on", [date(2026, 11, 22), date(2026, 12, 31)])
def test_the_six_notices_come_out_as_in_the_report(own: Path, on: date) -> None:
    now = datetime(on.year, on.month, on.day, 3, tzinfo=UTC)
    date_anew(own / STORE, at=now)
    workspace = load(own)
    chosen = [workspace.campaign(code) for code in (*NONE, "infant-check-18m", "landslide")]

    lines = {
        line.campaign.campaign: line.counted
        for line in campaign_lines(workspace, chosen, on=on, now=now)
    }

    for code in NONE:
        counts = lines[code].counts
        assert (counts.wrong, counts.missed, counts.precision, counts.recall) == (0, 0, 1, 1), code
        assert (lines[code].error, lines[code].verdict) == (Error.NONE, Verdict.PINPOINT)
        assert counts.exact > 0
    infant, slide = lines["infant-check-18m"], lines["landslide"]
    assert (infant.error, infant.verdict) == (Error.UNACCEPTABLE, Verdict.GENERAL)
    assert infant.counts.missed > 0
    assert (slide.error, slide.verdict) == (Error.LARGE, Verdict.UNFIT)
    assert slide.counts.recall == 1
    assert (slide.counts.precision or 1) < 0.2
    (people,) = {line.counts.people for line in lines.values()}
    assert 11_900 < people < 12_000, "all but those under a protective measure"


def test_the_check_tells_machines_what_it_counted(kumobashi: Kumobashi, city: Path) -> None:
    lines = table(kumobashi, city)

    assert set(lines) >= {*NONE, "infant-check-18m", "landslide"}
    landslide = lines["landslide"]
    assert (landslide["verdict"], landslide["verdict_ja"]) == ("unfit", "不可")
    assert landslide["false_positives"] == landslide["coarsened"] - landslide["true_positives"]
    assert lines["lone-parent"]["code_tells"] == [
        {"item": "integrated-db.child_support_allowance.payment_kind", "sensitivity": "special"}
    ]


def test_the_table_fits_the_width_and_names_what_is_meant(kumobashi: Kumobashi, city: Path) -> None:
    ja = kumobashi("campaign", "check", "--workspace", city)
    en = kumobashi("campaign", "check", "--lang", "en", "--workspace", city)

    assert ja.exit_code == en.exit_code == Exit.OK
    for word in ("ピンポイント可", "制度案内のみ可", "不可", "大きな誤差", "同意した人では"):
        assert word in ja.stdout
    assert "unacceptable error" in en.stdout


def test_one_campaign_is_compared_in_three_ways(kumobashi: Kumobashi, city: Path) -> None:
    (line,) = table(kumobashi, city, "infant-check-18m").values()

    ways = {way["way"]: way for way in line["ways"]}
    raw, coarsened, predicate = ways["raw"], ways["coarsened"], ways["predicate_only"]
    assert raw["columns"] == ["residents.household_no", "residents.birth_date"]
    assert predicate["columns"] == ["campaign"]
    assert (raw["wrong"], raw["missed"], predicate["wrong"], predicate["missed"]) == (0, 0, 0, 0)
    assert coarsened["wrong"] == line["consenting"]["false_positives"]
    assert coarsened["missed"] == line["consenting"]["false_negatives"]
    assert raw["people"] == coarsened["people"] == line["consenting"]["people"]
    assert predicate["people"] == predicate["rows"] == line["consenting"]["exact"]
    assert predicate["bytes"] < raw["bytes"]
    assert predicate["alone"] == 0
    assert coarsened["alone"] > 0.9 * coarsened["people"]  # what privacy.md §1 found
    assert "生データ" in kumobashi("campaign", "check", "landslide", "--workspace", city).stdout


def test_data_that_are_too_old_are_told_and_make_the_check_red(
    kumobashi: Kumobashi, own: Path
) -> None:
    date_anew(own / STORE, at=datetime.now(UTC) - timedelta(days=5))

    done = kumobashi("campaign", "check", "--workspace", own)
    lines = table(kumobashi, own)

    assert done.exit_code == Exit.RED
    assert "古すぎます" in done.stdout
    assert {line["stopped"]["code"] for line in lines.values()} == {"release.data_too_old"}
    assert lines["landslide"]["data"]["core_at"] < lines["landslide"]["data"]["usable_until"]


def test_data_of_an_unknown_moment_stop_their_campaigns_alone(
    kumobashi: Kumobashi, own: Path
) -> None:
    with duckdb.connect(str(own / STORE)) as store:
        store.execute("update data_times set core_at = null where dataset = 'resident_tax'")

    lines = table(kumobashi, own)

    stopped = {code: line["stopped"] for code, line in lines.items() if line["stopped"]}
    assert list(stopped) == ["childcare-benefit"]
    assert stopped["childcare-benefit"]["code"] == "release.data_time_unknown"
    assert lines["childcare-benefit"]["data"] is None


def test_a_base_date_before_the_data_is_refused(kumobashi: Kumobashi, city: Path) -> None:
    done = kumobashi("campaign", "check", "--date", "2020-01-01", "--workspace", city)

    assert done.exit_code == Exit.REFUSED
    assert "release.base_date_before_data" in done.stderr


def test_a_campaign_with_nobody_is_unfit(kumobashi: Kumobashi, own: Path) -> None:
    change(own, "campaigns/landslide.yaml", '{"9999970001001": [3, 7]}', '{"9999979999999": [1]}')

    (line,) = table(kumobashi, own, "landslide").values()

    assert (line["exact"], line["recall"], line["error"]) == (0, None, "nobody")
    assert line["verdict"] == "unfit"


def test_a_campaign_without_coarsened_condition_is_counted_for_the_hall_alone(
    kumobashi: Kumobashi, own: Path
) -> None:
    file = own / "campaigns/landslide.yaml"
    head, _, rest = file.read_text("utf-8").partition("coarsened:")
    file.write_text(head + rest[rest.index("min_precision") :], "utf-8")

    (line,) = table(kumobashi, own, "landslide").values()

    assert (line["rule"], line["verdict"]) == ("campaign-targets", None)
    assert line["verdict_ja"] == "庁内判定のみ"
    assert line["exact"] > 0
    done = kumobashi("campaign", "check", "--workspace", own)
    assert "庁内判定のみ" in done.stdout


def test_a_campaign_that_nothing_can_send_is_told(kumobashi: Kumobashi, own: Path) -> None:
    file = own / "campaigns/landslide.yaml"
    head, _, rest = file.read_text("utf-8").partition("coarsened:")
    file.write_text(head + rest[rest.index("min_precision") :], "utf-8")
    change(own, "rules/campaign-targets.yaml", ", landslide]", "]")

    done = kumobashi("campaign", "check", "landslide", "--workspace", own)

    assert done.exit_code == Exit.REFUSED
    assert "planning.campaign_uncounted" in done.output + done.stderr


def test_an_unknown_campaign_names_those_that_are_there(kumobashi: Kumobashi, sample: Path) -> None:
    done = kumobashi("campaign", "check", "landslid", "--workspace", sample)

    assert done.exit_code == Exit.USAGE
    assert "landslide" in done.stderr


def test_the_plan_of_a_link_shows_whom_its_notices_would_miss(
    kumobashi: Kumobashi, city: Path, tmp_path: Path
) -> None:
    page = tmp_path / "plan.html"
    told = kumobashi("plan", "notice-attributes", "--html", page, "--workspace", city)
    asked = kumobashi("plan", "notice-attributes", "--json", "--workspace", city)

    plan = json.loads(asked.stdout)
    assert {line["campaign"] for line in plan["campaigns"]} >= {*NONE, "landslide"}
    ways = {way["way"]: way for way in plan["ways"]}
    assert list(ways) == ["raw", "coarsened", "climbed", "predicate_only"]
    assert ways["climbed"]["wrong"] > ways["coarsened"]["wrong"]
    assert ways["climbed"]["alone"] < ways["coarsened"]["alone"]
    assert ways["coarsened"]["rows"] == plan["measured"]["gate"]["before"]["rows"]
    assert ways["coarsened"]["wrong"] > 0
    assert (ways["predicate_only"]["wrong"], ways["predicate_only"]["missed"]) == (0, 0)
    for text in (told.stdout, page.read_text("utf-8")):
        for word in ("通知ごとの誤差", "土砂災害の啓発", "不可", "送り方を比べる", "庁内判定"):
            assert word in text


def test_the_plan_of_a_predicate_only_link_says_what_its_codes_tell(
    kumobashi: Kumobashi, city: Path
) -> None:
    told = kumobashi("plan", "campaign-targets", "--workspace", city)
    english = kumobashi("plan", "campaign-targets", "--lang", "en", "--workspace", city)
    plan = json.loads(kumobashi("plan", "campaign-targets", "--json", "--workspace", city).stdout)

    assert told.exit_code == Exit.OK
    assert "コード landslide が付いた人は、" in told.stdout
    assert "The code landslide says" in english.stdout
    pairs = next(way for way in plan["ways"] if way["way"] == "predicate_only")
    assert plan["measured"]["rows"] == pairs["rows"]
    assert [item["name"] for item in plan["items"]] == ["token", "campaign"]


def test_a_plan_of_a_link_without_campaigns_says_nothing_of_them(
    kumobashi: Kumobashi, city: Path
) -> None:
    done = kumobashi("plan", "resident-to-school", "--json", "--workspace", city)

    assert "campaigns" not in json.loads(done.stdout)
