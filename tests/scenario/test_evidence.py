"""Evidence from the first transfer to the auditor's machine: real gateways, real commands."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kumobashi.storage.archives import ArchiveWriter, Limits, body_of, members
from kumobashi.testing.city import City
from kumobashi.testing.commands import command
from kumobashi.testing.gateways import until
from kumobashi.testing.town import SITES, Town

pytestmark = [pytest.mark.scenario, pytest.mark.slow]
LINK = "notice-attributes"
SENDER, RECEIVER = "hall-core", "public-cloud"
RESIDENTS_VALUES = ("family_name", "birth_date", "address")


@pytest.fixture(scope="module")
def town(city: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with Town.found(tmp_path_factory.mktemp("evidence") / "w", city) as made:
        made.start_all()
        made.run(LINK)
        until("the receiver signs", lambda: signed_by(made, RECEIVER), 60)
        made.run(LINK, again=True)  # its receipts carry what was signed
        until("the receiver's log is witnessed", lambda: seen_by(made, SENDER), 60)
        until("the sender's log is witnessed", lambda: seen_by(made, RECEIVER, SENDER), 60)
        until("every gateway signs", lambda: all(signed_by(made, s) for s in SITES) or None, 60)
        yield made


def signed_by(town: Town, site: str) -> int | None:
    with sqlite3.connect(f"file:{town.folder}/var/{site}/state.db?mode=ro", uri=True) as held:
        found: int | None = held.execute("select max(size) from evidence_checkpoints").fetchone()[0]
    held.close()
    return found


def seen_by(town: Town, site: str, whose: str = RECEIVER) -> list[Any] | None:
    with sqlite3.connect(f"file:{town.folder}/var/{site}/state.db?mode=ro", uri=True) as held:
        query = "select site, size, verdict from evidence_witnessed where site = ?"
        found = held.execute(query, (whose,)).fetchall()
    held.close()
    return found or None


def kumobashi(*words: str | Path, cwd: Path, expect: int = 0) -> Any:
    done = command(*words, "--json", folder=cwd, environment={"HOME": str(cwd)}, errors_apart=True)
    assert done.exit_code == expect, done.output + done.errors
    return json.loads(done.output)


def test_every_gateway_on_the_way_keeps_a_sound_log(town: Town) -> None:
    for site in SITES:
        found = kumobashi("evidence", "verify", "--site", site, cwd=town.folder)
        assert found["is_sound"], found
        assert found["records"] > 0
    told = kumobashi("evidence", "show", "--site", SENDER, "--last", "100", cwd=town.folder)
    said = [(one["event"], one.get("after") or one.get("stage")) for one in told["records"]]
    for expected in (
        ("transfer.moved", "sealed"),
        ("transfer.moved", "sent"),
        ("receipt.kept", "delivered"),
        ("receipt.kept", "applied"),
        ("transfer.moved", "applied"),
    ):
        assert expected in said
    started = told["records"][0]
    assert started["event"] == "transfer.started"
    assert started["legal_basis"]
    assert started["plan_hash"].startswith("sha256:")
    assert told["faults"] == []
    assert told["witnessed"][RECEIVER] > 0, "a receipt carried the receiver's checkpoint"
    there = kumobashi("evidence", "show", "--site", RECEIVER, cwd=town.folder)
    assert there["witnessed"][SENDER] > 0, "it calls nobody, and was offered the sender's"


def test_an_auditor_elsewhere_needs_one_public_key_only(town: Town, tmp_path: Path) -> None:
    files = {}
    for site in (SENDER, RECEIVER):
        files[site] = tmp_path / f"{site}.tar"
        kumobashi("evidence", "export", "--site", site, "--out", files[site], cwd=town.folder)
    key = tmp_path / "directory.pub"
    shutil.copy(town.folder / "keys" / "directory.pub", key)

    found = kumobashi(
        "evidence", "verify", files[RECEIVER], "--trust", key, "--against", files[SENDER],
        cwd=tmp_path,
    )  # fmt: skip

    assert found["is_sound"], found
    assert found["compared_with"] == [SENDER]
    assert found["receipts"] == found["receipt_signatures"] == 8
    data = files[RECEIVER].read_bytes()
    for private in ("seal.key", "sign.key", "api.token", "token.key"):
        path = town.folder / "private" / RECEIVER / private
        if path.exists():
            secret = max(path.read_bytes().split(b"\n"), key=len)[-30:]
            assert secret not in data


def test_a_flipped_byte_is_named_in_japanese(town: Town, tmp_path: Path) -> None:
    target, key = tmp_path / "e.tar", town.folder / "keys" / "directory.pub"
    kumobashi("evidence", "export", "--site", SENDER, "--out", target, cwd=town.folder)
    data = bytearray(target.read_bytes())
    at = data.index(b'"after":"sent"')
    data[at + 10] ^= 1
    target.write_bytes(bytes(data))

    found = kumobashi("evidence", "verify", target, "--trust", key, cwd=tmp_path, expect=1)

    assert found["touched"]["code"] == "evidence.record_altered"
    with target.open("rb") as file:
        held = {member.name: member for member in members(file, Limits())}
        lines = body_of(file, held["entries.jsonl"]).split(b"\n")
    number = next(
        n
        for n, line in enumerate(lines)
        if b'"after":"sent"' not in line and b"sealed" in line and b'"before":"sealed"' in line
    )
    assert found["touched"]["number"] == number
    assert f"記録 {number} の中身が" in found["touched"]["ja"]


def test_a_selection_is_proved_record_by_record(town: Town, tmp_path: Path) -> None:
    target, key = tmp_path / "e.tar", town.folder / "keys" / "directory.pub"
    made = kumobashi(
        "evidence", "export", "--site", SENDER, "--out", target, "--link", LINK, cwd=town.folder
    )
    assert made["kind"] == "selected"
    found = kumobashi("evidence", "verify", target, "--trust", key, cwd=tmp_path)
    assert found["records"] == made["records"] > 8
    assert found["receipts"] == 8

    with target.open("rb") as file:
        contents = {m.name: body_of(file, m) for m in list(members(file, Limits()))}
    contents["entries.jsonl"] = contents["entries.jsonl"].replace(b'"applied"', b'"refused"', 1)
    with target.open("wb") as made_again, ArchiveWriter(made_again) as archive:
        for name, body in contents.items():
            archive.add(name, body)
    found = kumobashi("evidence", "verify", target, "--trust", key, cwd=tmp_path, expect=1)
    assert found["touched"]["code"] == "evidence.record_altered"


def test_tables_for_people_open_in_a_spreadsheet_and_on_paper(town: Town, tmp_path: Path) -> None:
    for suffix in ("csv", "html"):
        out = tmp_path / f"e.{suffix}"
        kumobashi("evidence", "export", "--site", SENDER, "--out", out, cwd=town.folder)
        text = out.read_bytes().decode("utf-8-sig")
        assert "法的根拠" in text
        assert "復号" in text
    assert (tmp_path / "e.csv").read_bytes().startswith(b"\xef\xbb\xbf")


def test_a_log_that_went_back_is_noticed_by_the_sender(town: Town, tmp_path: Path) -> None:
    """The receiver is restored from a copy, and goes on as if nothing had happened."""
    for site in SITES:
        town.running[site].stop()
    copy, state = tmp_path / "state", town.folder / "var" / RECEIVER
    shutil.copytree(state, copy)
    before = signed_by(town, RECEIVER) or 0
    town.start_all()
    town.run(LINK, again=True)
    until("it is signed", lambda: (signed_by(town, RECEIVER) or 0) > before or None, 60)
    town.run(LINK, again=True)  # its receipts carry what was signed
    key = town.folder / "keys" / "directory.pub"
    sender = ("evidence", "export", "--site", SENDER, "--out", tmp_path / "s.tar")
    kumobashi(*sender, cwd=town.folder)
    town.running[RECEIVER].stop()
    shutil.rmtree(state)
    shutil.copytree(copy, state)

    kumobashi(
        "evidence", "export", "--site", RECEIVER, "--out", tmp_path / "r.tar", cwd=town.folder
    )
    words = ("evidence", "verify", tmp_path / "r.tar", "--trust", key)
    assert kumobashi(*words, cwd=tmp_path)["is_sound"], "an older state is right in itself"
    found = kumobashi(*words, "--against", tmp_path / "s.tar", cwd=tmp_path, expect=1)
    assert found["touched"]["code"] == "evidence.rolled_back"

    town.start(RECEIVER)
    town.run(LINK, again=True)  # another history grows from the older state
    until("the receiver signs", lambda: (signed_by(town, RECEIVER) or 0) > before or None, 60)
    town.run(LINK, again=True)
    until("the sender says so", lambda: faults(town, SENDER), 60)
    shown = kumobashi("evidence", "show", "--site", SENDER, cwd=town.folder, expect=1)
    assert shown["faults"][0]["site"] == RECEIVER
    assert shown["faults"][0]["verdict"] in {"evidence.rolled_back", "evidence.forked"}
    assert "a peer's evidence does not fit" in town.running[SENDER].log.read_text()


def faults(town: Town, site: str) -> list[Any] | None:
    with sqlite3.connect(f"file:{town.folder}/var/{site}/state.db?mode=ro", uri=True) as held:
        query = "select verdict from evidence_witnessed where verdict <> 'consistent'"
        found = held.execute(query).fetchall()
    held.close()
    return found or None
