"""A file of ``sign-on`` says how one provider is asked, and what people approved of it."""

from typing import Any

import pytest
from pydantic import ValidationError

from kumobashi.directory.sign_on_models import ProviderFile

OPENID = {"issuer": "https://login.city.example.jp", "client_id": "kumobashi"}
SAML = {
    "entity": "https://login.city.example.jp/saml",
    "metadata": "sign-on/city-saml.xml",
    "certificates": ["5f" * 32],
}


def file(**more: Any) -> ProviderFile:
    said: dict[str, Any] = {
        "kumobashi": 1,
        "provider": "city-saml",
        "name": "庁内認証基盤",
        "site": "hall-core",
        "console": "https://kumobashi.city.example.jp",
        "rules": [{"role": "operator", "when": {"ou": ["情報政策課"]}}],
    }
    return ProviderFile.model_validate(said | more)


def test_a_fingerprint_may_be_written_as_other_programs_print_it() -> None:
    printed = ":".join(["5F"] * 32)
    read = file(saml=SAML | {"certificates": [printed]}).saml
    assert read is not None
    assert read.certificates == ("5f" * 32,)


@pytest.mark.parametrize("said", [{}, {"openid": OPENID, "saml": SAML}])
def test_a_provider_speaks_one_language(said: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="openid"):
        file(**said)


@pytest.mark.parametrize(
    "wrong",
    [
        {"metadata": "../elsewhere.xml"},
        {"metadata": "sign-on/../private/x.xml"},
        {"metadata": "https://login.city.example.jp/metadata.xml"},
        {"certificates": []},
        {"certificates": ["5f" * 20]},
        {"certificates": ["5f" * 32] * 5},
        {"entity": ""},
        {"subject": ""},
    ],
)
def test_what_was_not_meant_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        file(saml=SAML | wrong)
