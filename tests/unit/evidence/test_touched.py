"""Whatever is done to an evidence file or to the state, the first touched record is named."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kumobashi.crypto.errors import CryptoFailed
from kumobashi.crypto.keys import SigningKey
from kumobashi.directory.errors import DirectoryAltered
from kumobashi.evidence.checkpoints import Checkpoint, parse, sign
from kumobashi.evidence.errors import ExportUnreadable, NothingSigned, RecordNotFound
from kumobashi.evidence.log import CHAIN_START, chained, stored
from kumobashi.evidence.merkle import Frontier, leaf_hash
from kumobashi.exchange.auditing import Audit, audit_file
from kumobashi.exchange.evidence_state import Selection, SiteEvidence
from kumobashi.storage.archive_errors import ArchiveUnfit
from kumobashi.storage.archives import ArchiveWriter, Limits, body_of, members
from tests.unit.evidence.conftest import AT, PEER, SITE, TENANT, Site

Contents = dict[str, bytes]
Lines = list[bytes]


def unpack(path: Path) -> Contents:
    with path.open("rb") as file:
        return {member.name: body_of(file, member) for member in list(members(file, Limits()))}


def pack(path: Path, contents: Contents) -> Path:
    with path.open("wb") as file, ArchiveWriter(file) as archive:
        for name, body in contents.items():
            archive.add(name, body)
    return path


def check(site: Site, path: Path, **more: Any) -> Audit:
    return audit_file(path, site.root.public, **more)


def tampered(site: Site, tmp_path: Path, change: Callable[[Lines], object]) -> Audit:
    """Return what a check says after a change of the lines of the records."""
    contents = unpack(site.export(tmp_path / "good.tar"))
    lines = contents["entries.jsonl"].split(b"\n")[:-1]
    change(lines)
    contents["entries.jsonl"] = b"".join(line + b"\n" for line in lines)
    return check(site, pack(tmp_path / "bad.tar", contents))


def said(found: Audit) -> tuple[str, object]:
    assert found.failure is not None
    return found.failure.code, found.failure.facts.get("number")


def test_an_untouched_file_is_sound(site: Site, tmp_path: Path) -> None:
    found = check(site, site.export(tmp_path / "e.tar"))

    assert found.failure is None
    assert (found.records, found.signed, found.checkpoints, found.waiting) == (40, 40, 3, 0)
    assert (found.receipts, found.receipt_signatures) == (2, 2)
    assert found.first_at == found.last_at == AT


@pytest.mark.parametrize("at", [0, 9, 10, 25, 39])
def test_a_flipped_byte_names_its_record(site: Site, tmp_path: Path, at: int) -> None:
    def flip(lines: Lines) -> None:
        lines[at] = lines[at][:20] + bytes([lines[at][20] ^ 1]) + lines[at][21:]

    assert said(tampered(site, tmp_path, flip)) == ("evidence.record_altered", at)


@pytest.mark.parametrize(("at", "count"), [(0, 1), (9, 1), (10, 5), (38, 1)])
def test_removed_records_name_the_first(site: Site, tmp_path: Path, at: int, count: int) -> None:
    def remove(lines: Lines) -> None:
        del lines[at : at + count]

    assert said(tampered(site, tmp_path, remove)) == ("evidence.record_removed", at)


@pytest.mark.parametrize(("at", "other"), [(0, 1), (3, 17), (38, 39)])
def test_swapped_records_name_both(site: Site, tmp_path: Path, at: int, other: int) -> None:
    def swap(lines: Lines) -> None:
        lines[at], lines[other] = lines[other], lines[at]

    found = tampered(site, tmp_path, swap)

    assert said(found) == ("evidence.records_swapped", at)
    assert found.failure is not None
    assert found.failure.other == other


@pytest.mark.parametrize("at", [0, 7, 22, 39, 40])
def test_an_inserted_record_is_named(site: Site, tmp_path: Path, at: int) -> None:
    def insert(lines: Lines) -> None:
        lines.insert(at, b'{"event":"test.made"}')

    assert said(tampered(site, tmp_path, insert)) == ("evidence.record_inserted", at)


@pytest.mark.parametrize("left", [0, 1, 10, 39])
def test_a_cut_end_names_the_first_missing(site: Site, tmp_path: Path, left: int) -> None:
    def cut(lines: Lines) -> None:
        del lines[left:]

    assert said(tampered(site, tmp_path, cut)) == ("evidence.truncated", left)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.data())
def test_any_single_changed_byte_is_found_where_it_is(
    site: Site, tmp_path: Path, data: st.DataObject
) -> None:
    contents = unpack(site.export(tmp_path / "good.tar"))
    body = bytearray(contents["entries.jsonl"])
    place = data.draw(st.integers(0, len(body) - 1))
    body[place] ^= data.draw(st.integers(1, 255))
    number = contents["entries.jsonl"].count(b"\n", 0, place)
    contents["entries.jsonl"] = bytes(body)

    found = check(site, pack(tmp_path / "bad.tar", contents))

    assert found.failure is not None
    assert found.failure.number == number


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80)
@given(st.data())
def test_no_changed_byte_of_the_whole_file_goes_unnoticed(
    site: Site, tmp_path: Path, data: st.DataObject
) -> None:
    good = site.export(tmp_path / "good.tar").read_bytes()
    place = data.draw(st.integers(0, len(good) - 1))
    bad = bytearray(good)
    bad[place] ^= data.draw(st.integers(1, 255))
    (tmp_path / "bad.tar").write_bytes(bytes(bad))
    header = range(512, 512 + 400)  # what the file says of itself: who made it when, no evidence

    try:
        found = check(site, tmp_path / "bad.tar")
    except (ArchiveUnfit, ExportUnreadable, DirectoryAltered, NothingSigned):
        return
    assert not found.is_sound or place in header or _is_beside(unpack(tmp_path / "good.tar"), place)


def _is_beside(contents: Contents, place: int) -> bool:
    """Whether a place is of a line's own facts that repeat what is signed inside it."""
    offset = 0
    for name, body in contents.items():
        offset += 512
        if offset <= place < offset + len(body):
            return name == "checkpoints.jsonl"
        offset += len(body) + -len(body) % 512
    return False


