"""A medium gives back what was put on it, and tells a finder nothing."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kumobashi.courier.blocks import FILE_BYTES
from kumobashi.courier.content import (
    BundleContent,
    Papers,
    Said,
    bundle_bytes,
    files_for,
    fitting_parts,
    read_receipts_content,
    receipts_bytes,
    write_receipts_content,
)
from kumobashi.courier.errors import (
    MediumDamaged,
    MediumExpired,
    MediumForeign,
    MediumNotEmpty,
    MediumTooSmall,
    MediumUnfaithful,
)
from kumobashi.courier.packing import Consignment, draft_receipts
from kumobashi.courier.reading import Opened, check_key, manifest_of
from kumobashi.courier.writing import Draft, read_back
from kumobashi.crypto.errors import UnknownKey
from kumobashi.crypto.keys import SealKey, SigningKey
from kumobashi.messages.parts import Part
from tests.unit.courier.media import NOW, READER, World

QUIET = lambda _done, _total: None  # noqa: E731 - nothing to tell


def everything(opened: Opened) -> dict[int, bytes]:
    content = BundleContent(cast("BinaryIO", opened.content))
    manifest = manifest_of(content.papers.manifest, opened)
    check_key(content.papers.key, manifest, opened.reader.key)
    found = {part.number: b"".join(pieces) for part, pieces in content.parts(manifest.parts)}
    opened.content.read_to_end()
    return found


@settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.sampled_from([1, 511, 512, 513, 70_000, 4_128_768, 5_000_000]), min_size=1, max_size=4
    )
)
def test_reading_undoes_writing(tmp_path: Path, sizes: list[int]) -> None:
    (tmp_path / "x").mkdir(exist_ok=True)
    world = World(tmp_path / "x", sizes)
    for left in world.place.iterdir() if world.place.exists() else ():
        left.unlink()

    world.write()

    found = everything(world.open())
    assert [found[number] for number in sorted(found)] == world.bodies


def test_all_files_are_of_one_size_and_nothing_in_them_is_readable(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write()

    files = world.files()
    assert [path.name for path in files] == ["00000001.BIN", "INDEX.BIN"]
    assert {path.stat().st_size for path in files} == {FILE_BYTES}
    for path in files:
        body = path.read_bytes()
        for word in ("hall-core", "public-cloud", "999997", world.manifest.link, "manifest"):
            assert word.encode() not in body
        assert body[4:26] == b"age-encryption.org/v1\n"
        assert len(Counter(body[-4096:])) > 200  # nothing but chance behind


@pytest.mark.parametrize(("mib", "files"), [(1, 2), (5, 3), (16, 6), (40, 13)])
def test_sizes_that_are_near_look_the_same(mib: int, files: int) -> None:
    near = {files_for((mib << 20) - bytes_) for bytes_ in (0, 1, 1000, 100_000)}

    assert near == {files}


def test_the_receipts_of_some_transfers_come_back_as_they_were(tmp_path: Path) -> None:
    said = [Said(transfer="019aa8d1-5b7c-7000-8000-0123456789ab", attempt=2, receipts=("a", "b"))]
    with (tmp_path / "x").open("w+b") as file:
        write_receipts_content(file, said)
        assert file.tell() == receipts_bytes(said)
        assert read_receipts_content(file) == said


def test_whoever_has_another_key_learns_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write()

    with pytest.raises(MediumForeign):
        world.open(replace(READER, key=SealKey.generate()))


def test_a_medium_of_a_stranger_is_refused_before_its_content_is_opened(tmp_path: Path) -> None:
    world = World(tmp_path, key=SigningKey.generate())
    world.write()
    (world.place / "00000001.BIN").write_bytes(bytes(FILE_BYTES))  # would be seen if it were read

    with pytest.raises(UnknownKey):
        world.open()


def test_a_medium_is_taken_in_until_its_end(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write()

    world.open(now=NOW + timedelta(days=7) - timedelta(microseconds=1))
    with pytest.raises(MediumExpired):
        world.open(now=NOW + timedelta(days=7))


def test_writing_a_whole_medium_again_changes_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    token = world.write()
    before = {path.name: path.read_bytes() for path in world.files()}

    assert world.write() == token
    assert {path.name: path.read_bytes() for path in world.files()} == before


def test_another_consignment_is_never_written_over(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write()
    before = [path.read_bytes() for path in world.files()]
    other = World(tmp_path)

    with pytest.raises(MediumNotEmpty):
        other.write()
    assert [path.read_bytes() for path in world.files()] == before


def test_what_broke_off_goes_on_behind_the_last_good_file(tmp_path: Path) -> None:
    world = World(tmp_path, [4_000_000] * 4)
    world.write()
    kept = (world.place / "00000001.BIN").read_bytes()
    for name in ("00000002.BIN", "INDEX.BIN"):
        (world.place / name).unlink()
    (world.place / "00000003.BIN").unlink()
    (world.place / "00000004.BIN").unlink()
    (world.place / "00000002.TMP").write_bytes(b"half")

    world.write()

    assert (world.place / "00000001.BIN").read_bytes() == kept
    assert sorted(everything(world.open())) == [1, 2, 3, 4]
    assert all(path.suffix == ".BIN" for path in world.files())


def test_a_medium_that_was_erased_meanwhile_is_written_anew(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write()
    for path in world.files():
        path.unlink()

    world.write()

    assert len(everything(world.open())) == len(world.bodies)


def test_reading_back_finds_what_the_medium_does_not_hold(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write()
    read_back(world.usb, world.journal(), QUIET)

    for path in world.files():
        body = bytearray(path.read_bytes())
        body[-1] ^= 1
        path.write_bytes(body)
        with pytest.raises(MediumUnfaithful):
            read_back(world.usb, world.journal(), QUIET)
        body[-1] ^= 1
        path.write_bytes(body)


def test_parts_on_two_media_are_each_read_alone_and_in_any_order(tmp_path: Path) -> None:
    one = World(tmp_path, [3_000_000] * 5)
    room = 4 * FILE_BYTES
    first = fitting_parts(one.papers, one.manifest.parts, room)
    rest = one.manifest.parts[len(first) :]
    assert 0 < len(first) < 5
    found: dict[int, bytes] = {}

    for number, parts in enumerate((rest, first)):
        one.usb = tmp_path / f"usb{number}"
        one.usb.mkdir()
        one.medium = f"019aa8d1-5b7c-7000-8000-00000000000{number}"
        one.write(one.draft(parts))
        assert len(one.files()) * FILE_BYTES <= room
        found |= everything(one.open())

    assert [found[number] for number in sorted(found)] == one.bodies


@given(
    st.lists(st.integers(1, 8 << 20), min_size=1, max_size=200),
    st.integers(2 * FILE_BYTES, 400 * FILE_BYTES),
)
def test_as_many_parts_as_fit_and_not_one_more(sizes: list[int], room: int) -> None:
    parts = [
        Part(number=n, digest=f"sha256:{n:064x}", bytes=size) for n, size in enumerate(sizes, 1)
    ]

    papers = Papers(manifest="manifest", key=b"key")

    def needed(count: int) -> int:
        return files_for(bundle_bytes(papers, parts[:count])) * FILE_BYTES

    if needed(1) > room:
        with pytest.raises(MediumTooSmall) as small:
            fitting_parts(papers, parts, room)
        assert small.value.needed_bytes == needed(1)
        return
    chosen = fitting_parts(papers, parts, room)
    assert list(chosen) == parts[: len(chosen)]
    assert needed(len(chosen)) <= room
    assert len(chosen) == len(parts) or needed(len(chosen) + 1) > room


def test_what_an_older_sender_sealed_to_the_site_itself_needs_no_key(tmp_path: Path) -> None:
    world = World(tmp_path, of_transfer=None)
    world.write()

    assert BundleContent(cast("BinaryIO", world.open().content)).papers.key is None
    assert len(everything(world.open())) == len(world.bodies)


def test_a_file_of_another_medium_in_its_place_is_seen(tmp_path: Path) -> None:
    world, other = World(tmp_path, [4_000_000] * 2), None
    world.write()
    (tmp_path / "o").mkdir()
    other = World(tmp_path / "o", [4_000_000] * 2)
    other.write()
    (world.place / "00000002.BIN").write_bytes((other.place / "00000002.BIN").read_bytes())

    with pytest.raises(MediumDamaged):
        everything(world.open())


def test_receipts_that_came_after_a_break_replace_what_was_written(tmp_path: Path) -> None:
    world = World(tmp_path)

    def draft(count: int) -> Draft:
        said = [Said(transfer=world.manifest.transfer, attempt=1, receipts=("a.b.c",) * count)]
        consignment = Consignment(
            permit=world.manifest.transfer,
            tenant="999997",
            from_site="hall-core",
            to_site="public-cloud",
            recipient=world.to,
            created=NOW,
            expires=NOW + timedelta(days=7),
        )
        return draft_receipts(consignment, said, medium=world.medium, number=1)

    for count in (1, 2, 2):
        world.write(draft(count))
        read = read_receipts_content(cast("BinaryIO", world.open().content))
        assert [len(one.receipts) for one in read] == [count]
    (world.place / "INDEX.BIN").unlink()
    world.write(draft(3))
    read = read_receipts_content(cast("BinaryIO", world.open().content))
    assert [len(one.receipts) for one in read] == [3]
