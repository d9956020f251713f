"""What is counted of a ledger, and what ``/metrics`` reads of it, is the same in every store."""

from datetime import timedelta

import pytest

from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.states import Out
from kumobashi.exchange.tallying import History
from kumobashi.service.readings import looked
from kumobashi.storage.state import StateStore
from kumobashi.testing.clocks import HandClock

pytestmark = [pytest.mark.slow, pytest.mark.postgres]
TENANT = "999997"


def test_ended_and_under_way_are_counted(store: StateStore) -> None:
    clock = HandClock()
    ledger, history = Ledger(store, TENANT, clock), History(store, TENANT, clock.now())
    transfers = [
        ledger.start(
            f"link-{number}", "2026-11-21", mode="full", plan_hash="h", again=False,
            to_site="public-cloud",
        )[0].transfer
        for number in range(3)
    ]  # fmt: skip
    applied, refused, _sealed = transfers
    for transfer in transfers:
        ledger.move_out(transfer, Out.SEALED)
    for state in (Out.SENT, Out.DELIVERED, Out.OPENED, Out.VALIDATED):
        ledger.move_out(applied, state)
    clock.at += timedelta(seconds=7)
    ledger.move_out(applied, Out.APPLIED)
    ledger.move_out(refused, Out.SENT)
    ledger.move_out(refused, Out.DELIVERED, facts={"received": {"delivered": {"at": "x"}}})
    ledger.move_out(refused, Out.REFUSED, facts={"received": {"refused": {"at": "x"}}})

    for _ in range(2):
        ended = history.count()
        assert ended.outcomes == {("public-cloud", "applied"): 1, ("public-cloud", "refused"): 1}
        assert ended.receipts["public-cloud", "delivered"] == 2
        assert ended.receipts["public-cloud", "refused"] == 1
        assert ended.took["public-cloud"].seconds == pytest.approx(7, abs=0.1)
    rows, here, size, waiting, signed = store.read(lambda held: looked(TENANT, held))
    assert [(row[0], row[1], row[2]) for row in rows] == [("sealed", "public-cloud", 1)]
    assert (list(here), size, signed) == ([], 0, None)
    assert waiting > 0
