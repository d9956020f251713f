"""The ledger of consents, the same in every store: every move, every order, every fate."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from kumobashi.consent.errors import (
    ConsentMove,
    ConsentUnknown,
    PurposeUnknown,
    RevisionTouched,
    StatedInFuture,
    SubjectUnfit,
    TextUnlike,
    TierUnknown,
    VersionUnknown,
)
from kumobashi.consent.ledger import ConsentLedger as Ledger
from kumobashi.consent.reading import Reading
from kumobashi.consent.records import Application, GivenBy, Method, Record
from kumobashi.consent.sql import records, revisions, standings
from kumobashi.consent.states import FIRST, MOVES, TOLERANCE, Reason, State, Tier
from kumobashi.consent.subjects import Subjects
from kumobashi.consent.writing import Pen
from kumobashi.evidence.log import sequence
from kumobashi.evidence.revisions import revise
from kumobashi.evidence.sql import waiting
from kumobashi.exchange.row_security import unsecured
from kumobashi.storage.changes import heads
from kumobashi.storage.state import StateStore
from kumobashi.testing.clocks import HandClock
from tests.contract.states import TENANT
from tests.unit.consent.texts_for_tests import PURPOSE, text, version

pytestmark = [pytest.mark.slow, pytest.mark.postgres]
NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
ONE, TWO = "0000000001", "0000000002"
TEXT = text(version(1, valid_days=1095), version(2, **{"from": "2026-10-01"}))
HOUR = timedelta(hours=1)
COUNTER = Method.COUNTER


@pytest.fixture
def clock() -> HandClock:
    return HandClock(NOW)


@pytest.fixture
def ledger(store: StateStore, clock: HandClock) -> Ledger:
    subjects = Subjects(bytes(range(32)), TENANT)
    return Ledger(
        store, tenant=TENANT, subjects=subjects, texts=lambda: {PURPOSE: TEXT}, clock=clock
    )


def said(number: str = ONE, *, at: datetime = NOW, **changed: object) -> Application:
    values = {
        "number": number,
        "purpose": PURPOSE,
        "tier": Tier.REGISTER,
        "version": 2,
        "stated_at": at,
        "source": "desk-1",
    }
    return Application(**{**values, **changed})  # type: ignore[arg-type]


def give(ledger: Ledger, number: str = ONE, **changed: object) -> Record:
    return ledger.give(said(number, **changed), COUNTER, by="account:sato")  # type: ignore[arg-type]


def withdraw(
    ledger: Ledger, number: str = ONE, *, at: datetime = NOW, source: str = "desk-1"
) -> list[Record]:
    return ledger.withdraw(
        number, PURPOSE, tier=Tier.REGISTER, stated_at=at, source=source, by="account:sato"
    )


def counts(ledger: Ledger, number: str = ONE, tier: Tier = Tier.REGISTER) -> tuple[str, str | None]:
    """Return what counts for a resident: state and reason."""
    found = Reading(ledger).standing(number, PURPOSE, tier)
    return (
        (found.state.value, found.reason.value if found.reason else None) if found else ("-", None)
    )


def make(ledger: Ledger, state: State, number: str) -> Record:
    """Bring a fresh record into a state, by the ledger's own deeds."""
    held = ledger.apply(said(number), by="operator")
    if state is State.APPLIED:
        return held
    if state is State.REFUSED:
        return ledger.check(held.record, COUNTER, is_proved=False, by="operator")
    held = ledger.check(held.record, COUNTER, by="operator")
    if state is State.CHECKED:
        return held
    held = ledger.grant(held.record, by="operator")
    if state is State.WITHDRAWN:
        withdraw(ledger, number, at=NOW + timedelta(seconds=1))
    elif state is State.EXPIRED:
        ledger.died(number, at=NOW, by="operator")
    elif state is State.SUPERSEDED:
        give(ledger, number, at=NOW + timedelta(seconds=1))
    return Reading(ledger).record(held.record)


@pytest.mark.parametrize("now", list(State))
def test_every_move_is_made_or_refused(ledger: Ledger, now: State) -> None:
    for number, then in enumerate(State):
        held = make(ledger, now, f"100{number}")

        def work(connection: sa.Connection, held: Record = held, then: State = then) -> Record:
            pen = Pen.open(connection, TENANT, now=NOW, by="operator")
            return pen.move(held, then)

        if then in MOVES[now]:
            assert ledger.store.write(work).state is then
        else:
            with pytest.raises(ConsentMove):
                ledger.store.write(work)
            assert Reading(ledger).record(held.record) == held


