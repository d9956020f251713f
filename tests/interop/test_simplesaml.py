"""SimpleSAMLphp with OpenLDAP behind it lets people into a real gateway's console, and out."""

import base64
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path

import httpx
import pytest

from kumobashi.identity.saml.keys import fingerprint
from kumobashi.testing.city import City, build
from kumobashi.testing.saml_provider import key_of
from kumobashi.testing.town import Town
from tests.interop import mellon, simplesaml
from tests.interop.mellon import Other
from tests.interop.simplesaml import SECRET, Peer

pytestmark = [pytest.mark.interop, pytest.mark.slow]
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
  {more}
second_factor: []
rules:
- role: operator
  when: {{ou: [情報政策課]}}
- role: auditor
  when: {{ou: [監査*]}}
"""


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    folder = tmp_path_factory.mktemp("simplesaml")
    with (
        simplesaml.directory(folder / "ldap") as ldap,
        simplesaml.provider(folder, ldap) as running,
    ):
        yield running


@pytest.fixture(scope="module")
def city() -> Iterator[City]:
    with build(60) as built:
        yield built


@pytest.fixture(scope="module")
def town(city: City, peer: Peer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with _founded(city, peer, tmp_path_factory.mktemp("sign-on")) as made:
        yield made


@contextmanager
def _founded(city: City, peer: Peer, place: Path, more: str = "") -> Iterator[Town]:
    """Run a hall whose staff sign on at ``peer``."""
    folder = place / "w"
    with Town.found(folder, city) as made:
        (folder / "sign-on").mkdir()
        text = FILE.format(
            console=made.ports[HALL],
            entity=f"{peer.address}saml2/idp/metadata.php",
            certificate=fingerprint(key_of("simplesaml").certificate),
            more=more,
        )
        (folder / "sign-on" / "city-saml.yaml").write_text(text, encoding="utf-8")
        made.start(HALL)
        peer.know("console", httpx.get(f"{made.door(HALL)}/sign-in/city-saml/metadata").content)
        (folder / "sign-on" / "city-saml.xml").write_bytes(peer.describe())
        yield made


@pytest.fixture
def browser(town: Town) -> Iterator[httpx.Client]:
    with _browser(town) as made:
        yield made


def _browser(town: Town) -> httpx.Client:
    return httpx.Client(
        base_url=f"http://127.0.0.1:{town.ports[HALL]}",
        headers={"accept": "text/html"},
        follow_redirects=True,
        timeout=60,
    )


def _form(answer: httpx.Response) -> tuple[str, dict[str, str]]:
    """Return where a page's form leads, and the fields it hides."""
    page = answer.text
    where = re.search(r'<form[^>]*action="([^"]+)"', page)
    assert where is not None, page
    fields = {}
    for one in re.findall(r"<input[^>]*>", page):
        name, value = re.search(r'name="([^"]+)"', one), re.search(r'value="([^"]*)"', one)
        if name and value:
            fields[unescape(name[1])] = unescape(value[1])
    return str(answer.url.join(unescape(where[1]))), fields


def _recognised(browser: httpx.Client, person: str) -> tuple[str, dict[str, str]]:
    """Give name and password at the provider; return the form that it sends back."""
    asks = browser.get("/sign-in/city-saml")
    assert asks.status_code == 200, asks.text
    where, fields = _form(asks)
    there = browser.post(where, data=fields | {"username": person, "password": SECRET})
    where, fields = _form(there)
    assert "SAMLResponse" in fields, there.text
    return where, fields


def test_a_clerk_of_the_directory_signs_on_and_out(browser: httpx.Client) -> None:
    where, fields = _recognised(browser, "hanako")
    answer = browser.post(where, data=fields)
    assert answer.status_code == 200, answer.text

    page = browser.get("/")
    assert "運用 花子" in page.text

    token = re.search(r'name="token" value="([^"]+)"', page.text)
    assert token is not None
    origin = str(browser.base_url).rstrip("/")
    browser.post("/sign-out", data={"token": token[1]}, headers={"origin": origin})
    home = browser.get("/sign-out/city-saml")  # to the provider, and back again
    assert home.url.path == "/sign-in", home.text
    assert home.status_code == 200
    again = browser.get("/sign-in/city-saml")
    assert 'name="password"' in again.text, "the provider asks again: it has no session any more"


