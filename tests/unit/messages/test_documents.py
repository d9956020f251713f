"""Manifest, announcement and receipt alike: what is written reads back; what is wrong is named."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.crypto.canonical import canonical
from kumobashi.crypto.errors import SignatureInvalid, UnknownKey
from kumobashi.crypto.keys import SigningKey
from kumobashi.messages.announcement import Announcement
from kumobashi.messages.errors import FieldWrong, FormatUnknown, MessageExpired
from kumobashi.messages.manifest import (
    Compression,
    Manifest,
    MediaType,
    Mode,
    sign_manifest,
    verify_manifest,
)
from kumobashi.messages.parts import Part
from kumobashi.messages.receipts import (
    Receipt,
    Stage,
    next_receipt,
    sign_receipt,
    verify_receipt,
)
from tests.unit.messages import examples

KEY = SigningKey.generate()
KEYS = {KEY.kid: KEY.public}
RECEIPT = next_receipt(
    None,
    manifest=examples.manifest(),
    stage=Stage.REFUSED,
    receipt=examples.OTHER,
    at=examples.NOW,
    rows=3,
    code="message.expired",
    note_ja="有効期限を過ぎています。",
)
DOCUMENTS: list[Manifest | Announcement | Receipt] = [
    examples.manifest(),
    examples.manifest(
        mode=Mode.DIFFERENCE,
        base_transfer=examples.OTHER,
        deleted_rows=2,
        media_type=MediaType.CSV,
        charset="cp932",
        compression=Compression.ZSTD,
    ),
    examples.announcement(),
    RECEIPT,
]

kinds = pytest.mark.parametrize("document", DOCUMENTS)


def _members(document: Manifest | Announcement | Receipt) -> dict[str, Any]:
    members: dict[str, Any] = json.loads(document.encode())
    return members


@kinds
def test_a_document_reads_back_and_its_bytes_stay_the_same(
    document: Manifest | Announcement | Receipt,
) -> None:
    read = type(document).decode(document.encode())

    assert read == document
    assert read.encode() == document.encode()
    assert read.digest() == document.digest()


@kinds
def test_fields_of_later_versions_are_kept_and_written_again(
    document: Manifest | Announcement | Receipt,
) -> None:
    members = {**_members(document), "後の版": {"a": [1, None]}, "zz": "x"}
    if members.get("parts"):
        members["parts"][0]["later"] = True

    read = type(document).decode(canonical(members))

    assert read.extra == {"後の版": {"a": [1, None]}, "zz": "x"}
    assert read.encode() == canonical(members)


@kinds
@pytest.mark.parametrize("number", [0, 2, 99])
def test_another_major_version_is_refused(
    document: Manifest | Announcement | Receipt, number: int
) -> None:
    with pytest.raises(FormatUnknown) as refusal:
        type(document).decode(canonical({**_members(document), "format": number}))

    assert refusal.value.code == "message.format_unknown"


def _fields() -> Iterator[Any]:
    for document in DOCUMENTS:
        for name in _members(document):
            yield pytest.param(document, name, id=f"{type(document).__name__}.{name}")


SECRET = "架空 花子 0901234"


@pytest.mark.parametrize(("document", "name"), list(_fields()))
@pytest.mark.parametrize("value", [SECRET, 1.5, -1, True, [SECRET], {"氏名": SECRET}, ..., "\n"])
def test_a_wrong_field_is_named_and_its_value_is_not(
    document: Manifest | Announcement | Receipt, name: str, value: object
) -> None:
    members = _members(document)
    if value is ...:
        del members[name]
    else:
        members[name] = value
    if name == "note_ja" and value in (SECRET, "\n"):
        return

    with pytest.raises(FieldWrong) as refusal:
        type(document).decode(canonical(members))

    assert refusal.value.field.startswith(name)
    assert SECRET not in f"{refusal.value} {refusal.value.say()} {refusal.value.problem()}"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tenant", "999998"),
        ("transfer", "../../etc/passwd"),
        ("transfer", examples.TRANSFER.upper()),
        ("link", "../x"),
        ("link", "a" * 64),
        ("from_site", "Hall"),
        ("business_date", "2026-02-30"),
        ("business_date", "20261122"),
        ("created", "2026-11-21T16:20:00Z"),
        ("created", "2026-11-22T01:20:00.000000+09:00"),
        ("created", "2026-11-21T16:20:00.000000"),
        ("payload_digest", "sha256:" + "A" * 64),
        ("payload_digest", "md5:" + "a" * 32),
        ("attempt", 0),
        ("rows", 3.5),
        ("parts", []),
        ("parts", [{"number": 2, "digest": "sha256:" + "1" * 64, "bytes": 7}]),
        ("parts", [{"number": 1, "digest": "sha256:" + "1" * 64, "bytes": 6}]),
        ("parts", [{"number": 1, "digest": "sha256:" + "1" * 64, "bytes": 0}]),
        ("parts", [1]),
        ("base_transfer", examples.OTHER),
        ("deleted_rows", 1),
        ("charset", "utf-8"),
        ("expires", "2026-11-21T16:20:00.123456Z"),
    ],
)
def test_a_manifest_that_contradicts_itself_or_the_rules_is_refused(
    field: str, value: object
) -> None:
    members = {**_members(examples.manifest()), field: value}

    with pytest.raises(FieldWrong) as refusal:
        Manifest.decode(canonical(members))

    assert refusal.value.field.startswith(field)


def test_csv_without_a_charset_is_refused() -> None:
    with pytest.raises(FieldWrong, match="charset"):
        Manifest.decode(examples.manifest(media_type=MediaType.CSV).encode())


@pytest.mark.parametrize("data", [b"", b"[]", b"null", b'{"format":1,"format":1}', b"\xff", b"{ }"])
def test_bytes_that_are_no_canonical_object_are_refused(data: bytes) -> None:
    for kind in (Manifest, Announcement, Receipt):
        with pytest.raises(FieldWrong):
            kind.decode(data)


def test_a_code_stands_in_refusals_and_only_there() -> None:
    for changes in ({"code": None}, {"stage": "applied"}):
        with pytest.raises(FieldWrong, match="code"):
            Receipt.decode(canonical({**_members(RECEIPT), **changes}))


def test_an_announcement_counts_the_bytes_of_its_parts() -> None:
    with pytest.raises(FieldWrong, match="sealed_bytes"):
        Announcement.decode(examples.announcement(sealed_bytes=8).encode())


@given(
    rows=st.integers(0, 2**53 - 1),
    attempt=st.integers(1, 10_000),
    day=st.dates(),
    later=st.timedeltas(timedelta(microseconds=1), timedelta(days=4000)),
    sizes=st.lists(st.integers(1, 2**40), min_size=1, max_size=20),
)
def test_every_manifest_reads_back(
    rows: int, attempt: int, day: date, later: timedelta, sizes: list[int]
) -> None:
    parts = tuple(
        Part(number=number, digest=f"sha256:{number:064x}", bytes=size)
        for number, size in enumerate(sizes, 1)
    )
    written = examples.manifest(
        rows=rows,
        attempt=attempt,
        business_date=day,
        expires=examples.NOW + later,
        parts=parts,
        sealed_bytes=sum(sizes),
    )

    assert Manifest.decode(written.encode()) == written


def test_signed_documents_verify_and_keep_apart() -> None:
    manifest, receipt = sign_manifest(examples.manifest(), KEY), sign_receipt(RECEIPT, KEY)

    assert verify_manifest(manifest, KEYS) == examples.manifest()
    assert verify_receipt(receipt, KEYS) == RECEIPT
    with pytest.raises(SignatureInvalid):
        verify_manifest(receipt, KEYS)
    with pytest.raises(SignatureInvalid):
        verify_receipt(manifest, KEYS)
    with pytest.raises(UnknownKey):
        verify_manifest(manifest, {})


def test_an_old_bundle_expires_at_its_time() -> None:
    manifest = examples.manifest()
    manifest.refuse_expired(manifest.expires - timedelta(microseconds=1))

    with pytest.raises(MessageExpired) as refusal:
        manifest.refuse_expired(manifest.expires)

    assert refusal.value.code == "message.expired"
