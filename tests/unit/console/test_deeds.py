"""What an operator does on a link's page: confirmed, in the ledger, by name; and nobody else."""

import asyncio
import json
import re
import threading
from collections.abc import Coroutine, Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from starlette.applications import Starlette

from kumobashi.console import error_pages
from kumobashi.evidence.sql import entries, waiting
from kumobashi.exchange.records import Outgoing
from kumobashi.exchange.states import Out
from kumobashi.identity import Accounts, Enrolment, Role
from kumobashi.kernel import business_date
from kumobashi.planning.approval import approve
from kumobashi.planning.plan import plan
from kumobashi.planning.publishing import load_directory
from kumobashi.planning.sampling import write_sample
from kumobashi.planning.workspace import load
from kumobashi.service.endpoint_routes import endpoint_routes
from kumobashi.service.gateway import Gateway
from kumobashi.service.settings import read_settings
from kumobashi.service.sign_on import sign_ons_of
from kumobashi.testing.clocks import HandClock
from tests.unit.console.conftest import Answer, Browser, sign_in
from tests.unit.console.test_accessibility import Page

LINK, OTHER = "notice-attributes", "resident-to-nhi"
NAMES = {
    Role.OPERATOR: "sato",
    Role.APPROVER: "suzuki",
    Role.AUDITOR: "kato",
    Role.VIEWER: "ito",
}


class Hall:
    """The real gateway of the hall, whose workers do not run; its console, and who may sign in."""

    def __init__(self, folder: Path) -> None:
        self.clock = HandClock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._wait(self._open(folder))
        private = folder / "private" / "hall-core"
        self.accounts = Accounts(private, tenant="999997", site="hall-core", clock=self.clock)
        self.people: dict[Role, Enrolment] = {}

    async def _open(self, folder: Path) -> None:
        self._gateway = Gateway(read_settings(folder, "hall-core", {}), self.clock)
        assert self._gateway.endpoint
        self.endpoint = self._gateway.endpoint
        self.ledger = self._gateway.ledger
        routes = endpoint_routes(
            self._gateway, self.endpoint, sign_ons_of(self._gateway, self.endpoint)
        )
        self._application = Starlette(routes=routes, exception_handlers={**error_pages()})

    def browser(self) -> Browser:
        return Browser(self._application, self._wait)

    def enter(self, role: Role) -> Browser:
        if not self.people:
            for each, name in NAMES.items():
                self.people[each] = self.accounts.add(name, shown=f"{name} さん", role=each)
        return sign_in(self.browser(), self.people[role], self.clock)

    def begun(self, state: Out = Out.SEALED, link: str = LINK) -> Outgoing:
        """Return a transfer that came as far as this."""
        on = business_date(self.clock.at).isoformat()
        row, is_new = self.ledger.start(link, on, mode="full", plan_hash="sha256:0", again=True)
        assert is_new
        for then in {
            Out.SEALED: [Out.SEALED],
            Out.SENT: [Out.SEALED, Out.SENT],
            Out.REFUSED: [Out.REFUSED],
            Out.HELD: [Out.HELD],
        }[state]:
            row = self.ledger.move_out(row.transfer, then)
        return row

    def evidence(self) -> list[dict[str, object]]:
        """Return what is written, whether it has its number or not yet."""

        def bodies(held: sa.Connection) -> list[bytes]:
            numbered = held.execute(sa.select(entries.c.body).order_by(entries.c.number))
            rest = held.execute(sa.select(waiting.c.body).order_by(waiting.c.entry))
            return [*numbered.scalars(), *rest.scalars()]

        return [json.loads(bytes(body)) for body in self.ledger.store.read(bodies)]

    def clear(self) -> None:
        """Leave nothing under way and no link paused."""
        for row in self.ledger.several(sorted(self.ledger.under_way())):
            self.ledger.move_out(row.transfer, Out.REFUSED)
        for row in self.ledger.outgoings():
            if row.state is Out.HELD:
                self.ledger.move_out(row.transfer, Out.CANCELLED)
        for link in self.endpoint.deeds.paused_links():
            self.endpoint.deeds.resume_link(link)

    def close(self) -> None:
        self.accounts.close()
        self._wait(self._gateway.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _wait(self, coroutine: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()


@pytest.fixture(scope="module")
def whole_hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    folder = write_sample(tmp_path_factory.mktemp("sample") / "city")
    now = datetime.now(UTC)
    found = plan(load(folder), load_directory(folder, now=now), LINK, on=business_date(now))
    approve(folder, found, by="試験", at=now, measured=None)
    made = Hall(folder)
    yield made
    made.close()


@pytest.fixture
def hall(whole_hall: Hall) -> Hall:
    whole_hall.clear()
    return whole_hall


def ask(browser: Browser, deed: str, row: Outgoing | None = None, link: str = LINK) -> Answer:
    return browser.get(f"/links/{link}/deeds/{deed}?transfer={row.transfer if row else ''}")


def fields_of(page: Answer) -> dict[str, str]:
    """Return the fields of the form that confirms."""
    form = page.text[page.text.index('<form class="act deeds"') :]
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))


