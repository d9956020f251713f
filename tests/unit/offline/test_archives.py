"""What is carried to a place without a network: chosen by the lock, the same bytes each time."""

import doctest
import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.offline.conftest import make_wheel
from tools.offline import archives, folders, licences, locks, wheels
from tools.offline.__main__ import main
from tools.offline.archives import write
from tools.offline.folders import NameForbidden, Parts, check_name, folder, requirements
from tools.offline.licences import LicenceRefused, licence_of
from tools.offline.locks import (
    PLATFORMS,
    PYTHONS,
    LockUnreadable,
    Machine,
    Pin,
    read_lock,
    wanted,
)

_HASHES = st.frozensets(
    st.text("0123456789abcdef", min_size=64, max_size=64), min_size=1, max_size=3
)
_MIT = "Permission is hereby granted, free of charge,\nto any person obtaining a copy"
_MIT_AND_GPL = """\
Classifier: License :: OSI Approved :: MIT License
Classifier: License :: OSI Approved :: GNU General Public License v3 (GPLv3)
"""
_PINS = st.builds(
    Pin,
    name=st.from_regex(r"[a-z][a-z0-9-]{0,10}[a-z0-9]", fullmatch=True),
    version=st.from_regex(r"[0-9]{1,4}(\.[0-9]{1,4}){0,3}", fullmatch=True),
    marker=st.sampled_from(["", "python_full_version < '3.12'", "sys_platform == 'win32'"]),
    hashes=_HASHES,
)


@given(st.lists(_PINS, max_size=5))
def test_a_lock_is_read_as_it_was_written(pins: list[Pin]) -> None:
    assert read_lock("# Made.\n" + "".join(pin.line(pin.hashes) for pin in pins)) == pins


@pytest.mark.parametrize(
    "line", ["rich>=14", "rich==15.0.0", "-e .", "rich @ file:rich.whl --hash=sha256:aa"]
)
def test_a_line_that_pins_nothing_is_refused(line: str) -> None:
    with pytest.raises(LockUnreadable):
        read_lock(line)


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("python", PYTHONS)
def test_every_machine_needs_one_version_of_each_package_in_our_lock(
    platform: str, python: str
) -> None:
    lock = read_lock((wheels.ROOT / "requirements" / "demo.txt").read_text(encoding="utf-8"))

    needed = [pin.name for pin in wanted(lock, Machine.of(platform, python))]

    assert sorted(needed) == sorted(set(needed))
    elsewhere = {"uvloop"} if platform == "windows" else set()  # the one for some systems only
    assert set(needed) == {pin.name for pin in lock} - elsewhere


@pytest.mark.parametrize(
    ("headers", "files", "expected"),
    [
        ("License-Expression: Apache-2.0 AND MIT\n", {}, "Apache-2.0 AND MIT"),
        ("Classifier: License :: OSI Approved :: BSD License\n", {}, "BSD"),
        ("License: Apache 2.0\n", {}, "Apache-2.0"),
        (
            "",
            {
                "licenses/LICENSE": _MIT,
            },
            "MIT",
        ),
    ],
)
def test_a_licence_is_found_where_the_wheel_says_it(
    headers: str, files: dict[str, str], expected: str, tmp_path: Path
) -> None:
    found = licence_of(make_wheel(tmp_path, "hashi", {}, headers=headers, files=files))

    assert found.expression == expected
    assert len(found.files) == len(files)