def test_records_changed_together_with_their_values_are_found_by_the_signatures(
    site: Site, tmp_path: Path
) -> None:
    contents = unpack(site.export(tmp_path / "good.tar"))
    lines = contents["entries.jsonl"].split(b"\n")[:-1]
    lines[15] = lines[15].replace(b"test.made", b"test.fake")
    contents["entries.jsonl"] = b"".join(line + b"\n" for line in lines)
    value, values = CHAIN_START, []
    for line in lines:
        value = chained(value, leaf_hash(line))
        values.append(value)
    contents["chain.bin"] = b"".join(values)

    found = check(site, pack(tmp_path / "bad.tar", contents))

    assert said(found) == ("evidence.range_altered", 10)
    assert found.failure is not None
    assert found.failure.last == 21
    assert found.signed == 10


def test_a_changed_value_beside_a_sound_record_is_told_apart(site: Site, tmp_path: Path) -> None:
    contents = unpack(site.export(tmp_path / "good.tar"))
    values = bytearray(contents["chain.bin"])
    values[32 * 15] ^= 1
    contents["chain.bin"] = bytes(values)

    found = check(site, pack(tmp_path / "bad.tar", contents))

    assert said(found) == ("evidence.chain_altered", 15)


def test_a_log_signed_anew_with_another_key_is_refused(site: Site, tmp_path: Path) -> None:
    contents = unpack(site.export(tmp_path / "good.tar"))
    stranger = SigningKey.generate()
    note = site.keeper.newest
    assert note is not None
    forged = sign(parse(note), stranger)
    last = contents["checkpoints.jsonl"].splitlines()[-1]
    contents["checkpoints.jsonl"] = contents["checkpoints.jsonl"].replace(
        last, b'{"note":' + _json(forged) + b',"size":40,"at":""}'
    )

    found = check(site, pack(tmp_path / "bad.tar", contents))

    assert said(found)[0] == "evidence.checkpoint_foreign"


def test_a_root_that_was_changed_under_its_signature_is_refused(site: Site, tmp_path: Path) -> None:
    contents = unpack(site.export(tmp_path / "good.tar"))
    note = site.keeper.newest
    assert note is not None
    wrong = note.replace("\n40\n", "\n41\n")
    last = contents["checkpoints.jsonl"].splitlines()[-1]
    contents["checkpoints.jsonl"] = contents["checkpoints.jsonl"].replace(
        last, b'{"note":' + _json(wrong) + b"}"
    )

    found = check(site, pack(tmp_path / "bad.tar", contents))

    assert said(found)[0] == "evidence.checkpoint_altered"


