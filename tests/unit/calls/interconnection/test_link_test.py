"""An interconnection test between gateways that run: what passes, and where it stops."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kumobashi.calls.errors import Side
from kumobashi.calls.interconnection import record as records
from kumobashi.calls.interconnection.asking import LinkTest
from kumobashi.calls.interconnection.errors import RecordUnfit
from kumobashi.calls.interconnection.probes import PATH
from kumobashi.calls.interconnection.steps import Outcome, Stage
from kumobashi.exchange.errors import Drifted
from tests.unit.calls.sites_here import NEAR, WAYS, City, city

RECORD = {"resident_no": "0000000001", "name": "𠮷田 髙子"}


@dataclass
class Late:
    """A clock that goes behind or ahead."""

    by: timedelta

    def now(self) -> datetime:
        return datetime.now(UTC) + self.by


async def attempt(held: City) -> LinkTest:
    """Test the link from the hall to its end."""
    asker = held.askers["hall"]
    test = LinkTest(
        here=asker.here, asker=asker, link=NEAR.link, by="試験", canary=lambda _link: RECORD
    )
    async for _step in test.run():
        pass
    return test


def outcomes(test: LinkTest) -> dict[Stage, Outcome]:
    return {step.stage: step.outcome for step in test.steps}


def kept(test: LinkTest) -> dict[str, object]:
    return {"record": test.record, "signatures": test.signatures}


@pytest.mark.parametrize("way", list(WAYS))
async def test_a_link_that_works_passes_every_step_and_both_sides_sign(
    tmp_path: Path, way: str
) -> None:
    async with city(tmp_path, way) as held:
        held.places["cloud"].office.base = held.places["cloud"].url  # something listens there

        test = await attempt(held)

        assert [(s.stage, s.ja) for s in test.steps if s.outcome is Outcome.FAILED] == []
        assert test.is_passed
        assert list(outcomes(test)) == list(Stage)
        seen = outcomes(test)
        assert {seen[s] for s in (Stage.SIZES, Stage.CANARY, Stage.RECEIPTS)} == {Outcome.PASSED}
        assert seen[Stage.SYSTEM] is Outcome.PASSED
        assert records.verify(kept(test), held.directory).is_by_both
        text = json.dumps(test.record, ensure_ascii=False)
        assert "髙子" not in text  # the record holds no values, not even fictional ones
        noted = (tmp_path / "cloud").glob("*.jsonl")
        lines = [json.loads(line) for file in noted for line in file.read_bytes().splitlines()]
        asked = {line["call"] for line in lines if line["event"] == "call.asked"}
        assert set(test.record["calls"]) < asked  # that of the signature too


def _drifted(held: City) -> None:
    held.places["cloud"].office.why = Drifted(link=NEAR.link, changes="項目")


def _other_plan(held: City) -> None:
    held.places["cloud"].office.link = replace(NEAR, plan="sha256:" + 64 * "2")


def _not_approved_here(held: City) -> None:
    held.places["hall"].office.why = Drifted(link=NEAR.link, changes="項目")


def _clock(held: City) -> None:
    held.entrances["cloud"].clock = Late(timedelta(minutes=20))


def _other_key(held: City) -> None:
    entry = held.directory.sites["hall"]
    other = held.directory.sites["cloud"].sign
    sites = {**held.directory.sites, "hall": replace(entry, sign=other)}
    theirs = replace(held.directory, sites=sites)
    seen = replace(held.entrances["cloud"].sites(), directory=theirs)
    held.entrances["cloud"].sites = lambda: seen


@pytest.mark.parametrize(
    ("breaks", "stage", "code", "side", "site"),
    [
        (_drifted, Stage.PLAN_THERE, "call.link_changing", Side.ANSWERING_GATEWAY, "cloud"),
        (_other_plan, Stage.PLAN_THERE, "call.plan_differs", Side.ANSWERING_GATEWAY, "cloud"),
        (_not_approved_here, Stage.PLAN, "exchange.drifted", Side.ASKING_GATEWAY, "hall"),
        (_clock, Stage.CLOCK, "crypto.signature_expired", Side.ANSWERING_GATEWAY, "cloud"),
        (_other_key, Stage.SIGNATURE, "crypto.unknown_key", Side.ANSWERING_GATEWAY, "cloud"),
    ],
)
async def test_it_says_where_it_stops_and_whose_that_is(
    tmp_path: Path,
    breaks: Callable[[City], None],
    stage: Stage,
    code: str,
    side: Side,
    site: str,
) -> None:
    async with city(tmp_path) as held:
        breaks(held)

        test = await attempt(held)

        failed = next(step for step in test.steps if step.outcome is Outcome.FAILED)
        assert (failed.stage, failed.code, failed.side, failed.site) == (stage, code, side, site)
        assert failed.ja
        assert failed.remedy_ja
        after = list(Stage)[list(Stage).index(stage) + 1 :]
        assert {outcomes(test)[one] for one in after} <= {Outcome.NOT_RUN}
        assert not test.is_passed
        assert set(test.signatures) == {"asking"}  # nobody signs for what did not go well
        assert not records.verify(kept(test), held.directory).is_by_both


@pytest.mark.parametrize(
    ("way", "away", "stage", "side"),
    [
        ("direct", "cloud", Stage.REACH, Side.LINE),
        ("through a relay", "relay", Stage.REACH, Side.LINE),
        ("through a relay", "cloud", Stage.WAY, Side.LINE),
        ("fetched", "cloud", Stage.WAY, Side.LINE),
    ],
)
async def test_it_names_the_gateway_that_is_away(
    tmp_path: Path, way: str, away: str, stage: Stage, side: Side
) -> None:
    async with city(tmp_path, way) as held:
        await held.stop(away)

        test = await attempt(held)

        failed = next(step for step in test.steps if step.outcome is Outcome.FAILED)
        assert (failed.stage, failed.site) == (stage, away)
        assert failed.side is side


async def test_a_record_that_was_touched_is_worth_nothing(tmp_path: Path) -> None:
    async with city(tmp_path, "direct") as held:
        test = await attempt(held)
        wrong = {**test.record, "passed": True, "by": "別の人"}
        forgeries: list[dict[str, object]] = [
            {"record": wrong, "signatures": test.signatures},
            {"record": test.record, "signatures": {"asking": test.signatures["answering"]}},
            {"record": test.record},
            {"record": [], "signatures": {}},
        ]
        for touched in forgeries:
            with pytest.raises(RecordUnfit):
                records.verify(touched, held.directory)


async def test_no_system_asks_for_a_probe_itself(tmp_path: Path) -> None:
    async with city(tmp_path) as held:
        came = await held.ask(PATH + "hello", method="POST", headers={"kumobashi-test": "1"})

        assert came.status == 403
        assert json.loads(came.body)["code"] == "call.operation_not_permitted"