def test_another_office_is_another_role(browser: httpx.Client) -> None:
    where, fields = _recognised(browser, "taro")
    browser.post(where, data=fields)
    assert browser.get("/accounts").status_code == 200


def test_an_office_without_a_role_stays_outside(browser: httpx.Client) -> None:
    where, fields = _recognised(browser, "jiro")
    assert "identity.role_missing" in browser.post(where, data=fields).text


def test_signing_out_at_the_provider_ends_the_session_here(
    browser: httpx.Client, peer: Peer
) -> None:
    where, fields = _recognised(browser, "hanako")
    browser.post(where, data=fields)
    assert "運用 花子" in browser.get("/").text

    out = f"{peer.address}saml2/idp/SingleLogoutService.php"
    left = browser.get(out, params={"ReturnTo": f"{peer.address}"})

    assert left.status_code == 200, left.text
    assert browser.get("/").url.path == "/sign-in"


def test_one_changed_letter_is_refused(browser: httpx.Client) -> None:
    where, fields = _recognised(browser, "hanako")
    said = base64.b64decode(fields["SAMLResponse"])
    assert "花子".encode() in said
    changed = base64.b64encode(said.replace("花子".encode(), "苑子".encode())).decode()
    answer = browser.post(where, data=fields | {"SAMLResponse": changed})
    assert "identity.provider_unfit" in answer.text


def test_the_provider_refuses_a_request_that_was_changed_on_the_way(
    browser: httpx.Client,
) -> None:
    address = browser.get("/sign-in/city-saml", follow_redirects=False).headers["location"]
    asked = httpx.get(re.sub(r"RelayState=[^&]+", "RelayState=elsewhere", address), timeout=60)
    assert "Unable to validate signature on query string" in asked.text
    assert 'name="password"' not in asked.text


@pytest.fixture(scope="module")
def other(peer: Peer) -> Iterator[Other]:
    with mellon.served(peer) as running:
        yield running


def _sent_on(browser: httpx.Client, answer: httpx.Response) -> httpx.Response:
    """Send on the forms that a browser with scripts sends by itself."""
    while 'name="SAMLResponse"' in answer.text:
        where, fields = _form(answer)
        answer = browser.post(where, data=fields)
    return answer


def test_signing_out_here_ends_the_session_at_somebody_elses_console_too(
    browser: httpx.Client, town: Town, peer: Peer, other: Other
) -> None:
    where, fields = _recognised(browser, "hanako")
    browser.post(where, data=fields)
    page = f"{other.address}/in/page.txt"
    inside = _sent_on(browser, browser.get(page))
    assert inside.text == "inside\n", "recognised once, known at both"

    token = re.search(r'name="token" value="([^"]+)"', browser.get("/").text)
    assert token is not None
    origin = str(browser.base_url).rstrip("/")
    browser.post("/sign-out", data={"token": token[1]}, headers={"origin": origin})
    home = browser.get("/sign-out/city-saml")

    assert home.url.path == "/sign-in", home.text
    assert browser.get(page).text != "inside\n"


def test_signing_out_at_somebody_elses_console_ends_the_session_here(
    browser: httpx.Client, town: Town, peer: Peer, other: Other
) -> None:
    where, fields = _recognised(browser, "hanako")
    browser.post(where, data=fields)
    page = f"{other.address}/in/page.txt"
    assert _sent_on(browser, browser.get(page)).text == "inside\n"
    assert "運用 花子" in browser.get("/").text

    left = browser.get(f"{other.address}/mellon/logout", params={"ReturnTo": f"{other.address}/"})

    assert left.url.host == "127.0.0.1"
    assert browser.get("/").url.path == "/sign-in"


def test_what_this_provider_encrypts_is_refused_because_it_knows_cbc_alone(
    city: City, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("encrypting")
    with (
        simplesaml.directory(folder / "ldap") as ldap,
        simplesaml.provider(folder, ldap, **{"assertion.encryption": True}) as peer,
        _founded(city, peer, folder / "hall", "encrypted: true") as town,
        _browser(town) as browser,
    ):
        where, fields = _recognised(browser, "hanako")
        assert b"xmlenc#aes128-cbc" in base64.b64decode(fields["SAMLResponse"])
        assert "（encrypted）" in browser.post(where, data=fields).text
