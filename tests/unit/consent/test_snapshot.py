"""What counts for all at once is what the ledger says of each; the others have a reason."""

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from kumobashi.consent.errors import ConsentChanged, NumberUnreadable
from kumobashi.consent.ledger import ConsentLedger
from kumobashi.consent.reading import Reading
from kumobashi.consent.records import Application, Method
from kumobashi.consent.snapshot import Snapshot, Terms
from kumobashi.consent.source import LedgerStore
from kumobashi.consent.sql import standings
from kumobashi.consent.states import Tier
from kumobashi.consent.subjects import Subjects
from kumobashi.storage.changes import heads
from kumobashi.storage.tables import Query
from tests.unit.consent.ledgers import NOW, TENANT, fresh
from tests.unit.consent.texts_for_tests import PURPOSE, text, version

HOUR = timedelta(hours=1)
BOTH = frozenset({Tier.REGISTER, Tier.TAX})
TEXT = text(version(1, valid_days=30), version(2, **{"from": "2026-10-01"}))


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[ConsentLedger]:
    with fresh(tmp_path, TEXT) as made:
        yield made


def give(ledger: ConsentLedger, number: str, *tiers: Tier, of: int = 2, at: object = NOW) -> None:
    for tier in tiers or (Tier.REGISTER,):
        said = Application(
            number=number,
            purpose=PURPOSE,
            tier=tier,
            version=of,
            stated_at=at,  # type: ignore[arg-type]
            source="desk",
        )
        ledger.give(said, Method.COUNTER, by="operator")


def withdraw(ledger: ConsentLedger, number: str, tier: Tier | None = None) -> None:
    ledger.withdraw(number, PURPOSE, tier=tier, stated_at=NOW, source="desk", by="operator")


def terms(*tiers: Tier, versions: frozenset[int] = frozenset({2})) -> Terms:
    return Terms(purpose=PURPOSE, tiers=frozenset(tiers or {Tier.REGISTER}), versions=versions)


def who(snapshot: Snapshot, asked: Terms) -> set[str]:
    return set(snapshot.in_force(asked, NOW)["number"].to_pylist())


def why(snapshot: Snapshot, asked: Terms) -> dict[str, str]:
    found = snapshot.ended(asked, NOW).to_pydict()
    return dict(zip(found["number"], found["reason"], strict=True))


def test_everybody_falls_out_for_the_reason_that_is_theirs(ledger: ConsentLedger) -> None:
    give(ledger, "yes", *BOTH)
    give(ledger, "register-only")
    give(ledger, "old", *BOTH, of=1)
    give(ledger, "over", *BOTH, of=1, at=NOW - 40 * 24 * HOUR)
    give(ledger, "no", *BOTH, at=NOW - HOUR)
    withdraw(ledger, "no")
    give(ledger, "no-tax", *BOTH, at=NOW - HOUR)
    withdraw(ledger, "no-tax", Tier.TAX)
    give(ledger, "dead", *BOTH)
    ledger.died("dead", at=NOW, by="operator")
    give(ledger, "before", *BOTH)
    ledger.merge("before", "after", by="operator")

    snapshot = Snapshot(ledger)
    assert who(snapshot, terms(*BOTH)) == {"yes", "after"}
    assert why(snapshot, terms(*BOTH)) == {
        "register-only": "other_tier",
        "old": "other_version",
        "over": "expired",
        "no": "withdrawn",
        "no-tax": "withdrawn",
        "dead": "died",
        "before": "merged",
    }
    assert who(snapshot, terms()) == {"yes", "after", "register-only", "no-tax"}
    assert who(snapshot, terms(versions=frozenset({1, 2}))) >= {"old"}


def test_nobody_counts_without_a_version_or_for_another_purpose(ledger: ConsentLedger) -> None:
    give(ledger, "yes")
    snapshot = Snapshot(ledger)
    assert who(snapshot, terms(versions=frozenset())) == set()
    other = Terms(purpose="other", tiers=frozenset({Tier.REGISTER}), versions=frozenset({2}))
    assert (who(snapshot, other), why(snapshot, other)) == (set(), {})
    with pytest.raises(ValueError, match="tier"):
        Terms(purpose=PURPOSE, tiers=frozenset(), versions=frozenset({2}))


def test_what_is_kept_up_is_what_is_read_anew(ledger: ConsentLedger) -> None:
    chance = random.Random(7)
    kept = Snapshot(ledger)
    for step in range(60):
        number = f"n{chance.randrange(8)}"
        match chance.randrange(6):
            case 0:
                withdraw(ledger, number, chance.choice([None, *BOTH]))
            case 1 if step > 40:
                ledger.died(number, at=NOW, by="operator")
            case 2 if step > 30:
                ledger.merge(number, f"n{chance.randrange(8)}", by="operator")
            case _:
                at = NOW - chance.randrange(100) * HOUR
                give(ledger, number, chance.choice([*BOTH]), of=chance.choice([1, 2]), at=at)
        if chance.random() < 0.4:
            kept.refresh()
        asked = terms(*chance.choice([BOTH, frozenset({Tier.TAX})]))
        if step % 10 == 0:
            anew = Snapshot(ledger)
            assert who(kept, asked) == who(anew, asked)
            assert why(kept, asked) == why(anew, asked)
    assert Reading(ledger).verify() == []


def test_a_withdrawal_counts_in_the_next_question(ledger: ConsentLedger) -> None:
    give(ledger, "yes")
    snapshot = Snapshot(ledger)
    assert who(snapshot, terms()) == {"yes"}
    withdraw(ledger, "yes")
    assert who(snapshot, terms()) == set()


def test_a_ledger_that_was_restored_is_read_anew(ledger: ConsentLedger) -> None:
    give(ledger, "yes")
    give(ledger, "later")
    snapshot = Snapshot(ledger)
    assert who(snapshot, terms()) == {"yes", "later"}

    def back(connection: object) -> None:
        last = standings.delete().where(standings.c.sequence == 2)
        connection.execute(last)  # type: ignore[attr-defined]
        connection.execute(heads.update().values(sequence=1))  # type: ignore[attr-defined]

    ledger.store.write(back)
    assert who(snapshot, terms()) == {"yes"}


def test_another_secret_lets_nobody_through(ledger: ConsentLedger) -> None:
    give(ledger, "yes")
    ledger.subjects = Subjects(bytes(32), TENANT)
    with pytest.raises(NumberUnreadable):
        who(Snapshot(ledger), terms())


def test_a_source_tells_of_a_withdrawal_after_it_was_read(ledger: ConsentLedger) -> None:
    give(ledger, "yes")
    give(ledger, "other")
    source = LedgerStore(Snapshot(ledger), terms(), tenant=TENANT, clock=ledger.clock)
    with source.reading() as reader:
        query = Query("consent_ledger", ("resident_no",))
        assert reader.count(query) == 2
        with reader.stream(query) as rows:
            assert rows.read_all().column_names == ["resident_no"]
    ledger.store.read(source.refuse_changed)
    give(ledger, "third")
    ledger.store.read(source.refuse_changed)  # one more yes takes nobody away
    withdraw(ledger, "other")
    with pytest.raises(ConsentChanged):
        ledger.store.read(source.refuse_changed)
    with source.reading() as reader:
        assert reader.count(query) == 2
    ledger.store.read(source.refuse_changed)
