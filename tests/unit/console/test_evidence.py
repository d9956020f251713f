"""証跡: records are found and proved from a real log; somebody else answers for unusual access."""

import base64
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from starlette.applications import Starlette

from kumobashi.console import console_routes, error_pages
from kumobashi.crypto.keys import SigningKey
from kumobashi.evidence.checkpoints import parse
from kumobashi.evidence.entries import Entry
from kumobashi.evidence.keeping import Keeper
from kumobashi.evidence.merkle import leaf_hash, root_of_inclusion
from kumobashi.exchange.migrating import migrate
from kumobashi.identity import Accounts, Role
from kumobashi.service.access_records import AccessRecords
from kumobashi.service.evidence_board import EvidenceBoard
from kumobashi.storage.sqlite import SQLiteState
from kumobashi.testing import scenes, views
from kumobashi.testing.boards import SceneBoard
from kumobashi.testing.clocks import HandClock
from tests.unit.console.conftest import Browser, sign_in
from tests.unit.console.test_accessibility import Page

TENANT, SITE = "999997", "hall-core"
NOON = datetime(2026, 11, 18, 3, tzinfo=UTC)  # a Wednesday in Japan
PEOPLE = {
    "sato": ("佐藤 花子", Role.OPERATOR),
    "yamada": ("山田 次郎", Role.APPROVER),
    "kato": ("加藤 一", Role.AUDITOR),
    "admin": ("利用者管理担当", Role.ACCOUNT_ADMIN),
}


class Console:
    """A console over a log that is really kept, numbered and signed."""

    def __init__(self, folder: Path) -> None:
        self.clock = HandClock(NOON)
        self.store = SQLiteState(folder / "state.db", owner="test")
        migrate(self.store)
        self.keeper = Keeper(
            self.store, tenant=TENANT, site=SITE, key=SigningKey.generate(), clock=self.clock
        )
        self.accounts = Accounts(folder, tenant=TENANT, site=SITE, clock=self.clock)
        self.book = AccessRecords(self.keeper.note, self.clock)
        routes = console_routes(
            SceneBoard(scenes.morning),
            zones=views.ZONES,
            evidence=EvidenceBoard(self.store, tenant=TENANT, site=SITE, clock=self.clock),
            accounts=self.accounts,
            book=self.book,
        )
        self.application = Starlette(routes=routes, exception_handlers={**error_pages()})
        self.people = {
            name: self.accounts.add(name, shown=shown, role=role)
            for name, (shown, role) in PEOPLE.items()
        }

    def enter(self, name: str) -> Browser:
        return sign_in(Browser(self.application), self.people[name], self.clock)

    def note(self, event: str, at: datetime, by: str = "gateway", **facts: str | int) -> None:
        self.keeper.note(Entry(event=event, at=at, by=by, facts=facts))

    def look_at_night(self, name: str) -> None:
        """Have somebody look at a resident half past two in the morning of the day before."""
        at = NOON - timedelta(hours=9, minutes=30)
        role = PEOPLE[name][1].value
        facts = {"code": "post:ties/resident", "purpose": "counter", "role": role}
        self.note("access.looked", at, f"account:{name}", **facts)
        self.keeper.sign()

    def close(self) -> None:
        self.accounts.close()
        self.store.close()


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    made = Console(tmp_path)
    yield made
    made.close()


def rows(page: str) -> list[int]:
    return [int(number) for number in re.findall(r'href="/evidence/(\d+)"', page)]


def form(page: str, answer: str) -> tuple[str, dict[str, str]]:
    """Return where a form of unusual access goes, and its fields."""
    for action, inside in re.findall(
        r'<form action="(/evidence/unusual/[^"]+)"[^>]*>(.*?)</form>', page, re.DOTALL
    ):
        fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', inside))
        if fields["answer"] == answer:
            return action, fields
    raise AssertionError(f"no form says {answer}")


def test_the_newest_come_first_and_older_ones_follow_without_a_gap(console: Console) -> None:
    for number in range(120):
        console.note("link.paused", NOON + timedelta(seconds=number), link=f"link-{number}")
    console.keeper.sign()
    browser, seen, address = console.enter("kato"), [], "/evidence"
    while address:
        page = browser.get(address).text
        seen += rows(page)
        older = re.search(r'<a rel="next" href="([^"]+)"', page)
        address = older[1].replace("&amp;", "&") if older else ""
    assert seen == list(range(119, -1, -1))


def test_what_is_looked_for_is_found_by_day_person_topic_and_word(console: Console) -> None:
    console.note("link.paused", NOON - timedelta(days=3), "account:sato", link="tax")
    console.note("transfer.moved", NOON - timedelta(days=1), link="tax", after="sent")
    console.note("plan.approved", NOON, "account:yamada", link="tax")
    console.keeper.sign()
    browser = console.enter("kato")

    asked = {
        "since=2026-11-17": [2, 1],
        "until=2026-11-17": [1, 0],
        "since=2026-11-17&until=2026-11-17": [1],
        "topic=decision": [2],
        "by=sato": [0],
        "q=tax": [2, 1, 0],
        "q=ta": [],
        "since=nonsense&topic=nonsense": [2, 1, 0],
    }
    for query, numbers in asked.items():
        assert rows(browser.get(f"/evidence?{query}").text) == numbers, query