def test_going_back_is_found_by_what_another_site_has_seen(site: Site, tmp_path: Path) -> None:
    """Records and checkpoints are cut to an older, rightly signed state."""
    contents = unpack(site.export(tmp_path / "good.tar"))
    older = _cut(contents, 22)
    back = pack(tmp_path / "back.tar", older)
    other = _seen_elsewhere(site, contents, tmp_path, site.keeper.newest or "")

    alone, compared = check(site, back), check(site, back, against=[other])

    assert alone.is_sound, "an older state is right in itself"
    assert said(compared)[0] == "evidence.rolled_back"
    assert compared.compared_with == (PEER,)


def test_another_history_is_found_by_what_another_site_has_seen(site: Site, tmp_path: Path) -> None:
    contents = unpack(site.export(tmp_path / "good.tar"))
    edge = Frontier()
    for number in range(22):
        edge.add(leaf_hash(b"another %d" % number))
    told = Checkpoint(origin=site.origin, size=22, root=edge.root())
    other = _seen_elsewhere(site, contents, tmp_path, sign(told, site.keys[SITE]))

    found = check(site, pack(tmp_path / "e.tar", contents), against=[other])

    assert said(found)[0] == "evidence.forked"


def test_receipts_that_were_changed_or_taken_out_are_named(site: Site, tmp_path: Path) -> None:
    contents = unpack(site.export(tmp_path / "good.tar"))
    first, second = contents["receipts.jsonl"].splitlines(keepends=True)

    for receipts, expected in (
        (first, ("evidence.receipt_missing", 21)),
        (second, ("evidence.receipt_missing", 20)),
        (b"", ("evidence.receipt_missing", 20)),
        (first[:-10] + b"AAAA" + first[-6:] + second, ("evidence.receipt_altered", 20)),
    ):
        bad = pack(tmp_path / "bad.tar", {**contents, "receipts.jsonl": receipts})
        assert said(check(site, bad)) == expected


def test_a_directory_signed_by_somebody_else_is_refused(site: Site, tmp_path: Path) -> None:
    with pytest.raises(DirectoryAltered):
        audit_file(site.export(tmp_path / "e.tar"), SigningKey.generate().public)


@pytest.mark.parametrize("version", [b'{"format":2}', b"[]", b"{", b'{"format":1}'])
def test_another_version_is_refused_and_not_guessed(
    site: Site, tmp_path: Path, version: bytes
) -> None:
    contents = unpack(site.export(tmp_path / "good.tar")) | {"evidence.json": version}

    with pytest.raises(ExportUnreadable):
        check(site, pack(tmp_path / "bad.tar", contents))


def test_a_selection_carries_proofs_that_hold_for_nothing_else(site: Site, tmp_path: Path) -> None:
    path = site.export(
        tmp_path / "s.tar", Selection(transfer="019aa8d1-5b7c-7000-8000-0123456789ab")
    )
    found = check(site, path)
    assert (found.kind, found.records, found.receipts, found.failure) == ("selected", 2, 2, None)
    contents = unpack(path)

    lines = contents["entries.jsonl"].split(b"\n")[:-1]
    proofs = contents["proofs.jsonl"].splitlines(keepends=True)
    for entries, beside, expected in (
        ([lines[0].replace(b"out", b"xxx"), lines[1]], proofs, "evidence.record_altered"),
        (lines[::-1], proofs, "evidence.record_altered"),
        (lines[::-1], proofs[::-1], "evidence.proof_wrong"),
        (lines[:1], proofs[:1], "evidence.record_removed"),
        ([lines[0], lines[0]], [proofs[0], proofs[0]], "evidence.proof_wrong"),
    ):
        body = b"".join(line + b"\n" for line in entries)
        bad = contents | {"entries.jsonl": body, "proofs.jsonl": b"".join(beside)}
        assert said(check(site, pack(tmp_path / "bad.tar", bad)))[0] == expected


def test_a_selection_of_nothing_is_said_to_be(site: Site, tmp_path: Path) -> None:
    with pytest.raises(RecordNotFound):
        site.export(tmp_path / "e.tar", Selection(link="no-such-link"))
    assert not list(tmp_path.glob("*.tar"))
    assert not list(tmp_path.glob(".e*"))


# -- the state itself ------------------------------------------------------------------------------

