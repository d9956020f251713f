"""The keys of transfers at the three kinds of sites, and what rests sealed to them."""

import io
from pathlib import Path

import pytest

from kumobashi.crypto.errors import KeyGone, KeyUnlike, NotForUs
from kumobashi.crypto.keys import SealKey
from kumobashi.crypto.sealing import open_sealed
from kumobashi.crypto.transfer_keys import key_hash
from kumobashi.exchange.set_aside import SetAside
from kumobashi.exchange.transfer_keys import TransferKeys
from kumobashi.messages.errors import FieldWrong, MessageReplayed
from kumobashi.storage.erasable import ErasableSecrets
from kumobashi.storage.errors import SecretErased
from tests.unit.messages.examples import OTHER, TRANSFER, manifest


@pytest.fixture
def site() -> SealKey:
    return SealKey.generate()


@pytest.fixture
def receiver(tmp_path: Path, site: SealKey) -> TransferKeys:
    return TransferKeys(ErasableSecrets(tmp_path / "receiver"), site)


@pytest.fixture
def sender(tmp_path: Path) -> TransferKeys:
    return TransferKeys(ErasableSecrets(tmp_path / "sender"), SealKey.generate())


def test_the_receiver_opens_what_the_sender_cannot(
    sender: TransferKeys, receiver: TransferKeys, site: SealKey
) -> None:
    recipient = sender.make(TRANSFER, 1, recipient=site.recipient)
    document = sender.sent(TRANSFER, 1)
    assert receiver.take(TRANSFER, 1, document)
    assert not receiver.take(TRANSFER, 1, document), "the same again is nothing new"
    said = manifest(key=key_hash(recipient))

    assert receiver.opening(said).recipient == recipient
    sender.take(TRANSFER, 1, document)
    with pytest.raises(NotForUs):
        sender.opening(said)


def test_an_older_senders_bundle_is_opened_with_the_sites_own(
    receiver: TransferKeys, site: SealKey
) -> None:
    assert receiver.opening(manifest()).recipient == site.recipient


def test_each_sealing_has_another_key_and_only_the_newest_is_kept(
    sender: TransferKeys, site: SealKey
) -> None:
    first = sender.make(TRANSFER, 1, recipient=site.recipient)
    second = sender.make(TRANSFER, 2, recipient=site.recipient)

    assert first != second
    with pytest.raises(KeyGone):
        sender.sent(TRANSFER, 1)
    assert sender.sent(TRANSFER, 2)


def test_what_a_crash_left_at_the_sender_goes_and_the_rest_stays(
    sender: TransferKeys, site: SealKey
) -> None:
    sender.make(TRANSFER, 1, recipient=site.recipient)
    sender.make(OTHER, 1, recipient=site.recipient)

    assert sender.all_sent() == {TRANSFER, OTHER}
    sender.forget_sent(TRANSFER)

    assert sender.store.names("out") == [f"{OTHER}-1"]


def test_an_erased_key_opens_nothing_and_is_not_taken_again(
    sender: TransferKeys, receiver: TransferKeys, site: SealKey
) -> None:
    recipient = sender.make(TRANSFER, 1, recipient=site.recipient)
    document = sender.sent(TRANSFER, 1)
    receiver.take(TRANSFER, 1, document)
    receiver.erase_taken(TRANSFER, 1)

    with pytest.raises(KeyGone):
        receiver.opening(manifest(key=key_hash(recipient)))
    with pytest.raises(SecretErased):
        receiver.take(TRANSFER, 1, document)


def test_strange_documents_are_refused(
    sender: TransferKeys, receiver: TransferKeys, site: SealKey
) -> None:
    sender.make(TRANSFER, 1, recipient=site.recipient)
    document = sender.sent(TRANSFER, 1)
    for wrong in (b"", b"AGE-SECRET-KEY-1", document + bytes(4096)):
        with pytest.raises(FieldWrong):
            receiver.take(TRANSFER, 1, wrong)
    receiver.take(TRANSFER, 1, document)
    with pytest.raises(MessageReplayed):
        receiver.take(TRANSFER, 1, document[:-1] + b"x")
    with pytest.raises(KeyUnlike):
        receiver.opening(manifest(key=key_hash(SealKey.generate().recipient)))


def test_rows_set_aside_rest_sealed_to_the_transfers_key(tmp_path: Path) -> None:
    key, rows = SealKey.generate(), "髙橋 花子,0000000123\n".encode()
    aside = SetAside(tmp_path / "quarantine")
    room = aside.room(tmp_path, manifest(), key)
    room.plain.write_bytes(rows)

    room.keep()

    assert aside.has("notice-attributes", TRANSFER)
    assert not room.plain.exists()
    (resting,) = (tmp_path / "quarantine").iterdir()
    assert resting.stat().st_mode & 0o777 == 0o600
    assert rows not in resting.read_bytes()
    opened = io.BytesIO()
    with resting.open("rb") as source:
        open_sealed(source, opened, key)
    assert opened.getvalue() == rows
    with resting.open("rb") as source, pytest.raises(NotForUs):
        open_sealed(source, io.BytesIO(), SealKey.generate())
    assert aside.forget("notice-attributes", TRANSFER) == 1
    assert aside.forget("notice-attributes", TRANSFER) == 0


def test_rows_that_an_older_release_left_readable_are_sealed(tmp_path: Path) -> None:
    site, rows = SealKey.generate(), "髙橋 花子".encode()
    folder = tmp_path / "quarantine"
    folder.mkdir()
    (folder / f"a-link-{TRANSFER}.parquet").write_bytes(rows)
    aside = SetAside(folder)

    assert (aside.seal_older(site.recipient), aside.seal_older(site.recipient)) == (1, 0)

    (resting,) = folder.iterdir()
    assert rows not in resting.read_bytes()
    opened = io.BytesIO()
    with resting.open("rb") as source:
        open_sealed(source, opened, site)
    assert opened.getvalue() == rows
    assert aside.has("a-link", TRANSFER)
