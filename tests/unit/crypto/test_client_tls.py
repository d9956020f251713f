"""Files of a client certificate: which are taken, when newer ones count, and which are refused."""

import os
import ssl
from pathlib import Path

import pytest

from kumobashi.crypto.client_tls import ClientTls, Shown
from kumobashi.crypto.errors import CertificateUnfit, KeyTooOpen, KeyUnreadable
from tests.peers.authority import Authority

URL = "https://gateway.cloud.example"


class Hand:
    """A clock that is moved by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


def towards(tls: ClientTls, site: str = "cloud") -> Shown:
    found = tls.towards(site, URL)
    assert found is not None
    return found


def test_plain_http_shows_nothing(tmp_path: Path) -> None:
    assert ClientTls(tmp_path).towards("cloud", "http://127.0.0.1:8740") is None


def test_without_files_the_machines_own_authorities_are_believed(tmp_path: Path) -> None:
    found = towards(ClientTls(tmp_path))

    assert not found.has_certificate
    assert found.context.verify_mode is ssl.CERT_REQUIRED
    assert found.context.check_hostname


def test_own_authorities_are_believed_and_no_others(tmp_path: Path, authority: Authority) -> None:
    (tmp_path / "authorities.crt").write_bytes(authority.pem)

    (held,) = towards(ClientTls(tmp_path)).context.get_ca_certs()

    assert "試験用認証局" in str(held["subject"])


def test_a_site_may_have_files_of_its_own(tmp_path: Path, authority: Authority) -> None:
    authority.certify("for all", days=20).at(tmp_path)
    authority.certify("for one", days=10).at(tmp_path / "cloud")
    tls = ClientTls(tmp_path)

    one, all_ = towards(tls, "cloud").expires, towards(tls, "relay").expires

    assert one is not None
    assert all_ is not None
    assert (all_ - one).days in {9, 10}


def test_newer_files_count_within_a_second_and_a_half_pair_does_not(
    tmp_path: Path, authority: Authority
) -> None:
    clock = Hand()
    authority.certify("first", days=10).at(tmp_path)
    tls = ClientTls(tmp_path, clock)
    first = towards(tls)
    newer = authority.certify("second", days=20)

    (tmp_path / "client.crt").write_bytes(newer.certificate)
    assert towards(tls) is first  # not looked at yet
    clock.now += 1.0
    assert towards(tls) is first  # the key is still of the other
    newer.at(tmp_path)
    clock.now += 1.0
    second = towards(tls)

    assert second is not first
    assert second.expires is not None
    assert first.expires is not None
    assert second.expires > first.expires
    clock.now += 1.0
    assert towards(tls) is second  # nothing changed: connections stay


@pytest.mark.parametrize("spoilt", ["not PEM", "another's key", "no certificate", "no PEM there"])
def test_what_cannot_be_used_is_refused_at_the_start(
    tmp_path: Path, authority: Authority, spoilt: str
) -> None:
    authority.certify("one").at(tmp_path)
    if spoilt == "not PEM":
        (tmp_path / "client.crt").write_text("架空", encoding="utf-8")
    elif spoilt == "another's key":
        (tmp_path / "client.key").write_bytes(authority.certify("two").key)
    elif spoilt == "no certificate":
        (tmp_path / "client.crt").unlink()
    else:
        (tmp_path / "authorities.crt").write_text("架空", encoding="utf-8")

    with pytest.raises(CertificateUnfit):
        ClientTls(tmp_path).towards("cloud", URL)


def test_a_key_must_be_there_and_private(tmp_path: Path, authority: Authority) -> None:
    authority.certify("one").at(tmp_path)
    if os.name == "posix":
        (tmp_path / "client.key").chmod(0o644)
        with pytest.raises(KeyTooOpen):
            ClientTls(tmp_path).towards("cloud", URL)
    (tmp_path / "client.key").unlink()
    with pytest.raises(KeyUnreadable):
        ClientTls(tmp_path).towards("cloud", URL)