_BYTES = "x'7b7d'"


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        (
            [f"update evidence_entries set body = {_BYTES} where number = 12"],
            ("record_altered", 12),
        ),
        (["delete from evidence_entries where number = 12"], ("record_removed", 12)),
        (
            [
                "delete from evidence_entries where number = 12",
                "update evidence_entries set number = number - 1 where number > 12",
            ],
            ("record_altered", 12),
        ),
        (["delete from evidence_entries where number >= 30"], ("truncated", 30)),
        (
            [
                "update evidence_entries set number = -1 where number = 5",
                "update evidence_entries set number = 5 where number = 9",
                "update evidence_entries set number = 9 where number = -1",
            ],
            ("records_swapped", 5),
        ),
        (
            [
                "create temp table t as select number, body from evidence_entries",
                (
                    "update evidence_entries set body = (select body from t where number = 9)"
                    " where number = 5"
                ),
                (
                    "update evidence_entries set body = (select body from t where number = 5)"
                    " where number = 9"
                ),
            ],
            ("records_swapped", 5),
        ),
        (
            [
                "update evidence_entries set number = number + 1001 where number >= 12",
                "update evidence_entries set number = number - 1000 where number >= 1000",
                f"insert into evidence_entries values ('{TENANT}', 12, 'x', x'00', {_BYTES})",
            ],
            ("record_inserted", 12),
        ),
        (["delete from receipts where stage = 'opened'"], ("receipt_missing", 21)),
        (["update receipts set jws = 'x.y.z' where stage = 'opened'"], ("receipt_altered", 21)),
        (["delete from evidence_checkpoints where size = 40"], (None, None)),  # not signed yet
    ],
)
def test_what_was_done_to_the_state_behind_the_gateways_back_is_named(
    site: Site, statements: list[str], expected: tuple[str | None, int | None]
) -> None:
    with sqlite3.connect(site.folder / "state.db", isolation_level=None) as stranger:
        for (name,) in stranger.execute(
            "select name from sqlite_master where type = 'trigger'"
        ).fetchall():
            stranger.execute(f"drop trigger {name}")
        for statement in statements:
            stranger.execute(statement)
    stranger.close()

    with site.store.engine.connect() as held:
        found = SiteEvidence(held, tenant=TENANT, site=SITE).audit(site.directory)

    if expected[0] is None:
        assert found.is_sound
        assert (found.signed, found.waiting) == (22, 18)
    else:
        assert said(found) == (f"evidence.{expected[0]}", expected[1])


def test_older_checkpoints_may_carry_a_key_that_went_out_of_use(site: Site, tmp_path: Path) -> None:
    contents = unpack(site.export(tmp_path / "good.tar"))
    first = contents["checkpoints.jsonl"].splitlines()[0]
    with site.store.engine.connect() as held:
        leaves = [leaf_hash(body) for _, _, body in stored(held, TENANT, 0, 10)]
    edge = Frontier()
    for leaf in leaves:
        edge.add(leaf)
    note = sign(Checkpoint(origin=site.origin, size=10, root=edge.root()), SigningKey.generate())
    contents["checkpoints.jsonl"] = contents["checkpoints.jsonl"].replace(
        first, b'{"note":' + _json(note) + b"}"
    )

    found = check(site, pack(tmp_path / "e.tar", contents))

    assert (found.failure, found.unknown_keys) == (None, 1)


def _json(text: str) -> bytes:
    import json

    return json.dumps(text, ensure_ascii=False).encode()


def _cut(contents: Contents, size: int) -> Contents:
    lines = contents["entries.jsonl"].split(b"\n")[:size]
    notes = contents["checkpoints.jsonl"].splitlines(keepends=True)
    return contents | {
        "evidence.json": contents["evidence.json"].replace(b":40", b":%d" % size),
        "checkpoints.jsonl": b"".join(notes[:2]),
        "chain.bin": contents["chain.bin"][: 32 * size],
        "entries.jsonl": b"".join(line + b"\n" for line in lines),
    }


def _seen_elsewhere(site: Site, contents: Contents, tmp_path: Path, note: str) -> Path:
    """Return an evidence file of the peer, in which it has seen ``note``."""
    line = b'{"site":"hall-core","size":22,"verdict":"consistent","note":' + _json(note) + b"}\n"
    header = contents["evidence.json"].replace(SITE.encode(), PEER.encode())
    seen = contents | {"evidence.json": header, "witnessed.jsonl": line}
    return pack(tmp_path / "other.tar", seen)


def test_private_failures_of_keys_do_not_escape(site: Site, tmp_path: Path) -> None:
    contents = unpack(site.export(tmp_path / "good.tar"))
    contents["directory.jws"] = b"not.a.token"
    with pytest.raises(DirectoryAltered) as refused:
        check(site, pack(tmp_path / "bad.tar", contents))
    assert not isinstance(refused.value, CryptoFailed)
