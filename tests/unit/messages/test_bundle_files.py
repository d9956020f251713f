"""Bundle files: checked elsewhere with one public key, and nothing but the true one passes."""

import hashlib
import io
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kumobashi.crypto.errors import SignatureInvalid, UnknownKey
from kumobashi.crypto.keys import SigningKey
from kumobashi.directory import document
from kumobashi.directory.entries import Directory, MunicipalityEntry
from kumobashi.directory.errors import DirectoryAltered
from kumobashi.directory.models import NetworkModel
from kumobashi.kernel import KumobashiError
from kumobashi.messages import bundle_files
from kumobashi.messages.bundle_files import verify_bundle, write_bundle
from kumobashi.messages.errors import (
    BundleUnreadable,
    FormatUnknown,
    MessageForeign,
    PartAltered,
    PartsMissing,
    ReceiptOutOfOrder,
)
from kumobashi.messages.manifest import Manifest, sign_manifest
from kumobashi.messages.parts import Part, split
from kumobashi.messages.receipts import Stage, next_receipt, sign_receipt
from kumobashi.storage.archive_errors import ArchiveName, ArchiveTooMany, ArchiveUnfit
from kumobashi.storage.archives import ArchiveWriter, Limits, body_of, members
from tests.unit.evidence.conftest import entry_of
from tests.unit.messages import examples

SEALED = b"age-encryption.org/v1\n" + bytes(range(256)) * 3
ROOT, SENDER, RECEIVER = (SigningKey.generate() for _ in range(3))
DIRECTORY = Directory(
    format=1,
    version=3,
    issued=examples.NOW,
    expires=examples.NOW.replace(year=2027),
    municipality=MunicipalityEntry(code="999997", name="架空市"),
    network_model=NetworkModel.ALPHA,
    sites={
        "hall-core": entry_of("hall-core", SENDER),
        "public-cloud": entry_of("public-cloud", RECEIVER),
    },
    systems={},
    contacts={},
)
CUT = list(split(io.BytesIO(SEALED), limit=300))
BODIES = {part.digest: body for part, body in CUT}
MANIFEST = examples.manifest(
    parts=tuple(part for part, _ in CUT),
    sealed_bytes=len(SEALED),
    sealed_digest=f"sha256:{hashlib.sha256(SEALED).hexdigest()}",
)


def tokens(manifest: Manifest, *stages: Stage, key: SigningKey = RECEIVER) -> list[str]:
    previous, found = None, []
    for stage in stages:
        previous = next_receipt(
            previous, manifest=manifest, stage=stage, receipt=examples.OTHER, at=examples.NOW
        )
        found.append(sign_receipt(previous, key))
    return found


def open_part(part: Part) -> io.BytesIO:
    return io.BytesIO(BODIES[part.digest])


def write(
    path: Path,
    *,
    manifest: Manifest = MANIFEST,
    token: str | None = None,
    receipts: list[str] | None = None,
    with_parts: bool = True,
) -> Path:
    write_bundle(
        path,
        directory=document.sign(DIRECTORY, ROOT),
        manifest=token or sign_manifest(manifest, SENDER),
        verified=manifest,
        receipts=receipts or [],
        open_part=open_part if with_parts else None,
    )
    return path


def contents(path: Path) -> dict[str, bytes]:
    with path.open("rb") as file:
        return {member.name: body_of(file, member) for member in list(members(file, Limits()))}


def pack(path: Path, held: dict[str, bytes]) -> Path:
    with path.open("wb") as file, ArchiveWriter(file) as archive:
        for name, body in held.items():
            archive.add(name, body)
    return path


def test_what_was_written_is_as_its_sender_signed_it(tmp_path: Path) -> None:
    receipts = tokens(MANIFEST, Stage.DELIVERED, Stage.OPENED)

    found = verify_bundle(write(tmp_path / "b.tar", receipts=receipts), ROOT.public)

    assert found.manifest == MANIFEST
    assert (found.stage, found.has_parts, found.directory.version) == (Stage.OPENED, True, 3)
    with tarfile.open(tmp_path / "b.tar") as other:
        assert other.getnames()[:4] == [
            "bundle.json",
            "directory.jws",
            "manifest.jws",
            "receipts/0001.jws",
        ]


def test_equal_bundles_are_equal_files(tmp_path: Path) -> None:
    assert write(tmp_path / "a").read_bytes() == write(tmp_path / "b").read_bytes()


def test_parts_may_be_left_out_and_that_is_said(tmp_path: Path) -> None:
    path = write(tmp_path / "b.tar", with_parts=False)
    assert verify_bundle(path, ROOT.public).has_parts is False

    held = contents(path) | {"parts/000001": CUT[0][1]}
    with pytest.raises(BundleUnreadable):
        verify_bundle(pack(path, held), ROOT.public)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda held: held.pop("parts/000002"), BundleUnreadable),
        (lambda held: held.pop(f"parts/{len(CUT):06}"), PartsMissing),
        (lambda held: held.update({"parts/000001": CUT[1][1]}), PartAltered),
        (lambda held: held.update({"parts/000001": CUT[0][1][:-1]}), PartAltered),
        (lambda held: held.update({f"parts/{len(CUT) + 1:06}": b"x"}), BundleUnreadable),
        (lambda held: held.pop("manifest.jws"), BundleUnreadable),
        (lambda held: held.update({"directory.jws": b"a.b.c"}), DirectoryAltered),
        (lambda held: held.update({"manifest.jws": b"a.b.c"}), BundleUnreadable),
        (lambda held: held.update({"manifest.jws": b"\xff"}), BundleUnreadable),
        (lambda held: held.update({"bundle.json": b'{"format":2}'}), FormatUnknown),
        (lambda held: held.update({"evil": b""}), BundleUnreadable),
    ],
)
def test_a_changed_bundle_is_refused(
    tmp_path: Path, change: Callable[[dict[str, bytes]], object], error: type[KumobashiError]
) -> None:
    held = contents(write(tmp_path / "good.tar"))
    change(held)

    with pytest.raises(error):
        verify_bundle(pack(tmp_path / "bad.tar", held), ROOT.public)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80)
