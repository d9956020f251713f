"""収納 → 滞納 → 財務会計: finance moves from vendor A to vendor B while everybody goes on asking.

Figure 5-3 of the reports. One line of the workspace changes, no other system notices, not one call
is lost or done twice, and finance sees totals and payees of refunds, and no other taxpayer.
"""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kumobashi.planning.publishing import publish_directory
from kumobashi.planning.sample_vendors import VENDOR_PORTS, add_vendors
from kumobashi.service.call_tokens import make_token
from kumobashi.testing.city import build
from kumobashi.testing.commands import command
from kumobashi.testing.gateways import until
from kumobashi.testing.town import SITES, Town, free_ports
from kumobashi.testing.vendors import (
    OTHERS,
    PAYEE,
    Arrears,
    Collection,
    Door,
    Finance,
    Json,
    Running,
    payee,
    running,
    total,
)

pytestmark = [pytest.mark.slow, pytest.mark.scenario]
HALL, A, B = "hall-core", "vendor-a", "vendor-b"
REFUNDS = ("GET", "collection/accounts/v1/refunds/2026-11-20")
POST = "finance/postings/v1"


@dataclass
class Vendors:
    """The town with the vendors' systems at both clouds."""

    town: Town
    at: dict[str, Running]  # finance, by site

    def door(self, site: str, system: str) -> Door:
        return Door.of(self.town.folder, site, self.town.ports[site], system)

    def post(self, what: str, body: Json | list[Json]) -> tuple[int, Json]:
        return self.door(HALL, "arrears").ask("POST", f"{POST}/{what}", body)

    def refunds(self, site: str) -> tuple[int, Json]:
        return self.door(site, "finance").ask(*REFUNDS)


@pytest.fixture
def vendors(tmp_path: Path) -> Iterator[Vendors]:
    with ExitStack() as stack:
        collection = stack.enter_context(running(Collection))
        at = {site: stack.enter_context(running(Finance)) for site in (A, B)}
        ports = dict(zip(VENDOR_PORTS, free_ports(2), strict=True))

        def change(folder: Path) -> None:
            add_vendors(folder, ports=ports, accounts={site: one.port for site, one in at.items()})
            file = folder / "systems/collection.yaml"
            text = file.read_text("utf-8").replace(":8751/", f":{collection.port}/")
            file.write_text(text, encoding="utf-8")

        city = stack.enter_context(build(60))
        town = stack.enter_context(Town.found(tmp_path / "city", city, change=change))
        town.ports |= ports
        for site, system in ((HALL, "arrears"), (A, "finance"), (B, "finance")):
            make_token(town.folder, site, system)
        for process in [town.start(site, wait=False) for site in (*SITES[:3], A, B)]:
            process.wait_ready()
        held = Vendors(town, at)
        until("finance is reached", lambda: held.post("totals", total(0))[0] == 201 or None, 40)
        until("finance asks", lambda: held.refunds(A)[0] == 200 or None, 40)
        for one in (collection, *at.values()):
            one.asked.clear()
        yield held


def test_finance_moves_to_another_vendor_and_nobody_notices(vendors: Vendors) -> None:
    town, stop = vendors.town, threading.Event()
    callers = [Arrears(vendors.door(HALL, "arrears"), first, stop) for first in range(6)]
    for caller in callers:
        caller.start()
    until("vendor A is asked", lambda: len(vendors.at[A].asked) > 60 or None, 30)
    before = (town.folder / "systems/finance.yaml").read_text("utf-8")

    moved = command("system", "move", "finance", "--to", B, "--write", "--by", "試験",
                    folder=town.folder)  # fmt: skip

    assert moved.exit_code == 0, moved.output
    after = (town.folder / "systems/finance.yaml").read_text("utf-8")
    assert after == before.replace("site: vendor-a", "site: vendor-b")  # one line
    until("vendor B is asked", lambda: len(vendors.at[B].asked) > 60 or None, 30)
    stop.set()
    for caller in callers:
        caller.join(40)

    posted = [one for caller in callers for one in caller.posted]
    assert {one.status for one in posted} == {201}
    done = [given["budget_item"] for one in vendors.at.values() for _, given in one.asked]
    assert sorted(done) == sorted(f"N{one.number}" for one in posted)  # each once, none lost
    for one in posted:
        assert one.said["result"]["budget_item"] == f"N{one.number}"
    paid = (200, {"result": [{"payment_no": "17", "levied": 5000, "paid": 0}]})
    assert all(found == paid for caller in callers for found in caller.payments)
    # Whoever moved asks from its new place, and no longer from its old one.
    until("finance asks from there", lambda: vendors.refunds(B)[0] == 200 or None, 20)
    assert vendors.refunds(A)[0] == 403

    town.running[A].kill()  # vendor A's contract is over
    assert vendors.post("totals", total(7))[0] == 201

    def proven() -> bool | None:
        told = command("evidence", "verify", "--site", HALL, "--json", folder=town.folder)
        held = json.loads(told.output).get("calls", {"records": 0, "touched": None})
        assert held["touched"] is None
        return held["records"] >= 2 * (len(posted) + 1) or None

    until("the hall proves all of it", proven, 30)


