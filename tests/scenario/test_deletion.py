"""To the end of the data's life: deleted at the receiver, proved, unreadable in old backups."""

import base64
import contextlib
import csv
import http.client
import io
import json
import shutil
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kumobashi.crypto.errors import KeyGone, NotForUs
from kumobashi.crypto.keys import SealKey, SigningKey
from kumobashi.crypto.sealing import open_sealed
from kumobashi.crypto.transfer_keys import unwrap
from kumobashi.exchange.transfer_keys import TransferKeys
from kumobashi.exchange.unpacking import unpack
from kumobashi.kernel import new_id
from kumobashi.messages.deletions import DeletionRequest, sign_deletion
from kumobashi.messages.manifest import Manifest
from kumobashi.planning.publishing import publish_directory
from kumobashi.storage.erasable import ErasableSecrets
from kumobashi.storage.key_backups import back_up, bring_back
from kumobashi.storage.spool import Spool
from kumobashi.testing.city import City
from kumobashi.testing.courier import Answer, Courier, pack
from kumobashi.testing.crash_points import names_of_deletion, sides
from kumobashi.testing.gateways import until
from kumobashi.testing.town import DAY, Refused, Town
from tests.scenario.accounts import account

pytestmark = [pytest.mark.scenario, pytest.mark.slow]
NOTICES, REMINDERS = "notice-attributes", "vaccination-reminders"
QUICK = {"KUMO_DUTY_SECONDS": "0.3"}
SITE_OF = {"sender": "hall-core", "receiver": "public-cloud"}


def declare(folder: Path) -> None:
    """Write how long receivers may keep what two links send; a law asks to keep one of them."""
    for link, said in (
        (NOTICES, "{class: service, days: 30}"),
        (REMINDERS, "{class: provision-record}"),
    ):
        path = folder / "links" / f"{link}.yaml"
        path.write_text(path.read_text("utf-8") + f"retention: {said}\n", encoding="utf-8")


def left_of(folder: Path, transfer: str) -> list[Path]:
    """Return what lies about of a transfer, but for the receipt that rests beside the keys."""
    named = [path for path in folder.rglob("*") if transfer in path.name]
    return [path for path in named if path.parent.name != "proofs"]


class Deleting:
    """A town whose links say how long receivers may keep their rows."""

    def __init__(self, town: Town) -> None:
        self.town = town

    def start(self, *, but: tuple[str, ...] = ()) -> None:
        for site in self.town.ports:
            if site not in but and not self.town.is_running(site):
                self.town.start(site, environment=QUICK)

    def restart(self, site: str, *, crash: str = "") -> None:
        if self.town.is_running(site):
            self.town.running[site].kill()
        self.town.start(site, crash=crash, environment=QUICK)

    def sent(self, link: str = NOTICES, on: date = DAY) -> str:
        self.start()
        done = self.town.run(link, on, again=True)
        assert done["state"] == "applied", done
        return str(done["transfer"])

    def holding(self, transfer: str, site: str = "hall-core", side: str = "out") -> dict[str, Any]:
        listed = self.town.call("/api/v1/deletions", site=site)["holdings"]
        (found,) = [one for one in listed if (one["transfer"], one["side"]) == (transfer, side)]
        return dict(found)

    def ask(self, transfer: str, deed: str = "request", **said: str) -> dict[str, Any]:
        return self.town.call(f"/api/v1/deletions/{transfer}/{deed}", dict(said))

    def wait_deleted(self, transfer: str, seconds: float = 60) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            try:
                found = self.holding(transfer)
            except OSError:
                return None
            return found if found["state"] == "deleted" else None

        return until("the proof of deletion", look, seconds, every=0.1)

    def move_due(self, transfer: str, site: str, ago: timedelta) -> None:
        """Let a deadline have passed ``ago``, as if the clock had gone on; the site is down."""
        due = int((datetime.now(UTC) - ago).timestamp() * 1_000_000)
        with sqlite3.connect(self.town.folder / "var" / site / "state.db") as state:
            changed = state.execute(
                "update holdings set due_at = ? where transfer = ?", (due, transfer)
            )
            assert changed.rowcount == 1
        state.close()

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        whole = [
            sys.executable,
            "-m",
            "kumobashi",
            "--workspace",
            str(self.town.folder),
            *arguments,
        ]
        return subprocess.run(whole, capture_output=True, text=True, check=False)

    def rows(self, link: str = NOTICES) -> int:
        table = {NOTICES: "notice_attributes", REMINDERS: "vaccination_reminders"}[link]
        found = self.town.sql("notice-cloud", f"select count(*) from {table}")
        return int(found[0][0]) if found else 0

    def receipts(self, transfer: str, site: str, side: str) -> list[dict[str, Any]]:
        return self.town.ledger(site).receipts(transfer, side)


