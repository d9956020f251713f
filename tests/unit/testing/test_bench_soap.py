"""The envelopes of the SOAP peer."""

import pytest

pytest.importorskip("lxml", reason="lxml lives in the environment of `make bench`")

from kumobashi.testing.bench.soap import envelope, read


def test_rows_come_out_as_they_went_in() -> None:
    rows = [("0000000001", "髙﨑𠮷 < & >", None), ("0000000002", "", "{1,2}")]

    assert read(envelope(("token", "name", "ages"), rows)) == rows
