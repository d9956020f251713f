"""The loop that has people told: decide, gather, hand over, ask what came of it.

It owns a few threads, so that a slow mail server does not hold up a call. Each turn asks first
whether somebody has taken the fault meanwhile. Of a channel that keeps failing it lets go for a
while, and the next step of the plan comes at once.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime

from kumobashi.exchange.views import Words
from kumobashi.kernel import Clock, KumobashiError
from kumobashi.kernel.crash import crashpoint
from kumobashi.monitoring.channels.ports import Accepted, Asking, Letter, Outcome
from kumobashi.monitoring.telling.book import TellingBook
from kumobashi.monitoring.telling.circuits import Circuit, after_failure, after_success, backoff
from kumobashi.monitoring.telling.daily import DailyLetters
from kumobashi.monitoring.telling.errors import ChannelAway, LetterRefused
from kumobashi.monitoring.telling.escalating import later, next_of
from kumobashi.monitoring.telling.flooding import gather
from kumobashi.monitoring.telling.outbox import MOST_NAMED, Asked, Outbox, Ready
from kumobashi.monitoring.telling.ports import FaultRecord, Setup

log = logging.getLogger(__name__)
_AT_ONCE, _AT_ONCE_BY_CHANNEL = 8, 2
_EVERY_SECONDS = 1.0
_COUNTS_FROM = 2  # tries of a letter from which on the next step may come
_WAYS = {
    "mail": Words(ja="メール", en="mail"),
    "webhook": Words(ja="Webhook", en="webhook"),
    "sms": Words(ja="SMS", en="SMS"),
    "telephone": Words(ja="電話", en="telephone"),
}
_OUTCOMES = {
    Outcome.ANSWERED: Words(ja="出たが応答なし", en="answered, no key"),
    Outcome.BUSY: Words(ja="話し中", en="busy"),
    Outcome.NO_ANSWER: Words(ja="出ない", en="no answer"),
    Outcome.FAILED: Words(ja="かけられない", en="failed"),
    Outcome.UNKNOWN: Words(ja="結果不明", en="unknown"),
}


@dataclass(slots=True, kw_only=True)
class Dispatcher:
    """Has people told of what one site's book holds; one process of a site runs it."""

    book: TellingBook
    setup: Callable[[], Setup]  # as the file is now; the last good one while it is broken
    faults: FaultRecord
    clock: Clock
    outbox: Outbox = field(init=False)
    daily: DailyLetters = field(init=False)
    _pool: ThreadPoolExecutor = field(init=False)
    _flying: dict[str, tuple[str, Future[None]]] = field(default_factory=dict)
    _circuits: dict[str, Circuit] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.outbox = Outbox(self.book)
        self.daily = DailyLetters(self.book)
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="telling")
        self.outbox.recover()

    def run(self, ended: threading.Event) -> None:
        """Go on until ``ended`` is set."""
        while not ended.wait(_EVERY_SECONDS):
            try:
                self.turn()
            except KumobashiError as error:  # a full disk, say: the next turn may succeed
                log.error("telling failed", extra={"code": error.code})  # noqa: TRY400 - no trace
            except Exception:
                log.exception("telling failed")
        self.close()

    def turn(self) -> None:
        """Do what is due now; what is slow goes on behind it."""
        setup, now = self.setup(), self.clock.now()
        self._decide(setup, now)
        self.daily.look(setup.plan, now)
        self._gather(setup, now)
        self._send(setup, now)
        self._ask(setup, now)

    def settle(self, seconds: float = 60) -> None:
        """Wait for what is being handed over."""
        wait([flight for _, flight in list(self._flying.values())], timeout=seconds)
        self._land()

    def close(self) -> None:
        """Wait for what is being handed over, and let go of the book."""
        self._pool.shutdown()
        self.book.close()

    def acknowledged(self, faults: Iterable[str], by: str) -> None:
        """Take word from a channel that somebody sees to faults."""
        found = list(dict.fromkeys(faults))
        self.book.acknowledge(dict.fromkeys(found, by))
        for fault in found:
            self.faults.take(fault, by)

    def heard(self, channel: str, reference: str, outcome: Outcome) -> None:
        """Take word from a telephone gateway about a call, as often as it says so."""
        one = self.outbox.by_reference(channel, reference)
        if one is not None:
            self._came(self.setup(), one, outcome)

    # -- the parts of a turn ---------------------------------------------------------------------

    def _decide(self, setup: Setup, now: datetime) -> None:
        due = self.book.due(now)
        if not due:
            return
        self._hear_takers([fault for _, fault in due])
        with self.book.file.writing() as connection:
            for alert, _fault in due:
                course = self.book.course(connection, alert)
                if course is not None:
                    then = next_of(setup.plan, course, now)
                    then = later(setup.plan, course, then, now)
                    self.book.decided(connection, course, then)
        crashpoint("telling.decided")

    def _hear_takers(self, faults: Sequence[str]) -> None:
        takers = self.faults.takers(list(dict.fromkeys(faults)))
        if takers:
            self.book.acknowledge(takers)

    def _gather(self, setup: Setup, now: datetime) -> None:
        known = {one.channel: one for one in setup.plan.channels}
        for channel in self.outbox.channels_waiting():
            waiting, sent = self.outbox.waiting(channel, now)
            said = known.get(channel)
            letters = gather(
                waiting,
                sent,
                most=said.most_in_ten_minutes if said else 1,
                now=now,
                one_by_one=said is None or said.way != "telephone",
            )
            if letters:
                self.outbox.make(channel, letters, now)
        crashpoint("telling.gathered")

    def _send(self, setup: Setup, now: datetime) -> None:
        self._land()
        busy = Counter(channel for channel, _ in self._flying.values())
        for one in self.outbox.ready(now):
            if one.letter in self._flying or busy[one.channel] >= _AT_ONCE_BY_CHANNEL:
                continue
            circuit = self._circuits.get(one.channel, Circuit())
            if circuit.until is not None and circuit.is_open(now):
                self.outbox.put_off(one, circuit.until, now)
                continue
            self._hear_takers(one.faults)
            said = self.outbox.start(one)
            if said is None:
                continue
            letter = Letter(
                id=one.letter,
                to=setup.plan.address(one.person, one.channel) or "",
                alerts=said[0][:MOST_NAMED],
                more=said[1],
                at=now,
                word=one.word,
            )
            busy[one.channel] += 1
            flight = self._pool.submit(self._hand_over, setup, one, letter)
            self._flying[one.letter] = (one.channel, flight)

    def _land(self) -> None:
        for letter, (_, flight) in list(self._flying.items()):
            if flight.done():
                del self._flying[letter]
                if error := flight.exception():  # it stays "going" until the next start
                    log.error("a letter was not noted", exc_info=error)

    def _hand_over(self, setup: Setup, one: Ready, letter: Letter) -> None:
        channel = setup.channels.get(one.channel)
        if channel is None or setup.plan.address(one.person, one.channel) is None:
            self._failed(one, "no_address", is_final=True)
            return
        try:
            crashpoint("telling.going")
            accepted = channel.send(letter)
            crashpoint("telling.sent")
        except LetterRefused as refused:
            self._failed(one, refused.reason, is_final=True)
        except ChannelAway as away:
            self._failed(one, away.reason, is_final=False)
        except Exception:
            log.exception("a channel failed in a way that nobody foresaw")
            self._failed(one, "unforeseen", is_final=False)
        else:
            self._accepted(setup, one, letter, accepted)

    def _accepted(self, setup: Setup, one: Ready, letter: Letter, accepted: Accepted) -> None:
        with self._lock:
            self._circuits[one.channel] = after_success()
        faults = self.outbox.accepted(one, accepted, self.clock.now())
        self._note(setup, one.channel, one.person, faults, None)
        if accepted.acknowledged_by:
            self.acknowledged([alert.fault for alert in letter.alerts], accepted.acknowledged_by)

    def _failed(self, one: Ready, reason: str, *, is_final: bool) -> None:
        now = self.clock.now()
        with self._lock:
            circuit = self._circuits.get(one.channel, Circuit())
            circuit = circuit if is_final else after_failure(circuit, now)
            self._circuits[one.channel] = circuit
        retry = None if is_final else now + backoff(one.tries + 1)
        counts = one.tries + 1 >= _COUNTS_FROM
        self.outbox.failed(one, reason, now, retry=retry, counts=counts)
        log.warning(
            "a letter was not taken",
            extra={"code": LetterRefused.code if is_final else ChannelAway.code},
        )

    # -- calls -----------------------------------------------------------------------------------

    def _ask(self, setup: Setup, now: datetime) -> None:
        for one in self.outbox.asked(now):
            channel: object = setup.channels.get(one.channel)
            if isinstance(channel, Asking) and one.letter not in self._flying:
                busy = sum(name == one.channel for name, _ in self._flying.values())
                if busy < _AT_ONCE_BY_CHANNEL:
                    flight = self._pool.submit(self._ask_one, setup, channel, one)
                    self._flying[one.letter] = (one.channel, flight)

    def _ask_one(self, setup: Setup, channel: Asking, one: Asked) -> None:
        try:
            outcome = channel.outcome(one.reference)
        except ChannelAway:
            return  # it is asked again
        self._came(setup, one, outcome)

    def _came(self, setup: Setup, one: Asked, outcome: Outcome) -> None:
        faults = self.outbox.came(one, outcome, self.clock.now())
        if not faults:
            return
        person = self.outbox.person_of(one.letter)
        if outcome is Outcome.ACKNOWLEDGED:
            self.acknowledged(faults, _name(setup, person))
        elif outcome.is_final:
            self._note(setup, one.channel, person, faults, _OUTCOMES[outcome])

    def _note(
        self, setup: Setup, channel: str, person: str, faults: Sequence[str], came: Words | None
    ) -> None:
        """Write into the timelines of faults who was told; of a flood, into the first ones."""
        found = next((one for one in setup.plan.channels if one.channel == channel), None)
        way = _WAYS[found.way] if found else Words(ja=channel, en=channel)
        name = _name(setup, person)
        words = Words(
            ja=f"{name} {way.ja}（{came.ja if came else '渡した'}）",
            en=f"{name} by {way.en} ({came.en if came else 'handed over'})",
        )
        for fault in list(dict.fromkeys(faults))[:MOST_NAMED]:
            self.faults.told(fault, words)


def _name(setup: Setup, person: str) -> str:
    found = next((one.name for one in setup.plan.people if one.person == person), person)
    return found or "Webhook"
