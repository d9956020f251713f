"""What we seal, others open, and the other way round: pyrage (Rust) and the program age (Go)."""

import io
import shutil
import subprocess
from pathlib import Path

import pyrage
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.crypto import age, bech32
from kumobashi.crypto.errors import KeyUnfit, NotForUs, SealedDamaged
from kumobashi.crypto.keys import SealKey, recipient_of
from kumobashi.crypto.sealing import open_sealed, seal

KEY = SealKey.generate()
SIZES = [0, 1, age.CHUNK - 1, age.CHUNK, age.CHUNK + 1, 3 * age.CHUNK, (1 << 20) + 7]
AGE = shutil.which("age")


def _sealed(data: bytes, *recipients: str) -> bytes:
    target = io.BytesIO()
    seal(io.BytesIO(data), target, recipients or [KEY.recipient])
    return target.getvalue()


def _opened(sealed: bytes) -> bytes:
    target = io.BytesIO()
    open_sealed(io.BytesIO(sealed), target, KEY, expected_bytes=len(sealed))
    return target.getvalue()


def _by_pyrage(data: bytes, *keys: SealKey) -> bytes:
    recipients = [pyrage.x25519.Recipient.from_str(key.recipient) for key in keys]
    return bytes(pyrage.encrypt(data, recipients))


@pytest.mark.parametrize("size", SIZES)
def test_pyrage_opens_what_we_seal_and_we_open_what_pyrage_seals(size: int) -> None:
    data = bytes(range(251)) * (size // 251 + 1)
    data = data[:size]

    assert pyrage.decrypt(_sealed(data), [KEY.identity]) == data
    assert _opened(_by_pyrage(data, KEY)) == data


def test_one_of_several_recipients_is_enough_in_any_place() -> None:
    others = [SealKey.generate() for _ in range(3)]
    for place in range(4):
        keys = [*others[:place], KEY, *others[place:]]
        assert _opened(_by_pyrage(b"x", *keys)) == b"x"
        sealed = _sealed(b"y", *(key.recipient for key in keys))
        assert all(pyrage.decrypt(sealed, [key.identity]) == b"y" for key in keys)


@pytest.mark.skipif(AGE is None, reason="the program age is not here")
@pytest.mark.parametrize("size", SIZES)
def test_the_program_age_opens_it_and_the_other_way_round(size: int, tmp_path: Path) -> None:
    assert AGE is not None
    KEY.save(tmp_path / "seal.key")
    data = b"\x5a" * size
    (tmp_path / "ours.age").write_bytes(_sealed(data))

    command = [AGE, "--decrypt", "-i", str(tmp_path / "seal.key"), str(tmp_path / "ours.age")]
    assert subprocess.run(command, capture_output=True, check=True).stdout == data
    done = subprocess.run([AGE, "-r", KEY.recipient], input=data, capture_output=True, check=True)
    assert _opened(done.stdout) == data


def test_stanzas_of_other_kinds_are_passed_over() -> None:
    """A header that names others too, as age itself writes one for good measure (grease)."""
    header, _ = age.write_header([recipient_of(KEY.recipient)])
    other = b"-> x-grease 7 abc\n" + b"QUJD" * 16 + b"\n\n"
    body = header[len(age.MAGIC) : header.index(b"---")]

    found = list(age._stanzas(other + body))

    assert [kind for kind, _, _ in found] == [b"x-grease", b"X25519"]
    assert found[0][1] == [b"7", b"abc"]


@pytest.mark.parametrize(
    "line",
    [
        b"-> X25519\n" + b"A" * 43 + b"\n",  # no share
        b"-> X25519 " + b"A" * 42 + b"\n" + b"A" * 43 + b"\n",  # a short share
        b"-> X25519 " + b"A" * 43 + b"\n" + b"A" * 42 + b"\n",  # a short key
        b"-> X25519 " + b"A" * 43 + b"=\n" + b"A" * 43 + b"\n",  # padding
        b"-> X25519 " + b"A" * 43 + b"\n" + b"A" * 43 + b"\n",  # a point of low order
        b"->X25519 a\n\n",
        b"-> \n\n",
        b"-> X25519 " + b"A" * 43 + b"\n" + b"A" * 65 + b"\n",
        b"\n",
    ],
)
def test_a_stanza_of_another_form_is_damage(line: bytes) -> None:
    sealed = _sealed(b"x")
    start = len(age.MAGIC)

    with pytest.raises(SealedDamaged):
        _opened(sealed[:start] + line + sealed[start:])


def test_a_stanza_that_was_added_or_taken_away_does_not_pass() -> None:
    stranger = SealKey.generate()
    both = _sealed(b"x", KEY.recipient, stranger.recipient)
    first, second = both.index(b"-> "), both.index(b"-> ", both.index(b"-> ") + 1)
    mac = both.index(b"---")

    with pytest.raises(SealedDamaged):
        _opened(both[:second] + both[mac:])
    with pytest.raises(NotForUs):
        _opened(both[:first] + both[second:])


def test_a_header_without_an_end_is_given_up_early() -> None:
    endless = age.MAGIC + b"-> a\n\n" * (age.LARGEST_HEADER // 6 + 2)

    with pytest.raises(age.Unfit):
        age.find_header(endless)


def test_chunks_that_change_places_do_not_pass() -> None:
    sealed = _sealed(bytes(3 * age.CHUNK))
    start = age.find_header(sealed)
    assert start is not None
    size = age.SEALED_CHUNK
    one, two, three = (sealed[start + n * size : start + (n + 1) * size] for n in range(3))

    for swapped in (two + one + three, one + three + two, one + one + three, one + three):
        source = io.BytesIO(sealed[:start] + swapped)
        with pytest.raises(SealedDamaged):
            open_sealed(source, io.BytesIO(), KEY)


def test_keys_are_read_as_pyrage_writes_them() -> None:
    for key in (SealKey.generate() for _ in range(20)):
        public = X25519PrivateKey.from_private_bytes(key.secret).public_key()
        assert public.public_bytes_raw() == recipient_of(key.recipient)
        assert bech32.decode("age", key.recipient.upper()) == recipient_of(key.recipient)


@given(st.integers(min_value=4, max_value=61), st.sampled_from("qpzry9x8gf2tvdw0s3jn54khce6mua7l"))
def test_a_character_that_was_mistyped_is_found(at: int, other: str) -> None:
    text = KEY.recipient
    if text[at] != other:
        with pytest.raises(KeyUnfit):
            recipient_of(text[:at] + other + text[at + 1 :])


def test_other_texts_are_no_recipients() -> None:
    data = KEY.recipient[4:]

    for text in ("", "age1", "age", f"AGE1{data}", f"bge1{data}", KEY.recipient[:-1]):
        with pytest.raises(KeyUnfit):
            recipient_of(text)
