"""Private files come back byte by byte, and are their owner's alone from the first byte on."""

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.crypto.errors import KeyExists
from kumobashi.crypto.private_files import read_private, write_private


@given(data=st.binary(max_size=200))
def test_what_was_written_is_read(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("private") / "keys" / "sign.key"

    write_private(path, data)

    assert read_private(path, expected="key") == data
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_is_there_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "sign.key"
    write_private(path, b"old\n")

    with pytest.raises(KeyExists):
        write_private(path, b"new\n")

    assert path.read_bytes() == b"old\n"
