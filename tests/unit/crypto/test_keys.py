import hashlib
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.crypto.errors import KeyExists, KeyTooOpen, KeyUnfit, KeyUnreadable
from kumobashi.crypto.keys import SealKey, SigningKey, TokenKey, VerifyKey, recipient_of
from tests.unit.crypto import wycheproof

Key = SigningKey | SealKey | TokenKey
KINDS: list[type[Key]] = [SigningKey, SealKey, TokenKey]
posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")


def _same(one: Key, other: Key) -> bool:
    if isinstance(one, SigningKey) and isinstance(other, SigningKey):
        return one.sign(b"x") == other.sign(b"x")
    if isinstance(one, SealKey) and isinstance(other, SealKey):
        return str(one.identity) == str(other.identity) and one.recipient == other.recipient
    return one == other


@posix
@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_key_is_private_and_loads_again(kind: type[Key], tmp_path: Path) -> None:
    path = tmp_path / "private" / "a.key"
    key = kind.generate()

    key.save(path)

    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert _same(kind.load(path), key)


@posix
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601, 0o644, 0o666])
def test_a_key_that_others_can_reach_is_refused(kind: type[Key], mode: int, tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    kind.generate().save(path)
    path.chmod(mode)

    with pytest.raises(KeyTooOpen) as refusal:
        kind.load(path)

    assert refusal.value.code == "crypto.key_too_open"
    assert refusal.value.mode == f"{mode:04o}"
    assert "chmod 600" in refusal.value.remedy()


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_is_never_written_over_another(kind: type[Key], tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    path.write_text("kept", encoding="ascii")

    with pytest.raises(KeyExists):
        kind.generate().save(path)

    assert path.read_text(encoding="ascii") == "kept"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("content", [b"", b"nonsense\n", b"\xff" * 40, b"a" * 20_000, None])
def test_a_file_without_such_a_key_is_named(
    kind: type[Key], content: bytes | None, tmp_path: Path
) -> None:
    path = tmp_path / "a.key"
    if content is not None:
        path.touch(0o600)
        path.write_bytes(content)

    with pytest.raises(KeyUnreadable) as refusal:
        kind.load(path)

    assert refusal.value.path == str(path)


def test_keys_of_one_kind_do_not_load_as_another(tmp_path: Path) -> None:
    for kind in KINDS:
        kind.generate().save(tmp_path / kind.__name__)

    for kind in KINDS:
        for other in KINDS:
            if other is not kind:
                with pytest.raises(KeyUnreadable):
                    kind.load(tmp_path / other.__name__)


def test_an_identity_file_with_two_identities_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "seal.key"
    path.touch(0o600)
    path.write_text(f"{SealKey.generate().identity}\n{SealKey.generate().identity}\n")

    with pytest.raises(KeyUnreadable):
        SealKey.load(path)


def test_printing_a_key_does_not_tell_its_secret() -> None:
    seal, token = SealKey.generate(), TokenKey(b"secret-secret-secret-secret-1234")

    assert str(seal.identity) not in repr(seal)
    assert "secret" not in repr(token)
    assert "private" not in repr(SigningKey.generate())


def test_the_kid_is_the_thumbprint_of_rfc_8037() -> None:
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}

    assert VerifyKey.from_jwk(jwk).kid == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def _jwk(**changes: object) -> dict[str, object]:
    return {**SigningKey.generate().public.jwk(), **changes}


@pytest.mark.parametrize(
    "jwk",
    [
        {},
        _jwk(kty="EC"),
        _jwk(crv="X25519"),
        _jwk(alg="none"),
        _jwk(alg="HS256"),
        _jwk(use="enc"),
        _jwk(key_ops=["encrypt"]),
        _jwk(d="AAAA"),
        _jwk(kid="another"),
        _jwk(x=None),
        _jwk(x="AAAA"),
        _jwk(x="11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo="),
        _jwk(x="11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURp"),
    ],
)
def test_a_jwk_that_is_not_exactly_fit_is_refused(jwk: dict[str, object]) -> None:
    with pytest.raises(KeyUnfit):
        VerifyKey.from_jwk(jwk)


@pytest.mark.parametrize("text", ["", "age1nonsense", "ssh-ed25519 AAAA"])
def test_a_recipient_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(KeyUnfit):
        recipient_of(text)


@given(st.binary(min_size=32, max_size=32), st.from_regex(r"[0-9]{10}", fullmatch=True))
def test_the_pads_and_the_reference_make_the_same_token(secret: bytes, resident_no: str) -> None:
    key = TokenKey(secret)
    inner, outer = key.hmac_pads()

    by_pads = hashlib.sha256(outer + hashlib.sha256(inner + resident_no.encode()).digest())

    assert len(inner) == len(outer) == 64
    assert key.token(resident_no) == by_pads.hexdigest()[:32]


def test_two_destinations_cannot_tie_their_tokens_together() -> None:
    tokens = {TokenKey(os.urandom(32)).token("0000000001") for _ in range(10)}

    assert len(tokens) == 10


def test_a_token_key_of_another_length_is_refused() -> None:
    with pytest.raises(KeyUnfit):
        TokenKey(b"short")


def test_every_ed25519_vector_of_wycheproof_is_judged_right() -> None:
    judged = 0
    for group in wycheproof.groups("ed25519_test.json"):
        key = VerifyKey.from_jwk(
            {name: group["publicKeyJwk"][name] for name in ("kty", "crv", "x")}
        )
        for vector in group["tests"]:
            holds = key.verifies(bytes.fromhex(vector["sig"]), bytes.fromhex(vector["msg"]))
            assert holds == (vector["result"] == "valid"), vector["tcId"]
            judged += 1

    assert judged == 151
