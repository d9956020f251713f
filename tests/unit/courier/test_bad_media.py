"""What a medium must not do to whoever plugs it in: refused early, with a code, nothing read on."""

import os
import socket
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from kumobashi.courier import places
from kumobashi.courier.blocks import FILE_BYTES, seal_block
from kumobashi.courier.index import Index, Kind, sign_index, verify_index
from kumobashi.courier.places import FOLDER
from kumobashi.crypto.keys import SealKey
from kumobashi.crypto.transfer_keys import LARGEST_WRAPPED, wrap
from kumobashi.kernel import KumobashiError
from tests.unit.courier.media import SEAL, SIGN, World, keys_of
from tests.unit.courier.test_media import everything


def code_of(world: World) -> str:
    with pytest.raises(KumobashiError) as refused:
        everything(world.open())
    return str(refused.value.code)


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path, [4_500_000])
    made.write()
    return made


def reindexed(world: World, change: Callable[[Index], Index]) -> None:
    """Let the sender itself sign another index."""
    index = verify_index(world.journal().token or "", keys_of("hall-core"))
    body = seal_block(sign_index(change(index), SIGN).encode(), SEAL.recipient)
    (world.place / "INDEX.BIN").write_bytes(body)


def test_an_empty_folder(world: World) -> None:
    for path in world.files():
        path.unlink()
    assert code_of(world) == "courier.medium_incomplete"
    world.place.rmdir()
    assert code_of(world) == "courier.medium_missing"


def test_every_way_of_being_half_copied(world: World) -> None:
    for path in world.files():
        body = path.read_bytes()
        path.unlink()
        assert code_of(world) == "courier.medium_incomplete", path.name
        path.write_bytes(body[: FILE_BYTES // 2])
        assert code_of(world) == "courier.medium_incomplete", path.name
        path.write_bytes(b"")
        assert code_of(world) == "courier.medium_incomplete", path.name
        path.write_bytes(body)
    assert everything(world.open())


def test_every_way_of_being_altered(world: World) -> None:
    for path in world.files():
        body = path.read_bytes()
        for at in (0, 30, 200, FILE_BYTES // 2):
            path.write_bytes(body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :])
            expected = {"courier.medium_damaged", "courier.medium_foreign"}
            assert code_of(world) in expected, (path.name, at)
        path.write_bytes(body + b"x")
        assert code_of(world) == "courier.medium_damaged", path.name
        path.write_bytes(body)


def test_links_devices_folders_and_names_that_are_not_ours(world: World, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(FILE_BYTES))
    first = world.place / "00000001.BIN"
    body = first.read_bytes()

    def with_link() -> None:
        first.symlink_to(secret)

    def with_pipe() -> None:
        os.mkfifo(first)

    def with_folder() -> None:
        first.mkdir()

    def with_socket() -> None:
        held = socket.socket(socket.AF_UNIX)
        here = Path.cwd()
        os.chdir(world.place)  # the name of a socket is short
        held.bind(first.name)
        os.chdir(here)
        held.close()

    for make in (with_link, with_pipe, with_folder, with_socket):
        first.unlink()
        make()
        assert code_of(world) == "courier.medium_strange", make.__name__
        first.rmdir() if make is with_folder else first.unlink()
        first.write_bytes(body)
    for name in ("autorun.inf", "00000001.bin.exe", "..BIN", "000000001.BIN", "00000009.BIN"):
        (world.place / name).write_bytes(b"x")
        assert code_of(world) == "courier.medium_strange", name
        (world.place / name).unlink()


def test_a_folder_that_is_a_link_elsewhere(world: World, tmp_path: Path) -> None:
    world.place.replace(tmp_path / "elsewhere")
    (world.usb / FOLDER).symlink_to(tmp_path / "elsewhere")

    assert code_of(world) == "courier.medium_strange"


def test_a_link_that_appears_behind_the_look_is_not_followed(world: World) -> None:
    first = world.place / "00000001.BIN"
    opened = world.open()
    body = first.read_bytes()
    aside = world.usb / "aside"
    aside.write_bytes(body)
    first.unlink()
    first.symlink_to(aside)

    with pytest.raises(KumobashiError) as refused:
        everything(opened)
    assert refused.value.code == "courier.medium_damaged"


def test_it_stops_counting_files(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "MOST_BLOCKS", 50)
    for number in range(3, 200):
        (world.place / f"{number:08}.BIN").write_bytes(b"")

    assert code_of(world) == "courier.medium_too_many"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda i: replace(i, tenant="999989"), "message.foreign"),
        (lambda i: replace(i, to_site="asp-relay"), "message.foreign"),
        (lambda i: replace(i, from_site="elsewhere"), "message.foreign"),
        (lambda i: replace(i, from_site="public-cloud"), "crypto.unknown_key"),
        (lambda i: replace(i, content_bytes=10 << 40), "message.field_wrong"),
        (lambda i: replace(i, files=i.files[:1] * 40_001), "message.field_wrong"),
        (lambda i: replace(i, files=i.files[:1] * 40_000), "courier.medium_incomplete"),
        (lambda i: replace(i, files=()), "message.field_wrong"),
        (lambda i: replace(i, files=i.files[:1], content_bytes=1000), "courier.medium_strange"),
        (lambda i: replace(i, files=i.files[::-1]), "courier.medium_damaged"),
        (lambda i: replace(i, transfer="019aa8d1-5b7c-7000-8000-0123456789ac"), "message.foreign"),
        (lambda i: replace(i, attempt=2), "message.foreign"),
        (lambda i: replace(i, kind=Kind.RECEIPTS), "message.field_wrong"),
        (lambda i: replace(i, secret=b"short"), "message.field_wrong"),
        (lambda i: replace(i, content_bytes=i.content_bytes - 1), "storage.archive_damaged"),
        (lambda i: replace(i, content_bytes=1000), "storage.archive_damaged"),
    ],
)
def test_an_index_that_lies_is_refused_although_its_signature_holds(
    world: World, change: Callable[[Index], Index], code: str
) -> None:
    reindexed(world, change)

    started = time.process_time()
    tracemalloc.start()
    try:
        assert code_of(world) == code
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert time.process_time() - started < 10
    assert most < 64 << 20