def confirm(
    browser: Browser, deed: str, row: Outgoing | None = None, link: str = LINK, **other: str
) -> Answer:
    fields = fields_of(ask(browser, deed, row, link)) | other
    return browser.post(f"/links/{link}/deeds/{deed}", fields)


def test_a_link_is_paused_and_resumed_by_name(hall: Hall) -> None:
    operator, before = hall.enter(Role.OPERATOR), len(hall.evidence())
    row = hall.begun()
    assert "この連携を一時停止する" in operator.get(f"/links/{LINK}").text
    assert "再開するまで待ちます" in ask(operator, "pause").text
    assert not hall.endpoint.deeds.paused_links(), "asking changes nothing"

    done = confirm(operator, "pause")

    assert (done.status, done.headers["location"]) == (303, f"/links/{LINK}")
    assert list(hall.endpoint.deeds.paused_links()) == [LINK]
    page = operator.get(f"/links/{LINK}").text
    assert "から一時停止しています" in page
    assert "この連携を一時停止する" not in page

    assert confirm(operator, "resume").status == 303
    assert not hall.endpoint.deeds.paused_links()
    said = [(one["event"], one["by"], one.get("link")) for one in hall.evidence()[before:]]
    assert said[-2:] == [
        ("link.paused", "account:sato", LINK),
        ("link.resumed", "account:sato", LINK),
    ]
    assert hall.ledger.outgoing(row.transfer) == row


@pytest.mark.parametrize("state", [Out.SEALED, Out.HELD])
def test_what_has_not_left_is_cancelled_by_name(hall: Hall, state: Out) -> None:
    row, operator = hall.begun(state), hall.enter(Role.OPERATOR)
    assert "この転送を取りやめる" in operator.get(f"/links/{LINK}").text

    assert confirm(operator, "cancel", row).status == 303

    assert hall.ledger.outgoing(row.transfer).state is Out.CANCELLED
    said = hall.evidence()[-1]
    assert (said["event"], said["by"]) == ("transfer.moved", "account:sato")
    assert (said["before"], said["after"]) == (state.value, "cancelled")


def test_what_has_left_is_not_offered_and_not_cancelled(hall: Hall) -> None:
    row, operator = hall.begun(Out.SENT), hall.enter(Role.OPERATOR)
    page = operator.get(f"/links/{LINK}").text
    assert "この転送を取りやめる" not in page
    assert "この転送を送り直す" not in page
    assert "いまはできません" in ask(operator, "cancel", row).text

    fields = fields_of(ask(operator, "pause")) | {"transfer": row.transfer}
    answer = operator.post(f"/links/{LINK}/deeds/cancel", fields)

    assert answer.status == 409
    assert "exchange.has_left" in answer.text
    assert hall.ledger.outgoing(row.transfer) == row


def test_what_leaves_while_somebody_reads_the_question_is_not_cancelled(hall: Hall) -> None:
    row, operator = hall.begun(), hall.enter(Role.OPERATOR)
    fields = fields_of(ask(operator, "cancel", row))
    hall.endpoint.deeds.begin_to_close(row.transfer)

    answer = operator.post(f"/links/{LINK}/deeds/cancel", fields)

    assert answer.status == 409
    assert hall.ledger.outgoing(row.transfer).state is Out.SEALED


def test_what_is_over_is_sent_again_once_by_name(hall: Hall) -> None:
    row, operator = hall.begun(Out.REFUSED), hall.enter(Role.OPERATOR)
    assert "この転送を送り直す" in operator.get(f"/links/{LINK}").text
    fields = fields_of(ask(operator, "resend", row))

    first = operator.post(f"/links/{LINK}/deeds/resend", fields)
    second = operator.post(f"/links/{LINK}/deeds/resend", fields)  # pressed twice

    assert (first.status, second.status) == (303, 403)
    assert "identity.form_stale" in second.text
    made = [one for one in hall.ledger.outgoings(LINK) if one.resends == row.transfer]
    assert [(one.state, one.business_date) for one in made] == [(Out.EXTRACTING, row.business_date)]
    said = hall.evidence()[-1]
    assert (said["event"], said["by"]) == ("transfer.started", "account:sato")
    assert (said["resends"], said["transfer"]) == (row.transfer, made[0].transfer)
    assert said["legal_basis"]


def test_rows_that_nobody_set_aside_are_not_sent_again(hall: Hall) -> None:
    row, operator = hall.begun(Out.REFUSED), hall.enter(Role.OPERATOR)
    assert "直した行だけ" not in operator.get(f"/links/{LINK}").text

    fields = fields_of(ask(operator, "resend", row))
    answer = operator.post(f"/links/{LINK}/deeds/resend-rejected", fields)

    assert answer.status == 409
    assert "exchange.nothing_to_resend" in answer.text
    assert hall.ledger.outgoings(LINK, limit=1) == [row]


