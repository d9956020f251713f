"""Containers: what others' tools can open, and what is refused before it is used."""

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.storage.archive_errors import (
    ArchiveDamaged,
    ArchiveKind,
    ArchiveName,
    ArchiveTooLarge,
    ArchiveTooMany,
    ArchiveTwice,
    ArchiveUnfit,
)
from kumobashi.storage.archives import ArchiveWriter, Limits, Slice, body_of, members

names = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,20}(/[a-z0-9][a-z0-9-]{0,20})?", fullmatch=True)


def packed(contents: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with ArchiveWriter(file) as target:
        for name, body in contents.items():
            target.add(name, body)
    return file.getvalue()


def strangers(build: Callable[[tarfile.TarFile], None]) -> io.BytesIO:
    """Return what another program packed."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as target:
        build(target)
    return file


def info(name: str, **more: object) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    for key, value in more.items():
        setattr(made, key, value)
    return made


@given(st.dictionaries(names.filter(lambda name: ".." not in name), st.binary(max_size=1500)))
def test_what_is_packed_is_read_again_and_by_tar_too(contents: dict[str, bytes]) -> None:
    data = packed(contents)
    file = io.BytesIO(data)

    found = list(members(file, Limits()))

    assert [member.name for member in found] == list(contents)
    assert [body_of(file, member) for member in found] == list(contents.values())
    with tarfile.open(fileobj=io.BytesIO(data)) as other:
        assert other.getnames() == list(contents)
        for name, body in contents.items():
            held = other.extractfile(name)
            assert held is not None
            assert held.read() == body


def test_a_slice_ends_where_its_member_ends(tmp_path: Path) -> None:
    path = tmp_path / "c.tar"
    path.write_bytes(packed({"a": b"one", "b": b"two and more"}))
    with path.open("rb") as file:
        (_, second) = members(file, Limits())

    with Slice(path.open("rb"), second) as stream:
        assert (stream.read(3), stream.read(), stream.read()) == (b"two", b" and more", b"")


@pytest.mark.parametrize(
    "name", ["../a", "/a", "a/../b", "a\nb", "a\x1bb", "A", "a/b/c", ".a", "架"]
)
def test_names_that_climb_or_hold_other_characters_are_refused(name: str) -> None:
    file = strangers(lambda target: target.addfile(info(name)))

    with pytest.raises(ArchiveName):
        list(members(file, Limits()))


@pytest.mark.parametrize(
    "kind",
    [
        tarfile.SYMTYPE,
        tarfile.LNKTYPE,
        tarfile.CHRTYPE,
        tarfile.BLKTYPE,
        tarfile.FIFOTYPE,
        tarfile.DIRTYPE,
        tarfile.AREGTYPE,
        tarfile.CONTTYPE,
        b"x",
        b"L",
        b"S",
    ],
)
def test_anything_but_a_plain_file_is_refused(kind: bytes) -> None:
    file = strangers(lambda target: target.addfile(info("a", type=kind)))

    with pytest.raises((ArchiveKind, ArchiveDamaged)):
        list(members(file, Limits()))


def test_a_link_in_disguise_is_refused() -> None:
    file = strangers(lambda target: target.addfile(info("a", linkname="/etc/passwd")))

    with pytest.raises(ArchiveKind):
        list(members(file, Limits()))


def test_a_name_twice_is_refused() -> None:
    def twice(target: tarfile.TarFile) -> None:
        target.addfile(info("a"))
        target.addfile(info("a"))

    with pytest.raises(ArchiveTwice):
        list(members(strangers(twice), Limits()))


def test_too_many_members_are_refused_after_the_limit_and_not_at_the_end() -> None:
    read = 0

    class Counting(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            nonlocal read
            read += 1
            return super().read(size)

    file = Counting(packed({f"m{number}": b"" for number in range(5000)}))
    with pytest.raises(ArchiveTooMany):
        list(members(file, Limits(members=10)))
    assert read < 50


def test_sizes_that_lie_are_refused() -> None:
    data = bytearray(packed({"a": b"x" * 600, "b": b""}))

    def said(size: bytes) -> io.BytesIO:
        bent = bytearray(data)
        bent[124:136] = size
        bent[148:156] = b" " * 8
        bent[148:156] = b"%06o\0 " % sum(bent[:512])
        return io.BytesIO(bytes(bent))

    for size in (b"77777777777\0", b"00000000001\0", b"00000010000\0", b"-0000000001\0"):
        with pytest.raises(ArchiveUnfit):
            list(members(said(size), Limits()))
    with pytest.raises(ArchiveTooLarge):
        list(members(io.BytesIO(bytes(data)), Limits(member_bytes=599)))


@given(st.data())
def test_a_flipped_header_or_a_cut_never_passes(data: st.DataObject) -> None:
    good = packed({"a": b"x" * 10, "b": b"y" * 600})
    headers = [*range(512), *range(1024, 1536)]
    bent = bytearray(good)
    bent[data.draw(st.sampled_from(headers))] ^= data.draw(st.integers(1, 255))
    cut = good[: data.draw(st.integers(0, len(good) - 1))]

    for wrong in (bytes(bent), cut, good + b"x", good[:-512]):
        with pytest.raises(ArchiveUnfit):
            list(members(io.BytesIO(wrong), Limits()))


def test_only_our_own_names_and_true_sizes_are_written() -> None:
    target = ArchiveWriter(io.BytesIO())
    for name in ("../a", "A", ""):
        with pytest.raises(ValueError, match="not to be put"):
            target.add(name, b"")
    with pytest.raises(ValueError, match="2 bytes, not 3"):
        target.stream("a", 3, [b"xx"])
