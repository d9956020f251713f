"""A link over the entrances that others build: nginx and haproxy, which ask for a certificate.

The exchange server stands behind the one, the public cloud behind the other, so that a bulk link
passes both, and the hall as well as a relay shows what it is.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kumobashi.crypto.client_tls import ClientTls
from kumobashi.exchange.entrances import NotLetIn, look
from kumobashi.testing.city import build
from kumobashi.testing.commands import command
from kumobashi.testing.gateways import until
from kumobashi.testing.town import SITES, Json, Town, free_ports
from tests.peers.authority import Authority
from tests.peers.entrances import KINDS, entrance

pytestmark = [pytest.mark.interop, pytest.mark.slow]
LINK = "vaccination-reminders"
FIRST, LAST = "hall-exchange", "public-cloud"  # those behind an entrance
WAY = {"hall-core": FIRST, "asp-relay": LAST}  # who comes to which of them


@dataclass
class Place:
    """The town, and the authority that its entrances believe."""

    town: Town
    authority: Authority
    kinds: dict[str, str] = field(default_factory=dict)  # of the entrance before a site

    def folder(self, site: str) -> Path:
        return self.town.folder / f"private/{site}/tls"

    def tested(self) -> tuple[int, Json]:
        said = command("link", "test", LINK, "--by", "試験", "--json", folder=self.town.folder)
        return said.exit_code, json.loads(said.output)


@pytest.fixture(scope="module", params=KINDS)
def place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    """Let the first entrance be nginx and the last haproxy, and the other way round."""
    authority, folder = Authority(), tmp_path_factory.mktemp("mtls")
    ports = dict(zip((FIRST, LAST), free_ports(2), strict=True))
    kinds = dict(zip((FIRST, LAST), sorted(KINDS, key=request.param.__ne__), strict=True))

    def change(workspace: Path) -> None:
        for site, port in ports.items():
            file = workspace / f"sites/{site}.yaml"
            lines = [
                f"url: https://127.0.0.1:{port}" if line.startswith("url:") else line
                for line in file.read_text("utf-8").splitlines()
            ]
            file.write_text("\n".join(lines) + "\n", encoding="utf-8")

    with ExitStack() as stack:
        city = stack.enter_context(build(60))
        town = stack.enter_context(Town.found(folder / "city", city, change=change))
        made = Place(town, authority, kinds)
        for site, port in ports.items():
            town.behind[site] = town.ports[site]
            place = folder / f"entrance-{site}"
            stack.enter_context(
                entrance(kinds[site], place, authority, port, behind=town.ports[site])
            )
        for site in WAY:
            authority.certify(site).at(made.folder(site))
            (made.folder(site) / "authorities.crt").write_bytes(authority.pem)
        for process in [town.start(site, wait=False) for site in SITES]:
            process.wait_ready()
        yield made


def test_a_link_passes_both_entrances_and_its_test_is_signed(place: Place) -> None:
    code, said = place.tested()

    assert (code, said["passed"]) == (0, True), json.dumps(
        said["record"]["steps"], ensure_ascii=False
    )
    tls = next(step for step in said["record"]["steps"] if step["stage"] == "tls")
    assert tls["outcome"] == "warned", tls  # both certificates end within thirty days
    assert "TLSv1.3" in tls["ja"]
    assert "こちらのクライアント証明書の残り 29 日" in tls["ja"]
    run = place.town.run(LINK)
    assert run["state"] == "applied", run["cause"]


@pytest.fixture
def without(place: Place) -> Iterator[Place]:
    """Put everything back as it was, and wait until it works again."""
    kept = {file: file.read_bytes() for site in WAY for file in place.folder(site).iterdir()}
    yield place
    for file, content in kept.items():
        file.write_bytes(content)
        if file.suffix == ".key":
            file.chmod(0o600)
    until("the link works again", lambda: place.tested()[0] == 0 or None, 20, every=0.5)


def refused(place: Place, stage: str = "tls") -> dict[str, str]:
    """Test the link until it stops at a stage, for files count within a second; return the step."""

    def look_again() -> Json | None:
        failed = [step for step in place.tested()[1]["record"]["steps"] if step.get("code")]
        failed = [step for step in failed if step["stage"] == stage]
        return failed[0] if failed else None

    found: dict[str, str] = until("a refusal", look_again, 20, every=0.5)
    return found


@pytest.mark.parametrize("site", list(WAY))
def test_either_refusal_is_one_fault_in_the_same_words(without: Place, site: str) -> None:
    for file in ("client.crt", "client.key"):
        (without.folder(site) / file).unlink()

    step = refused(without, "tls" if site == "hall-core" else "way")

    name = {"hall-core": "庁内 授受サーバー", "asp-relay": "公共クラウド"}[site]
    assert step["ja"] == (
        f"{name} の入口が、こちらのクライアント証明書を受け付けません（証明書を出していません）。"
        "照会は届いていません。"
    )
    assert step["code"] == "call.certificate_refused"
    assert (step["side"], step["site"]) == (
        ("asking_gateway", FIRST) if site == "hall-core" else ("relay", LAST)
    )
    assert "private/<サイト>/tls/" in step["remedy_ja"]


@pytest.mark.parametrize("made", ["of another authority", "expired"])
def test_a_certificate_that_is_not_taken_is_that_fault_too(without: Place, made: str) -> None:
    bad = Authority("別の認証局") if made == "of another authority" else without.authority
    bad.certify("hall-core", days=-1 if made == "expired" else 30).at(without.folder("hall-core"))

    step = refused(without)

    assert step["code"] == "call.certificate_refused"
    assert "（出した証明書が断られました）" in step["ja"]


def test_a_bulk_link_waits_with_the_same_words_and_goes_on_by_itself(without: Place) -> None:
    town = without.town
    for file in ("client.crt", "client.key"):
        (without.folder("hall-core") / file).unlink()
    refused(without)

    transfer = town.submit(LINK, again=True)["transfer"]
    waiting = town.wait(transfer, lambda seen: seen["cause"] is not None)
    cause = waiting["cause"]
    assert cause["code"] == "exchange.certificate_refused", cause
    assert "入口が、こちらのクライアント証明書を受け付けません（証明書を出していません）" in str(
        cause
    )

    without.authority.certify("hall-core").at(without.folder("hall-core"))
    assert town.wait(transfer)["state"] == "applied"


def test_a_pair_that_does_not_fit_changes_nothing(without: Place) -> None:
    folder = without.folder("hall-core")
    (folder / "client.key").write_bytes(without.authority.certify("other").key)
    until("the new key is seen", lambda: _logged(without.town) or None, 10, every=0.2)

    assert without.tested()[0] == 0


def _logged(town: Town) -> bool:
    town.call("/api/v1/overview")
    command("link", "test", LINK, "--by", "試験", folder=town.folder)
    return "crypto.certificate_unfit" in town.running["hall-core"].tail(2000)


@pytest.mark.parametrize("newest", ["1.2", "1.3"])
@pytest.mark.parametrize("kind", KINDS)
def test_both_refuse_alike_whatever_the_version_of_tls(
    tmp_path: Path, kind: str, newest: str, place: Place
) -> None:
    authority, (port,) = place.authority, free_ports(1)
    (tmp_path / "tls").mkdir()
    (tmp_path / "tls/authorities.crt").write_bytes(authority.pem)
    url, behind = f"https://127.0.0.1:{port}", place.town.ports[LAST]

    with entrance(kind, tmp_path / "e", authority, port, behind=behind, tls=newest):
        with pytest.raises(NotLetIn) as none:
            look(url, ClientTls(tmp_path / "tls").towards("x", url))
        Authority("別の認証局").certify("x").at(tmp_path / "tls")
        with pytest.raises(NotLetIn) as foreign:
            look(url, ClientTls(tmp_path / "tls").towards("x", url))
        authority.certify("x").at(tmp_path / "tls")
        found = look(url, ClientTls(tmp_path / "tls").towards("x", url))

    assert (none.value.shown, foreign.value.shown) == (False, True)
    assert found.tls == f"TLSv{newest}"
