"""Journals are checked against the log: every changed, missing or forged record is found."""

import json
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from kumobashi.calls.auditing import audit_journals
from kumobashi.directory.entries import Directory
from kumobashi.evidence.entries import Entry
from tests.unit.calls.sites_here import city, open_socket, run


@pytest.fixture
async def left(tmp_path: Path) -> tuple[Path, list[Entry], Directory]:
    """The journal of the answering site after twelve calls."""
    app = Starlette(routes=[Route("/v1/payments/{p}", lambda _r: PlainTextResponse("ok"))])
    async with city(tmp_path) as held, run(app, open_socket()) as url:
        held.places["cloud"].office.base = url
        for _ in range(12):
            assert (await held.ask()).status == 200
    return tmp_path / "cloud", held.places["cloud"].noted, held.directory


async def test_untouched_journals_are_sound(left: tuple[Path, list[Entry], Directory]) -> None:
    folder, noted, directory = left
    found = audit_journals(folder, [entry.encode() for entry in noted], directory)
    assert found.is_sound
    assert (found.records, found.signatures, found.waiting) == (24, 24, 0)


async def test_every_change_is_found(left: tuple[Path, list[Entry], Directory]) -> None:
    folder, noted, directory = left
    bodies = [entry.encode() for entry in noted]
    (file,) = folder.glob("*.jsonl")
    lines = file.read_bytes().splitlines(keepends=True)
    for wrong in (
        lines[:-1],
        lines[1:],
        [*lines[:5], *lines[6:]],
        [*lines[:3], lines[3].replace(b'"side":"answerer"', b'"side":"asker"'), *lines[4:]],
        [lines[1], lines[0], *lines[2:]],
        [],
    ):
        file.write_bytes(b"".join(wrong))
        assert audit_journals(folder, bodies, directory).failure is not None
    file.unlink()
    assert audit_journals(folder, bodies, directory).failure is not None


async def test_a_record_that_nobody_signed_is_found_though_its_leaf_fits(
    left: tuple[Path, list[Entry], Directory],
) -> None:
    """Whoever keeps the log can write a leaf for anything, but not another site's signature."""
    from kumobashi.calls.journal import leaf_of

    folder, noted, directory = left
    (file,) = folder.glob("*.jsonl")
    lines = file.read_bytes().splitlines(keepends=True)
    said = json.loads(lines[4])
    said["fields"]["content-digest"] = json.loads(lines[5])["fields"]["content-digest"]
    lines[4] = json.dumps(said, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    file.write_bytes(b"".join(lines))
    name = file.name.removesuffix(".jsonl")
    forged = leaf_of(name, 0, lines, noted[0].at)
    found = audit_journals(folder, [forged.encode()], directory)
    assert found.failure is not None
    assert found.failure.first == 4