def test_a_record_comes_with_a_proof_that_others_can_check(console: Console) -> None:
    for number in range(300):
        console.note("link.paused", NOON, link=f"link-{number}")
    console.keeper.sign()
    browser = console.enter("kato")

    page = browser.get("/evidence/257").text
    proof = json.loads(browser.get("/evidence/257/proof.json").body)

    assert "署名したときのままです" in page
    body = base64.b64decode(proof["record"])
    assert json.loads(body)["link"] == "link-257"
    path = [base64.b64decode(part) for part in proof["proof"]]
    found = root_of_inclusion(leaf_hash(body), 257, proof["size"], path)
    assert found == parse(proof["checkpoint"]).root
    assert browser.get("/evidence/300").status == 404


def test_a_touched_record_is_said_to_be_touched(console: Console, tmp_path: Path) -> None:
    console.note("link.paused", NOON, link="tax")
    console.keeper.sign()
    browser = console.enter("kato")
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'state.db'}")
    with engine.begin() as connection:
        for (name,) in connection.execute(
            sa.text("select name from sqlite_master where type = 'trigger'")
        ).all():
            connection.execute(sa.text(f"drop trigger {name}"))
        other = "cast(replace(cast(body as text), 'tax', 'tix') as blob)"
        connection.execute(sa.text(f"update evidence_entries set body = {other}"))
    engine.dispose()

    assert "署名したものと合いません" in browser.get("/evidence/0").text
    assert "証跡が、署名したときと合いません" in browser.get("/evidence").text


def test_what_is_not_signed_yet_is_said_not_to_be(console: Console) -> None:
    console.note("link.paused", NOON, link="tax")
    console.keeper.number()
    assert "まだ署名がありません" in console.enter("kato").get("/evidence/0").text


def test_a_night_is_answered_for_by_somebody_else_and_the_answer_is_a_record(
    console: Console,
) -> None:
    console.look_at_night("sato")
    browser = console.enter("yamada")
    page = browser.get("/evidence").text
    assert "確かめることがあるアクセス: 1 件" in page

    action, fields = form(page, "duty")
    answer = browser.post(action, fields)

    assert (answer.status, answer.headers["location"]) == (303, "/evidence")
    console.keeper.sign()
    page = browser.get("/evidence").text
    assert "証跡は署名したときのままです" in page
    assert "業務だった" in page
    assert rows(browser.get("/evidence?by=sato&topic=access").text) == [1, 0]


def test_nobody_answers_for_themselves(console: Console) -> None:
    console.look_at_night("yamada")
    browser, other = console.enter("yamada"), console.enter("kato")
    page = browser.get("/evidence").text
    assert "自分の行です" in page
    assert "/evidence/unusual/" not in other.get("/evidence").text  # may look, not answer

    finding = EvidenceBoard(
        console.store, tenant=TENANT, site=SITE, clock=console.clock
    ).noticed()[0].finding  # fmt: skip
    token = re.search(r'name="token" value="([^"]+)"', page)
    assert token is not None
    address = f"/evidence/unusual/{finding.id}"
    refused = browser.post(address, {"token": token[1], "answer": "duty"})

    assert refused.status == 403
    assert "identity.own_access" in refused.text


@pytest.mark.parametrize("answer", ["", "nonsense", "DUTY"])
def test_an_answer_that_there_is_not_changes_nothing(console: Console, answer: str) -> None:
    console.look_at_night("sato")
    browser = console.enter("yamada")
    action, fields = form(browser.get("/evidence").text, "duty")

    assert browser.post(action, fields | {"answer": answer}).status >= 400
    assert browser.post(f"{action}0", fields).status == 404
    console.keeper.sign()
    assert "確かめることがあるアクセス: 1 件" in browser.get("/evidence").text


def test_who_saves_the_records_is_a_record(console: Console) -> None:
    console.note("link.paused", NOON, link="tax")
    console.keeper.sign()
    browser = console.enter("kato")

    saved = browser.get("/evidence.csv?q=tax").body.decode("utf-8-sig")

    assert len(saved.splitlines()) == 2
    assert "tax" in saved
    console.keeper.sign()
    page = browser.get("/evidence?by=kato").text
    assert "get:evidence.csv" in page


def test_only_who_may_audit_sees_it(console: Console) -> None:
    assert console.enter("admin").get("/evidence").status == 403
    assert 'href="/evidence"' not in console.enter("admin").get("/accounts").text


def test_the_pages_can_be_read_by_all(console: Console) -> None:
    console.look_at_night("sato")
    browser = console.enter("yamada")
    for address in ("/evidence", "/evidence/0", "/evidence?lang=en", "/evidence/0?lang=en"):
        page = Page(browser.get(address).text)
        assert page.unclosed == []
        assert all(name.strip() for _, name in page.names), page.names
