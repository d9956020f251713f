"""A resident withdraws: no later release, and the receiver knows within seconds, with proof."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kumobashi.crypto.keys import TokenKey
from kumobashi.exchange.tokens import destination_key
from kumobashi.testing.city import build
from kumobashi.testing.crash_points import names_of_withdrawal
from kumobashi.testing.gateways import until
from kumobashi.testing.town import Town

pytestmark = [pytest.mark.slow, pytest.mark.scenario]
LINK = "notice-attributes"
PURPOSE = "child-notices"


def on_the_ledger(folder: Path) -> None:
    """Let the link's rule ask the ledger, for both tiers."""
    path = folder / "rules" / f"{LINK}.yaml"
    said = f"consent: {{ledger: true, purpose: {PURPOSE}, tiers: [register, tax]}}"
    text, count = re.subn(
        r"consent: \{dataset: consents, by: subject\}", said, path.read_text("utf-8")
    )
    assert count == 1
    path.write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("town")
    with build(400) as city, Town.found(folder / "city", city, change=on_the_ledger) as town:
        town.start_all()
        yield town


def do(town: Town, deed: str, **said: object) -> dict[str, Any]:
    return town.call(f"/api/v1/consents/{deed}", {"source": "desk-1", **said})


def residents(town: Town) -> list[str]:
    query = "select resident_no from resident_registry where resident_status = '1' order by 1"
    return [str(row[0]) for row in town.sql("integrated-db", query)]


def token_of(town: Town, number: str) -> str:
    secret = TokenKey.load(town.folder / "private" / "hall-core" / "token.key").secret
    return destination_key(secret, "999997", "notice-cloud").token(number)


def at_receiver(town: Town, *tokens: str) -> list[str]:
    said = {"link": LINK, "tokens": list(tokens)}
    return list(town.call("/api/v1/consents/withdrawn", said, site="public-cloud")["withdrawn"])


def sent_tokens(town: Town) -> set[str]:
    return {str(row[0]) for row in town.sql("notice-cloud", "select token from notice_attributes")}


def test_who_withdraws_is_in_no_later_release_and_the_receiver_knows_with_proof(
    town: Town, tmp_path: Path
) -> None:
    people = residents(town)
    yes, no = people[:40], people[0]
    path = tmp_path / "consents.csv"
    lines = ["resident_no,purpose,tier,version,granted_on,withdrawn_on"]
    lines += [f"{n},{PURPOSE},{t},1,2026-05-01," for n in yes for t in ("register", "tax")]
    lines += [f"{people[40]},{PURPOSE},register,1,2026-05-01,"]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert do(town, "import", path=str(path))["imported"]["granted"] == 81

    run = town.run(LINK)
    assert run["state"] == "applied"
    assert sent_tokens(town) == {token_of(town, number) for number in yes}
    facts = town.ledger("hall-core").outgoing(run["transfer"])[0].facts["released"]
    assert facts["consent"] == {"none": len(people) - 41, "other_tier": 1}

    began = time.monotonic()
    do(town, "withdraw", resident_no=no, purpose=PURPOSE)
    until(
        "the receiver to know",
        lambda: at_receiver(town, token_of(town, no)) or None,
        5.0,
        every=0.05,
    )
    took = time.monotonic() - began
    assert took < 5.0
    assert at_receiver(town, *(token_of(town, number) for number in yes)) == [token_of(town, no)]

    def receipted() -> bool | None:
        query = "select count(*) from consent_notices where receipt is not null"
        return bool(town.ledger("hall-core").ask(query)[0][0]) or None

    until("the receipt", receipted, 5.0, every=0.05)
    events = {
        site: "".join(
            str(bytes(row[0]))
            for table in ("evidence_entries", "evidence_waiting")
            for row in town.ledger(site).ask(f"select body from {table}")
        )
        for site in ("hall-core", "public-cloud")
    }
    assert "consent.withdrawal_told" in events["hall-core"]
    assert "consent.withdrawal_receipted" in events["hall-core"]
    assert "consent.withdrawal_kept" in events["public-cloud"]
    assert no not in events["hall-core"]

    assert town.run(LINK, again=True)["state"] == "applied"
    assert sent_tokens(town) == {token_of(town, number) for number in yes[1:]}

    do(town, "give", resident_no=no, purpose=PURPOSE, method="counter", tiers=["register", "tax"])
    until(
        "that it is given again",
        lambda: at_receiver(town, token_of(town, no)) == [] or None,
        5.0,
        every=0.05,
    )


def test_a_withdrawal_after_a_crash_before_sealing_counts_when_it_goes_on(
    town: Town,
) -> None:
    people = residents(town)
    leaving = people[5]
    town.restart("hall-core", crash="sending.sealed_before_commit")
    transfer = town.submit(LINK, again=True)["transfer"]
    until("the crash", lambda: (not town.is_running("hall-core")) or None, 60.0)
    town.start("hall-core")
    do(town, "withdraw", resident_no=leaving, purpose=PURPOSE)
    assert town.wait(transfer)["state"] == "applied"
    assert token_of(town, leaving) not in sent_tokens(town)


def test_a_receiver_that_was_away_is_told_when_it_is_back(town: Town) -> None:
    number = residents(town)[7]
    town.running["public-cloud"].kill()
    do(town, "withdraw", resident_no=number, purpose=PURPOSE)
    time.sleep(1.5)
    town.restart("hall-core")
    town.start("public-cloud")
    began = time.monotonic()
    until("it to know", lambda: at_receiver(town, token_of(town, number)) or None, 30.0, every=0.1)
    assert time.monotonic() - began < 10


def test_rows_that_were_under_way_are_left_out_where_they_arrive(town: Town) -> None:
    leaving = residents(town)[9]
    town.running["public-cloud"].kill()
    town.start("public-cloud", environment={"KUMO_WORK": "off"})  # takes bundles, works on none
    transfer = town.submit(LINK, again=True)["transfer"]
    town.wait(transfer, lambda seen: seen["state"] == "delivered")
    do(town, "withdraw", resident_no=leaving, purpose=PURPOSE)
    until("it to know", lambda: at_receiver(town, token_of(town, leaving)) or None)
    town.restart("public-cloud")
    assert town.wait(transfer)["state"] == "applied"
    assert token_of(town, leaving) not in sent_tokens(town)
    assert town.ledger("public-cloud").incoming(transfer)[0].facts["withdrawn"] == 1


def test_no_log_holds_a_number(town: Town) -> None:
    known = set(residents(town)[:60])
    for process in town.running.values():
        text = process.tail(100_000)
        assert not [number for number in known if number in text]


@pytest.mark.parametrize("point", names_of_withdrawal())
def test_a_crash_anywhere_on_the_way_loses_no_withdrawal(town: Town, point: str) -> None:
    site = "hall-core" if point.startswith("withdrawing") else "public-cloud"
    number = residents(town)[10 + names_of_withdrawal().index(point)]
    town.restart(site, crash=point)
    do(town, "withdraw", resident_no=number, purpose=PURPOSE)
    until("the crash", lambda: (not town.is_running(site)) or None)
    town.start(site)
    until("it to know", lambda: at_receiver(town, token_of(town, number)) or None)

    def is_receipted() -> bool | None:
        missing = "select count(*) from consent_notices where receipt is null"
        return town.ledger("hall-core").ask(missing)[0][0] == 0 or None

    until("the receipt", is_receipted)
