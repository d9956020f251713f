"""利用者と権限: somebody else confirms or shuts out; a form of before does nothing."""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette

from kumobashi.console import console_routes, error_pages
from kumobashi.identity import Account, Accounts, Enrolment, Role
from kumobashi.identity.reviews import Reviews
from kumobashi.identity.unusual import Noticed
from kumobashi.testing import scenes, views
from kumobashi.testing.boards import SceneBoard
from kumobashi.testing.clocks import HandClock
from tests.unit.console.conftest import Browser, sign_in
from tests.unit.console.test_accessibility import Page


class Noted:
    """Keeps what the pages tell of access."""

    def __init__(self) -> None:
        self.said: list[tuple[str, ...]] = []

    def looked(self, account: Account, *, page: str, purpose: str) -> None:
        self.said.append(("looked", account.name, page, purpose))

    def refused(self, account: Account, *, page: str, code: str) -> None:
        self.said.append(("refused", account.name, page, code))

    def explained(self, by: Account, noticed: Noticed) -> None:
        self.said.append(("explained", by.name, noticed.finding.by, str(noticed.answer)))

    def reviewed(self, by: Account, *, of: Account, is_kept: bool) -> None:
        self.said.append(("reviewed", by.name, of.name, str(is_kept)))


class Console:
    """A console with accounts and nothing else."""

    def __init__(self, folder: Path) -> None:
        self.clock = HandClock()
        self.accounts = Accounts(folder, tenant="999997", site="hall-core", clock=self.clock)
        self.noted = Noted()
        board = SceneBoard(scenes.morning)
        routes = console_routes(board, zones=views.ZONES, accounts=self.accounts, book=self.noted)
        self._application = Starlette(routes=routes, exception_handlers={**error_pages()})
        self.people = {
            "admin": self._add("admin", "利用者管理担当", Role.ACCOUNT_ADMIN),
            "sato": self._add("sato", "佐藤 花子", Role.OPERATOR),
            "kato": self._add("kato", "=1+1", Role.AUDITOR),
        }

    def _add(self, name: str, shown: str, role: Role) -> Enrolment:
        return self.accounts.add(name, shown=shown, role=role)

    def enter(self, name: str) -> Browser:
        return sign_in(Browser(self._application), self.people[name], self.clock)


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    made = Console(tmp_path)
    yield made
    made.accounts.close()


def fields(page: str, name: str, act: str) -> dict[str, str]:
    form = page[page.index(f'action="/accounts/{name}/{act}"') :]
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', form[: form.index("</form>")]))


def test_an_account_is_confirmed_by_name(console: Console) -> None:
    browser = console.enter("admin")
    page = browser.get("/accounts").text

    answer = browser.post("/accounts/sato/keep", fields(page, "sato", "keep"))

    assert (answer.status, answer.headers["location"]) == (303, "/accounts")
    rows = {row.access.name: row.access for row in Reviews(console.accounts).rows()}
    assert rows["sato"].reviewed_by == "admin"
    assert rows["kato"].reviewed_by is None
    assert console.noted.said == [("reviewed", "admin", "sato", "True")]


def test_who_is_shut_out_here_is_out_there(console: Console) -> None:
    theirs, browser = console.enter("sato"), console.enter("admin")
    page = browser.get("/accounts").text

    browser.post("/accounts/sato/take-away", fields(page, "sato", "take-away"))

    assert theirs.get("/").headers["location"] == "/sign-in"
    assert "佐藤" not in browser.get("/accounts").text


def test_a_form_of_before_somebody_else_shut_them_out_does_nothing(console: Console) -> None:
    browser = console.enter("admin")
    page = browser.get("/accounts").text
    console.accounts.shut("sato", by="somebody-else")

    answer = browser.post("/accounts/sato/keep", fields(page, "sato", "keep"))

    assert answer.status == 404
    assert console.noted.said[-1] == (
        "refused",
        "admin",
        "post:accounts/-/keep",
        "identity.account_unknown",
    )


def test_a_form_with_another_role_than_the_account_has_does_nothing(console: Console) -> None:
    browser = console.enter("admin")
    said = fields(browser.get("/accounts").text, "sato", "keep") | {"role": "viewer"}

    assert browser.post("/accounts/sato/keep", said).status == 403
    assert not any(row.access.reviewed for row in Reviews(console.accounts).rows())


def test_nobody_is_offered_their_own_row(console: Console) -> None:
    page = console.enter("admin").get("/accounts").text

    assert 'action="/accounts/admin/keep"' not in page
    assert 'action="/accounts/kato/keep"' in page


def test_an_auditor_reads_and_says_nothing(console: Console) -> None:
    browser = console.enter("kato")
    page = browser.get("/accounts").text

    assert "佐藤 花子" in page
    assert "/keep" not in page
    assert browser.post("/accounts/sato/take-away", {"role": "operator"}).status == 403


def test_an_operator_neither_finds_nor_opens_the_page(console: Console) -> None:
    browser = console.enter("sato")

    assert 'href="/accounts"' not in browser.get("/").text
    assert browser.get("/accounts").status == 403
    assert console.noted.said == [("refused", "sato", "get:accounts", "identity.not_permitted")]


def test_who_manages_accounts_sees_their_page_in_the_menu_alone(console: Console) -> None:
    page = console.enter("admin").get("/accounts").text
    menu = page[page.index("pages-of") : page.index("switches")]

    assert re.findall(r'href="([^"]+)"', menu) == ["/accounts"]


def test_the_file_opens_in_a_spreadsheet_and_runs_nothing(console: Console) -> None:
    answer = console.enter("kato").get("/accounts.csv")

    rows = list(csv.reader(io.StringIO(answer.body.decode("utf-8-sig"))))
    assert answer.body.startswith(b"\xef\xbb\xbf")
    assert [row[0] for row in rows[1:]] == ["admin", "kato", "sato"]
    assert rows[2][1] == "'=1+1"


@pytest.mark.parametrize("lang", ["ja", "en"])
def test_the_page_is_fit_for_everybody(console: Console, lang: str) -> None:
    page = Page(console.enter("admin").get(f"/accounts?lang={lang}").text)

    assert page.unclosed == []
    assert [name for _, name in page.names if not name] == []
    buttons = [attrs.get("aria-label") for tag, attrs in page.tags if tag == "button"]
    acts = [label for label in buttons if label]
    assert len(acts) == len(set(acts)) == 4  # two rows of others, each act with its own name
