"""The pages about media and the courier's API say what the code does."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kumobashi.courier.blocks import FILE_BYTES, PLAIN_BYTES
from kumobashi.courier.codes import Spoken, code_of
from kumobashi.courier.index import Index, Kind, sign_index
from kumobashi.courier.writing import index_digest
from kumobashi.crypto.keys import SigningKey
from kumobashi.messages.receipts import Stage
from kumobashi.service.courier_api import courier_routes

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "reference" / "media.md").read_text(encoding="utf-8")
AT = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
INDEX = Index(
    medium="019aa8d1-5b7c-7000-8000-000000000001",
    permit="019aa8d1-5b7c-7000-8000-000000000002",
    kind=Kind.BUNDLE,
    number=1,
    tenant="999997",
    from_site="hall-core",
    to_site="public-cloud",
    transfer="019aa8d1-5b7c-7000-8000-0123456789ab",
    attempt=1,
    secret=bytes(32),
    content_bytes=2048,
    files=(bytes(32),),
    created=AT,
    expires=AT + timedelta(days=7),
)


def test_the_code_to_check_against_is_right() -> None:
    spoken = Spoken(
        tenant="999997",
        transfer="019aa8d1-5b7c-7000-8000-0123456789ab",
        attempt=1,
        manifest_digest="sha256:" + "0" * 64,
    )

    assert f"\n{code_of(bytes(32), spoken, Stage.APPLIED, 'sha256:' + 'ab' * 32)}\n" in PAGE


def test_the_index_to_check_against_is_right() -> None:
    key = SigningKey._of(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))

    assert f"\n{index_digest(sign_index(INDEX, key))}\n" in PAGE
    assert Index.decode(INDEX.encode()) == INDEX


def test_every_field_of_the_index_and_every_size_is_described() -> None:
    told = set(re.findall(r"`(\w+)`", PAGE))

    assert set(Index.__dataclass_fields__) - {"extra"} <= told
    assert f"{FILE_BYTES:,}" in PAGE
    assert f"{PLAIN_BYTES:,}" in PAGE


def test_the_page_of_http_lists_the_routes() -> None:
    routes = courier_routes(cast("Any", None), lambda handler: handler)
    served = {f"{method} {one.path}" for one in routes for method in (one.methods or ())}
    page = (DOCS / "reference" / "http.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| `(\w+ [^`]+)`", page.partition("<!-- courier api -->")[2], re.MULTILINE)

    assert {one for one in told if "/courier/" in one} == {
        one for one in served if not one.startswith("HEAD ")
    }
