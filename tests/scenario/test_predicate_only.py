"""The hall decides whom a notice means; a token and a code are all that reaches the cloud."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from kumobashi.crypto.keys import TokenKey
from kumobashi.exchange.tokens import destination_key
from kumobashi.kernel import business_date
from kumobashi.testing.city import City, date_anew
from kumobashi.testing.gateways import until
from kumobashi.testing.town import Refused, Town

pytestmark = [pytest.mark.scenario, pytest.mark.slow]
LINK = "campaign-targets"
PARCELS = [2, 18, 30]
TODAY = business_date(datetime.now(UTC))  # data are of last night, whatever day it is


@pytest.fixture(scope="module")
def town(city: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with Town.found(tmp_path_factory.mktemp("targets") / "w", city, change=_widen) as made:
        made.start_all()
        yield made


def _widen(folder: Path) -> None:
    """Let the danger zone hold people of a small city, too."""
    file = folder / "campaigns/landslide.yaml"
    file.write_text(file.read_text("utf-8").replace("[3, 7]", str(PARCELS)), "utf-8")


def _month_start(day: date, months: int) -> date:
    number = day.year * 12 + day.month - 1 - months
    return date(number // 12, number % 12 + 1, 1)


def _expected(town: Town) -> set[tuple[str, str]]:
    """Ask the source in words of our own, and make the tokens in plain Python."""
    first = _month_start(TODAY, 18)
    window = (first - timedelta(days=7), first + timedelta(days=11))
    with duckdb.connect() as both:
        both.execute(f"attach '{town.embedded('integrated-db')}' as src (read_only)")
        both.execute(f"attach '{town.embedded('consent-desk')}' as desk (read_only)")
        consented = {
            number
            for (number,) in both.execute(
                "select resident_no from desk.consents where purpose = 'child-notices'"
                " and granted_on <= ? and (withdrawn_on is null or withdrawn_on > ?)",
                [TODAY, TODAY],
            ).fetchall()
        }
        people = both.execute(
            "select resident_no, household_no, birth_date, town_code, address_number"
            " from src.resident_registry where resident_status = '1'"
        ).fetchall()
    homes = {home for _, home, born, *_ in people if born and window[0] <= born <= window[1]}
    digits = str.maketrans("０１２３４５６７８９", "0123456789")
    found = set()
    secret = TokenKey.load(town.folder / "private/hall-core/token.key")
    key = destination_key(secret.secret, "999997", "notice-cloud")
    for number, home, _, where, at in people:
        if number not in consented:
            continue
        if home in homes:
            found.add((key.token(number), "infant-check-18m"))
        block = at.translate(digits).partition("番")[0]
        if where == "9999970001001" and block in map(str, PARCELS):
            found.add((key.token(number), "landslide"))
    return found


def _there(town: Town) -> set[tuple[str, str]]:
    return set(town.sql("notice-cloud", "select token, campaign from campaign_targets"))


def test_exactly_those_meant_arrive_and_nothing_but_token_and_code(town: Town) -> None:
    run = town.run(LINK, TODAY)

    assert run["state"] == "applied", run
    assert _there(town) == _expected(town)
    assert "landslide" in {code for _, code in _there(town)}
    columns = town.sql("notice-cloud", "select column_name from (describe campaign_targets)")
    assert {name for (name,) in columns} == {"token", "campaign"}


def test_old_data_stop_the_sending_and_newer_ones_let_it_go_on(town: Town) -> None:
    store = town.embedded("integrated-db")
    _date(store, datetime.now(UTC) - timedelta(days=4))
    before = _there(town)

    stopped = town.wait(
        town.submit(LINK, TODAY, again=True)["transfer"],
        lambda seen: (seen["cause"] or {}).get("code") == "release.data_too_old",
    )

    assert stopped["state"] == "extracting"
    assert stopped["rows_extracted"] is None  # nothing was read
    assert _there(town) == before
    _date(store, datetime.now(UTC))
    assert town.wait(stopped["transfer"], seconds=120)["state"] == "applied"


def test_data_that_grow_too_old_on_the_way_are_not_applied(town: Town) -> None:
    town.running["public-cloud"].kill()
    ends = datetime.now(UTC) + timedelta(seconds=12)  # three days after the core system's state
    _date(town.embedded("integrated-db"), ends - timedelta(days=3) + timedelta(hours=8))
    sent = town.submit(LINK, TODAY, again=True)["transfer"]
    town.wait(sent, lambda seen: seen["state"] != "extracting")

    until("the end of use", lambda: datetime.now(UTC) > ends or None, 30, every=0.2)
    town.start("public-cloud")

    refused = town.wait(sent, seconds=90)
    assert refused["state"] == "refused"
    assert refused["cause"]["code"] == "message.data_too_old"


def test_a_changed_condition_waits_for_a_new_approval(town: Town) -> None:
    town.edit("campaigns/landslide.yaml", r"\[2, 18, 30\]", "[2, 18]")

    with pytest.raises(Refused) as refusal:
        town.submit(LINK, TODAY, again=True)

    assert refusal.value.problem["code"] == "exchange.drifted"


def _date(store: Path, at: datetime) -> None:
    def written() -> bool | None:
        try:
            date_anew(store, at=at)
        except duckdb.IOException:  # the gateway has it open for a moment
            return None
        return True

    until("the data times", written, 20, every=0.05)
