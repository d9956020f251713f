"""``kumobashi evidence`` and ``bundle``: what they say, and what they end with."""

import csv
import io
import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from kumobashi.crypto.keys import SigningKey
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.migrating import migrate
from kumobashi.exchange.states import Out
from kumobashi.kernel import SystemClock
from kumobashi.messages.manifest import sign_manifest
from kumobashi.messages.receipts import Stage, next_receipt, sign_receipt
from kumobashi.storage.spool import Spool
from kumobashi.storage.sqlite import SQLiteState
from tests.unit.cli.conftest import Kumobashi
from tests.unit.messages import examples
from tests.unit.messages.test_bundle_files import CUT, MANIFEST

SITE = "hall-core"


@pytest.fixture
def lived(workspace: Path) -> Path:
    """A workspace whose hall-core has sent one transfer, up to its first receipt."""
    var, private = workspace / "var" / SITE, workspace / "private"
    store = SQLiteState(var / "state.db", owner=SITE)
    migrate(store)
    ledger = Ledger(store, "999997", SystemClock())
    row, _ = ledger.start(
        MANIFEST.link,
        date(2026, 11, 22).isoformat(),
        mode="full",
        plan_hash="sha256:" + "0" * 64,
        again=False,
        basis="pi-69-1",
    )
    manifest = examples.manifest(
        transfer=row.transfer,
        parts=MANIFEST.parts,
        sealed_bytes=MANIFEST.sealed_bytes,
        sealed_digest=MANIFEST.sealed_digest,
    )
    token = sign_manifest(manifest, SigningKey.load(private / SITE / "sign.key"))
    ledger.move_out(row.transfer, Out.SEALED, manifest=token, facts={"sent": {"rows": 3}})
    ledger.move_out(row.transfer, Out.SENT)
    receipt = next_receipt(
        None,
        manifest=manifest,
        stage=Stage.DELIVERED,
        receipt=examples.OTHER,
        at=datetime(2026, 11, 22, tzinfo=UTC),
    )
    signed = sign_receipt(receipt, SigningKey.load(private / "public-cloud" / "sign.key"))
    ledger.received(row.transfer, [("delivered", signed)], Out.DELIVERED, facts={})
    store.close()
    spool = Spool(var / "spool" / "out")
    for part, body in CUT:
        spool.put(row.transfer, 1, part.digest.removeprefix("sha256:"), body)
    return workspace


def transfer_of(folder: Path) -> str:
    return next((folder / "var" / SITE / "spool" / "out").iterdir()).name


def test_what_was_exported_is_checked_elsewhere(
    kumobashi: Kumobashi, lived: Path, tmp_path: Path
) -> None:
    out = tmp_path / "e.tar"
    made = kumobashi("evidence", "export", "--workspace", lived, "--site", SITE, "--out", out)
    assert made.exit_code == 0, made.output
    assert "記録 5 件" in made.output

    done = kumobashi("evidence", "verify", out, "--trust", lived / "keys" / "directory.pub")

    assert done.exit_code == 0, done.output
    assert "✓ 証跡は正しいままです  hall-core" in done.output
    assert "到達確認 1 通（うち署名も確認 1 通）" in done.output


def test_a_touched_file_names_its_first_record_in_both_languages(
    kumobashi: Kumobashi, lived: Path, tmp_path: Path
) -> None:
    out, trust = tmp_path / "e.tar", lived / "keys" / "directory.pub"
    kumobashi("evidence", "export", "--workspace", lived, "--site", SITE, "--out", out)
    out.write_bytes(out.read_bytes().replace(b'"after":"sent"', b'"after":"held"'))

    ja = kumobashi("evidence", "verify", out, "--trust", trust)
    en = kumobashi("evidence", "verify", out, "--trust", trust, "--lang", "en")
    machine = kumobashi("evidence", "verify", out, "--trust", trust, "--json")

    assert (ja.exit_code, en.exit_code, machine.exit_code) == (1, 1, 1)
    assert "記録 2 の中身が、書かれたあとで変えられています。" in ja.output
    assert "Record 2 was changed after it was written." in en.output
    touched = json.loads(machine.output)["touched"]
    assert (touched["code"], touched["number"]) == ("evidence.record_altered", 2)


def test_a_site_is_checked_where_it_stands(kumobashi: Kumobashi, lived: Path) -> None:
    nothing = kumobashi("evidence", "verify", "--workspace", lived, "--site", SITE)
    assert nothing.exit_code == 64
    assert "evidence.nothing_signed" in nothing.output

    kumobashi("evidence", "export", "--workspace", lived, "--site", SITE, "--out", lived / "e.tar")
    done = kumobashi("evidence", "verify", "--workspace", lived, "--site", SITE, "--json")

    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["records"] == 5


