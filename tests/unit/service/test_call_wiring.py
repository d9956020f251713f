"""Which online links are in force, as gateways ask it while calls go by."""

import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from kumobashi.agreements.acting import Wish
from kumobashi.agreements.attaching import Attachments
from kumobashi.agreements.errors import AgreementFailed, AgreementMissing
from kumobashi.agreements.models import ApplicationWish
from kumobashi.agreements.states import Act
from kumobashi.calls.permits import CallLink
from kumobashi.exchange.errors import Drifted
from kumobashi.kernel import KumobashiError
from kumobashi.planning.approval import approve
from kumobashi.planning.call_plan import call_plan
from kumobashi.planning.decided import Decided, Declared
from kumobashi.planning.errors import ApprovalMissing, LinkUnknown, PlanRefused, WorkspaceBroken
from kumobashi.planning.publishing import load_directory, publish_directory
from kumobashi.planning.sampling import write_sample
from kumobashi.planning.workspace import Workspace, load
from kumobashi.service import call_wiring
from kumobashi.service.agreeing import Gate, needed_by
from kumobashi.service.agreement_drafts import Drafts
from kumobashi.service.call_wiring import CallWiring
from kumobashi.service.errors import LeavesTraining
from kumobashi.service.planned import Planned
from kumobashi.service.training import refuse_outside
from kumobashi.service.wiring import Wiring
from kumobashi.testing.clocks import HandClock
from tests.unit.agreements import people

