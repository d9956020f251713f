"""The key of a transfer: wrapped for one site, opened by it alone, only as what was promised."""

import io

import pyrage
import pytest

from kumobashi.crypto.errors import KeyUnlike, NotForUs, SealFailed
from kumobashi.crypto.keys import SealKey
from kumobashi.crypto.sealing import seal
from kumobashi.crypto.transfer_keys import LARGEST_WRAPPED, key_hash, unwrap, wrap


def test_a_wrapped_key_opens_what_was_sealed_to_it() -> None:
    site, key = SealKey.generate(), SealKey.generate()
    sealed = pyrage.encrypt("住民票".encode(), [pyrage.x25519.Recipient.from_str(key.recipient)])

    opened = unwrap(wrap(key, site.recipient), site, expected=key_hash(key.recipient))

    assert pyrage.decrypt(sealed, [opened.identity]).decode() == "住民票"


def test_a_wrapped_key_is_small() -> None:
    assert len(wrap(SealKey.generate(), SealKey.generate().recipient)) < LARGEST_WRAPPED / 4


def test_another_site_cannot_unwrap_it() -> None:
    document = wrap(SealKey.generate(), SealKey.generate().recipient)

    with pytest.raises(NotForUs):
        unwrap(document, SealKey.generate())


def test_another_key_than_the_manifest_names_is_refused() -> None:
    site = SealKey.generate()
    document = wrap(SealKey.generate(), site.recipient)

    with pytest.raises(KeyUnlike):
        unwrap(document, site, expected=key_hash(SealKey.generate().recipient))


def test_something_else_sealed_to_the_site_is_no_key() -> None:
    site, target = SealKey.generate(), io.BytesIO()
    seal(io.BytesIO("山田 太郎\n".encode()), target, [site.recipient])

    with pytest.raises(KeyUnlike):
        unwrap(target.getvalue(), site)


def test_every_single_flipped_byte_is_noticed() -> None:
    site, key = SealKey.generate(), SealKey.generate()
    document = wrap(key, site.recipient)
    for at in range(len(document)):
        damaged = document[:at] + bytes([document[at] ^ 1]) + document[at + 1 :]

        with pytest.raises(SealFailed):
            unwrap(damaged, site, expected=key_hash(key.recipient))


def test_the_hash_is_that_of_the_public_text() -> None:
    # printf %s age1… | sha256sum
    recipient = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"

    assert key_hash(recipient) == (
        "sha256:6a804773982840fa7eae3847079a53b0b140d678130dc68f1c7f72b5e5080d4f"
    )
