"""The embedded path runs on Windows: nothing of it asks for what only POSIX has."""

import pytest
from pydantic import TypeAdapter, ValidationError

from kumobashi.cli.entry import PLACES
from kumobashi.directory.file_parts import Ident
from tests.unit.portable import faults, path_of, reached

# What people run on one machine. `bench` compares with other tools, on Linux alone.
_ROOTS = sorted({place.partition(":")[0] for place in PLACES.values()})
_BENCH = frozenset({PLACES["bench"].partition(":")[0]})
# Module, what, and why it may stand there all the same.
_ALLOWED: dict[tuple[str, str], str] = {
    (
        "kumobashi.conversion.remote.sftp",
        ".rename(): fails where the new name exists: use replace",
    ): "of a file server: there it shall fail"
}


@pytest.fixture(scope="module")
def modules() -> set[str]:
    return reached(["kumobashi.__main__", *_ROOTS], but=_BENCH)


def test_the_path_is_followed_through_imports_inside_functions(modules: set[str]) -> None:
    assert {
        "kumobashi.storage.sqlite",
        "kumobashi.storage.spool",
        "kumobashi.crypto.private_files",
        "kumobashi.service.app",
        "kumobashi.service.endpoint",
        "kumobashi.console.pages",
        "kumobashi.testing.city.city",
    } <= modules
    assert not [name for name in modules if name.startswith("kumobashi.testing.bench")]


def test_nothing_on_it_asks_for_what_only_posix_has(modules: set[str]) -> None:
    found, used = [], set()
    for name in sorted(modules):
        path = path_of(name)
        assert path
        for fault in faults(path.read_text(encoding="utf-8")):
            if (name, fault.what) in _ALLOWED:
                used.add((name, fault.what))
            else:
                found.append(f"{name}:{fault.line}: {fault.what}")

    assert not found, "\n".join(found)
    assert used == set(_ALLOWED)  # a reason that is needed no longer goes


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import fcntl", "import fcntl"),
        ("from pwd import getpwnam", "import pwd"),
        ("def f():\n    import resource", "import resource"),
        ("import os\nos.fork()", "os.fork"),
        ("from os import statvfs", "os.statvfs"),
        ("import signal\nX = signal.SIGKILL", "signal.SIGKILL"),
        ("import os\nos.open(folder, os.O_RDONLY)", "os.open: changes line ends"),
        ("loop.add_signal_handler(1, f)", ".add_signal_handler()"),
        ("temporary.rename(path)", ".rename()"),
        ("PLACE = '/tmp/x'", "the place '/tmp/x'"),
        ("P = Path('/proc')", "the place '/proc'"),
        ("day.strftime('%-d')", "the date format"),
        ("path.read_text()", "read_text without encoding"),
        ("path.write_text(x)", "write_text without encoding"),
        ("path.write_text(x, encoding='utf-8')", "write_text without newline"),
        ("open(path)", "open('r') without encoding"),
        ("path.open('w')", "open('w') without encoding"),
        ("path.open('a', encoding='utf-8')", "open('a') without newline"),
        ("with p.open('rb') as f:\n    os.fsync(f.fileno())", "os.fsync of a file"),
        ("multiprocessing.get_context('forkserver')", "multiprocessing forks"),
        (
            "import sys\nif x:\n    import fcntl\nif sys.platform == 'win32':\n    import grp",
            "import fcntl",
        ),
    ],
)
def test_it_finds_what_only_posix_has(source: str, expected: str) -> None:
    found = faults(source)

    assert any(fault.what.startswith(expected) for fault in found), found
    assert not any(fault.what == "import grp" for fault in found)


@pytest.mark.parametrize(
    "source",
    [
        "import sys\nif sys.platform == 'win32':\n    import msvcrt\nelse:\n    import fcntl",
        "x = os.statvfs(p).f_favail if hasattr(os, 'statvfs') else None",
        "opener = lambda name, flags: os.open(name, flags, 0o600)",
        "path.write_text(x, encoding='utf-8', newline='\\n')",
        "path.open('rb')",
        "open(path, 'wb')",
        "spool.open(transfer, attempt, digest)",
        "frame.rename(columns=names)",
        "URL = '/peer/v1'",
        "temporary.replace(path)",
    ],
)
def test_it_lets_pass_what_runs_everywhere(source: str) -> None:
    assert not faults(source)


@pytest.mark.parametrize("name", ["con", "aux", "nul", "prn", "com1", "lpt9"])
def test_no_site_system_or_link_is_named_like_a_device_of_windows(name: str) -> None:
    with pytest.raises(ValidationError, match="device"):
        TypeAdapter(Ident).validate_python(name)

    assert TypeAdapter(Ident).validate_python(f"{name}-1") == f"{name}-1"
