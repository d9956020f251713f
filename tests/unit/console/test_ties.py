"""Ties at a counter: asked by a form and never by an address; what is confirmed is done."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa

from kumobashi.ties import Act, State
from kumobashi.ties.reading import Reading
from kumobashi.ties.records import Tie
from kumobashi.ties.services import Status
from kumobashi.ties.terms import Channel
from kumobashi.ties.writing import Said
from tests.unit.console.conftest import Answer, Browser, token_of
from tests.unit.console.test_accessibility import Page
from tests.unit.console.test_agreements import SOUND, Hall
from tests.unit.ties.books import OFFER, SERVICE

NUMBERS = iter(f"{number:010d}" for number in range(4711, 4799))


class Counter:
    """A counter at the hall of the sample, with one service."""

    def __init__(self, hall: Hall) -> None:
        self.hall = hall
        assert hall.gateway.endpoint
        self.consents = hall.gateway.endpoint.consents
        self.consents.residents = None  # the sample has no register to look numbers up in
        self.book = self.consents.ties
        self.book.registry.add(SERVICE, by="operator")

    def resident(self) -> tuple[str, Tie]:
        """Return somebody's number, and the tie that was proposed."""
        number = next(NUMBERS)
        subject = self.consents.ledger.subjects.seal(number)
        as_of = self.hall.clock.now() - timedelta(days=3)
        self.book.registry.tell(
            subject,
            SERVICE.service,
            Status.RECEIVING,
            as_of=as_of,
            source="医療助成係",
            by="operator",
        )
        made = self.book.propose(subject, SERVICE.service, OFFER, self.said())
        self.book.accept(made.tie, Act.SERVICE_ACCEPT, self.said(), terms=made.terms.hash)
        return number, made

    def said(self) -> Said:
        return Said(stated_at=self.hall.clock.now(), source="desk-1", by="operator")

    def now(self, tie: Tie) -> Tie:
        return Reading(self.book.store, tenant=self.book.tenant).tie(tie.tie)


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counter]:
    hall = Hall(tmp_path_factory.mktemp("hall") / "w")
    yield Counter(hall)
    hall.close()


def shown(browser: Browser, number: str) -> Answer:
    fields = {"token": token_of(browser.get("/ties")), "number": number}
    return browser.post("/ties/resident", fields)


def asked(browser: Browser, act: str, tie: Tie) -> Answer:
    fields = {"token": token_of(browser.get("/ties")), "tie": tie.tie}
    return browser.post(f"/ties/asking/{act}", fields)


def hidden(page: Answer) -> dict[str, str]:
    return dict(re.findall(r'name="(token|tie|hash)" value="([^"]*)"', page.text))


def test_services_stand_with_their_clause_and_counts(counter: Counter) -> None:
    counter.resident()
    page = counter.hall.enter("sato").get("/ties?q=健診").text
    assert SERVICE.clause in page
    assert "利用中 1" in page
    assert "サービスが受け入れた 1" in page
    assert 'name="number"' not in page  # an approver serves no counter
    assert SERVICE.name not in counter.hall.enter("sato").get("/ties?q=年金").text


def test_a_residents_services_are_shown_and_the_number_stays_in_the_form(counter: Counter) -> None:
    number, tie = counter.resident()
    tanaka = counter.hall.enter("tanaka")
    page = shown(tanaka, number)
    for part in (
        SERVICE.name,
        SERVICE.clause,
        "利用中",
        "医療助成係",
        "サービスが受け入れた",
        tie.tie,
    ):
        assert part in page.text
    assert number not in page.text
    assert tie.subject not in page.text
    assert tanaka.get("/ties/resident").headers["location"] == "/ties"
    sato = counter.hall.enter("sato")
    assert shown_by_force(sato, number).status == 403


def shown_by_force(browser: Browser, number: str) -> Answer:
    token = token_of(browser.get("/ties"))  # of signing out: the same session
    return browser.post("/ties/resident", {"token": token, "number": number})