def test_tables_say_who_what_when_and_on_which_basis(
    kumobashi: Kumobashi, lived: Path, tmp_path: Path
) -> None:
    out = tmp_path / "e.csv"
    kumobashi("evidence", "export", "--workspace", lived, "--site", SITE, "--out", out)
    rows = list(csv.reader(io.StringIO(out.read_bytes().decode("utf-8-sig"))))
    first = dict(zip(rows[0], rows[1], strict=True))
    assert (first["だれが"], first["何を"], first["法的根拠"]) == (
        "ローカル API（端末・予約実行）",
        "転送を開始",
        "pi-69-1",
    )
    assert [row[7] for row in rows[2:]] == ["抽出中 → 封緘", "封緘 → 送信", "", "送信 → 到達"]
    page = tmp_path / "e.html"
    kumobashi("evidence", "export", "--workspace", lived, "--site", SITE, "--out", page)
    assert "@page{size:A4" in page.read_text(encoding="utf-8")


def test_the_newest_records_are_shown(kumobashi: Kumobashi, lived: Path) -> None:
    kumobashi("evidence", "export", "--workspace", lived, "--site", SITE, "--out", lived / "e.tar")

    done = kumobashi("evidence", "show", "--workspace", lived, "--site", SITE, "--last", "2")

    assert done.exit_code == 0, done.output
    assert "記録 5 件、署名済み 5" in done.output
    assert "送信 → 到達" in done.output
    assert "転送を開始" not in done.output


def test_mistakes_at_the_terminal_are_told(
    kumobashi: Kumobashi, lived: Path, tmp_path: Path
) -> None:
    text = tmp_path / "text"
    text.write_text("no key", encoding="ascii")
    trust = lived / "keys" / "directory.pub"
    for words, code, exit_code in (
        (("evidence", "verify"), "cli.usage", 64),
        (("evidence", "verify", text, "--site", SITE), "cli.usage", 64),
        (("evidence", "verify", tmp_path / "none", "--trust", trust), "cli.usage", 64),
        (("evidence", "verify", text, "--trust", text), "cli.usage", 64),
        (("evidence", "verify", text, "--trust", tmp_path / "none"), "cli.usage", 64),
        (("evidence", "verify", text, "--trust", trust), "storage.archive_damaged", 2),
        (("evidence", "show"), "cli.usage", 64),
        (("evidence", "show", "--site", "nowhere"), "service.site_missing", 64),
        (("evidence", "show", "--site", "asp-relay"), "evidence.nothing_signed", 64),
        (("bundle", "verify", text, "--trust", trust), "storage.archive_damaged", 2),
    ):
        done = kumobashi(*words, "--workspace", lived)
        assert code in done.output + done.stderr, (words, done.output)
        assert done.exit_code == exit_code, words


def test_a_bundle_is_written_and_checked(kumobashi: Kumobashi, lived: Path, tmp_path: Path) -> None:
    out, trust = tmp_path / "b.tar", lived / "keys" / "directory.pub"
    export = ("bundle", "export", transfer_of(lived), "--workspace", lived, "--site", SITE)
    made = kumobashi(*export, "--out", out)
    assert made.exit_code == 0, made.output

    done = kumobashi("bundle", "verify", out, "--trust", trust)
    assert done.exit_code == 0, done.output
    assert "封緘データは送り側が署名したとおりです" in done.output
    assert "到達確認 到達" in done.output

    out.write_bytes(out.read_bytes().replace(CUT[0][1], bytes(len(CUT[0][1]))))
    bad = kumobashi("bundle", "verify", out, "--trust", trust)
    assert bad.exit_code == 2
    assert "message.part_altered" in bad.output + bad.stderr


def test_a_bundle_without_its_parts_says_so(
    kumobashi: Kumobashi, lived: Path, tmp_path: Path
) -> None:
    transfer = transfer_of(lived)
    Spool(lived / "var" / SITE / "spool" / "out").forget(transfer)
    export = ("bundle", "export", transfer, "--workspace", lived, "--site", SITE)

    gone = kumobashi(*export, "--out", tmp_path / "b.tar")
    assert gone.exit_code == 2
    assert "message.parts_missing" in gone.output + gone.stderr
    assert not (tmp_path / "b.tar").exists()
    assert kumobashi(*export, "--out", tmp_path / "b.tar", "--without-parts").exit_code == 0

    trust = lived / "keys" / "directory.pub"
    done = kumobashi("bundle", "verify", tmp_path / "b.tar", "--trust", trust, "--json")
    assert json.loads(done.output)["has_parts"] is False
    unknown = kumobashi("bundle", "export", examples.TRANSFER, *export[3:], "--out", tmp_path / "c")
    assert "exchange.no_such_transfer" in unknown.output + unknown.stderr
