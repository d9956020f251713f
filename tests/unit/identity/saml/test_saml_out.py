"""Signing out at a SAML provider and by its word: signed, for here, now, once."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from kumobashi.crypto.errors import KeyTooOpen, KeyUnreadable
from kumobashi.crypto.private_files import write_private
from kumobashi.identity import Accounts, Role, Sessions
from kumobashi.identity.admitting import Admitting
from kumobashi.identity.errors import IdentityFailed, ProviderUnfit, SignOnStale
from kumobashi.identity.rules import Rule
from kumobashi.identity.saml.keys import ECDSA_SHA256, OwnKey, OwnKeys, fingerprint
from kumobashi.identity.saml.names import Names
from kumobashi.identity.saml.redirecting import REQUEST, read_redirect, signed_address
from kumobashi.identity.saml.service import Service
from kumobashi.identity.saml.signing_on import SamlSigningOn
from kumobashi.identity.ways import Ways
from kumobashi.testing.clocks import HandClock
from kumobashi.testing.saml_provider import ENTITY, SimulatedSaml, key_of, message_in, pem_of

BASE = "https://console.city.example.jp"


@pytest.fixture
def clock() -> HandClock:
    return HandClock(datetime(2026, 11, 24, 0, 0, tzinfo=UTC))


@pytest.fixture
def book(tmp_path: Path, clock: HandClock) -> Iterator[Accounts]:
    held = Accounts(tmp_path / "private", tenant="999997", site="hall-core", clock=clock)
    yield held
    held.close()


@pytest.fixture
def there(clock: HandClock) -> SimulatedSaml:
    return SimulatedSaml(clock)


@pytest.fixture
def on(there: SimulatedSaml, book: Accounts) -> SamlSigningOn:
    keys = book.path.parent / "saml"
    write_private(keys / "sp.pem", pem_of(key_of("console")))
    made = SamlSigningOn(
        Service(
            provider="hall",
            entity=f"{BASE}/sign-in/hall/metadata",
            back=f"{BASE}/sign-in/hall/back",
            parted=f"{BASE}/sign-out/hall/back",
            issuer=ENTITY,
            certificates=frozenset(there.fingerprints),
        ),
        Ways(book),
        Names(book),
        described=there.metadata,
        keys=keys,
        clock=book.clock,
    )
    there.knows = made.metadata()
    return made


def entered(on: SamlSigningOn, there: SimulatedSaml, book: Accounts) -> str:
    """Sign on, and return the cookie of the session."""
    departure = on.begin()
    recognised = on.finish(there.recognise(departure.address), departure.browser)
    rules = [Rule(role=Role.OPERATOR, when={"groups": ("情報政策課",)})]
    doorkeeper = Admitting(book, rules=lambda: rules, factors=frozenset)
    value = doorkeeper.admit(recognised.known)
    on.keep(value, recognised)
    return value


def query(address: str) -> str:
    return urlsplit(address).query


def is_in(book: Accounts, value: str) -> bool:
    return Sessions(book).find(value) is not None


# --- begun here -----------------------------------------------------


def test_whoever_leaves_here_is_signed_out_there_by_the_same_name(
    on: SamlSigningOn, there: SimulatedSaml, book: Accounts
) -> None:
    value = entered(on, there, book)
    Sessions(book).end(value)

    departure = on.farewell(value)

    assert departure is not None
    asked = message_in(departure.address)
    assert f'Format="{there.form}"' in asked
    assert "SessionIndex>_s1</" in asked
    back = there.sign_out_asked(departure.address)
    assert there.parted == ["u-17"]
    assert on.parted(query(back), departure.browser) is None


@pytest.mark.parametrize("left", ["", "x", "x" * 200])
def test_a_session_that_the_provider_did_not_begin_leads_nowhere(
    on: SamlSigningOn, there: SimulatedSaml, book: Accounts, left: str
) -> None:
    entered(on, there, book)
    assert on.farewell(left) is None


def test_an_answer_to_signing_out_counts_once_and_in_its_browser(
    on: SamlSigningOn, there: SimulatedSaml, book: Accounts
) -> None:
    departure = on.farewell(entered(on, there, book))
    assert departure is not None
    back = query(there.sign_out_asked(departure.address))
    with pytest.raises(SignOnStale):
        on.parted(back, "another browser")
    with pytest.raises(SignOnStale):
        on.parted(back, departure.browser)


# --- begun there ----------------------------------------------------


def test_whom_the_provider_signs_out_is_out_here_and_it_hears_so(
    on: SamlSigningOn, there: SimulatedSaml, book: Accounts
) -> None:
    value = entered(on, there, book)

    back = on.parted(query(there.sign_out()), "")

    assert not is_in(book, value)
    assert back is not None
    assert back.startswith(f"{there.base}/slo?")
    assert parse_qs(query(back))["RelayState"] == ["there"]
    assert "status:Success" in message_in(back)
    certificates = [key_of("console").certificate]
    assert not read_redirect(query(back), certificates=certificates, provider="hall").is_request


def test_one_of_two_sessions_is_ended_by_its_index(
    on: SamlSigningOn, there: SimulatedSaml, book: Accounts
) -> None:
    first, second = entered(on, there, book), entered(on, there, book)
    on.parted(query(there.sign_out("_s1")), "")
    assert (is_in(book, first), is_in(book, second)) == (False, True)


@pytest.mark.parametrize(
    "said",
    [
        {"name": "u-18"},
        {"form": "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"},
    ],
)
def test_another_name_ends_nobody(
    on: SamlSigningOn, there: SimulatedSaml, book: Accounts, said: dict[str, str]
) -> None:
    value = entered(on, there, book)
    on.parted(query(there.sign_out(**said)), "")
    assert is_in(book, value)


@pytest.mark.parametrize(
    ("said", "check"),
    [
        ({"issuer": "https://other.example/saml"}, "issuer"),
        ({"to": "https://other.example/out"}, "destination"),
        ({"at": "2026-11-23T23:48:00Z"}, "time"),
        ({"at": "2026-11-24T00:01:01Z"}, "time"),
        ({"at": "2026-11-24T00:00:00"}, "time"),
        ({"at": "now"}, "time"),
        ({"id": ""}, "name"),
    ],
)
def test_a_wish_of_another_or_another_time_ends_nobody(
    on: SamlSigningOn, there: SimulatedSaml, book: Accounts, said: dict[str, str], check: str
) -> None:
    value = entered(on, there, book)
    with pytest.raises(ProviderUnfit, match=check):
        on.parted(query(there.sign_out(**said)), "")
    assert is_in(book, value)


def test_a_wish_counts_once(on: SamlSigningOn, there: SimulatedSaml, book: Accounts) -> None:
    wish = query(there.sign_out())
    on.parted(wish, "")
    value = entered(on, there, book)
    with pytest.raises(ProviderUnfit, match="used"):
        on.parted(wish, "")
    assert is_in(book, value)


def _without(name: str, wish: str) -> str:
    return "&".join(piece for piece in wish.split("&") if not piece.startswith(f"{name}="))


@pytest.mark.parametrize(
    "edit",
    [
        lambda wish: _without("Signature", wish),
        lambda wish: _without("SigAlg", wish),
        lambda wish: _without("RelayState", wish),
        lambda wish: wish.replace("RelayState=there", "RelayState=elsewhere"),
        lambda wish: wish.replace("rsa-sha256", "rsa-sha1"),
        lambda wish: wish.replace("rsa-sha256", "hmac-sha256"),
        lambda wish: wish.replace("rsa-sha256", "ecdsa-sha256"),
        lambda wish: wish.replace("SAMLRequest=", "SAMLRequest=AAAA"),
        lambda wish: f"{wish}&{wish.split('&')[0]}",
        lambda wish: wish.replace("SAMLRequest=", "SAMLResponse="),
        lambda wish: f"{wish}&SAMLResponse=AAAA",
        lambda wish: wish.replace("Signature=", "Signature=%"),
        lambda _wish: "",
        lambda wish: wish + "&x=" + "x" * 8000,
    ],
)  # fmt: skip
def test_a_wish_that_was_tampered_with_ends_nobody(
    on: SamlSigningOn, there: SimulatedSaml, book: Accounts, edit: object
) -> None:
    value = entered(on, there, book)
    assert callable(edit)
    with pytest.raises(IdentityFailed):
        on.parted(edit(query(there.sign_out())), "")
    assert is_in(book, value)


@pytest.mark.parametrize("message", [b"x" * 70_000, b"<!DOCTYPE x><x/>", b"<x/>", b""])
def test_a_message_that_bursts_or_is_another_thing_is_refused_though_signed(
    on: SamlSigningOn, there: SimulatedSaml, message: bytes
) -> None:
    wish = signed_address(there.base, REQUEST, message, there.keys[0], relay=None)
    with pytest.raises(ProviderUnfit):
        on.parted(query(wish), "")


def test_another_key_ends_nobody(on: SamlSigningOn, there: SimulatedSaml, book: Accounts) -> None:
    value = entered(on, there, book)
    approved, there.keys = there.keys, [key_of("somebody")]
    wish = there.sign_out()
    there.keys = approved
    with pytest.raises(ProviderUnfit, match="signature"):
        on.parted(query(wish), "")
    assert is_in(book, value)


# --- our keys -------------------------------------------------------


def test_a_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path, clock: HandClock) -> None:
    folder = tmp_path / "saml"
    keys = OwnKeys(folder, name="console.city.example.jp")
    (first,) = keys.read(now=clock.now())
    (again,) = OwnKeys(folder, name="console.city.example.jp").read(now=clock.now())

    assert fingerprint(first.certificate) == fingerprint(again.certificate)
    assert [path.name for path in folder.iterdir()] == ["sp.pem"]
    (folder / "sp.pem").chmod(0o644)
    with pytest.raises(KeyTooOpen):
        keys.read(now=clock.now())


def test_a_key_that_was_exchanged_counts_at_once(tmp_path: Path, clock: HandClock) -> None:
    write_private(tmp_path / "saml/sp.pem", pem_of(key_of("console")))
    keys = OwnKeys(tmp_path / "saml", name="x")
    keys.read(now=clock.now())
    write_private(tmp_path / "saml/new", pem_of(key_of("next")))
    (tmp_path / "saml/new").replace(tmp_path / "saml/sp.pem")
    assert keys.read(now=clock.now())[0].certificate == key_of("next").certificate


def test_the_next_key_is_published_before_it_signs(
    on: SamlSigningOn, there: SimulatedSaml, book: Accounts
) -> None:
    write_private(book.path.parent / "saml" / "sp-next.pem", pem_of(key_of("next")))

    there.knows = on.metadata()

    assert there.knows.count(b"X509Certificate>") == 4
    there.recognise(on.begin().address)  # signed by one of the two


def test_a_file_with_another_certificate_is_refused(tmp_path: Path, clock: HandClock) -> None:
    mixed = OwnKey(key_of("console").key, key_of("next").certificate)
    write_private(tmp_path / "saml/sp.pem", pem_of(mixed))
    with pytest.raises(KeyUnreadable):
        OwnKeys(tmp_path / "saml", name="x").read(now=clock.now())


def test_an_elliptic_key_signs_as_xml_signatures_have_it() -> None:
    key = OwnKey(ec.generate_private_key(ec.SECP256R1()), key_of("console").certificate)
    assert key.algorithm == ECDSA_SHA256
    assert len(key.sign(b"message")) == 64
