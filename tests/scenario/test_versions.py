"""Old and new versions of a service side by side, one that ends, and test traffic apart."""

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from kumobashi.kernel import JST, business_date
from kumobashi.planning.publishing import publish_directory
from kumobashi.service.call_tokens import make_token
from kumobashi.testing.city import build
from kumobashi.testing.commands import command
from kumobashi.testing.gateways import until
from kumobashi.testing.town import Town
from kumobashi.testing.vendors import Collection, Door, Json, Running, running

pytestmark = [pytest.mark.slow, pytest.mark.scenario]
SITE = "hall-core"
SEARCH = {"resident_no": "0000000001", "fiscal_year": 2026}
V2 = """      v2:
        document: interfaces/collection-payments-v2.yaml
        operations:
          searchPayments:
            request: [resident_no, fiscal_year]
            answer: {layout: collection-payments, version: "1", at: /result}
"""


@dataclass
class Service:
    """Collection with two versions, and a second program that takes tests."""

    town: Town
    real: Running
    tests: Running

    def ask(self, version: str, *, is_test: bool = False) -> tuple[int, Json]:
        more = {"kumobashi-test": "1"} if is_test else {}
        status, _, said = self._door.send("POST", self._path(version), SEARCH, more)
        return status, said

    def sunset(self, version: str) -> str:
        """Return until when a version may be asked, as an answer of it says."""
        return self._door.send("POST", self._path(version), SEARCH, {})[1].get("sunset", "")

    @property
    def _door(self) -> Door:
        return Door.of(self.town.folder, SITE, self.town.ports[SITE], "arrears")

    @staticmethod
    def _path(version: str) -> str:
        return f"collection/payments/{version}/payments/search"

    def end(self, last_day: str) -> None:
        """Write when version 1 ends, and publish it; nobody approves anything anew."""
        self.town.edit(
            "systems/collection.yaml",
            r"document: interfaces/collection-payments-v1.yaml[^\n]*\n( +last_day: [^\n]*\n)?",
            f'document: interfaces/collection-payments-v1.yaml\n        last_day: "{last_day}"\n',
        )
        publish_directory(self.town.folder, now=datetime.now(UTC))


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with ExitStack() as stack:
        real, tests = (stack.enter_context(running(Collection)) for _ in range(2))

        def change(folder: Path) -> None:
            file = folder / "systems/collection.yaml"
            text = file.read_text("utf-8").replace(":8751/", f":{real.port}/")
            text = text.replace(":8752/", f":{tests.port}/")
            text = text.replace("  accounts:\n", f"{V2}  accounts:\n", 1)
            file.write_text(text, encoding="utf-8")
            first = (folder / "interfaces/collection-payments-v1.yaml").read_text("utf-8")
            second = first.replace('version: "1"', 'version: "2"').replace("/v1", "/v2")
            (folder / "interfaces/collection-payments-v2.yaml").write_text(second, encoding="utf-8")
            call = folder / "calls/arrears-payments.yaml"
            text = call.read_text("utf-8").replace("versions: [v1]", "versions: [v1, v2]")
            call.write_text(text, encoding="utf-8")

        city = stack.enter_context(build(60))
        town = stack.enter_context(Town.found(tmp_path / "city", city, change=change))
        make_token(town.folder, SITE, "arrears")
        town.start(SITE)
        made = Service(town, real, tests)
        until("an answer", lambda: made.ask("v1")[0] == 200 or None, 20)
        for one in (real, tests):
            one.asked.clear()
        yield made


def test_both_versions_are_asked_at_once_and_each_where_it_is(service: Service) -> None:
    found: list[tuple[str, int]] = []

    def ask(version: str) -> None:
        found.extend((version, service.ask(version)[0]) for _ in range(20))

    threads = [threading.Thread(target=ask, args=(v,)) for v in ("v1", "v2")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sorted(found) == [("v1", 200)] * 20 + [("v2", 200)] * 20
    paths = sorted(path for path, _ in service.real.asked)
    assert paths == ["/api/v1/payments/search"] * 20 + ["/api/v2/payments/search"] * 20
    status, said = service.ask("v3")
    assert (status, said["code"]) == (403, "call.operation_not_permitted")


def test_tests_reach_the_program_for_tests_and_no_other(service: Service) -> None:
    for number in range(10):
        is_test = number % 2 == 0
        assert service.ask("v2", is_test=is_test)[0] == 200

    assert (len(service.tests.asked), len(service.real.asked)) == (5, 5)


def test_a_version_ends_on_its_day_and_the_newer_one_goes_on(service: Service) -> None:
    today = business_date(datetime.now(UTC))
    service.end(str(today + timedelta(days=30)))
    until("it is told", lambda: service.sunset("v1") or None, 20)

    told = parsedate_to_datetime(service.sunset("v1"))
    assert told.astimezone(JST).date() == today + timedelta(days=31)
    assert service.sunset("v2") == ""
    shown = command("plan", "arrears-payments", folder=service.town.folder)
    assert f"照会できるのは {today + timedelta(days=30)} まで" in shown.output.replace("\n", "")

    service.end(str(today - timedelta(days=1)))
    until("it is over", lambda: service.ask("v1")[0] == 410 or None, 20)
    service.real.asked.clear()

    status, said = service.ask("v1")
    assert (status, said["code"], said["side"]) == (410, "call.version_over", "asker")
    assert "v2" in said["remedy"]
    assert service.ask("v2")[0] == 200
    assert [path for path, _ in service.real.asked] == ["/api/v2/payments/search"]


def test_a_link_whose_versions_are_all_over_is_refused_by_its_plan(service: Service) -> None:
    service.town.edit("calls/arrears-payments.yaml", r"versions: \[v1, v2\]", "versions: [v1]")
    service.end(str(business_date(datetime.now(UTC)) - timedelta(days=1)))

    shown = command("plan", "arrears-payments", "--json", folder=service.town.folder)

    assert shown.exit_code != 0
    codes = {one["code"] for one in json.loads(shown.output)["reasons"]}
    assert "planning.versions_over" in codes
