"""The local API of ties: asked with the token only; refusals are problems and name nobody."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from starlette.applications import Starlette

from kumobashi.consent.ledger import ConsentLedger
from kumobashi.evidence.entries import Entry
from kumobashi.service.access_records import AccessRecords
from kumobashi.service.consents import Consents
from kumobashi.service.tie_api import tie_routes
from tests.unit.consent.ledgers import SECRET, TENANT, fresh
from tests.unit.service.asking import Answer, Client
from tests.unit.ties.books import OFFER, SERVICE

NUMBER = "0001234567"


def client(ledger: ConsentLedger) -> Client:
    consents = Consents(
        ledger.store, tenant=TENANT, site="hall-core", secret=SECRET, clock=ledger.clock
    )
    gateway: Any = SimpleNamespace(
        api_token="t", clock=ledger.clock, access=AccessRecords(list[Entry]().append, ledger.clock)
    )
    endpoint: Any = SimpleNamespace(consents=consents)
    return Client(Starlette(routes=list(tie_routes(gateway, endpoint))), "t")


def test_a_program_asks_the_agent_before_each_notice(tmp_path: Path) -> None:
    with fresh(tmp_path) as ledger:
        asked = client(ledger)

        def do(deed: str, **said: object) -> Answer:
            answer = asked.ask("POST", f"/api/v1/ties/{deed}", {"source": "portal", **said})
            assert NUMBER not in answer.text
            return answer

        assert do("service_add", **SERVICE.plain()).status == 200
        said = {"resident_no": NUMBER, "service": SERVICE.service, **OFFER.plain()}
        (tie,) = do("propose", **said).json()["ties"]
        assert (do("propose", **said).json()["code"]) == "tie.twice"
        for side in ("resident", "service"):
            do("accept", tie=tie["tie"], side=side, terms=tie["hash"])
        use = {"tie": tie["tie"], "items": ["name"], "channel": "post"}
        told = [do("use", **use, use=f"n{number}").json()["reason"] for number in range(5)]
        assert told == ["accepted"] * 4 + ["frequency"]
        do("withdraw", resident_no=NUMBER, service=SERVICE.service)
        assert do("use", **use, use="n0").json() == {
            "permitted": False,
            "reason": "withdrawn",
            "service": SERVICE.service,
            "clause": SERVICE.clause,
        }

        for system in ("nowhere", "Bad Name"):
            refused = do("service_add", **{**SERVICE.plain(), "service": "x", "system": system})
            assert refused.json()["code"] == "tie.service_unfit"
        assert do("use", **use).status == 400
        assert do("nothing").status == 400
        refused = asked.ask("POST", "/api/v1/ties/may", use, token="other")
        assert refused.status in {401, 403}
