"""Somebody withdraws after the rows were joined and before they are sealed: they are made anew."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from kumobashi.consent.records import Application, Method
from kumobashi.consent.states import Tier
from kumobashi.exchange import sending
from kumobashi.exchange.states import Out
from kumobashi.messages.manifest import kept_manifest
from kumobashi.service.gateway import Gateway
from kumobashi.service.settings import read_settings
from kumobashi.testing.city import build
from kumobashi.testing.town import DAY, Town
from tests.scenario.test_consent_withdrawn import LINK, PURPOSE, on_the_ledger, residents

pytestmark = [pytest.mark.slow, pytest.mark.scenario]


def test_a_withdrawal_between_join_and_seal_is_seen_in_the_commit_that_seals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with build(300) as city, Town.found(tmp_path / "city", city, change=on_the_ledger) as town:
        people = residents(town)[:10]
        said: list[str] = []

        async def story() -> Any:
            gateway = Gateway(read_settings(town.folder, "hall-core"))
            endpoint = gateway.endpoint
            assert endpoint is not None
            ledger = endpoint.consents.ledger

            def withdraw_at(point: str) -> None:
                if point == "sending.sealed_before_commit":
                    said.append(point)
                    if len(said) == 1:
                        ledger.withdraw(
                            people[3],
                            PURPOSE,
                            stated_at=gateway.clock.now(),
                            source="desk",
                            by="operator",
                        )

            monkeypatch.setattr(sending, "crashpoint", withdraw_at)
            for number in people:
                for tier in Tier:
                    one = Application(
                        number=number,
                        purpose=PURPOSE,
                        tier=tier,
                        version=1,
                        stated_at=gateway.clock.now(),
                        source="desk",
                    )
                    ledger.give(one, Method.COUNTER, by="operator")
            try:
                gateway.start()
                row, _ = await endpoint.run(LINK, DAY)
                for _ in range(600):
                    row = gateway.ledger.outgoing(row.transfer)
                    if row.state is not Out.EXTRACTING:
                        return row
                    await asyncio.sleep(0.05)
            finally:
                await gateway.aclose()
            raise AssertionError(row)

        row = asyncio.run(story())
    assert row.state is Out.SEALED
    assert len(said) == 2
    assert row.attempt == 2
    manifest = kept_manifest(row.manifest or "")
    assert manifest.rows == len(people) - 1
    assert row.facts["released"]["consent"]["withdrawn"] == 1