OTHER = SealKey.generate()


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (lambda _world: None, "courier.medium_keyless"),
        (lambda _world: wrap(OTHER, SEAL.recipient), "crypto.key_unlike"),
        (lambda world: wrap(world.of_transfer, OTHER.recipient), "crypto.not_for_us"),
        (lambda world: world.wrapped[:-1] + bytes([world.wrapped[-1] ^ 1]), "crypto.sealed"),
        (lambda world: world.wrapped[:100], "crypto."),
        (lambda _world: bytes(LARGEST_WRAPPED + 1), "message.bundle_unreadable"),
    ],
)
def test_a_bundle_with_another_key_than_its_own_or_none(
    tmp_path: Path, key: Callable[[World], bytes | None], code: str
) -> None:
    world = World(tmp_path, [1])
    world.wrapped = key(world)
    world.write()

    assert code_of(world).startswith(code)


def test_a_key_that_no_manifest_names(tmp_path: Path) -> None:
    world = World(tmp_path, [1], of_transfer=None)
    world.wrapped = wrap(OTHER, SEAL.recipient)
    world.write()

    assert code_of(world) == "message.bundle_unreadable"


def test_a_failure_quotes_nothing_of_the_medium(world: World) -> None:
    reindexed(world, lambda i: replace(i, to_site="asp-relay"))
    with pytest.raises(KumobashiError) as refused:
        world.open()
    said = refused.value.say("ja") + refused.value.say("en") + str(refused.value)
    assert "asp-relay" not in said
    assert world.manifest.link not in said