def test_a_site_that_stands_by_is_asked_while_the_other_is_away(vendors: Vendors) -> None:
    town, at = vendors.town, vendors.at
    stands_by = f'standby: [{{site: {B}, base: {{postings: "http://127.0.0.1:{at[B].port}/api"}}}}]'
    town.edit("systems/finance.yaml", r"\Z", f"{stands_by}\n")
    publish_directory(town.folder, now=datetime.now(UTC))
    town.approve()
    until("calls again", lambda: vendors.post("totals", total(0))[0] == 201 or None, 20)
    at[A].asked.clear()
    stop = threading.Event()
    callers = [Arrears(vendors.door(HALL, "arrears"), first, stop) for first in range(4)]
    for caller in callers:
        caller.start()
    until("A is asked", lambda: len(at[A].asked) > 30 or None, 20)
    time.sleep(4)  # a changed workspace counts within two seconds; nothing tells when it does
    assert at[B].asked == []

    town.running[A].kill()
    until("B is asked", lambda: len(at[B].asked) > 30 or None, 20)
    town.start(A)
    before = len(at[A].asked)
    until("A is asked again, and nobody helped", lambda: len(at[A].asked) > before + 30 or None, 40)
    stop.set()
    for caller in callers:
        caller.join(40)

    posted = [one for caller in callers for one in caller.posted]
    done = Counter(given["budget_item"] for one in at.values() for _, given in one.asked)
    assert max(done.values()) == 1  # nothing went to both
    for one in posted:
        if one.status == 201:
            assert done[f"N{one.number}"] == 1
        else:  # it was at A when that was killed, and may have been done
            assert (one.status, one.said["code"]) == (504, "call.peer_silent"), one
    assert sum(one.status != 201 for one in posted) <= len(callers)


def test_no_other_taxpayer_reaches_finance(vendors: Vendors) -> None:
    assert vendors.refunds(A) == (200, {"result": [{
        "refund_no": None, "resident_no": None, "tax_item": None, "reason": None,
        "payee_name": PAYEE, "bank_code": "0000001", "account_no": "1234567", "amount": 1500,
        "budget_item": "01-01",
    }]})  # fmt: skip

    careless: list[Json | list[Json]] = [
        total(1) | {"debtor": OTHERS[0]},
        total(1) | {"received": {"resident_no": OTHERS[1]}},
        [payee(1), payee(2) | {"reason": OTHERS[2]}],
    ]
    for given in careless:
        status, said = vendors.post("totals", given)
        assert (status, said["code"], said["side"]) == (403, "call.item_not_permitted", "asker")
    assert vendors.post("totals", total(2))[0] == 201
    assert vendors.post("payees", payee(3))[0] == 201

    assert [given for _, given in vendors.at[A].asked] == [total(2), payee(3)]
    assert vendors.at[B].asked == []
    for site in (A, B, *SITES[1:3]):  # nor the disks of the gateways there, nor of the relays
        for path in (vendors.town.folder / "var" / site).rglob("*"):
            held = path.read_bytes() if path.is_file() else b""
            for name in (*OTHERS, PAYEE):
                assert name.encode() not in held, path
                assert json.dumps(name).strip('"').encode() not in held, path