@pytest.fixture(scope="module")
def deleting(city: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deleting]:
    folder = tmp_path_factory.mktemp("town")
    with Town.found(folder / "w", city, part_bytes=65_536, change=declare) as town:
        yield Deleting(town)


def test_a_transfer_is_deleted_on_demand_and_everybody_can_prove_it(deleting: Deleting) -> None:
    transfer = deleting.sent()
    before = deleting.holding(transfer)
    rows = deleting.rows()
    assert (before["state"], before["rows"], before["level"]) == ("held", rows, 0)
    assert (
        before["due"][:10]
        == (datetime.fromisoformat(before["applied"]) + timedelta(30)).isoformat()[:10]
    )

    deleting.ask(transfer)
    after = deleting.wait_deleted(transfer)

    assert deleting.rows() == 0
    assert (after["rows_deleted"], after["taken_over_by"]) == (rows, None)
    for site, side in (
        ("public-cloud", "in"),
        ("asp-relay", "in"),
        ("hall-exchange", "in"),
        ("hall-core", "out"),
    ):
        said = deleting.receipts(transfer, site, side)
        assert [receipt["stage"] for receipt in said] == [
            "delivered",
            "opened",
            "validated",
            "applied",
            "deleted",
        ], site
        assert said[-1]["deleted"]["key"] == before["key"]
        assert said[-1]["rows"] == rows
    cloud = deleting.town.folder / "var" / "public-cloud"
    assert left_of(cloud, transfer) == []
    assert f"in/{transfer}-1" in (cloud / "keys" / "erased.txt").read_text("ascii")


def test_asking_again_is_refused_with_what_is_known(deleting: Deleting) -> None:
    transfer = deleting.sent()
    deleting.ask(transfer)
    deleting.wait_deleted(transfer)

    with pytest.raises(Refused) as refused:
        deleting.ask(transfer)

    assert refused.value.problem["code"] == "exchange.deleted_already"


def test_the_next_transfer_after_a_deletion_is_applied(deleting: Deleting) -> None:
    first = deleting.sent()
    deleting.ask(first)
    deleting.wait_deleted(first)

    second = deleting.sent()

    assert deleting.rows() == deleting.holding(second)["rows"] > 0
    assert deleting.holding(first)["state"] == "deleted"


def test_an_older_transfer_is_deleted_without_touching_the_newer_ones_rows(
    deleting: Deleting,
) -> None:
    first = deleting.sent()
    second = deleting.sent()
    rows = deleting.rows()

    deleting.ask(first)
    after = deleting.wait_deleted(first)

    assert (after["rows_deleted"], after["taken_over_by"]) == (0, second)
    assert deleting.rows() == rows > 0


def test_what_is_due_goes_by_itself(deleting: Deleting) -> None:
    transfer = deleting.sent()
    until("noted", lambda: deleting.holding(transfer, "public-cloud", "in") or None)
    deleting.holding(transfer)
    for site in ("public-cloud", "hall-core"):
        deleting.town.running[site].kill()
        deleting.move_due(transfer, site, timedelta(minutes=1))

    deleting.start()
    after = deleting.wait_deleted(transfer)

    assert after["asked"] is None
    assert deleting.rows() == 0


