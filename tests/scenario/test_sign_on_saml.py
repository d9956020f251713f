"""A clerk signs on at a SAML provider: real gateway, a provider that signs, a browser."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from lxml import etree

from kumobashi.kernel import SystemClock
from kumobashi.testing.city import City
from kumobashi.testing.office import served
from kumobashi.testing.saml_provider import SimulatedSaml, key_of
from kumobashi.testing.town import Town

pytestmark = [pytest.mark.scenario, pytest.mark.slow]
HALL = "hall-core"
FILE = """\
kumobashi: 1
provider: city-saml
name: 庁内認証基盤
site: hall-core
console: http://127.0.0.1:{console}
saml:
  entity: {entity}
  metadata: sign-on/city-saml.xml
  certificates: [{certificate}]
rules:
- role: operator
  when: {{groups: [情報政策課]}}
- role: auditor
  when: {{groups: [監査*]}}
"""


@pytest.fixture(scope="module")
def there() -> Iterator[SimulatedSaml]:
    provider = SimulatedSaml(SystemClock())
    with served(provider.application()) as address:
        provider.base = address
        provider.entity = f"{address}/metadata"
        yield provider


@pytest.fixture(scope="module")
def town(
    city: City, there: SimulatedSaml, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("sign-on") / "w"
    with Town.found(folder, city) as made:
        (folder / "sign-on").mkdir()
        text = FILE.format(
            console=made.ports[HALL], entity=there.entity, certificate=there.fingerprints[0]
        )
        (folder / "sign-on" / "city-saml.yaml").write_text(text, encoding="utf-8")
        (folder / "sign-on" / "city-saml.xml").write_bytes(there.metadata())
        made.start(HALL)
        known = httpx.get(f"{made.door(HALL)}/sign-in/city-saml/metadata")
        assert known.headers["content-type"] == "application/samlmetadata+xml"
        there.knows = known.content
        yield made


@pytest.fixture
def browser(town: Town, there: SimulatedSaml) -> Iterator[httpx.Client]:
    there.name, there.attributes = "u-17", {"displayName": ["運用 花子"], "groups": ["情報政策課"]}
    there.edit_assertion = there.edit_response = str
    with httpx.Client(
        base_url=f"http://127.0.0.1:{town.ports[HALL]}",
        headers={"accept": "text/html"},
        timeout=20,
    ) as made:
        yield made


def _form(page: str) -> tuple[str, dict[str, str]]:
    """Return where a page's form leads, and its fields, as a browser has them."""
    where = re.search(r'action="([^"]+)"', page)
    assert where is not None, page
    fields = re.findall(r'name="([^"]+)" value="([^"]*)"', page)
    return unescape(where[1]), {name: unescape(value) for name, value in fields}


def _recognised(browser: httpx.Client) -> tuple[str, dict[str, str]]:
    """Walk to the provider, be recognised there, and return the form that it sends back."""
    leaves = browser.get("/sign-in/city-saml")
    assert leaves.status_code == 303
    return _form(httpx.get(leaves.headers["location"]).text)


def _signed_on(browser: httpx.Client) -> httpx.Response:
    back, fields = _recognised(browser)
    return browser.post(back, data=fields)


def test_somebody_whom_the_provider_knows_comes_in_with_the_role_of_a_rule(
    browser: httpx.Client,
) -> None:
    assert "庁内認証基盤でサインイン" in browser.get("/sign-in").text

    assert _signed_on(browser).status_code == 200

    assert "運用 花子" in browser.get("/").text
    assert browser.get("/accounts").status_code == 403, "an operator does not review access"


def test_another_group_is_another_role(browser: httpx.Client, there: SimulatedSaml) -> None:
    there.name, there.attributes["groups"] = "u-18", ["監査委員事務局"]
    _signed_on(browser)
    assert browser.get("/accounts").status_code == 200


@pytest.mark.parametrize(
    ("group", "context", "code"),
    [
        ("道路課", "TimeSyncToken", "identity.role_missing"),
        ("情報政策課", "Password", "identity.factor_missing"),
    ],
)
def test_who_has_no_role_or_one_factor_stays_outside(
    browser: httpx.Client, there: SimulatedSaml, group: str, context: str, code: str
) -> None:
    there.attributes["groups"] = [group]
    there.edit_assertion = lambda xml: xml.replace("TimeSyncToken", context)

    assert code in _signed_on(browser).text
    assert browser.get("/").status_code == 303