def test_a_consent_goes_from_application_to_withdrawal_with_a_chained_history(
    ledger: Ledger,
) -> None:
    held = ledger.apply(said(), by="operator")
    assert counts(ledger) == ("-", None)
    ledger.check(held.record, Method.MAILED_CODE, by="gateway")
    ledger.grant(held.record, by="account:sato")
    assert counts(ledger) == ("granted", None)
    withdraw(ledger, at=NOW + HOUR / 60)
    assert counts(ledger) == ("withdrawn", "asked")

    history = Reading(ledger).history(held.record)
    assert [one.said["state"] for one in history] == ["applied", "checked", "granted", "withdrawn"]
    assert [one.said["previous"] for one in history[1:]] == [one.hash for one in history[:-1]]
    assert Reading(ledger).verify() == []


def test_no_table_and_no_evidence_holds_the_number(ledger: Ledger) -> None:
    give(ledger, "1234567890")
    withdraw(ledger, "1234567890", at=NOW + HOUR / 60)

    def everything(connection: sa.Connection) -> str:
        tables = (records, revisions, standings, waiting)
        return repr([tuple(row) for one in tables for row in connection.execute(sa.select(one))])

    found = ledger.store.read(everything)
    assert "consent.withdrawn" in found
    assert "1234567890" not in found