@given(st.data())
def test_no_changed_byte_goes_unnoticed(tmp_path: Path, data: st.DataObject) -> None:
    receipts = tokens(MANIFEST, Stage.DELIVERED)
    good = write(tmp_path / "good.tar", receipts=receipts).read_bytes()
    bad = bytearray(good)
    bad[data.draw(st.integers(0, len(good) - 1))] ^= data.draw(st.integers(1, 255))
    (tmp_path / "bad.tar").write_bytes(bytes(bad))

    with pytest.raises(KumobashiError):
        verify_bundle(tmp_path / "bad.tar", ROOT.public)


def test_signatures_of_anybody_else_are_refused(tmp_path: Path) -> None:
    stranger = SigningKey.generate()
    forged = write(tmp_path / "a", token=sign_manifest(MANIFEST, stranger))
    with pytest.raises(UnknownKey):
        verify_bundle(forged, ROOT.public)
    with pytest.raises(UnknownKey):  # the receiver may not sign for the sender
        verify_bundle(write(tmp_path / "b", token=sign_manifest(MANIFEST, RECEIVER)), ROOT.public)
    receipts = tokens(MANIFEST, Stage.DELIVERED, key=SENDER)
    with pytest.raises(UnknownKey):  # nor the sender for the receiver
        verify_bundle(write(tmp_path / "c", receipts=receipts), ROOT.public)
    with pytest.raises(DirectoryAltered):
        verify_bundle(write(tmp_path / "d"), stranger.public)


def test_receipts_of_another_order_or_bundle_are_refused(tmp_path: Path) -> None:
    first, second = tokens(MANIFEST, Stage.DELIVERED, Stage.OPENED)
    with pytest.raises(ReceiptOutOfOrder):
        verify_bundle(write(tmp_path / "a", receipts=[second, first]), ROOT.public)
    other = tokens(replace(MANIFEST, sequence=2), Stage.DELIVERED)
    with pytest.raises(KumobashiError) as refused:
        verify_bundle(write(tmp_path / "b", receipts=other), ROOT.public)
    assert refused.value.code == "message.receipt_foreign"


def test_another_bundles_manifest_under_this_name_is_refused(tmp_path: Path) -> None:
    other = replace(MANIFEST, sequence=2)
    path = write(tmp_path / "b", manifest=MANIFEST, token=sign_manifest(other, SENDER))
    with pytest.raises(MessageForeign):
        verify_bundle(path, ROOT.public)


def test_a_manifest_of_a_strange_site_is_refused(tmp_path: Path) -> None:
    strange = replace(MANIFEST, from_site="nobody")
    with pytest.raises(MessageForeign):
        verify_bundle(write(tmp_path / "b", manifest=strange), ROOT.public)


def test_a_damaged_part_is_not_written(tmp_path: Path) -> None:
    broken = replace(MANIFEST, parts=(replace(CUT[0][0], digest="sha256:" + "0" * 64),))

    def opened(_part: Part) -> io.BytesIO:
        return io.BytesIO(CUT[0][1])

    with pytest.raises(PartAltered):
        write_bundle(
            tmp_path / "b",
            directory="x",
            manifest="x",
            verified=broken,
            receipts=[],
            open_part=opened,
        )
    assert list(tmp_path.iterdir()) == []


def test_a_million_members_and_names_that_climb_are_refused_early(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle_files, "_LIMITS", Limits(members=20))
    held = contents(write(tmp_path / "good.tar"))
    many = {f"parts/{number:06}": b"" for number in range(1, 100)}
    with pytest.raises((ArchiveTooMany, BundleUnreadable)):
        verify_bundle(pack(tmp_path / "many", held | many), ROOT.public)
    with tarfile.open(tmp_path / "climbs", "w", format=tarfile.USTAR_FORMAT) as target:
        target.addfile(tarfile.TarInfo("../../etc/passwd"))
    with pytest.raises(ArchiveName):
        verify_bundle(tmp_path / "climbs", ROOT.public)
    (tmp_path / "text").write_text("no container", encoding="ascii")
    with pytest.raises(ArchiveUnfit):
        verify_bundle(tmp_path / "text", ROOT.public)


def test_a_changed_signature_is_told_from_a_strange_key(tmp_path: Path) -> None:
    token = sign_manifest(MANIFEST, SENDER)
    bent = token[:-10] + ("A" if token[-10] != "A" else "B") + token[-9:]
    with pytest.raises(SignatureInvalid):
        verify_bundle(write(tmp_path / "b", token=bent), ROOT.public)
