"""A clerk signs on at the municipality's provider: real gateway, real provider, a browser."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from kumobashi.testing.city import City
from kumobashi.testing.gateways import until
from kumobashi.testing.town import Town, free_ports

pytestmark = [pytest.mark.scenario, pytest.mark.slow]
HALL = "hall-core"
PEOPLE = (
    {"sub": "u-1", "name": "運用 花子", "groups": ["情報政策課"], "amr": ["pwd", "otp"]},
    {"sub": "u-2", "name": "監査 太郎", "groups": ["監査委員事務局"], "amr": ["pwd", "otp"]},
    {"sub": "u-3", "name": "役割 なし", "groups": ["道路課"], "amr": ["pwd", "otp"]},
    {"sub": "u-4", "name": "一つ だけ", "groups": ["情報政策課"], "amr": ["pwd"]},
)
FILE = """\
kumobashi: 1
provider: city-login
name: 庁内認証基盤
site: hall-core
console: http://127.0.0.1:{console}
openid:
  issuer: http://127.0.0.1:{provider}
  client_id: kumobashi
  client_secret: file:private/hall-core/sign-on.secret
  scopes: [openid, profile]
rules:
- role: operator
  when: {{groups: [情報政策課]}}
- role: auditor
  when: {{groups: [監査*]}}
"""


@pytest.fixture(scope="module")
def ports() -> tuple[int, ...]:
    return tuple(free_ports(1))


@pytest.fixture(scope="module")
def provider(ports: tuple[int, ...]) -> Iterator[str]:
    """Run a provider, as its own process."""
    people = [word for one in PEOPLE for word in ("--user-claims", json.dumps(one))]
    program = str(Path(sys.executable).with_name("oidc-provider-mock"))
    running = subprocess.Popen(
        [program, "--port", str(ports[0]), "--require-nonce", "true", *people],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{ports[0]}"
    try:
        until("a provider", lambda: _answers(address), 30)
        yield address
    finally:
        running.kill()
        running.wait()


@pytest.fixture(scope="module")
def town(city: City, provider: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("sign-on") / "w"
    with Town.found(folder, city) as made:
        (folder / "sign-on").mkdir()
        text = FILE.format(console=made.ports[HALL], provider=urlsplit(provider).port)
        (folder / "sign-on" / "city-login.yaml").write_text(text, encoding="utf-8")
        held = folder / "private" / HALL / "sign-on.secret"
        held.write_text("a secret of this test", encoding="ascii")
        made.start(HALL)
        yield made


@pytest.fixture
def browser(town: Town) -> Iterator[httpx.Client]:
    with httpx.Client(
        base_url=f"http://127.0.0.1:{town.ports[HALL]}",
        headers={"accept": "text/html"},
        timeout=20,
    ) as made:
        yield made


def _answers(address: str) -> bool:
    try:
        return httpx.get(address + "/.well-known/openid-configuration").status_code == 200
    except httpx.HTTPError:
        return False


def _recognised(browser: httpx.Client, subject: str) -> str:
    """Walk to the provider, be recognised there, and return the address that it sends back to."""
    leaves = browser.get("/sign-in/city-login")
    assert leaves.status_code == 303
    there = browser.post(leaves.headers["location"], data={"sub": subject})
    assert there.status_code == 302
    return there.headers["location"]


def test_nobody_looks_in_without_signing_on_and_the_page_offers_the_provider(
    browser: httpx.Client,
) -> None:
    assert browser.get("/").headers["location"].endswith("/sign-in")
    assert "庁内認証基盤でサインイン" in browser.get("/sign-in").text


def test_somebody_whom_the_provider_knows_comes_in_with_the_role_of_a_rule(
    browser: httpx.Client,
) -> None:
    back = browser.get(_recognised(browser, "u-1"))

    assert back.status_code == 200
    morning = browser.get("/")
    assert morning.status_code == 200
    assert "運用 花子" in morning.text
    assert browser.get("/accounts").status_code == 403, "an operator does not review access"


def test_another_group_is_another_role(browser: httpx.Client) -> None:
    browser.get(_recognised(browser, "u-2"))

    assert browser.get("/accounts").status_code == 200
    assert browser.get("/changes").status_code == 200


@pytest.mark.parametrize(
    ("subject", "code"), [("u-3", "identity.role_missing"), ("u-4", "identity.factor_missing")]
)
def test_who_has_no_role_or_one_factor_stays_outside(
    browser: httpx.Client, subject: str, code: str
) -> None:
    back = browser.get(_recognised(browser, subject))

    assert code in back.text
    assert browser.get("/").status_code == 303


def test_an_answer_counts_once_and_in_the_browser_that_asked(
    town: Town, browser: httpx.Client
) -> None:
    answer = _recognised(browser, "u-1")
    with httpx.Client(base_url=browser.base_url, headers={"accept": "text/html"}) as other:
        assert "identity.sign_on_stale" in other.get(answer).text
    assert "identity.sign_on_stale" not in browser.get(answer).text
    assert "identity.sign_on_stale" in browser.get(answer).text, "it was taken"
    assert town.running[HALL].exit_code is None


def test_signing_out_leads_to_the_provider_too(browser: httpx.Client, provider: str) -> None:
    browser.get(_recognised(browser, "u-1"))
    page = browser.get("/").text
    token = re.search(r'name="token" value="([^"]+)"', page)
    assert token is not None

    out = browser.post(
        "/sign-out", data={"token": token[1]}, headers={"origin": str(browser.base_url).rstrip("/")}
    )
    assert browser.get("/").status_code == 303
    assert "庁内認証基盤からもサインアウトする" in browser.get(out.headers["location"]).text
    there = browser.get("/sign-out/city-login").headers["location"]
    assert there.startswith(f"{provider}/oauth2/end_session?")


def test_a_role_that_is_taken_out_of_the_file_lets_nobody_in(
    town: Town, browser: httpx.Client
) -> None:
    file = town.folder / "sign-on" / "city-login.yaml"
    before = file.read_text("utf-8")
    try:
        file.write_text(before.replace("情報政策課", "別の課"), encoding="utf-8")
        time.sleep(1.1)  # the workspace is read again after a second
        assert "identity.role_missing" in browser.get(_recognised(browser, "u-1")).text
    finally:
        file.write_text(before, encoding="utf-8")


def test_what_only_saml_has_is_not_there_for_this_provider(browser: httpx.Client) -> None:
    assert browser.get("/sign-in/city-login/metadata").status_code == 404
    parted = browser.get("/sign-out/city-login/back", params={"SAMLRequest": "x"})
    assert "identity.sign_on_stale" in parted.text