def test_a_link_whose_plan_is_not_approved_is_not_sent_again(hall: Hall) -> None:
    row, operator = hall.begun(Out.REFUSED, OTHER), hall.enter(Role.OPERATOR)

    answer = confirm(operator, "resend", row, OTHER)

    assert "planning.not_approved" in answer.text
    assert answer.status >= 400
    assert hall.ledger.outgoings(OTHER, limit=1) == [row]


@pytest.mark.parametrize("role", [Role.APPROVER, Role.AUDITOR, Role.VIEWER])
@pytest.mark.parametrize("deed", ["pause", "cancel"])
def test_only_operators_do_it(hall: Hall, role: Role, deed: str) -> None:
    row, other = hall.begun(), hall.enter(role)
    page = other.get(f"/links/{LINK}").text
    assert "運用の人ができます" in page
    assert "/deeds/" not in page
    token = re.search(r'name="token" value="([^"]+)"', page)
    assert token

    asked = ask(other, deed, row)
    sent = other.post(f"/links/{LINK}/deeds/{deed}", {"token": token[1], "transfer": row.transfer})

    for answer in (asked, sent):
        assert answer.status == 403
        assert "identity.not_permitted" in answer.text
    assert hall.ledger.outgoing(row.transfer) == row
    assert not hall.endpoint.deeds.paused_links()


@pytest.mark.parametrize(
    ("token", "origin"),
    [
        ("", "http://testserver"),
        ("another's", "http://testserver"),
        (None, "http://elsewhere.example"),
        (None, "null"),
    ],
)
def test_a_form_that_is_not_ours_does_nothing(hall: Hall, token: str | None, origin: str) -> None:
    row, operator = hall.begun(), hall.enter(Role.OPERATOR)
    fields = fields_of(ask(operator, "cancel", row))
    if token == "another's":
        token = fields_of(ask(hall.enter(Role.OPERATOR), "cancel", row))["token"]
    if token is not None:
        fields["token"] = token

    answer = operator.post(f"/links/{LINK}/deeds/cancel", fields, origin=origin)

    assert answer.status == 403
    assert "identity.form_stale" in answer.text
    assert hall.ledger.outgoing(row.transfer) == row


def test_whoever_has_not_signed_in_is_asked_to_and_does_nothing(hall: Hall) -> None:
    row = hall.begun()
    hall.enter(Role.OPERATOR)
    stranger = hall.browser()

    assert ask(stranger, "cancel", row).headers["location"] == "/sign-in"
    answer = stranger.post(f"/links/{LINK}/deeds/cancel", {"transfer": row.transfer})

    assert answer.status == 403
    assert hall.ledger.outgoing(row.transfer) == row


@pytest.mark.parametrize("deed", ["cancel", "resend"])
def test_a_transfer_of_another_link_is_not_touched(hall: Hall, deed: str) -> None:
    row, operator = hall.begun(link=OTHER), hall.enter(Role.OPERATOR)
    fields = fields_of(ask(operator, "pause")) | {"transfer": row.transfer}

    assert ask(operator, deed, row).status == 404
    assert operator.post(f"/links/{LINK}/deeds/{deed}", fields).status in {403, 404}
    assert hall.ledger.outgoing(row.transfer) == row


def test_what_is_unknown_is_not_found(hall: Hall) -> None:
    row, operator = hall.begun(), hall.enter(Role.OPERATOR)
    fields = fields_of(ask(operator, "pause"))

    assert ask(operator, "burn", row).status == 404
    assert ask(operator, "cancel").status == 404
    assert operator.get("/links/nothing/deeds/pause").status == 404
    for address in (f"/links/{LINK}/deeds/burn", "/links/nothing/deeds/pause"):
        assert operator.post(address, fields).status == 404
    assert operator.post(f"/links/{LINK}/deeds/cancel", fields).status == 404
    assert not hall.endpoint.deeds.paused_links()


@pytest.mark.parametrize("lang", ["ja", "en"])
@pytest.mark.parametrize("deed", ["pause", "resume", "cancel", "resend", "resend-rejected"])
def test_questions_are_drawn_in_both_languages(hall: Hall, deed: str, lang: str) -> None:
    row = hall.begun(Out.REFUSED if deed.startswith("resend") else Out.SEALED)
    if deed == "resume":
        hall.endpoint.deeds.pause_link(LINK)
    operator = hall.enter(Role.OPERATOR)

    address = f"/links/{LINK}/deeds/{deed}?transfer={row.transfer}&lang={lang}"
    page = Page(operator.get(address).text)

    assert page.unclosed == []
    (html,) = page.all("html")
    assert html["lang"] == lang
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert not [attributes for _, attributes in page.tags if "style" in attributes]


def test_without_accounts_the_page_says_who_may(tmp_path: Path) -> None:
    alone = Hall(write_sample(tmp_path / "city"))
    try:
        browser = alone.browser()
        page = browser.get(f"/links/{LINK}").text
        assert "運用の利用者の登録が必要です" in page
        assert "/deeds/" not in page
        assert ask(browser, "pause").headers["location"] == f"/links/{LINK}"
        assert browser.post(f"/links/{LINK}/deeds/pause", {}).status == 403
        assert not alone.endpoint.deeds.paused_links()
    finally:
        alone.close()