@pytest.mark.parametrize(
    ("headers", "files"),
    [
        ("License-Expression: GPL-3.0-or-later\n", {}),
        ("License-Expression: MIT AND AGPL-3.0-only\n", {}),
        ("License-Expression: GPL-2.0-only WITH Classpath-exception-2.0\n", {}),
        ("License-Expression: (MIT\n", {}),
        ("License-Expression: MPL-2.0\n", {}),
        (_MIT_AND_GPL, {}),
        ("License: GPLv3\n", {}),
        ("License: Proprietary\n", {}),
        ("", {}),
        ("", {"licenses/COPYING": "GNU AFFERO GENERAL\nPUBLIC LICENSE"}),
        (
            "",
            {
                "licenses/COPYING": "GNU GENERAL PUBLIC LICENSE",
                "licenses/LICENSE": _MIT,
            },
        ),
    ],
)
def test_what_may_not_be_carried_or_says_nothing_is_refused(
    headers: str, files: dict[str, str], tmp_path: Path
) -> None:
    with pytest.raises(LicenceRefused, match=r"hashi-1\.0"):
        licence_of(make_wheel(tmp_path, "hashi", {}, headers=headers, files=files))


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}(/[a-z]{1,8})?", fullmatch=True), st.binary()))
def test_the_same_files_give_the_same_bytes_in_any_order(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]
) -> None:
    place = tmp_path_factory.mktemp("archives")
    for kind in ("tar", "zip"):
        one = write(place / f"1.{kind}", "root", files)
        other = write(place / f"2.{kind}", "root", dict(reversed(files.items())))

        assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_file_has_its_checksum_and_a_name_that_windows_takes(
    parts: Callable[[str], Parts], platform: str
) -> None:
    files = folder(parts(platform))

    listed = files["SHA256SUMS"]
    assert isinstance(listed, bytes)
    lines = {line[66:]: line[:64] for line in listed.decode().splitlines()}
    assert set(lines) == set(files) - {"SHA256SUMS"}
    for name, digest in lines.items():
        content = files[name]
        body = content.read_bytes() if isinstance(content, Path) else content
        assert hashlib.sha256(body).hexdigest() == digest
    whole = b"".join(content for content in files.values() if isinstance(content, bytes))
    assert b"@" not in whole.replace(b'"$@"', b"").replace(b"@echo", b"")


def test_only_the_files_in_the_folder_may_be_installed(parts: Callable[[str], Parts]) -> None:
    made = parts("linux-x86_64")

    pins = read_lock(requirements(made))

    assert {pin.name for pin in pins} == {"hashi", "kumobashi"}
    assert {digest for pin in pins for digest in pin.hashes} == {
        wheels.sha256(made.ours),
        *(wheels.sha256(path) for found in made.wheels.values() for path in found),
    }


@pytest.mark.parametrize("name", ["a:b", "wheels/aux.whl", "CON", "a?", "end.", "a\\b", "x" * 201])
def test_a_name_that_windows_does_not_take_is_refused(name: str) -> None:
    with pytest.raises(NameForbidden):
        check_name(name)


def test_the_windows_folder_has_lines_and_letters_that_windows_reads(
    parts: Callable[[str], Parts],
) -> None:
    files = folder(parts("windows"))

    for name in ("start.cmd", "python-needed.txt", "README.ja.txt"):
        text = files[name]
        assert isinstance(text, bytes)
        assert text.count(b"\n") == text.count(b"\r\n") > 5
    command, readme = files["start.cmd"], files["README.ja.txt"]
    assert isinstance(command, bytes)
    assert command.isascii()  # cmd.exe reads it in a code page that differs from machine to machine
    assert isinstance(readme, bytes)
    assert readme.startswith("\ufeff雲橋".encode())


def test_our_own_wheel_comes_out_the_same_twice(tmp_path: Path) -> None:
    first = wheels.build(tmp_path / "1")
    second = wheels.build(tmp_path / "2")

    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as archive:
        names = archive.namelist()
    assert "kumobashi/cli/entry.py" in names
    assert "kumobashi/planning/sample/kumobashi.yaml" in names
    for name in names:
        check_name(name)


def test_a_wheel_that_is_missing_ends_the_build_and_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    requirements_ = tmp_path / "requirements"
    requirements_.mkdir()
    (requirements_ / "demo.txt").write_text(f"hashi==1.0 --hash=sha256:{'0' * 64}\n")
    monkeypatch.setattr(wheels, "ROOT", tmp_path)
    monkeypatch.setattr("tools.offline.__main__.BUILD", tmp_path / "build")
    monkeypatch.setenv("PIP_NO_INDEX", "1")

    done = main(["--only", "linux-x86_64", "--python", "3.12", "--into", str(tmp_path / "out")])

    assert done == 1
    said = capsys.readouterr().err
    assert "Python 3.12" in said
    assert "hashi==1.0" in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("module", [archives, folders, licences, locks])
def test_the_examples_in_the_tool_hold(module: ModuleType) -> None:
    found = doctest.testmod(module)

    assert found.attempted > 0
    assert found.failed == 0