def test_what_the_resident_wants_is_confirmed_and_done(counter: Counter) -> None:
    _, tie = counter.resident()
    tanaka = counter.hall.enter("tanaka")
    page = asked(tanaka, "accept", tie)
    assert "本人として、この条件を受け入れますか" in page.text
    assert counter.now(tie).state is State.SERVICE_ACCEPTED  # only asked
    assert "効力あり" in tanaka.post("/ties/acts/accept", hidden(page)).text

    page = asked(tanaka, "narrow", tie)
    fields = {**hidden(page), "items": "name、address", "channel_post": "1", "times": "1"}
    fields |= {"days": "28", "first": "2026-11-01", "last": "2026-12-31"}
    wide = tanaka.post("/ties/acts/narrow", {**fields, "items": "name income", "days": "1"})
    assert (wide.status, "tie.terms_widen" in wide.text, "name income" in wide.text) == (
        409,
        True,
        True,
    )
    unfit = tanaka.post("/ties/acts/narrow", {**fields, "times": "二"})
    assert "tie.terms_unfit" in unfit.text
    assert "条件を狭めました" in tanaka.post("/ties/acts/narrow", fields).text
    held = counter.now(tie)
    assert held.state is State.IN_FORCE
    assert held.terms.items == {"name", "address"}
    assert held.terms.channels == {Channel.POST}

    page = asked(tanaka, "withdraw", tie)
    assert "元に戻せません" in page.text
    done = tanaka.post("/ties/acts/withdraw", hidden(page))
    assert "撤回しました" in done.text
    assert "/ties/asking/" not in done.text  # nothing more can become of it
    assert counter.now(tie).state is State.WITHDRAWN
    assert "いまの状態では" in asked(tanaka, "withdraw", tie).text
    assert tanaka.post("/ties/acts/accept", hidden(page)).status == 409


def test_terms_that_were_not_seen_are_not_accepted(counter: Counter) -> None:
    _, tie = counter.resident()
    tanaka = counter.hall.enter("tanaka")
    fields = hidden(asked(tanaka, "accept", tie))
    less = OFFER.of({**OFFER.plain(), "items": ["name"]})
    counter.book.narrow(tie.tie, less, counter.said())
    answer = tanaka.post("/ties/acts/accept", fields)
    assert (answer.status, "tie.terms_unlike" in answer.text) == (409, True)


@pytest.mark.parametrize("act", ["end", "expire", "propose"])
def test_nothing_else_can_be_done_here(counter: Counter, act: str) -> None:
    _, tie = counter.resident()
    assert asked(counter.hall.enter("tanaka"), act, tie).status == 404


def test_whoever_is_not_there_is_said_to_be_not_there(counter: Counter) -> None:
    tanaka = counter.hall.enter("tanaka")
    wrong = shown(tanaka, "<script>")
    assert (wrong.status >= 400, "script>" not in wrong.text.split("<main")[1]) == (True, True)
    token = token_of(tanaka.get("/ties"))
    unknown = tanaka.post("/ties/asking/withdraw", {"token": token, "tie": "no-such"})
    assert unknown.status == 404
    assert "紐付けはありません" in shown(tanaka, "0000009999").text


def test_a_form_of_another_page_is_refused(counter: Counter) -> None:
    _, tie = counter.resident()
    tanaka = counter.hall.enter("tanaka")
    fields = hidden(asked(tanaka, "withdraw", tie))
    assert tanaka.post("/ties/acts/withdraw", {**fields, "token": "other"}).status >= 400
    answer = tanaka.post("/ties/acts/withdraw", fields, origin="http://elsewhere")
    assert answer.status >= 400
    assert counter.now(tie).state is State.SERVICE_ACCEPTED


def test_that_somebody_looked_is_a_record(counter: Counter) -> None:
    number, _ = counter.resident()
    shown(counter.hall.enter("tanaka"), number)
    queries = [
        sa.text(f"select body from {name}") for name in ("evidence_waiting", "evidence_entries")
    ]
    bodies = counter.book.store.read(
        lambda held: [bytes(x) for query in queries for x in held.execute(query).scalars()]
    )
    looked = [body.decode() for body in bodies if b"tie.looked_up" in body]
    assert any("account:tanaka" in body for body in looked)
    assert number not in "".join(looked)


def test_pages_of_ties_are_as_sound_as_the_others(counter: Counter) -> None:
    number, tie = counter.resident()
    tanaka = counter.hall.enter("tanaka")
    pages = [tanaka.get("/ties?lang=en"), tanaka.get("/ties?lang=ja"), shown(tanaka, number)]
    pages += [asked(tanaka, act, tie) for act in ("accept", "narrow", "withdraw")]
    for page in pages:
        assert page.status == 200
        for check in SOUND:
            check(Page(page.text))
