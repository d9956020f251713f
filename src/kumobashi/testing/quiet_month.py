"""A month in which nothing is wrong: nightly runs, and the small mishaps that heal by themselves.

Lost pulses, a gateway that restarts, a line that is tried again, clocks that wander by tenths of a
second, a maintenance that was announced. What a watch tells people of such a month is a false
alert. Answers have the shape of ``GET /api/v1/watch``; the chance is seeded.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from kumobashi.directory.monitor_models import MonitorFile
from kumobashi.kernel import JST, to_wire

HERE, RELAY, CLOUD = "hall-core", "asp-relay", "public-cloud"
_WAY = (HERE, RELAY, CLOUD)
_LOST_PULSE = 0.005  # share of pulses that get lost
_RESTART = 1 / 8_000  # a look: about two a day with looks each 5 s
_RETRY = 1 / 5_000
_LONGEST_RESTART = 12.0  # seconds
_LONGEST_RETRY = 20.0
_WANDER = 0.3  # seconds, of clocks


@dataclass(slots=True)
class QuietMonth:
    """One municipality's quiet time; every look gives what a gateway would answer, or silence."""

    links: int = 40
    seed: int = 1
    begin: datetime = datetime(2026, 10, 1, 0, 0, tzinfo=UTC)
    pulse_seconds: float = 10.0
    works_after: timedelta = timedelta(days=12, hours=14)
    _chance: random.Random = field(init=False)
    _down_until: datetime = field(init=False)
    _retry_until: datetime = field(init=False)
    _retrying: str = field(init=False, default="")
    _way: dict[str, Any] = field(init=False, default_factory=dict)
    _way_at: datetime = field(init=False)
    restarts: int = field(init=False, default=0)
    lost: int = field(init=False, default=0)
    retries: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)
        self._down_until = self._retry_until = self._way_at = self.begin - timedelta(days=1)

    def rules(self) -> MonitorFile:
        """Return the rules with the one maintenance that was announced."""
        first = self.begin + self.works_after
        work = {
            "sites": [CLOUD],
            "begins": first.isoformat(),
            "ends": (first + timedelta(hours=3)).isoformat(),
            "reason": "クラウドの定期保守",
        }
        return MonitorFile.model_validate({"kumobashi": 1, "planned": [work]})

    def settled(self) -> dict[str, Any]:
        """Return what seldom changes."""
        return {
            "municipality": ["999997", "架空市"],
            "sites": {
                site: {"name": name, "contact": "desk", "role": role}
                for site, name, role in (
                    (HERE, "庁内基幹系", "endpoint"),
                    (RELAY, "LGWAN-ASP 中継", "relay"),
                    (CLOUD, "公共クラウド", "endpoint"),
                )
            },
            "contacts": {"desk": {"name": "架空窓口", "phone": "000-000-0010", "hours": "24時間"}},
            "links": {
                name: {
                    "name": f"業務{number:05} → お知らせ",
                    "daily": "01:20",
                    "deadline": "06:00" if number % 2 else None,
                    "sites": list(_WAY),
                    "contact": "desk",
                }
                for number, name in enumerate(self.names())
            },
        }

    def names(self) -> list[str]:
        """Return the ids of the links."""
        return [f"link-{number:05}" for number in range(self.links)]

    def answers(self, looks: int, every: timedelta) -> Iterator[tuple[datetime, Any]]:
        """Give the time of each look, and the answer then; none while the gateway restarts."""
        for number in range(looks):
            now = self.begin + number * every
            yield now, self.answer(now)

    def answer(self, now: datetime, known: str = "") -> Mapping[str, Any] | None:
        """Return what the gateway says at a moment."""
        if now < self._down_until:
            return None
        if self._chance.random() < _RESTART:
            self.restarts += 1
            down = timedelta(seconds=self._chance.uniform(1, _LONGEST_RESTART))
            self._down_until = now + down
            return None
        if now - self._way_at >= timedelta(seconds=self.pulse_seconds):
            self._way, self._way_at = self._beat(now), now
        return {
            "site": HERE,
            "at": to_wire(now),
            "incarnation": "1",
            "version": "1",
            "settled": None if known == "1" else self.settled(),
            "ways": [self._way],
            "heard": {},
            "troubles": [],
            "links": self._standing(now),
            "causes": self._causes(now),
        }

    def _beat(self, now: datetime) -> dict[str, Any]:
        works = any(work.covers(CLOUD, now) for work in self.rules().planned)
        lost = self._chance.random() < _LOST_PULSE
        self.lost += lost
        trip = self._chance.uniform(0.005, 0.08)
        answered = [RELAY] if works else [] if lost else [RELAY, CLOUD]
        gap = (RELAY, CLOUD) if works else (HERE, RELAY) if lost else (None, None)
        words = []
        for site in answered:
            off = timedelta(seconds=self._chance.uniform(-_WANDER, _WANDER))
            at = now + off + timedelta(seconds=trip / 2)
            words.append({"site": site, "came": to_wire(at), "left": to_wire(at), "troubles": []})
        return {
            "to_site": CLOUD,
            "way": list(_WAY),
            "at": to_wire(now),
            "seconds": trip,
            "broken_from": gap[0],
            "broken_to": gap[1],
            "code": "exchange.peer_unreachable" if gap[1] else None,
            "broken_since": to_wire(now) if gap[1] else None,
            "whole_at": None,
            "words": words,
        }

    def _standing(self, now: datetime) -> dict[str, list[str]]:
        """Return how far each link is: run between 1:20 and 1:40, in within minutes."""
        here = now.astimezone(JST)
        minutes = here.hour * 60 + here.minute - 80
        found = {}
        midnight = here.replace(hour=0, minute=0, second=0, microsecond=0)
        for number, name in enumerate(self.names()):
            start, end = number % 20, number % 20 + 3
            began = midnight + timedelta(minutes=80 + start)
            if minutes < start:
                began -= timedelta(days=1)
            light = "running" if start <= minutes < end else "applied"
            found[name] = [to_wire(began), light]
        return found

    def _causes(self, now: datetime) -> list[dict[str, Any]]:
        if now >= self._retry_until:
            if self._chance.random() >= _RETRY:
                return []
            self.retries += 1
            self._retrying = f"{self._chance.randrange(self.links):05}"
            self._retry_until = now + timedelta(seconds=self._chance.uniform(1, _LONGEST_RETRY))
        return [
            {
                "code": self._chance.choice(["exchange.peer_refused", "exchange.peer_unreachable"]),
                "side": CLOUD,
                "light": "waiting",
                "stage": "sealed",
                "what": {"ja": "応答がありません。", "en": "No answer."},
                "remedy": {"ja": "待ってください。", "en": "Wait."},
                "since": to_wire(now),
                "tries": 1,
                "next_try": to_wire(now + timedelta(seconds=2)),
                "links": [f"link-{self._retrying}"],
            }
        ]