def test_the_evidence_is_committed_with_the_revision_and_names_its_hash(
    ledger: Ledger,
) -> None:
    held = give(ledger)
    leaves = ledger.store.read(
        lambda c: [bytes(b) for b in c.execute(sa.select(waiting.c.body)).scalars()]
    )
    assert [held.head.encode() in leaf for leaf in leaves].count(True) == 1
    assert len(leaves) == held.revisions


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"version": 9}, VersionUnknown),
        ({"purpose": "nothing"}, PurposeUnknown),
        ({"text": "sha256:" + "0" * 64}, TextUnlike),
        ({"stated_at": NOW + TOLERANCE + timedelta(seconds=1)}, StatedInFuture),
        ({"number": "１２３"}, SubjectUnfit),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_kept(
    ledger: Ledger, changed: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        ledger.give(said(**{"at": NOW} | changed), COUNTER, by="operator")  # type: ignore[arg-type]
    assert ledger.store.read(lambda c: c.execute(sa.select(records)).all()) == []
    assert ledger.store.read(lambda c: c.execute(sa.select(waiting)).all()) == []


def test_a_tier_that_the_version_does_not_ask_for_is_refused(store: StateStore) -> None:
    only = text(version(1, tiers=[{"tier": "register", "items": ["生年月"]}]))
    subjects = Subjects(bytes(32), TENANT)
    ledger = Ledger(
        store, tenant=TENANT, subjects=subjects, texts=lambda: {PURPOSE: only}, clock=HandClock(NOW)
    )
    with pytest.raises(TierUnknown):
        give(ledger, version=1, tier=Tier.TAX)


def test_the_tiers_are_consented_to_separately(ledger: Ledger) -> None:
    give(ledger)
    assert counts(ledger, tier=Tier.TAX) == ("-", None)
    give(ledger, tier=Tier.TAX)
    withdraw(ledger, at=NOW + HOUR / 60)
    assert counts(ledger, tier=Tier.TAX) == ("granted", None)


@pytest.mark.parametrize("minutes", [-1440, -6, -5, -1, 0, 1])
def test_a_withdrawal_that_came_first_wins_over_a_consent_from_elsewhere_that_is_not_clearly_later(
    ledger: Ledger, minutes: int
) -> None:
    withdraw(ledger, at=NOW, source="portal")
    held = give(ledger, at=NOW + timedelta(minutes=minutes))
    assert held.state is State.WITHDRAWN
    assert held.reason is Reason.BEFORE
    assert counts(ledger) == ("withdrawn", "asked")
    assert Reading(ledger).verify() == []


def test_a_consent_clearly_later_than_the_withdrawal_counts(ledger: Ledger) -> None:
    withdraw(ledger, at=NOW - HOUR, source="portal")
    assert give(ledger, at=NOW).state is State.GRANTED
    assert counts(ledger) == ("granted", None)


def test_one_source_is_in_order_with_itself(ledger: Ledger) -> None:
    give(ledger, at=NOW)
    withdraw(ledger, at=NOW)
    give(ledger, at=NOW)
    assert counts(ledger) == ("granted", None)


@pytest.mark.parametrize("is_first", [True, False])
def test_what_two_clocks_say_counts_the_same_in_every_order_of_arrival(
    ledger: Ledger, *, is_first: bool
) -> None:
    # The portal's clock is four minutes behind: its withdrawal was said after the desk's consent.
    if is_first:
        give(ledger, at=NOW)
    withdraw(ledger, at=NOW - timedelta(minutes=4), source="portal")
    if not is_first:
        give(ledger, at=NOW)
    assert counts(ledger)[0] == "withdrawn"


def test_a_late_withdrawal_of_an_earlier_consent_leaves_the_newer_one(
    ledger: Ledger,
) -> None:
    give(ledger, at=NOW)
    withdraw(ledger, at=NOW - HOUR, source="post")
    assert counts(ledger) == ("granted", None)


def test_the_same_withdrawal_again_changes_nothing(ledger: Ledger) -> None:
    give(ledger, at=NOW - HOUR)
    withdraw(ledger)
    before = ledger.store.read(lambda c: c.execute(sa.select(revisions)).all())
    assert withdraw(ledger) == []
    assert ledger.store.read(lambda c: c.execute(sa.select(revisions)).all()) == before


def test_a_newer_version_takes_the_place_of_the_older_and_not_the_other_way(
    ledger: Ledger,
) -> None:
    old = give(ledger, version=1, at=NOW - HOUR)
    new = give(ledger, version=2)
    assert Reading(ledger).record(old.record).state is State.SUPERSEDED
    late = give(ledger, version=1, at=NOW - 2 * HOUR)
    assert late.state is State.SUPERSEDED
    standing = Reading(ledger).standing(ONE, PURPOSE, Tier.REGISTER)
    assert standing is not None
    assert standing.record == new.record


def test_the_consent_of_who_died_ends_and_no_later_one_counts(ledger: Ledger) -> None:
    give(ledger)
    ledger.died(ONE, at=NOW, by="operator")
    assert counts(ledger) == ("expired", "died")
    assert give(ledger, at=NOW + timedelta(minutes=4)).reason is Reason.DIED
    withdraw(ledger, at=NOW + timedelta(minutes=4), source="portal")
    assert counts(ledger) == ("expired", "died")
    assert Reading(ledger).verify() == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("yes", None, "granted"),
        ("yes", "yes", "granted"),
        ("yes", "no", "withdrawn"),
        ("no", "yes", "withdrawn"),
        ("no", None, "withdrawn"),
        (None, "yes", "granted"),
        (None, None, "-"),
    ],
)
def test_records_follow_the_surviving_number_and_the_stricter_counts(
    ledger: Ledger, old: str | None, new: str | None, expected: str
) -> None:
    for number, word in ((ONE, old), (TWO, new)):
        if word:
            give(ledger, number, at=NOW - HOUR)
        if word == "no":
            withdraw(ledger, number)
    ledger.merge(ONE, TWO, by="operator")
    assert counts(ledger, TWO)[0] == expected
    if old:
        assert counts(ledger, ONE) == ("superseded", "merged")
    assert Reading(ledger).verify() == []
    ledger.merge(ONE, TWO, by="operator")  # once more changes nothing
    assert counts(ledger, TWO)[0] == expected


def test_what_is_stated_under_the_old_number_counts_for_the_survivor(ledger: Ledger) -> None:
    give(ledger, TWO, at=NOW - HOUR)
    ledger.merge(ONE, TWO, by="operator")
    withdraw(ledger, ONE)
    assert counts(ledger, TWO) == ("withdrawn", "asked")
    ledger.merge(TWO, ONE, by="operator")  # a circle is none: both are one already
    assert counts(ledger, TWO) == ("withdrawn", "asked")


def test_of_two_versions_the_older_counts_after_a_merge(ledger: Ledger) -> None:
    give(ledger, ONE, version=1, at=NOW - HOUR)
    give(ledger, TWO, version=2)
    ledger.merge(ONE, TWO, by="operator")
    standing = Reading(ledger).standing(TWO, PURPOSE, Tier.REGISTER)
    assert standing is not None
    assert (standing.version, standing.state) == (1, State.GRANTED)


def test_a_guardian_consents_for_a_child(ledger: Ledger) -> None:
    held = give(ledger, given_by=GivenBy.GUARDIAN)
    assert Reading(ledger).history(held.record)[0].said["given_by"] == "guardian"