def test_a_letter_that_was_changed_on_the_way_lets_nobody_in(
    browser: httpx.Client, there: SimulatedSaml
) -> None:
    there.edit_response = lambda xml: xml.replace("運用", "運甪")
    answer = _signed_on(browser)
    assert "identity.provider_unfit" in answer.text
    assert browser.get("/").status_code == 303


def test_an_answer_counts_once_and_in_the_browser_that_asked(
    town: Town, browser: httpx.Client
) -> None:
    back, fields = _recognised(browser)
    with httpx.Client(base_url=browser.base_url, headers={"accept": "text/html"}) as other:
        assert "identity.sign_on_stale" in other.post(back, data=fields).text
    assert "identity.sign_on_stale" not in browser.post(back, data=fields).text
    assert "identity.sign_on_stale" in browser.post(back, data=fields).text, "it was taken"
    assert "identity.sign_on_stale" in browser.get(back, params=fields).text, "a form, no address"
    assert town.running[HALL].exit_code is None


def test_signing_out_leads_to_the_provider_and_back(
    browser: httpx.Client, there: SimulatedSaml
) -> None:
    _signed_on(browser)
    token = re.search(r'name="token" value="([^"]+)"', browser.get("/").text)
    assert token is not None
    origin = str(browser.base_url).rstrip("/")

    out = browser.post("/sign-out", data={"token": token[1]}, headers={"origin": origin})
    assert browser.get("/").status_code == 303
    assert "庁内認証基盤からもサインアウトする" in browser.get(out.headers["location"]).text

    away = browser.get("/sign-out/city-saml")
    assert away.headers["location"].startswith(f"{there.base}/slo?")
    back = httpx.get(away.headers["location"])
    assert there.parted[-1] == "u-17"
    home = browser.get(back.headers["location"])
    assert (home.status_code, urlsplit(home.headers["location"]).path) == (303, "/sign-in")
    assert browser.get("/sign-out/city-saml").status_code == 404, "there is nothing left to end"


def test_whom_the_provider_signs_out_is_out_here(
    browser: httpx.Client, there: SimulatedSaml
) -> None:
    _signed_on(browser)
    assert browser.get("/").status_code == 200

    back = httpx.get(there.sign_out())  # another window of theirs

    assert browser.get("/").status_code == 303
    said = etree.fromstring(httpx.get(back.headers["location"]).content)
    assert said.tag.endswith("}LogoutResponse")


def test_swapped_metadata_let_nobody_in_and_say_what_they_have_now(
    town: Town, browser: httpx.Client, there: SimulatedSaml
) -> None:
    file = Path(town.folder) / "sign-on" / "city-saml.xml"
    before, keys = file.read_bytes(), there.keys
    there.keys = [key_of("somebody")]
    try:
        file.write_bytes(there.metadata())
        page = browser.get("/sign-in/city-saml").text
        assert "identity.provider_swapped" in page
        assert there.fingerprints[0] in page
    finally:
        there.keys = keys
        file.write_bytes(before)


def test_a_console_without_the_file_of_metadata_says_so(town: Town, browser: httpx.Client) -> None:
    file = Path(town.folder) / "sign-on" / "city-saml.xml"
    before = file.read_bytes()
    try:
        file.unlink()
        assert "metadata, file" in browser.get("/sign-in/city-saml").text
    finally:
        file.write_bytes(before)


def test_what_only_openid_has_ends_nobody_here(browser: httpx.Client) -> None:
    _signed_on(browser)
    told = browser.post("/sign-out/city-saml/back-channel", data={"logout_token": "x"})
    assert told.status_code == 400
    assert browser.get("/").status_code == 200


def test_a_wish_to_sign_out_that_nobody_signed_ends_nobody(
    browser: httpx.Client, there: SimulatedSaml
) -> None:
    _signed_on(browser)
    wish = re.sub(r"&Signature=[^&]+", "", there.sign_out())
    assert "identity.provider_unfit" in httpx.get(wish, headers={"accept": "text/html"}).text
    assert browser.get("/").status_code == 200