def test_a_late_proof_is_red_and_names_whom_to_call(deleting: Deleting) -> None:
    transfer = deleting.sent()
    deleting.holding(transfer)
    deleting.town.running["public-cloud"].kill()
    levels = {}
    for days in (0, 1, 3, 7):
        deleting.town.running["hall-core"].kill()
        deleting.move_due(transfer, "hall-core", timedelta(days=days, minutes=1))
        deleting.start(but=("public-cloud",))
        levels[days] = deleting.holding(transfer)["level"]

    with urllib.request.urlopen(f"{deleting.town.url('hall-core')}/metrics") as answer:  # noqa: S310
        assert (
            'kumobashi_deletions_overdue{level="4",site="hall-core"} 1.0' in answer.read().decode()
        )
    log = deleting.town.folder / "var" / "hall-core.log"
    until(
        "the log tells it",
        lambda: "a deletion is overdue and not proved" in log.read_text("utf-8") or None,
        20,
    )
    late = until("the cause", lambda: (h := deleting.holding(transfer))["cause"] and h)
    overview = deleting.town.call("/api/v1/overview")

    assert levels == {0: 1, 1: 2, 3: 3, 7: 4}
    assert late["contact"]["phone"]
    assert "公共" in late["cause"]["ja"] or "中継" in late["cause"]["ja"]
    assert [one["transfer"] for one in overview["overdue"]] == [transfer]
    deleting.ask(transfer)
    deleting.start()
    deleting.wait_deleted(transfer)
    assert deleting.town.call("/api/v1/overview")["overdue"] == []


def test_what_a_law_keeps_takes_two_persons(deleting: Deleting) -> None:
    transfer = deleting.sent(REMINDERS)
    rows = deleting.rows(REMINDERS)
    operator = account(deleting.town, "unyou", "operator")
    first, second = (account(deleting.town, f"shounin{n}", "approver") for n in (1, 2))

    def refused(deed: str = "request", **said: str) -> str:
        with pytest.raises(Refused) as answer:
            deleting.ask(transfer, deed, **said)
        return str(answer.value.problem["code"])

    assert refused() == "exchange.who_asks"
    assert refused("approve", **second()) == "exchange.not_asked_for"
    asked = deleting.ask(transfer, **first())
    assert (asked["state"], asked["asked_by"]) == ("waiting", "shounin1")
    assert refused("approve") == "service.account_needed"
    assert refused("approve", **first()) == "exchange.asked_by_same"
    assert refused("approve", **operator()) == "identity.not_permitted"
    wrong = {"account": "shounin2", "password": "x", "code": "000000"}
    assert refused("approve", **wrong) == "identity.sign_in_refused"
    time.sleep(1)
    assert deleting.rows(REMINDERS) == rows > 0, "nothing has happened so far"
    assert deleting.receipts(transfer, "public-cloud", "in")[-1]["stage"] == "applied"

    deleting.ask(transfer, "approve", **second())
    after = deleting.wait_deleted(transfer)

    assert (after["asked_by"], after["approved_by"]) == ("shounin1", "shounin2")
    assert (deleting.rows(REMINDERS), after["rows_deleted"]) == (0, rows)
    on_the_wire = json.dumps(deleting.receipts(transfer, "public-cloud", "in"))
    assert "shounin" not in on_the_wire


def deletion_of(said: Manifest, persons: int = 1, **changes: Any) -> DeletionRequest:
    asked = DeletionRequest(
        request=new_id(),
        tenant="999997",
        transfer=said.transfer,
        attempt=1,
        manifest_digest=said.digest(),
        site="hall-core",
        persons=persons,
        at=datetime.now(UTC),
    )
    return replace(asked, **changes)


def test_a_receiver_does_not_take_one_persons_word_for_what_a_law_keeps(deleting: Deleting) -> None:
    transfer = deleting.sent(REMINDERS)
    deleting.holding(transfer)
    row = deleting.town.ledger("hall-core")
    (manifest,) = row._ask("select manifest from outgoing where transfer = ?", transfer)
    said = Manifest.decode(base64.urlsafe_b64decode(manifest[0].split(".")[1] + "=="))
    caller = Courier(deleting.town, "public-cloud", "asp-relay")

    def request(persons: int, **changes: Any) -> Answer:
        signer = changes.pop("signer", "hall-core")
        token = sign_deletion(deletion_of(said, persons, **changes), caller.signing(signer))
        return caller.call("POST", f"/peer/v1/transfers/{transfer}/1/deletion", token.encode())

    assert request(1).code == "exchange.kept_by_law"
    assert request(2, signer="asp-relay").code == "crypto.unknown_key"
    assert request(2, transfer=new_id()).code == "message.foreign"
    assert request(2, manifest_digest="sha256:" + "0" * 64).code == "message.foreign"
    time.sleep(1)
    assert deleting.rows(REMINDERS) > 0


