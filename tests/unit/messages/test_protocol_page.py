"""The page of the protocol says what the code does."""

import base64
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kumobashi.crypto import errors as crypto_errors
from kumobashi.crypto import jws
from kumobashi.crypto.http_signatures import EMPTY_BODY, sign_request
from kumobashi.crypto.keys import SealKey, SigningKey, TokenKey
from kumobashi.crypto.transfer_keys import unwrap
from kumobashi.kernel import KumobashiError
from kumobashi.messages import errors as message_errors
from kumobashi.messages.announcement import AttemptState
from kumobashi.messages.freshness import Freshness
from kumobashi.messages.media_types import MANIFEST_TYP
from kumobashi.messages.receipts import ALLOWED_NEXT, Stage, next_receipt
from kumobashi.messages.retention import Retention
from tests.unit.messages import examples
from tools.protocol_vectors import vectors

PAGE = (Path(__file__).parents[3] / "docs" / "protocol.md").read_text(encoding="utf-8")


def test_the_values_to_check_against_are_right() -> None:
    private = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    key = SigningKey._of(private)
    request = sign_request(
        method="GET",
        target_uri="https://relay.example:8740/peer/v1/transfers/"
        "019aa8d1-5b7c-7000-8000-0123456789ab/1?after=0&wait=20",
        content_digest=EMPTY_BODY,
        site="hall-core",
        key=key,
        created=datetime(2026, 11, 22, 1, 20, tzinfo=UTC),
        nonce="n-1",
    )

    assert f"kid  {key.kid}\n" in PAGE
    assert jws.sign(b'{"format":1}', key, MANIFEST_TYP) in PAGE
    assert "\n".join(f"{name}: {value}" for name, value in request.items()) in PAGE
    assert TokenKey(bytes(32)).token("0000000001") in PAGE


def test_the_wrapped_key_of_the_page_opens_as_it_says() -> None:
    names = "site's seal.key|key of a transfer|manifest's key"
    said = dict(re.findall(rf"^({names}) +(\S+)$", PAGE, re.MULTILINE))
    (block,) = re.findall(r"^wrapped, base64((?:\s+[A-Za-z0-9+/=]+$)+)", PAGE, re.MULTILINE)
    document = base64.b64decode("".join(block.split()))
    site = SealKey.parse(said["site's seal.key"].encode())
    key = SealKey.parse(said["key of a transfer"].encode())

    opened = unwrap(document, site, expected=said["manifest's key"])
    assert opened.recipient == key.recipient
    assert re.findall(r"^its recipient +(age1\S+)$", PAGE, re.MULTILINE) == [
        site.recipient,
        key.recipient,
    ]


def test_the_values_of_evidence_and_bundles_are_right() -> None:
    for name, value in vectors().items():
        assert value in PAGE, name


def test_every_field_of_every_document_is_described() -> None:
    kept = Retention(name="service", days=30)
    day = timedelta(days=1)
    fresh = Freshness(core_at=examples.NOW, taken_at=examples.NOW, usable_until=examples.NOW + day)
    manifest = examples.manifest(key="sha256:" + "c" * 64, retention=kept, freshness=fresh)
    receipt = next_receipt(
        None,
        manifest=manifest,
        stage=Stage.DELIVERED,
        receipt=examples.OTHER,
        at=examples.NOW,
        checkpoint="a note",
    )
    documents: list[bytes] = [examples.announcement().encode(), manifest.encode(), receipt.encode()]
    sections = re.split(r"^### (?:Announcement|Manifest|Receipt)$", PAGE, flags=re.MULTILINE)[1:]

    for document, section in zip(documents, sections, strict=True):
        described = set(re.findall(r"`(\w+)`", re.split(r"^##", section, flags=re.MULTILINE)[0]))
        assert json.loads(document).keys() <= described


def test_the_order_of_stages_is_that_of_the_table() -> None:
    for stage in Stage:
        row = re.search(rf"^\| `{stage}` \S+ \| (.*?) \|", PAGE, flags=re.MULTILINE)
        assert row is not None
        described = {Stage(name) for name in re.findall(r"`(\w+)`", row[1])}
        if "the beginning" in row[1]:
            described |= {None}  # type: ignore[arg-type]
        assert described == {before for before, after in ALLOWED_NEXT.items() if stage in after}


def test_states_and_errors_are_described_as_they_are() -> None:
    for state in AttemptState:
        assert f"| `{state}` |" in PAGE
    kinds: dict[str, type[KumobashiError]] = {
        kind.code: kind
        for module in (crypto_errors, message_errors)
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, KumobashiError)
    }
    rows = re.findall(
        r"^\| ((?:`(?:crypto|message)\.\w+`(?:, )?)+) \| (\d+) \| (yes|no) \|", PAGE, re.MULTILINE
    )
    for codes, status, retryable in rows:
        for code in re.findall(r"`([\w.]+)`", codes):
            assert (kinds[code].status, kinds[code].retryable) == (int(status), retryable == "yes")

    assert len(rows) >= 15
