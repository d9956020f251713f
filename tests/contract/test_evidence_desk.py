"""A site's evidence at a terminal, whichever store its state is in: signed, checked, handed on."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from kumobashi.evidence.errors import NothingSigned
from kumobashi.exchange.auditing import audit_file
from kumobashi.exchange.evidence_state import Selection
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.migrating import migrate
from kumobashi.exchange.states import Out
from kumobashi.kernel import SystemClock
from kumobashi.planning.publishing import trusted_key
from kumobashi.planning.sampling import write_sample
from kumobashi.service.evidence_desk import EvidenceDesk
from kumobashi.service.settings import read_settings
from kumobashi.service.stating import open_state
from tests.contract.states import KINDS, TENANT, States

pytestmark = [pytest.mark.slow, pytest.mark.postgres]
SITE = "hall-core"
TRANSFERS = 7


@pytest.fixture(params=KINDS)
def folder(
    request: pytest.FixtureRequest,
    stores: States,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    made = write_sample(tmp_path / "city")
    if request.param == "postgresql":
        monkeypatch.setenv("THE_STATE", stores.database())
        monkeypatch.setenv("KUMO_STATE", "env:THE_STATE")
    return made


def work(folder: Path) -> None:
    store = open_state(read_settings(folder, SITE), TENANT)
    migrate(store)
    ledger = Ledger(store, TENANT, SystemClock())
    for day in range(1, TRANSFERS + 1):
        row, _ = ledger.start(
            "a-link", f"2026-11-{day:02}", mode="full", plan_hash="sha256:0", again=False
        )
        ledger.move_out(row.transfer, Out.SEALED)
    store.close()


def test_what_was_done_is_signed_checked_and_handed_over(folder: Path) -> None:
    work(folder)
    desk = EvidenceDesk(folder, SITE)

    desk.sign()
    found = desk.look(lambda log: log.audit(desk.directory, every_signature=True))
    out = folder / "evidence.tar"
    desk.look(lambda log: log.export(out, desk.token, Selection(), SystemClock().now()))
    elsewhere = audit_file(out, trusted_key(folder))

    assert found.is_sound
    assert found.waiting == 0
    assert found.records == elsewhere.records >= 2 * TRANSFERS
    assert elsewhere.is_sound


def test_a_site_without_evidence_says_so(folder: Path) -> None:
    desk = EvidenceDesk(folder, SITE)

    with pytest.raises(NothingSigned):
        desk.read(lambda connection: connection.execute(sa.select(1)).scalar())