@pytest.mark.parametrize("name", names_of_deletion())
def test_killed_at_any_point_it_is_deleted_once_and_proved(deleting: Deleting, name: str) -> None:
    transfer = deleting.sent()
    rows = deleting.rows()
    site = SITE_OF[sides(name)[0]]
    deleting.restart(site, crash=name)

    with contextlib.suppress(OSError, http.client.HTTPException):
        deleting.ask(transfer)
    assert deleting.town.running[site].wait_end(40) == -9, f"{name} was not reached"
    deleting.start()
    with contextlib.suppress(Refused):  # it may have died before it took the request
        deleting.ask(transfer)
    after = deleting.wait_deleted(transfer)

    assert (after["rows_deleted"], deleting.rows()) == (rows, 0)
    for place, side in (("public-cloud", "in"), ("hall-core", "out")):
        stages = [said["stage"] for said in deleting.receipts(transfer, place, side)]
        assert stages.count("deleted") == 1, place
    noted = f"select count(*) from kumobashi_deleted where transfer = '{transfer}'"
    assert deleting.town.sql("notice-cloud", noted) == [(1,)]
    cloud = deleting.town.folder / "var" / "public-cloud"
    assert left_of(cloud, transfer) == []


def test_an_old_backup_without_the_key_opens_nothing(deleting: Deleting, tmp_path: Path) -> None:
    deleting.start()
    deleting.restart("public-cloud", crash="receiving.opened_before_commit")
    transfer = str(deleting.town.submit(NOTICES, again=True)["transfer"])
    assert deleting.town.running["public-cloud"].wait_end(60) == -9
    cloud = deleting.town.folder / "var" / "public-cloud"
    # What an operator backs up: all but the keys, the work folder, and the system's own database.
    shutil.copytree(cloud, tmp_path / "old", ignore=shutil.ignore_patterns("keys", "work", "data"))
    keys = ErasableSecrets(cloud / "keys")
    now = datetime.now(UTC)
    saved = back_up(keys, tmp_path / "k", site="public-cloud", now=now, keep=timedelta(days=3))
    deleting.start()
    assert deleting.town.wait(transfer)["state"] == "applied"
    deleting.ask(transfer)
    after = deleting.wait_deleted(transfer)

    site = SealKey.load(deleting.town.folder / "private" / "public-cloud" / "seal.key")
    with sqlite3.connect(tmp_path / "old" / "state.db") as state:
        (token,) = state.execute(
            "select manifest from incoming where transfer = ?", (transfer,)
        ).fetchone()
    state.close()
    manifest = Manifest.decode(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    spool = Spool(tmp_path / "old" / "spool" / "in")
    assert len(spool.held(transfer, 1)) == len(manifest.parts) > 1, "all of it is in the backup"

    left = [
        (keys.get(shelf, name) or b"")
        for shelf in ("in", "out", "snapshots")
        for name in keys.names(shelf)
    ]
    openers = [site, *(unwrap(document, site) for document in left)]
    for key in openers:
        with pytest.raises(NotForUs):
            unpack(manifest, spool, key, tmp_path)
    with pytest.raises(KeyGone):
        TransferKeys(keys, site).opening(manifest)
    for path in (path for path in (tmp_path / "old").rglob("*") if path.is_file()):
        content = path.read_bytes()
        assert b"PAR1" not in content, path
        assert b"AGE-SECRET-KEY" not in content, path
    assert after["key_backups_until"][:16] == (now + timedelta(days=3)).isoformat()[:16]

    # With the key's own backup, before that ends, it does open: it is the key that was missing.
    again = bring_back(keys, saved.path, site="public-cloud", now=now)
    assert again.erased >= 1
    with pytest.raises(KeyGone):
        TransferKeys(keys, site).opening(manifest)
    elsewhere = ErasableSecrets(tmp_path / "elsewhere")
    bring_back(elsewhere, saved.path, site="public-cloud", now=now)
    payload = unpack(manifest, spool, TransferKeys(elsewhere, site).opening(manifest), tmp_path)
    with duckdb.connect() as work:
        counted = work.execute(f"select count(*) from read_parquet('{payload}')").fetchall()
    assert counted == [(manifest.rows,)]


def test_the_report_tells_an_auditor_who_held_what_until_when(
    deleting: Deleting, tmp_path: Path
) -> None:
    transfer = deleting.sent()
    deleting.ask(transfer)
    after = deleting.wait_deleted(transfer)
    told = {}
    for form in ("csv", "json", "html"):
        path = tmp_path / f"report.{form}"
        arguments = [
            "deletion",
            "report",
            "--site",
            "hall-core",
            "--format",
            form,
            "--output",
            str(path),
        ]
        done = deleting.command(*arguments)
        assert done.returncode == 0, done.stderr
        told[form] = path.read_text("utf-8-sig")

    lines = [line for line in csv.DictReader(told["csv"].splitlines()) if line["転送"] == transfer]
    assert [(line["保持した所"], line["役割"]) for line in lines] == [
        ("public-cloud", "受け取り側"),
        ("hall-exchange", "中継"),
        ("asp-relay", "中継"),
    ]
    assert lines[0]["消去の受領"] == after["receipt"]
    assert lines[0]["法的根拠"] == "69-2-1"
    assert (lines[0]["状態"], lines[0]["期限超過"]) == ("消去済", "")
    held = [one for one in json.loads(told["json"])["holdings"] if one["transfer"] == transfer]
    assert [one["site"] for one in held] == ["public-cloud", "hall-exchange", "asp-relay"]
    assert f"<td>{transfer}</td>" in told["html"]
    listed = deleting.command("deletion", "list", "--all", "--json")
    assert transfer in {one["transfer"] for one in json.loads(listed.stdout)}


def test_a_bundle_with_a_key_of_its_own_must_bring_it(deleting: Deleting) -> None:
    deleting.start()
    caller = Courier(deleting.town, "public-cloud", "asp-relay")
    bundle = pack(deleting.town, b"PAR1 no parquet", rows=1, has_key=True)
    other = pack(deleting.town, b"PAR1 no parquet", rows=1, has_key=True)
    assert "transfer_key" in caller.announce(bundle).body["takes"]
    for part in bundle.manifest.parts:
        caller.put(bundle, part)

    assert caller.close(bundle).code == "message.key_missing"
    assert caller.put_key(bundle, b"no age file").code == "message.field_wrong"
    assert (
        caller.put_key(bundle, (bundle.wrapped or b"") + b"x" * 4096).code == "message.field_wrong"
    )
    assert caller.put_key(bundle, other.wrapped).status == 201
    assert caller.put_key(bundle, other.wrapped).status == 200
    assert caller.put_key(bundle).code == "message.replayed"
    assert caller.close(bundle).status == 202
    refused = caller.result(bundle)[-1]

    assert (refused["stage"], refused["code"]) == ("refused", "crypto.key_unlike")
    keys = deleting.town.folder / "var" / "public-cloud" / "keys" / "in"
    transfer = bundle.manifest.transfer
    until(  # the refusal is durable first
        "the key is gone",
        lambda: not [path for path in keys.iterdir() if transfer in path.name] or None,
        10,
    )


def test_signing_keys_that_were_exchanged_meanwhile_do_not_keep_it_from_being_deleted(
    deleting: Deleting,
) -> None:
    transfer = deleting.sent()
    town = deleting.town
    for site in town.ports:
        town.running[site].kill()
        path = town.folder / "private" / site / "sign.key"
        path.unlink()
        SigningKey.generate().save(path)
    publish_directory(town.folder, now=datetime.now(UTC))
    town.approve()
    deleting.start()

    deleting.ask(transfer)

    assert deleting.wait_deleted(transfer)["rows_deleted"] > 0
    assert deleting.rows() == 0


def test_after_a_difference_was_deleted_the_next_transfer_is_full_by_itself(
    deleting: Deleting,
) -> None:
    """Sender and receiver of this link stand at one site, which asks itself."""
    deleting.start()
    town = deleting.town

    def rows() -> int:
        return int(town.sql("nhi", "select count(*) from insured_residents")[0][0])

    first = town.run("resident-to-nhi", DAY)
    second = town.run("resident-to-nhi", DAY, again=True)
    assert (first["mode"], second["mode"]) == ("full", "difference")
    whole = rows()
    held = deleting.holding(str(second["transfer"]))
    assert (held["due"], held["retention_class"]) == (None, None), "nothing was declared"
    assert whole > 0

    deleting.ask(str(second["transfer"]))
    after = deleting.wait_deleted(str(second["transfer"]))
    deleting.ask(str(first["transfer"]))
    older = deleting.wait_deleted(str(first["transfer"]))
    assert (after["rows_deleted"], rows()) == (whole, 0)
    assert (older["rows_deleted"], older["taken_over_by"]) == (0, second["transfer"])

    third = town.run("resident-to-nhi", DAY, again=True)

    assert (third["state"], third["mode"], rows()) == ("applied", "full", whole)


def test_rows_that_the_receiver_set_aside_rest_sealed_and_go_with_the_transfer(
    deleting: Deleting, tmp_path: Path
) -> None:
    deleting.start()
    rows = {
        "token": [f"{n:032x}" for n in range(3)],
        "child_birth_ym": pa.array([201704] * 3, pa.int32()),
        "vaccine_code": ["je-2", "1111111111", "je-2"],
    }
    payload = io.BytesIO()
    pq.write_table(pa.table(rows), payload)
    later = DAY + timedelta(days=30)  # newer than what other tests send over this link
    bundle = pack(deleting.town, payload.getvalue(), rows=3, day=later, has_key=True)
    caller = Courier(deleting.town, "public-cloud", "asp-relay")
    assert caller.deliver(bundle).status == 202
    assert [said["rows"] for said in caller.result(bundle)] == [None, 3, 2, 2]

    cloud = deleting.town.folder / "var" / "public-cloud"
    transfer = bundle.manifest.transfer
    (aside,) = [path for path in (cloud / "quarantine").iterdir() if transfer in path.name]
    assert b"1111111111" not in aside.read_bytes()
    assert b"PAR1" not in aside.read_bytes()
    site = SealKey.load(deleting.town.folder / "private" / "public-cloud" / "seal.key")
    key = unwrap((cloud / "keys" / "in" / f"{transfer}-1.age").read_bytes(), site)
    opened = tmp_path / "aside.parquet"
    with aside.open("rb") as source, opened.open("wb") as target:
        open_sealed(source, target, key)
    with duckdb.connect() as work:
        kept = work.execute(f"select vaccine_code from read_parquet('{opened}')").fetchall()
    assert kept == [("1111111111",)]

    asked = sign_deletion(deletion_of(bundle.manifest), caller.signing("hall-core"))
    path = f"/peer/v1/transfers/{transfer}/1/deletion"
    assert caller.call("POST", path, asked.encode()).status == 202
    assert caller.call("POST", path, asked.encode()).status == 202, "again does no harm"
    until(
        "deleted",
        lambda: deleting.receipts(transfer, "public-cloud", "in")[-1]["stage"] == "deleted" or None,
        30,
    )

    assert not aside.exists()
    assert left_of(cloud, transfer) == []
    assert deleting.rows(REMINDERS) == 0
    assert caller.call("POST", path, asked.encode()).status == 202, "also after it is gone"
    assert len(deleting.receipts(transfer, "public-cloud", "in")) == 5


def test_what_a_link_told_is_forgotten_with_the_last_row_that_anybody_holds(
    deleting: Deleting,
) -> None:
    transfer = deleting.sent()
    told = deleting.town.folder / "var/hall-core/histories/notice-cloud"
    keys = deleting.town.folder / "var/hall-core/keys/histories"
    assert [path.parent.name for path in told.rglob(f"*{transfer}*")] == [NOTICES]
    listed = deleting.town.call("/api/v1/deletions", site="hall-core")["holdings"]
    others = [
        one["transfer"]
        for one in listed
        if (one["link"], one["side"]) == (NOTICES, "out") and one["state"] != "deleted"
    ]

    for number, one in enumerate(sorted(others)):
        assert list(told.rglob("*.age")), f"still held: {len(others) - number}"
        deleting.ask(one)
        deleting.wait_deleted(one)

    until("nothing told is kept", lambda: not list(told.rglob(f"{NOTICES}/*.age")), 10)
    until("nor its key", lambda: not list(keys.glob(f"{transfer}*")), 10)
