"""Play rounds: several links under way, deeds at random moments, then healing and waiting.

A round asks for one run of every link for a day of its own, so that asking again after a lost
answer is the same request. When the last deed is healed nobody helps: everything must come to rest
by itself within the bound. Then the checker judges.
"""

import os
import random
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from kumobashi.testing.faults.check import read_world
from kumobashi.testing.faults.deeds import Deed, draw
from kumobashi.testing.faults.history import History
from kumobashi.testing.faults.judging import Fault, judge
from kumobashi.testing.faults.playground import COURSES, SENDER, Course, Playground
from kumobashi.testing.ledgers import IN_FINAL, OUT_FINAL
from kumobashi.testing.town import DAY, SITES, Refused

_LOOK_SECONDS = 0.05
_DELETED = 0.4  # chance of each link, in each round, that something of it is deleted
_DELETING = ("waiting", "asked", "deleting")
_FINAL = OUT_FINAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How rounds are played."""

    seed: int
    only: frozenset[str] = frozenset()
    span_seconds: float = 1.2  # within which deeds begin
    bound_seconds: float = 60.0  # from healing to rest


@dataclass(slots=True, kw_only=True)
class Played:
    """What happened in one round."""

    number: int
    deeds: list[Deed]
    seconds: float  # from healing to rest
    faults: list[Fault] = field(default_factory=list)


class Rounds:
    """The rounds of one town."""

    def __init__(self, ground: Playground, options: Options) -> None:
        self._ground = ground
        self._options = options
        self._history = History(ground.folder / "history.jsonl")
        self._applied: defaultdict[str, list[str]] = defaultdict(list)  # by link, not deleted
        self.description = ground.describe(options.bound_seconds)

    def close(self) -> None:
        """Close the history."""
        self._history.__exit__(None, None, None)

    def play(self, number: int) -> Played:
        """Play one round and judge everything so far."""
        options, ground = self._options, self._ground
        chance = random.Random(f"{options.seed} {number}")
        ground.change_source(chance)
        day = (DAY + timedelta(days=number)).isoformat()
        intents = {f"{course.link} {day}": course for course in COURSES}
        for intent, course in intents.items():
            rows = ground.expected(course)
            self._history.invoke(intent, link=course.link, day=day, rows=rows)
        doomed = self._doomed(chance)
        deeds = draw(ground, chance, options.only, options.span_seconds)
        with ThreadPoolExecutor(len(intents) + len(doomed)) as pool:
            stop = time.monotonic() + options.span_seconds * 2 + options.bound_seconds
            asked = {
                intent: pool.submit(self._ask, course, day, stop)
                for intent, course in intents.items()
            }
            for transfer in doomed:
                pool.submit(self._delete, transfer, stop)
            self._inject(number, deeds)
            ground.keeper.all_ready()
            self._history.note("healed", round=number)
            healed = time.monotonic()
            self._wait(number, asked, healed + options.bound_seconds)
        seconds = time.monotonic() - healed
        faults = judge(read_world(self.description))
        return Played(number=number, deeds=deeds, seconds=seconds, faults=faults)

    # -- asking ---------------------------------------------------------------------------------

    def _ask(self, course: Course, day: str, stop: float) -> dict[str, Any]:
        """Ask for a run until somebody answers; every time it is the same request."""
        while time.monotonic() < stop:
            try:
                path = f"/api/v1/links/{course.link}/runs"
                found = self._ground.town.call(path, {"date": day}, site=SENDER)
                return {"transfer": found["transfer"]["transfer"]}
            except Refused as refused:
                if not refused.problem.get("retryable"):
                    return {"code": str(refused.problem.get("code"))}
            except (OSError, ValueError):  # killed, frozen, or cut off in the middle of the answer
                pass
            time.sleep(_LOOK_SECONDS)
        return {}

    def _doomed(self, chance: random.Random) -> list[str]:
        """Choose what is deleted meanwhile: transfers of earlier rounds, sometimes the newest."""
        chosen = []
        for course in COURSES:
            applied = self._applied[course.link]
            if applied and chance.random() < _DELETED:
                transfer = chance.choice([applied[-1], chance.choice(applied)])
                applied.remove(transfer)
                chosen.append(transfer)
                self._history.note("delete", transfer=transfer)
        return chosen

    def _delete(self, transfer: str, stop: float) -> None:
        """Ask for a deletion until it is taken; asking twice is asking once."""
        path = f"/api/v1/deletions/{transfer}/request"
        while time.monotonic() < stop:
            try:
                self._ground.town.call(path, {}, site=SENDER)
            except Refused as refused:
                if refused.problem.get("code") == "exchange.deleted_already":
                    break
                if not refused.problem.get("retryable"):
                    return
            except (OSError, ValueError):  # as above
                pass
            else:
                break
            time.sleep(_LOOK_SECONDS)
        else:
            return
        self._history.note("delete-taken", transfer=transfer)

    # -- breaking and healing -------------------------------------------------------------------

    def _inject(self, number: int, deeds: Sequence[Deed]) -> None:
        begun = time.monotonic()
        moments: list[tuple[float, int, Callable[[], None], Deed | None]] = []
        for place, deed in enumerate(deeds):
            moments.append((deed.start, place, deed.act, deed))
            moments.append((deed.start + deed.seconds, place, deed.heal, None))
        for at, _place, do, begins in sorted(moments, key=lambda moment: moment[:2]):
            time.sleep(max(0.0, begun + at - time.monotonic()))
            if begins is not None:
                self._history.note("inject", round=number, fault=begins.fault, what=begins.what)
            do()

    # -- coming to rest -------------------------------------------------------------------------

    def _wait(self, number: int, asked: dict[str, Future[dict[str, Any]]], end: float) -> None:
        open_ = dict(asked)
        while open_ and time.monotonic() < end:
            for intent, future in list(open_.items()):
                if future.done() and self._ended(intent, future.result()):
                    del open_[intent]
            time.sleep(_LOOK_SECONDS)
        waiting = {intent: self._shown(future) for intent, future in open_.items()}
        self._history.note("backlog", round=number, waiting=waiting)
        while (left := unquiet(self._ground)) and time.monotonic() < end:
            time.sleep(_LOOK_SECONDS)
        if left:
            self._history.note("unquiet", round=number, left=left)
        else:
            self._history.note("rest", round=number)

    def _ended(self, intent: str, answer: dict[str, Any]) -> bool:
        """Note how an intent ended, as the sender shows it; false while it goes on."""
        if "transfer" not in answer:
            if "code" in answer:
                self._history.note("fail", intent=intent, code=answer["code"])
            else:
                self._history.note("info", intent=intent)
            return True
        try:
            seen = self._ground.town.transfer(answer["transfer"])
        except (OSError, ValueError, Refused):
            return False
        if seen["state"] not in _FINAL:
            return False
        if seen["state"] == "applied":
            self._history.note("ok", intent=intent, transfer=answer["transfer"])
            self._applied[seen["link"]].append(answer["transfer"])
        else:
            code = (seen.get("cause") or {}).get("code")
            self._history.note("fail", intent=intent, transfer=answer["transfer"], code=code)
        return True

    def _shown(self, future: "Future[dict[str, Any]]") -> str:
        """Return what people are shown about something that waits."""
        if not future.done() or "transfer" not in future.result():
            return "no answer yet"
        transfer = str(future.result()["transfer"])
        try:
            seen = self._ground.town.transfer(transfer)
        except Refused as refused:
            told = f"the sender refuses to show it: {refused.problem.get('code')}"
        except (OSError, ValueError) as error:
            told = f"the sender does not answer: {type(error).__name__}"
        else:
            return f"{seen['state']} {(seen.get('cause') or {}).get('code')}"
        return f"{told}; {self._kept(transfer)}\n{self._ground.keeper.process(SENDER).tail(40)}"

    def _kept(self, transfer: str) -> str:
        """Return how a transfer stands in the sender's own state, whatever the sender says."""
        query = f"select state, attempt from outgoing where transfer = '{transfer}'"
        found = self._ground.states()[SENDER].ask(query)
        return f"{transfer} is {found[0]}" if found else f"{transfer} is not in its state"


def unquiet(ground: Playground) -> list[str]:
    """Return what gateways still have to do, and what of payloads still lies about."""
    found = []
    for site, store in ground.states().items():
        for table, final in (("outgoing", OUT_FINAL), ("incoming", IN_FINAL)):
            listed = ", ".join(f"'{state}'" for state in sorted(final))
            query = f"select transfer, state from {table} where state not in ({listed})"
            found += [f"{site}: {transfer} {state}" for transfer, state in store.ask(query)]
        listed = ", ".join(f"'{state}'" for state in _DELETING)
        query = f"select transfer, state from holdings where state in ({listed})"
        found += [f"{site}: {transfer} {state}" for transfer, state in store.ask(query)]
    for site in SITES:
        for place in ("spool", "work"):
            folder = ground.town.folder / "var" / site / place
            found += [f"{site}: {path.relative_to(ground.folder)}" for path in _files(folder)]
    return found


def _files(folder: Path) -> list[Path]:
    return [Path(root, name) for root, _, names in os.walk(folder) for name in names]
