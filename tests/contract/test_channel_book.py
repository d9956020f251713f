"""The book of addresses, the same in every store: the round trip, its limits, its ends."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from kumobashi.consent.channels.book import ChannelBook
from kumobashi.consent.channels.ending import end
from kumobashi.consent.channels.errors import (
    AddressRefused,
    AddressUnfit,
    AddressUnreadable,
    ChannelClosed,
    ChannelCodeFailed,
    ChannelCodeLocked,
    ChannelCodeOver,
    ChannelCodeWrong,
    ChannelLimited,
    ChannelMove,
    ChannelUnknown,
    ChannelUnproven,
    ResidentDied,
    SenderAway,
)
from kumobashi.consent.channels.ports import CodeLetter
from kumobashi.consent.channels.rows import Address
from kumobashi.consent.channels.sealing import SHELF, Vault
from kumobashi.consent.channels.sql import addresses, counts
from kumobashi.consent.channels.states import LIVES, MOVES, Channel, Limits, Reason, State
from kumobashi.consent.errors import ConsentMove
from kumobashi.consent.ledger import ConsentLedger
from kumobashi.consent.reading import Reading
from kumobashi.consent.records import Application, Method
from kumobashi.consent.states import State as Consent
from kumobashi.consent.states import Tier
from kumobashi.consent.subjects import Subjects
from kumobashi.evidence.sql import waiting
from kumobashi.storage.erasable import ErasableSecrets
from kumobashi.storage.state import StateStore
from kumobashi.testing.clocks import HandClock
from tests.contract.states import TENANT
from tests.unit.consent.texts_for_tests import PURPOSE, text

pytestmark = [pytest.mark.slow, pytest.mark.postgres]
NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
SECRET = bytes(range(32))
ONE, TWO = "0000000001", "0000000002"
MAIL, SMS = Channel.MAIL, Channel.SMS
WHERE = "kakuu.taro@example.jp"
LIMITS = Limits()


class Outbox:
    """Takes codes and keeps them; ``fails`` is raised instead, once."""

    def __init__(self) -> None:
        self.letters: list[CodeLetter] = []
        self.fails: Exception | None = None

    def send(self, letter: CodeLetter) -> None:
        if self.fails is not None:
            failed, self.fails = self.fails, None
            raise failed
        self.letters.append(letter)

    @property
    def code(self) -> str:
        return self.letters[-1].code


@pytest.fixture
def clock() -> HandClock:
    return HandClock(NOW)


@pytest.fixture
def outbox() -> Outbox:
    return Outbox()


@pytest.fixture
def keys(tmp_path: Path) -> ErasableSecrets:
    return ErasableSecrets(tmp_path / "keys")


@pytest.fixture
def book(store: StateStore, clock: HandClock, outbox: Outbox, keys: ErasableSecrets) -> ChannelBook:
    return book_of(store, clock, outbox, keys)


def book_of(
    store: StateStore, clock: HandClock, outbox: Outbox, keys: ErasableSecrets
) -> ChannelBook:
    return ChannelBook(
        store,
        tenant=TENANT,
        subjects=Subjects(SECRET, TENANT),
        vault=Vault(SECRET, TENANT, keys),
        senders=lambda: {MAIL: outbox, SMS: outbox},
        clock=clock,
    )


@pytest.fixture
def ledger(store: StateStore, clock: HandClock) -> ConsentLedger:
    return ConsentLedger(
        store,
        tenant=TENANT,
        subjects=Subjects(SECRET, TENANT),
        texts=lambda: {PURPOSE: text()},
        clock=clock,
    )


def wrong(code: str) -> str:
    return f"{(int(code.replace('-', '')) + 1) % 10**8:08d}"


def add(book: ChannelBook, where: str = WHERE, *, number: str = ONE) -> Address:
    return book.add(number, MAIL, where, by="account:sato")


def proven(book: ChannelBook, outbox: Outbox, where: str = WHERE, *, number: str = ONE) -> Address:
    made = add(book, where, number=number)
    return book.confirm(made.record, outbox.code, by="account:sato")


def opened(book: ChannelBook, number: str = ONE) -> str:
    subject = Subjects(SECRET, TENANT).seal(number)
    return book.proven_address(subject, MAIL, purpose=PURPOSE, by="gateway").address


def everything(store: StateStore) -> str:
    def work(connection: sa.Connection) -> str:
        tables = (addresses, counts, waiting)
        return repr([tuple(row) for one in tables for row in connection.execute(sa.select(one))])

    return store.read(work)


def row(store: StateStore, record: str) -> sa.Row[tuple[object, ...]]:
    query = sa.select(addresses).where(addresses.c.record == record)
    return store.read(lambda connection: connection.execute(query).one())


# -- the round trip -----------------------------------------------------------------------------


def test_a_code_that_comes_back_proves_the_address(book: ChannelBook, outbox: Outbox) -> None:
    made = add(book, " Kakuu.Taro＠EXAMPLE.jp ")
    assert (made.state, made.sendings) == (State.SENT, 1)
    assert outbox.letters[0].address == "Kakuu.Taro@example.jp"
    held = book.confirm(made.record, f" {outbox.code} ", by="account:sato")
    assert held.state is State.PROVEN
    assert opened(book) == "Kakuu.Taro@example.jp"


def test_address_code_and_number_stand_nowhere(
    book: ChannelBook, outbox: Outbox, store: StateStore, keys: ErasableSecrets
) -> None:
    made = add(book)
    before = everything(store)
    book.confirm(made.record, outbox.code, by="account:sato")
    opened(book)
    kept = b"".join(secret for _, _, secret in keys.everything())
    for said in (before, everything(store), repr(outbox.letters), repr(made)):
        assert WHERE not in said
        assert "kakuu" not in said
        assert ONE not in said
        assert outbox.code not in said
        assert outbox.code.replace("-", "") not in said
    assert b"kakuu" not in kept


def test_a_code_counts_once(book: ChannelBook, outbox: Outbox) -> None:
    held = proven(book, outbox)
    with pytest.raises(ChannelMove):
        book.confirm(held.record, outbox.code, by="account:sato")


def test_the_code_of_another_row_proves_nothing(book: ChannelBook, outbox: Outbox) -> None:
    add(book)
    stolen = outbox.code
    other = add(book, "b@example.jp", number=TWO)
    if stolen != outbox.code:
        with pytest.raises(ChannelCodeWrong):
            book.confirm(other.record, stolen, by="account:sato")


def test_wrong_codes_end_the_row_and_erase_the_address(
    book: ChannelBook, outbox: Outbox, store: StateStore, keys: ErasableSecrets
) -> None:
    made = add(book)
    for left in reversed(range(1, LIMITS.tries)):
        with pytest.raises(ChannelCodeWrong) as one:
            book.confirm(made.record, wrong(outbox.code), by="account:sato")
        assert one.value.left == left
    with pytest.raises(ChannelCodeLocked):
        book.confirm(made.record, wrong(outbox.code), by="account:sato")
    with pytest.raises(ChannelMove):
        book.confirm(made.record, outbox.code, by="account:sato")
    assert_erased(book, store, keys, made.record, State.FAILED, Reason.LOCKED)


def assert_erased(
    book: ChannelBook,
    store: StateStore,
    keys: ErasableSecrets,
    record: str,
    state: State,
    reason: Reason,
) -> None:
    held = book.address(record)
    assert (held.state, held.reason) == (state, reason)
    left = row(store, record)
    assert (left.sealed, left.mark, left.code) == (None, None, None)
    assert keys.get(SHELF, record) is None
    assert f"{SHELF}/{record}" in keys.erased()


def test_many_at_once_are_no_more_tries(
    opened: Callable[[], StateStore], store: StateStore, clock: HandClock, keys: ErasableSecrets
) -> None:
    outbox = Outbox()
    other = opened() if store.is_shared else store
    books = [book_of(one, clock, outbox, keys) for one in (store, other)]
    made = add(books[0])

    def guess(at: int) -> type[Exception] | None:
        try:
            books[at % 2].confirm(made.record, wrong(outbox.code), by="gateway")
        except (ChannelCodeFailed, ChannelMove) as failed:
            return type(failed)
        return None

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(guess, range(20)))
    if other is not store:
        other.close()
    assert found.count(ChannelCodeWrong) == LIMITS.tries - 1
    assert found.count(ChannelCodeLocked) == 1
    assert found.count(ChannelMove) == 20 - LIMITS.tries


def test_of_many_who_bring_the_code_one_is_the_first(book: ChannelBook, outbox: Outbox) -> None:
    made = add(book)

    def bring(_: int) -> bool:
        try:
            book.confirm(made.record, outbox.code, by="gateway")
        except ChannelMove:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(bring, range(12))) == 1


def test_a_code_is_over_after_its_time(
    book: ChannelBook, outbox: Outbox, clock: HandClock, store: StateStore, keys: ErasableSecrets
) -> None:
    made = add(book)
    clock.at += LIVES[MAIL]
    with pytest.raises(ChannelCodeOver):
        book.confirm(made.record, outbox.code, by="account:sato")
    assert_erased(book, store, keys, made.record, State.EXPIRED, Reason.TIME)


def test_every_move_that_is_not_in_the_table_is_refused(
    book: ChannelBook, store: StateStore, clock: HandClock, outbox: Outbox
) -> None:
    made = add(book)
    for now in State:
        for then in (State.FAILED, State.EXPIRED, State.WITHDRAWN):

            def work(
                connection: sa.Connection, now: State = now, then: State = then
            ) -> type[Exception] | None:
                nested = connection.begin_nested()
                mine = addresses.c.record == made.record
                connection.execute(sa.update(addresses).where(mine).values(state=now.value))
                held = connection.execute(sa.select(addresses).where(mine)).one()
                try:
                    end(connection, held, then, Reason.ASKED, now=clock.now(), by="gateway")
                except ChannelMove as failed:
                    return type(failed)
                finally:
                    nested.rollback()
                return None

            assert store.write(work) is (None if then in MOVES[now] else ChannelMove)


# -- sending ------------------------------------------------------------------------------------


def test_a_new_code_voids_the_one_before(
    book: ChannelBook, outbox: Outbox, clock: HandClock
) -> None:
    made = add(book)
    first = outbox.code
    clock.at += LIMITS.pause
    assert book.resend(made.record, by="account:sato").sendings == 2
    if first != outbox.code:
        with pytest.raises(ChannelCodeWrong):
            book.confirm(made.record, first, by="account:sato")
    assert book.confirm(made.record, outbox.code, by="account:sato").state is State.PROVEN


def test_codes_go_out_with_a_pause_and_not_without_end(
    book: ChannelBook, outbox: Outbox, clock: HandClock
) -> None:
    made = add(book)
    with pytest.raises(ChannelLimited):
        book.resend(made.record, by="account:sato")
    for _ in range(LIMITS.sendings - 1):
        clock.at += LIMITS.pause
        book.resend(made.record, by="account:sato")
    clock.at += LIMITS.pause
    with pytest.raises(ChannelLimited):
        book.resend(made.record, by="account:sato")
    assert len(outbox.letters) == LIMITS.sendings
    assert book.confirm(made.record, outbox.code, by="account:sato").state is State.PROVEN


def test_one_address_is_not_flooded_by_many_residents(
    book: ChannelBook, outbox: Outbox, clock: HandClock
) -> None:
    for number in range(LIMITS.sendings_to_address):
        add(book, WHERE.upper() if number % 2 else WHERE, number=f"{number + 10}")
    with pytest.raises(ChannelLimited):
        add(book, number="99")
    assert book.of_resident("99") == []
    add(book, "b@example.jp", number="99")
    clock.at += LIMITS.window
    add(book, number="98")


def test_one_resident_is_not_sent_to_many_addresses(book: ChannelBook, outbox: Outbox) -> None:
    for number in range(LIMITS.sendings_to_resident):
        add(book, f"a{number}@example.jp")
    with pytest.raises(ChannelLimited):
        add(book, "b@example.jp")
    assert len(outbox.letters) == LIMITS.sendings_to_resident


def test_guessing_over_many_rows_is_limited_too(book: ChannelBook, outbox: Outbox) -> None:
    left = LIMITS.tries_of_resident
    while left:
        made = add(book, f"a{left}@example.jp")
        for _ in range(min(left, LIMITS.tries - 1)):
            with pytest.raises(ChannelCodeWrong):
                book.confirm(made.record, wrong(outbox.code), by="gateway")
            left -= 1
    made = add(book, "last@example.jp")
    with pytest.raises(ChannelLimited):
        book.confirm(made.record, outbox.code, by="gateway")


def test_what_does_not_go_out_is_kept_and_its_code_counts_if_it_had(
    book: ChannelBook, outbox: Outbox, clock: HandClock, store: StateStore
) -> None:
    outbox.fails = SenderAway(channel="mail", reason="disconnected", record="-")
    with pytest.raises(SenderAway):
        add(book)
    (held,) = book.of_resident(ONE)
    assert (held.state, held.sendings) == (State.UNPROVEN, 1)
    clock.at += LIMITS.pause
    book.resend(held.record, by="account:sato")
    late = outbox.code
    store.write(
        lambda c: c.execute(sa.update(addresses).values(state=State.UNPROVEN.value, sent_at=None))
    )
    assert book.confirm(held.record, late, by="account:sato").state is State.PROVEN


def test_an_address_that_the_channel_refuses_has_failed(
    book: ChannelBook, outbox: Outbox, store: StateStore, keys: ErasableSecrets
) -> None:
    outbox.fails = AddressRefused(channel="mail", reason="550")
    with pytest.raises(AddressRefused):
        add(book)
    (held,) = book.of_resident(ONE)
    assert_erased(book, store, keys, held.record, State.FAILED, Reason.REFUSED)


def test_a_sender_that_breaks_leaves_what_can_go_on(book: ChannelBook, outbox: Outbox) -> None:
    outbox.fails = RuntimeError("power")
    with pytest.raises(RuntimeError):
        add(book)
    assert [one.state for one in book.of_resident(ONE)] == [State.UNPROVEN]


@pytest.mark.parametrize("where", ["", "a", "a@b@c.jp", "a@example.jp\r\nBcc: b@example.jp"])
def test_what_is_no_address_is_kept_nowhere(
    book: ChannelBook, store: StateStore, keys: ErasableSecrets, where: str
) -> None:
    with pytest.raises(AddressUnfit):
        add(book, where)
    assert everything(store) == "[]"
    assert keys.names(SHELF) == []


def test_a_channel_that_is_not_set_up_is_closed(book: ChannelBook) -> None:
    with pytest.raises(ChannelClosed):
        book.add(ONE, Channel.POST, "架空市架空町1-2-3 架空太郎", by="account:sato")


def test_what_is_not_there_is_said(book: ChannelBook) -> None:
    for deed in (book.resend, book.remove):
        with pytest.raises(ChannelUnknown):
            deed("019aa8d1-5b7c-7000-8000-0123456789ab", by="account:sato")
    with pytest.raises(ChannelUnproven):
        opened(book)


# -- changing and ending ------------------------------------------------------------------------


def test_the_old_address_stands_until_the_new_one_is_proven(
    book: ChannelBook, outbox: Outbox, store: StateStore, keys: ErasableSecrets
) -> None:
    old = proven(book, outbox)
    new = add(book, "neu@example.jp")
    assert opened(book) == WHERE
    book.confirm(new.record, outbox.code, by="account:sato")
    assert opened(book) == "neu@example.jp"
    assert_erased(book, store, keys, old.record, State.WITHDRAWN, Reason.REPLACED)


def test_a_newer_wish_takes_the_place_of_an_older_one(
    book: ChannelBook, outbox: Outbox, store: StateStore, keys: ErasableSecrets
) -> None:
    first = add(book)
    add(book, "neu@example.jp")
    assert_erased(book, store, keys, first.record, State.WITHDRAWN, Reason.REPLACED)


def test_a_removed_address_opens_from_no_backup(
    book: ChannelBook, outbox: Outbox, store: StateStore, keys: ErasableSecrets
) -> None:
    held = proven(book, outbox)
    sealed = row(store, held.record).sealed
    secret = keys.get(SHELF, held.record)
    assert secret
    book.remove(held.record, by="account:sato")
    assert_erased(book, store, keys, held.record, State.WITHDRAWN, Reason.ASKED)
    with pytest.raises(ChannelUnproven):
        opened(book)
    back = {"sealed": sealed, "state": State.PROVEN.value}  # somebody restores the state
    store.write(lambda c: c.execute(sa.update(addresses).values(**back)))
    with pytest.raises(AddressUnreadable):
        opened(book)


def test_an_altered_or_swapped_address_is_not_used(
    book: ChannelBook, outbox: Outbox, store: StateStore
) -> None:
    proven(book, outbox)
    other = proven(book, outbox, "b@example.jp", number=TWO)
    sealed = row(store, other.record).sealed
    store.write(lambda c: c.execute(sa.update(addresses).values(sealed=sealed)))
    with pytest.raises(AddressUnreadable):
        opened(book)
    assert opened(book, TWO) == "b@example.jp"


def test_every_opening_is_counted_and_a_record(
    book: ChannelBook, outbox: Outbox, store: StateStore
) -> None:
    held = proven(book, outbox)
    before = book.address(held.record).openings
    for _ in range(3):
        opened(book)
    assert book.address(held.record).openings == before + 3
    assert everything(store).count("channel.opened") == 3


def test_tidying_ends_what_waited_and_finishes_what_a_crash_left(
    book: ChannelBook, outbox: Outbox, clock: HandClock, store: StateStore, keys: ErasableSecrets
) -> None:
    kept = proven(book, outbox)
    late = add(book, "late@example.jp", number=TWO)
    ended = add(book, "gone@example.jp", number="3")
    alone = "019aa8d1-5b7c-7000-8000-0123456789ab"  # its row may come back with a backup
    keys.put(SHELF, alone, b"k")
    query = sa.select(addresses).where(addresses.c.record == ended.record)
    store.write(  # the process died before it destroyed the key
        lambda c: end(
            c, c.execute(query).one(), State.WITHDRAWN, Reason.ASKED, now=NOW, by="operator"
        )
    )
    clock.at += LIVES[MAIL]
    assert book.tidy() == 2
    assert keys.names(SHELF) == sorted([kept.record, alone])
    assert book.address(late.record).state is State.EXPIRED
    assert store.read(lambda c: c.execute(sa.select(counts)).all()) == []
    assert book.tidy() == 0
    assert opened(book) == WHERE


# -- with the ledger of consents ----------------------------------------------------------------


def said(**changed: object) -> Application:
    values = {
        "number": ONE,
        "purpose": PURPOSE,
        "tier": Tier.REGISTER,
        "version": 1,
        "stated_at": NOW,
        "source": "desk-1",
        "channel": MAIL,
    }
    return Application(**{**values, **changed})  # type: ignore[arg-type]


def test_a_consent_that_names_a_channel_rests_on_a_proven_address(
    book: ChannelBook, outbox: Outbox, ledger: ConsentLedger
) -> None:
    with pytest.raises(ChannelUnproven):
        ledger.give(said(), Method.COUNTER, by="account:sato")
    assert Reading(ledger).of_resident(ONE) == []
    waiting_one = ledger.apply(said(), by="portal")
    ledger.check(waiting_one.record, Method.COUNTER, by="account:sato")
    made = add(book)
    with pytest.raises(ChannelUnproven):
        ledger.grant(waiting_one.record, by="account:sato")
    book.confirm(made.record, outbox.code, by="account:sato")
    (granted,) = ledger.grant_reached(book.subject_of(made.record), MAIL, by="account:sato")
    assert (granted.state, granted.channel) == (Consent.GRANTED, MAIL)
    assert Reading(ledger).verify() == []


def test_a_changed_channel_or_document_is_found(
    book: ChannelBook, outbox: Outbox, ledger: ConsentLedger, store: StateStore
) -> None:
    from kumobashi.consent.sql import records

    proven(book, outbox)
    ledger.give(said(document="passport"), Method.COUNTER, by="account:sato")
    assert Reading(ledger).verify() == []
    for column in ({"channel": "sms"}, {"channel": "mail", "document": "other"}):
        store.write(lambda c, v=column: c.execute(sa.update(records).values(**v)))  # type: ignore[misc]
        assert len(Reading(ledger).verify()) == 1


def test_the_address_goes_with_the_last_consent_that_names_its_channel(
    book: ChannelBook,
    outbox: Outbox,
    ledger: ConsentLedger,
    store: StateStore,
    keys: ErasableSecrets,
) -> None:
    held = proven(book, outbox)
    for tier in Tier:
        ledger.give(said(tier=tier), Method.COUNTER, by="account:sato")

    def withdraw(tier: Tier) -> None:
        ledger.withdraw(ONE, PURPOSE, tier=tier, stated_at=NOW, source="desk-1", by="account:sato")

    withdraw(Tier.TAX)
    assert opened(book) == WHERE
    withdraw(Tier.REGISTER)
    with pytest.raises(ChannelUnproven):
        opened(book)
    assert row(store, held.record).sealed is None
    book.tidy()
    assert_erased(book, store, keys, held.record, State.WITHDRAWN, Reason.CONSENT)


def test_whoever_died_is_reached_nowhere(
    book: ChannelBook, outbox: Outbox, ledger: ConsentLedger
) -> None:
    proven(book, outbox)
    half = book.add(ONE, SMS, "090-0000-0000", by="account:sato")
    ledger.died(ONE, at=NOW, by="account:sato")
    assert {one.reason for one in book.of_resident(ONE)} == {Reason.DIED}
    with pytest.raises(ChannelMove):
        book.confirm(half.record, outbox.code, by="account:sato")
    with pytest.raises(ResidentDied):
        add(book)


def test_a_merged_number_proves_its_address_anew(
    book: ChannelBook, outbox: Outbox, ledger: ConsentLedger
) -> None:
    proven(book, outbox)
    ledger.merge(ONE, TWO, by="account:sato")
    for number in (ONE, TWO):
        with pytest.raises(ChannelUnproven):
            opened(book, number)
    proven(book, outbox, "neu@example.jp")  # under the old number: it is the survivor's
    assert opened(book, TWO) == "neu@example.jp"


def test_a_consent_that_names_none_is_as_before(ledger: ConsentLedger) -> None:
    held = ledger.give(replace(said(), channel=None), Method.COUNTER, by="account:sato")
    assert held.state is Consent.GRANTED
    with pytest.raises(ConsentMove):
        ledger.grant(held.record, by="account:sato")


def test_a_window_ends_by_the_clock(book: ChannelBook, clock: HandClock) -> None:
    for number in range(LIMITS.sendings_to_address):
        add(book, number=f"{number + 10}")
    clock.at += LIMITS.window - timedelta(seconds=1)
    with pytest.raises(ChannelLimited):
        add(book, number="99")
