"""The checker must find exactly what was planted, and nothing where nothing is wrong."""

import base64
import json
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from kumobashi.crypto.canonical import canonical, digest
from kumobashi.testing.faults.check import line, main, read_world
from kumobashi.testing.faults.evidence_logs import root_of
from kumobashi.testing.faults.history import History, read_events
from kumobashi.testing.faults.judging import Fault, judge
from kumobashi.testing.faults.tables import digest_of

LINK, TABLE = "notice-attributes", "notice_attributes"
STAGES = ("delivered", "opened", "validated", "applied")
KID = "receiver-key"


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Scene:
    """A hand-made end of a run: a history, a receiver's file and two gateways' receipts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = Ed25519PrivateKey.generate()
        self.history = History(folder / "history.jsonl")
        self.rows: dict[str, str] = {}
        self.transfers: list[str] = []
        with duckdb.connect(str(folder / "receiver.duckdb")) as target:
            target.execute("create table notice_attributes (token text, sex text)")
            target.execute("create table kumobashi_deleted (transfer text, link text)")
            target.execute(
                "create table kumobashi_applied"
                " (transfer text, link text, business_date text, sequence int)"
            )
        for site in ("sender", "receiver"):
            self.state(
                site,
                "create table receipts"
                " (transfer text, attempt int, side text, number int, stage text, jws text)",
            )
        x = b64(self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))
        self.description = folder / "checked.json"
        said = {
            "history": "history.jsonl",
            "bound_seconds": 5,
            "links": {
                LINK: {
                    "table": TABLE,
                    "key": "token",
                    "columns": ["sex"],
                    "store": {"kind": "duckdb", "at": "receiver.duckdb"},
                }
            },
            "states": {
                site: {"kind": "sqlite", "at": f"{site}.db"} for site in ("sender", "receiver")
            },
            "keys": {KID: x},
            "wire": ["wire.jsonl"],
            "private": ["keys"],
        }
        self.description.write_text(json.dumps(said), "utf-8")

    # -- what stands there ------------------------------------------------------------------------

    def target(self, *statements: str) -> None:
        with duckdb.connect(str(self.folder / "receiver.duckdb")) as target:
            for statement in statements:
                target.execute(statement)

    def state(self, site: str, statement: str, *values: object) -> None:
        connection = sqlite3.connect(self.folder / f"{site}.db")
        connection.execute(statement, values)
        connection.commit()
        connection.close()

    def receipts(
        self, transfer: str, *stages: str, code: str | None = None, key: Any = None
    ) -> list[tuple[str, str]]:
        made, previous = [], None
        for stage in stages:
            body = canonical(
                {
                    "transfer": transfer,
                    "attempt": 1,
                    "stage": stage,
                    "site": "receiver",
                    "code": code if stage == "refused" else None,
                    "previous": previous,
                    "nonce": str(uuid.uuid4()),
                }
            )
            previous = digest(body)
            head = canonical({"alg": "EdDSA", "kid": KID, "typ": "kumobashi-receipt+jws"})
            signed = f"{b64(head)}.{b64(body)}"
            made.append((stage, f"{signed}.{b64((key or self.key).sign(signed.encode()))}"))
        return made

    def keep(self, site: str, side: str, transfer: str, made: list[tuple[str, str]]) -> None:
        connection = sqlite3.connect(self.folder / f"{site}.db")
        values = [(transfer, side, number, stage, jws) for number, (stage, jws) in enumerate(made)]
        connection.executemany("insert into receipts values (?, 1, ?, ?, ?, ?)", values)
        connection.commit()
        connection.close()

    def load(self, transfer: str, day: str, *, sequence: int = 1) -> None:
        self.target(
            f"insert into kumobashi_applied values ('{transfer}', '{LINK}', '{day}', {sequence})"
        )

    # -- a night as it should be ------------------------------------------------------------------

    def good(self, number: int) -> str:
        """Play one round in which everything went well."""
        day, transfer = f"2026-12-{number:02}", f"t{number}"
        self.rows = {f"k{n}": str((n + number) % 3) for n in range(5)}
        rows = {key: digest_of((key, sex)) for key, sex in self.rows.items()}
        self.history.note("inject", round=number, fault="kill")
        self.history.invoke(f"{LINK} {day}", link=LINK, day=day, rows=rows)
        values = ", ".join(f"('{key}', '{sex}')" for key, sex in self.rows.items())
        self.target(
            "delete from notice_attributes", f"insert into notice_attributes {'values'} {values}"
        )
        self.load(transfer, day)
        made = self.receipts(transfer, *STAGES)
        self.keep("receiver", "in", transfer, made)
        self.keep("sender", "out", transfer, made)
        self.history.note("healed", round=number)
        self.history.note("ok", intent=f"{LINK} {day}", transfer=transfer)
        self.history.note("backlog", round=number, waiting={})
        self.history.note("rest", round=number)
        self.transfers.append(transfer)
        return transfer

    def delete(self, transfer: str) -> None:
        """Delete a transfer as it should be: asked for, gone, noted, proved."""
        self.history.note("delete", transfer=transfer)
        self.history.note("delete-taken", transfer=transfer)
        if transfer == self.transfers[-1]:
            self.target("delete from notice_attributes")
        self.target(f"insert into kumobashi_deleted values ('{transfer}', '{LINK}')")
        for site in ("sender", "receiver"):
            self.state(site, "delete from receipts where transfer = ?", transfer)
        made = self.receipts(transfer, *STAGES, "deleted")
        self.keep("receiver", "in", transfer, made)
        self.keep("sender", "out", transfer, made)

    def found(self) -> list[tuple[str, str]]:
        return [(fault.kind, fault.who) for fault in judge(read_world(self.description))]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    with made.history:
        for number in range(1, 5):
            made.good(number)
        yield made


def test_a_good_run_has_no_faults(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    assert scene.found() == []
    assert main([str(scene.description)]) == 0
    assert capsys.readouterr().out == "rounds 4: lost 0, duplicated 0, unfinished 0, undetected 0\n"


def a_lost_load(scene: Scene) -> None:
    scene.target("delete from kumobashi_applied where transfer = 't2'")
    for site in ("sender", "receiver"):
        scene.state(site, "delete from receipts where transfer = 't2' and stage = 'applied'")


def a_lost_row(scene: Scene) -> None:
    scene.target("delete from notice_attributes where token = 'k3'")


def a_row_twice(scene: Scene) -> None:
    scene.target("insert into notice_attributes select * from notice_attributes where token = 'k1'")


def a_load_twice(scene: Scene) -> None:
    scene.load("t4", "2026-12-04")


def an_intent_twice(scene: Scene) -> None:
    scene.load("t4b", "2026-12-04", sequence=2)


def an_altered_row(scene: Scene) -> None:
    scene.target("update notice_attributes set sex = '9' where token = 'k2'")


def an_older_content(scene: Scene) -> None:
    assert scene.rows["k0"] != "0"
    scene.target("update notice_attributes set sex = '0' where token = 'k0'")  # as in round 3


def a_row_nobody_sent(scene: Scene) -> None:
    scene.target("insert into notice_attributes values ('k9', '1')")


def a_load_nobody_sent(scene: Scene) -> None:
    scene.load("stranger", "2027-01-01")


def loads_out_of_order(scene: Scene) -> None:
    scene.target("delete from kumobashi_applied where transfer = 't1'")
    scene.load("t1", "2026-12-01")


def confirmed_but_gone(scene: Scene) -> None:
    """Somebody was told "applied" on the line, and nothing else knows of it."""
    jws = [token for _, token in scene.receipts("t7", *STAGES)]
    (scene.folder / "wire.jsonl").write_text(json.dumps({"receipts": jws}) + "\n", "utf-8")


def a_positive_receipt_for_failed_processing(scene: Scene) -> None:
    scene.target("delete from kumobashi_applied where transfer = 't3'")


def both_receipts(scene: Scene) -> None:
    made = [token for _, token in scene.receipts("t1", "refused", code="exchange.rows_refused")]
    (scene.folder / "wire.jsonl").write_text(json.dumps({"receipts": made}) + "\n", "utf-8")


def another_receipt_for_the_same(scene: Scene) -> None:
    made = [token for _, token in scene.receipts("t1", "delivered")]
    (scene.folder / "wire.jsonl").write_text(json.dumps({"receipts": made}) + "\n", "utf-8")


def refused_and_loaded(scene: Scene) -> None:
    made = scene.receipts("t2", "refused", code="x.y")
    for site, side in (("sender", "out"), ("receiver", "in")):
        scene.state(site, "delete from receipts where transfer = 't2'")
        scene.keep(site, side, "t2", made)


def a_forged_receipt(scene: Scene) -> None:
    other = Ed25519PrivateKey.generate()
    scene.state("sender", "delete from receipts where transfer = 't4' and stage = 'applied'")
    _, jws = scene.receipts("t4", "applied", key=other)[0]
    scene.state("sender", "insert into receipts values ('t4', 1, 'out', 9, 'applied', ?)", jws)


def believed_without_a_receipt(scene: Scene) -> None:
    scene.state("sender", "delete from receipts where transfer = 't4'")


def an_intent_in_limbo(scene: Scene) -> None:
    scene.history.invoke("lost-in-space", link=LINK, day="2026-12-09", rows={})


def one_that_never_ended(scene: Scene) -> None:
    scene.history.invoke("late", link=LINK, day="2026-12-09", rows={})
    scene.history.note("backlog", round=4, waiting={"late": "sealed exchange.peer_unreachable"})


def refused_without_a_reason(scene: Scene) -> None:
    scene.history.invoke("why", link=LINK, day="2026-12-09", rows={})
    scene.history.note("fail", intent="why")


def a_slow_round(scene: Scene) -> None:
    events = read_events(scene.history.path)
    for event in events:
        if event["event"] == "rest" and event["round"] == 3:
            event["at"] += 6
    text = "".join(json.dumps(event) + "\n" for event in events)
    scene.history.path.write_text(text, "utf-8")


def a_round_without_a_fault(scene: Scene) -> None:
    scene.history.note("healed", round=5)
    scene.history.note("rest", round=5)


def evidence(scene: Scene, count: int = 5, *, key: Any = None) -> list[bytes]:
    """Give the sender a log of evidence with a checkpoint, and let the receiver see it."""
    bodies = [f"record {number}".encode() for number in range(count)]
    text = f"kumobashi/999997/sender\n{count}\n{base64.b64encode(root_of(bodies)).decode()}\n"
    made = base64.b64encode(b"hash" + (key or scene.key).sign(text.encode())).decode()
    note = f"{text}\n— kumobashi/999997/sender {made}\n"
    scene.state("sender", "create table evidence_entries (number int, body blob)")
    scene.state("sender", "create table evidence_checkpoints (size int, note text)")
    scene.state(
        "receiver", "create table evidence_witnessed (site text, note text, at int, verdict text)"
    )
    for number, body in enumerate(bodies):
        scene.state("sender", "insert into evidence_entries values (?, ?)", number, body)
    scene.state("sender", "insert into evidence_checkpoints values (?, ?)", count, note)
    scene.state(
        "receiver", "insert into evidence_witnessed values ('sender', ?, 1, 'consistent')", note
    )
    return bodies


def an_altered_record(scene: Scene) -> None:
    evidence(scene)
    scene.state("sender", "update evidence_entries set body = ? where number = 2", b"record X")


def a_log_cut_short(scene: Scene) -> None:
    evidence(scene)
    scene.state("sender", "delete from evidence_entries where number = 4")
    scene.state("sender", "delete from evidence_checkpoints")


def a_log_with_a_gap(scene: Scene) -> None:
    evidence(scene)
    scene.state("sender", "update evidence_entries set number = 9 where number = 4")


def a_checkpoint_of_a_stranger(scene: Scene) -> None:
    evidence(scene, key=Ed25519PrivateKey.generate())


def rows_that_came_back(scene: Scene) -> None:
    scene.delete("t4")
    scene.target("insert into notice_attributes values ('k1', '1')")


def a_key_that_was_kept(scene: Scene) -> None:
    scene.delete("t2")
    (scene.folder / "keys" / "in").mkdir(parents=True)
    (scene.folder / "keys" / "in" / "t2-1.age").touch()


def a_proof_of_nothing(scene: Scene) -> None:
    scene.delete("t2")
    scene.target("delete from kumobashi_deleted")


def a_deletion_that_nobody_asked_for(scene: Scene) -> None:
    scene.target(f"insert into kumobashi_deleted values ('t3', '{LINK}')")


def a_deletion_without_a_proof(scene: Scene) -> None:
    scene.delete("t3")
    for site in ("sender", "receiver"):
        scene.state(site, "delete from receipts where stage = 'deleted'")


def an_end_of_nothing(scene: Scene) -> None:
    scene.history.note("ok", intent="nothing", transfer="t9")


PLANTED: list[tuple[Callable[[Scene], None], list[tuple[str, str]]]] = [
    (a_lost_load, [("lost", f"{LINK} 2026-12-02"), ("contradictory", f"{LINK} 2026-12-02")]),
    (a_lost_row, [("lost", f"{LINK} k3")]),
    (a_row_twice, [("duplicated", f"{LINK} k1")]),
    (a_load_twice, [("duplicated", "t4")]),
    (an_intent_twice, [("duplicated", f"{LINK} 2026-12-04")]),
    (an_altered_row, [("altered", f"{LINK} k2")]),
    (an_older_content, [("altered", f"{LINK} k0")]),
    (a_row_nobody_sent, [("unexpected", f"{LINK} k9")]),
    (a_load_nobody_sent, [("unexpected", "stranger")]),
    (loads_out_of_order, [("out_of_order", LINK)]),
    (confirmed_but_gone, [("confirmed_but_gone", "t7")]),
    (
        a_positive_receipt_for_failed_processing,
        [("lost", f"{LINK} 2026-12-03"), ("confirmed_but_gone", "t3")],
    ),
    (both_receipts, [("contradictory", "t1")]),
    (another_receipt_for_the_same, [("contradictory", "t1")]),
    (refused_and_loaded, [("contradictory", f"{LINK} 2026-12-02"), ("contradictory", "t2")]),
    (a_forged_receipt, [("contradictory", f"{LINK} 2026-12-04"), ("forged", "t4")]),
    (believed_without_a_receipt, [("contradictory", f"{LINK} 2026-12-04")]),
    (an_intent_in_limbo, [("limbo", "lost-in-space")]),
    (one_that_never_ended, [("unfinished", "late")]),
    (refused_without_a_reason, [("limbo", "why")]),
    (a_slow_round, [("slow", "round 3")]),
    (a_round_without_a_fault, [("history", "round 5")]),
    (an_end_of_nothing, [("history", "nothing")]),
    (rows_that_came_back, [("undeleted", f"{LINK} k1")]),
    (a_key_that_was_kept, [("undeleted", "t2")]),
    (a_proof_of_nothing, [("undeleted", "t2")]),
    (a_deletion_that_nobody_asked_for, [("lost", "t3")]),
    (a_deletion_without_a_proof, [("unfinished", "t3")]),
    (an_altered_record, [("chain_broken", "sender")] * 2),
    (a_log_cut_short, [("chain_broken", "sender")]),
    (a_log_with_a_gap, [("chain_broken", "sender")]),
    (a_checkpoint_of_a_stranger, [("chain_broken", "sender")] * 2),
]


@pytest.mark.parametrize(("plant", "found"), PLANTED, ids=[p.__name__ for p, _ in PLANTED])
def test_what_is_planted_is_found_and_nothing_else(
    scene: Scene, plant: Callable[[Scene], None], found: list[tuple[str, str]]
) -> None:
    plant(scene)

    got = scene.found()

    assert sorted(got) == sorted(found)
    assert main([str(scene.description)]) == 1


@pytest.mark.parametrize("transfer", ["t2", "t4"])
def test_a_deletion_that_is_right_loses_nothing(scene: Scene, transfer: str) -> None:
    scene.delete(transfer)

    assert scene.found() == []


def test_a_deletion_is_not_the_loss_of_another_transfer(scene: Scene) -> None:
    scene.delete("t3")
    scene.target("delete from notice_attributes where token = 'k0'")

    assert scene.found() == [("lost", f"{LINK} k0")]


def test_a_log_of_evidence_that_is_right_is_right(scene: Scene) -> None:
    evidence(scene)

    assert scene.found() == []


@pytest.mark.parametrize("count", [0, 1, 2, 3, 6, 7, 8, 300])
def test_roots_are_those_of_the_standard(count: int) -> None:
    """RFC 6962, 2.1, word for word."""

    def standard(leaves: list[bytes]) -> bytes:
        if not leaves:
            return sha256(b"").digest()
        if len(leaves) == 1:
            return sha256(b"\x00" + leaves[0]).digest()
        half = 1
        while half * 2 < len(leaves):
            half *= 2
        return sha256(b"\x01" + standard(leaves[:half]) + standard(leaves[half:])).digest()

    leaves = [str(number).encode() for number in range(count)]
    assert root_of(leaves) == standard(leaves)


def test_an_unknown_outcome_may_have_happened_once_or_not_at_all(scene: Scene) -> None:
    scene.history.invoke("unheard", link=LINK, day="2026-12-08", rows={})
    scene.history.note("info", intent="unheard")
    assert scene.found() == []

    rows = {key: digest_of((key, sex)) for key, sex in scene.rows.items()}
    scene.history.invoke("answer lost", link=LINK, day="2026-12-09", rows=rows)
    scene.history.note("info", intent="answer lost")
    scene.load("t9", "2026-12-09")
    assert scene.found() == []

    scene.load("t9", "2026-12-09")
    assert scene.found() == [("duplicated", "t9")]


def test_what_cannot_be_read_is_no_pass(scene: Scene, tmp_path: Path) -> None:
    (tmp_path / "empty.json").write_text("{}", "utf-8")
    assert main([str(tmp_path / "empty.json")]) == 2
    assert main([str(tmp_path / "absent.json")]) == 2


def test_a_line_that_its_writers_death_cut_off_is_left_out(scene: Scene) -> None:
    before = read_events(scene.history.path)
    with scene.history.path.open("ab") as file:
        file.write(b'{"event": "inv')

    assert read_events(scene.history.path) == before


def test_the_line_counts_every_kind_once() -> None:
    assert line(2, [Fault("limbo", "a"), Fault("slow", "b"), Fault("altered", "c")]) == (
        "rounds 2: lost 0, duplicated 0, unfinished 2, undetected 1"
    )


def test_the_checker_loads_nothing_of_what_it_checks() -> None:
    program = (
        "import sys, kumobashi.testing.faults.check;"
        "print(sorted(m for m in sys.modules if m.startswith('kumobashi.')"
        " and not m.startswith('kumobashi.testing')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