NOW = datetime(2026, 11, 21, 3, tzinfo=UTC)
ON = date(2026, 11, 21)
ASKS, HIDES = "arrears-payments", "finance-collection"
SERVICE = ("arrears", "collection.payments")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_sample(tmp_path / "city", clock=HandClock(NOW))


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at the world at every question; the shipped second is tested below."""
    monkeypatch.setattr(call_wiring, "EVERY_SECONDS", 0.0)


def approved(folder: Path, *links: str) -> None:
    workspace, directory = load(folder), load_directory(folder, now=NOW)
    for link in links:
        plan = call_plan(workspace, directory, link, on=ON)
        approve(folder, plan, by="課長", at=NOW, measured=None)


def wiring(
    folder: Path,
    *,
    site: str = "hall-core",
    today: Callable[[], date] = lambda: ON,
    agreed: Callable[[Workspace, Declared, Decided], None] = lambda *_: None,
    allow: Callable[[Workspace], None] = lambda _: None,
) -> CallWiring:
    directory = load_directory(folder, now=NOW)
    read = Wiring(folder, directory, today=today)
    return CallWiring(
        read.workspace, directory, Planned(directory, today), site=site, agreed=agreed, allow=allow
    )


def change(folder: Path, file: str, before: str, after: str) -> None:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")


def only(held: CallWiring) -> CallLink:
    ((link,),) = held.links().values()
    return link


def test_an_approved_link_is_in_force_and_the_other_says_why_not(folder: Path, soon: None) -> None:
    approved(folder, HIDES)
    held = wiring(folder)

    link = only(held)

    assert (link.answerer, link.asker, link.sites) == ("collection", "finance", ("hall-core",))
    assert [(one.version, one.method, one.path, one.name) for one in link.operations] == [
        ("v1", "GET", "/totals/{business_date}", "listTotals"),
        ("v1", "GET", "/refunds/{business_date}", "listRefunds"),
    ]
    totals, refunds = link.operations
    assert refunds.shown is not None
    assert (refunds.shown.at, totals.given) == ("/result", frozenset())
    assert refunds.shown.blanked == {"refund_no", "resident_no", "tax_item", "reason"}
    assert refunds.shown.kept == {"payee_name", "bank_code", "account_no", "amount", "budget_item"}
    assert (link.unit, link.kind) == ("finance", "collection-totals+collection-refunds")
    assert link.plan == load(folder).approvals[HIDES].hash
    assert held.refusal(HIDES) is None
    assert isinstance(held.refusal(ASKS), ApprovalMissing)
    assert isinstance(held.refusal("nothing"), LinkUnknown)


def test_a_changed_file_counts_and_its_repair_too(folder: Path, soon: None) -> None:
    approved(folder, ASKS)
    held = wiring(folder)
    first = only(held)

    change(folder, f"calls/{ASKS}.yaml", "[searchPayments]", "[searchPayments]\nhide: [paid_on]")
    assert held.links() == {}
    assert isinstance(held.refusal(ASKS), Drifted)

    change(folder, f"calls/{ASKS}.yaml", "\nhide: [paid_on]", "")
    assert only(held) == first

    change(folder, f"calls/{ASKS}.yaml", 'code: "61"', 'code: "69-2-1"')
    assert isinstance(held.refusal(ASKS), PlanRefused)

    change(folder, f"calls/{ASKS}.yaml", "to: arrears", "to: nobody")
    assert held.links() == {}
    assert isinstance(held.refusal(ASKS), WorkspaceBroken)


def test_a_changed_document_counts_whatever_its_form(folder: Path, soon: None) -> None:
    approved(folder, ASKS)
    held = wiring(folder)
    assert only(held).link == ASKS

    change(folder, "interfaces/collection-payments-v1.yaml", "一人の納付", "納付")

    refusal = held.refusal(ASKS)
    assert isinstance(refusal, PlanRefused)  # the directory has the digest of the old one
    publish_directory(folder, now=NOW)
    approved(folder, ASKS)
    assert wiring(folder).links().keys() == {SERVICE}


def test_the_day_counts(folder: Path, soon: None) -> None:
    approved(folder, ASKS)
    days = [ON]
    held = wiring(folder, today=lambda: days[0])
    assert only(held).link == ASKS

    days[0] = date(2026, 3, 31)  # before its layout holds

    assert held.links() == {}
    assert isinstance(held.refusal(ASKS), PlanRefused)


def test_a_withdrawn_agreement_counts_without_any_change_of_files(folder: Path, soon: None) -> None:
    change(folder, f"calls/{ASKS}.yaml", "answer_seconds", "agreement: 8架総第1号\nanswer_seconds")
    approved(folder, ASKS, HIDES)
    in_force = True

    def agreed(workspace: Workspace, link: Declared, _decided: Decided) -> None:
        if needed_by(workspace, link) and not in_force:
            raise AgreementMissing(link=link.link)

    held = wiring(folder, agreed=agreed)
    assert held.links()[SERVICE][0].agreement == "8架総第1号"

    in_force = False
    assert SERVICE not in held.links()
    assert isinstance(held.refusal(ASKS), AgreementMissing)
    assert held.refusal(HIDES) is None  # it needs none

    # The agreement is kept where the service runs; the asking gateway leaves it to that one.
    assert wiring(folder, site="public-cloud", agreed=agreed).links().keys() >= {SERVICE}


def test_an_agreement_of_an_online_link_is_asked_for_and_ends_it(
    folder: Path, tmp_path: Path, soon: None
) -> None:
    change(folder, f"calls/{ASKS}.yaml", "answer_seconds", "agreement: 8架総第1号\nanswer_seconds")
    approved(folder, ASKS)
    clock = HandClock(people.NOW)
    book = people.file_book(tmp_path / "state", clock)
    gate = Gate(book.store, book.trusted, clock)
    directory = load_directory(folder, now=NOW)
    drafts = Drafts(
        book=book,
        attachments=Attachments(tmp_path / "attached"),
        workspace=lambda: load(folder),
        planned=Planned(directory, lambda: ON).either,
    )
    held = wiring(folder, agreed=gate.refuse)
    assert isinstance(held.refusal(ASKS), AgreementFailed)

    wish = ApplicationWish(
        link=ASKS,
        owner_section="市民課",
        purpose="納付されたかを確かめるため",
        first=date(2026, 11, 1),
        last=date(2027, 3, 31),
    )
    made = drafts.new(wish, people.TANAKA, submit=True)
    assert made.number == "8架総第1号"
    assert "宛名番号" in {item.ja for item in made.items}
    for act, by in people.WAY[1:]:
        book.act(made.agreement, Wish(act=act), by)
    book.keep_up(made.agreement)
    assert held.refusal(ASKS) is None

    book.act(made.agreement, Wish(act=Act.WITHDRAW), people.SATO)
    assert held.links() == {}
    assert isinstance(held.refusal(ASKS), AgreementFailed)
    book.store.close()


def test_between_two_looks_nothing_is_read_and_without_a_change_nothing_planned(
    folder: Path,
) -> None:
    approved(folder, ASKS)
    held = wiring(folder)
    first = only(held)
    change(folder, f"calls/{ASKS}.yaml", "[searchPayments]", "[searchPayments]\nhide: [paid_on]")
    assert only(held) is first

    began = time.monotonic()
    while held.links():
        assert time.monotonic() - began < 2.0
        time.sleep(0.05)

    change(folder, f"calls/{ASKS}.yaml", "\nhide: [paid_on]", "")


def test_no_plan_is_made_twice_without_a_change(folder: Path, soon: None) -> None:
    approved(folder, ASKS)
    held = wiring(folder)
    first = only(held)

    assert all(only(held) is first for _ in range(20))  # a new plan would make a new link

    change(folder, "kumobashi.yaml", "架空の事業者D", "架空の事業者E")
    assert only(held) == first
    assert only(held) is not first


def test_the_backend_is_that_of_this_site(folder: Path, soon: None) -> None:
    change(
        folder,
        "systems/collection.yaml",
        "services: #",
        "standby: [{site: public-cloud, base: {payments: 'http://127.0.0.1:9/b'}}]\nservices: #",
    )
    here, there = wiring(folder), wiring(folder, site="public-cloud")

    assert here.backend("collection", "payments", test=False) == "http://127.0.0.1:8751/api"
    assert here.backend("collection", "payments", test=True) == "http://127.0.0.1:8752/api"
    assert here.backend("collection", "accounts", test=True) is None
    assert there.backend("collection", "payments", test=False) == "http://127.0.0.1:9/b"
    assert there.backend("collection", "accounts", test=False) is None
    assert there.backend("collection", "payments", test=True) is None
    assert here.backend("nobody", "payments", test=False) is None
    assert wiring(folder, site="asp-relay").backend("collection", "payments", test=False) is None


def test_what_takes_tests_only_is_called_in_tests_only(folder: Path, soon: None) -> None:
    change(
        folder,
        "systems/collection.yaml",
        "name: 納付の照会",
        "name: 納付の照会\n    test_only: true",
    )
    held = wiring(folder)

    assert held.backend("collection", "payments", test=False) is None
    assert held.backend("collection", "payments", test=True) == "http://127.0.0.1:8752/api"


def test_in_training_no_call_leads_to_another_machine(folder: Path, soon: None) -> None:
    change(
        folder, "systems/collection.yaml", "http://127.0.0.1:8752/api", "http://core.example/api"
    )
    approved(folder, ASKS)
    held = wiring(folder, allow=lambda workspace: refuse_outside(workspace, None))

    assert held.links() == {}
    refusal = held.refusal(ASKS)
    assert isinstance(refusal, LeavesTraining)
    assert "systems/collection.yaml services.payments.test_base" in refusal.say("ja")


def test_every_refusal_is_one_that_people_can_read(folder: Path, soon: None) -> None:
    held = wiring(folder)

    for link in (ASKS, HIDES):
        refusal = held.refusal(link)
        assert isinstance(refusal, KumobashiError)
        assert link in refusal.say("ja")
        assert refusal.remedy("en")