def test_a_consent_ends_with_its_term(ledger: Ledger, clock: HandClock) -> None:
    give(ledger, version=1)
    assert ledger.expire() == 0
    clock.at += timedelta(days=1096)
    assert ledger.expire() == 1
    assert counts(ledger) == ("expired", "term")
    give(ledger, at=clock.now())
    assert counts(ledger) == ("granted", None)


def test_an_unknown_record_is_said(ledger: Ledger) -> None:
    with pytest.raises(ConsentUnknown):
        ledger.grant("019aa8d1-5b7c-7000-8000-0123456789ab", by="operator")


def change(ledger: Ledger, statement: sa.Executable) -> None:
    ledger.store.write(lambda connection: connection.execute(statement))


def test_nobody_can_change_a_revision_through_the_database(ledger: Ledger) -> None:
    give(ledger)
    for statement in (sa.delete(revisions), sa.update(revisions).values(hash="x")):
        with pytest.raises(Exception, match=r"only ever added|integrity|storage"):
            change(ledger, statement)


@pytest.mark.parametrize("column", ["state", "purpose", "version", "head", "subject"])
def test_verification_names_a_record_that_was_altered(ledger: Ledger, column: str) -> None:
    give(ledger, TWO)
    held = give(ledger)
    values: dict[str, object] = {
        "state": "withdrawn",
        "purpose": "other",
        "version": 7,
        "head": "sha256:0",
        "subject": ledger.subjects.seal("777"),
    }
    altered = (
        sa.update(records).where(records.c.record == held.record).values({column: values[column]})
    )
    change(ledger, altered)
    found = Reading(ledger).verify()
    assert {one.record for one in found} == {held.record}
    assert isinstance(found[0], RevisionTouched)


def rewritten(ledger: Ledger, record: str, number: int) -> None:
    """Write a whole history anew, with hashes that fit, as somebody with the database could."""
    chain = Reading(ledger).history(record)
    table = "consent_revisions"
    lifted = f"drop trigger {table}_no_update"
    if ledger.store.is_shared:
        lifted = f"alter table {table} disable trigger user"
    ledger.store.write(lambda connection: connection.exec_driver_sql(lifted))
    previous = None
    for one in chain:
        facts = {**one.said, "by": "account:other"} if one.number >= number else one.said
        facts = {k: v for k, v in facts.items() if k not in {"record", "number", "previous"}}
        made = revise(record, one.number, previous, facts)
        previous = made.hash
        mine = sa.and_(revisions.c.record == record, revisions.c.number == one.number)
        change(ledger, sa.update(revisions).where(mine).values(hash=made.hash, body=made.body))
    change(ledger, sa.update(records).where(records.c.record == record).values(head=previous))


@pytest.mark.parametrize("is_numbered", [True, False])
def test_a_history_that_was_written_anew_is_found_by_the_evidence(
    ledger: Ledger, *, is_numbered: bool
) -> None:
    give(ledger, TWO)
    held = give(ledger)
    if is_numbered:
        ledger.store.write(lambda connection: sequence(connection, TENANT))
    rewritten(ledger, held.record, 2)
    assert Reading(ledger).verify(held.record) == []  # it hangs together by itself
    assert [(one.record, one.number) for one in Reading(ledger).verify()] == [
        (held.record, 2),
        (held.record, 3),
    ]


def test_verification_names_a_standing_that_says_otherwise(ledger: Ledger) -> None:
    held = give(ledger, at=NOW - HOUR)
    withdraw(ledger)
    altered = sa.update(standings).values(state="granted", reason=None)
    change(ledger, altered)
    assert [one.record for one in Reading(ledger).verify()] == [held.record]


def test_the_numbers_of_changes_rise_without_a_gap_whoever_writes(ledger: Ledger) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: give(ledger, f"20{n}"), range(12)))
    found = ledger.store.read(
        lambda c: sorted(c.execute(sa.select(standings.c.sequence)).scalars())
    )
    assert found == list(range(1, 13))
    assert ledger.store.read(lambda c: c.execute(sa.select(heads.c.sequence)).scalar_one()) == 12


def test_every_table_has_row_security(store: StateStore) -> None:
    assert store.read(unsecured) == []


def test_a_record_begins_only_as_the_table_says(ledger: Ledger) -> None:
    assert frozenset({State.APPLIED, State.GRANTED, State.WITHDRAWN}) == FIRST
    assert all(
        not MOVES[state]
        for state in State
        if state not in {State.APPLIED, State.CHECKED, State.GRANTED}
    )
