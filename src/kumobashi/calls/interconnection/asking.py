"""The asking side of an interconnection test: step by step, until one fails.

Every step says what it found; the first that fails says where that was, whose it is to mend and
what to do, and nothing after it is tried. What is sent are calls of the link, marked as test
traffic: they go the same way and are signed, sealed and recorded as every call is.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from kumobashi import __version__
from kumobashi.calls.asking import Asker, Wish
from kumobashi.calls.binary_http import Answer, Request
from kumobashi.calls.errors import PeerAway, Side
from kumobashi.calls.header import CallHeader
from kumobashi.calls.here import Here
from kumobashi.calls.interconnection import record as records
from kumobashi.calls.interconnection.blame import failed, stage_of
from kumobashi.calls.interconnection.canary import CANARY
from kumobashi.calls.interconnection.connecting import Connection, connect
from kumobashi.calls.interconnection.errors import AnswerUnfit, OverCourier
from kumobashi.calls.interconnection.probes import (
    BULK,
    Probe,
    answered,
    code_points,
    probe,
    size_probe,
)
from kumobashi.calls.interconnection.steps import Outcome, Stage, Step
from kumobashi.calls.permits import CallLink, not_ready
from kumobashi.calls.relaying import about
from kumobashi.calls.signing import Proof
from kumobashi.calls.wire import LARGEST_REQUEST
from kumobashi.kernel import KumobashiError, from_wire, new_id, to_wire

_VERSION: Final = "v1"  # of what probes say
_SECONDS: Final = 10.0  # for one probe
_LARGE_SECONDS: Final = 60.0
_SIZES: Final = (1 << 10, 1 << 16, 1 << 20)  # bytes; then the largest that may be sent
_ROOM: Final = 8192  # of the largest request, for its fields
_CLOCK_WARNS: Final = timedelta(seconds=2)
_EXPIRY_WARNS: Final = timedelta(days=30)
_MICRO: Final = 1_000_000
Found = tuple[Outcome, str, str]  # and how it is told in both languages


@dataclass
class LinkTest:
    """One test of one link, from this site to where the link leads; belongs to one event loop."""

    here: Here
    asker: Asker
    link: str
    by: str
    at: str | None = None  # the site to be tested, where several stand by
    canary: Callable[[str], Mapping[str, str]] = lambda _link: {}  # a fictional record
    test: str = field(default_factory=new_id)
    steps: list[Step] = field(default_factory=list)
    signatures: dict[str, str] = field(default_factory=dict)
    record: dict[str, Any] = field(default_factory=dict)
    _calls: dict[str, str] = field(default_factory=dict)
    _tested: CallLink | None = None
    _connection: Connection | None = None
    _their: dict[str, Any] = field(default_factory=dict)  # what the other gateway said of itself
    _ahead: tuple[timedelta, timedelta] | None = None  # its clock, give or take
    _late: KumobashiError | None = None  # what the way ended with, told at the step it is about

    @property
    def is_passed(self) -> bool:
        """Whether every step went well, and both sides have signed."""
        bad = {Outcome.FAILED, Outcome.NOT_RUN}
        return not bad & {step.outcome for step in self.steps} and len(self.signatures) > 1

    async def run(self) -> AsyncIterator[Step]:
        """Try everything, in order; give every step as soon as it is over, then sign."""
        begun, tries = self.here.clock.now(), self._tries()
        for stage, attempt in tries.items():
            step = await self._try(stage, attempt)
            self.steps.append(step)
            yield step
        await self._sign(begun)

    def _tries(self) -> dict[Stage, Callable[[], Awaitable[Found]]]:
        return {
            Stage.PLAN: self._plan,
            Stage.REACH: self._reach,
            Stage.TLS: self._tls,
            Stage.WAY: self._way,
            Stage.SIGNATURE: self._signature,
            Stage.CLOCK: self._clock,
            Stage.PLAN_THERE: self._plan_there,
            Stage.SIZES: self._sizes,
            Stage.CHARACTERS: self._characters,
            Stage.CANARY: self._fictional,
            Stage.SYSTEM: self._system,
            Stage.RECEIPTS: self._receipts,
        }

    async def _try(self, stage: Stage, attempt: Callable[[], Awaitable[Found]]) -> Step:
        if any(step.outcome is Outcome.FAILED for step in self.steps):
            ja, en = "手前で止まったため、試していません", "not tried: an earlier step failed"
            return Step(stage=stage, outcome=Outcome.NOT_RUN, ja=ja, en=en)
        begun = time.monotonic()
        try:
            outcome, ja, en = await attempt()
            step = Step(stage=stage, outcome=outcome, ja=ja, en=en)
        except KumobashiError as error:
            site = self._tested.sites[0] if self._tested else self.here.site
            step = failed(stage, error, site=self.here.site if stage is Stage.PLAN else site)
        return replace(step, microseconds=round((time.monotonic() - begun) * _MICRO))

    async def _plan(self) -> Found:
        try:
            link = await asyncio.to_thread(self.here.permits.tested, self.link)
        except KumobashiError as error:
            raise not_ready(self.link, error, Side.ASKING_GATEWAY) from None
        site = self.at or link.sites[0]
        if site not in link.sites:
            raise PeerAway(**about(site, self.here.sites()))
        self._tested = replace(link, sites=(site,))
        if site != self.here.site and not self.here.sites().way_to(site):
            raise OverCourier(link=self.link)
        return (
            Outcome.PASSED,
            f"承認された内容と同じです（{link.plan[7:19]}）",
            f"as it was approved ({link.plan[7:19]})",
        )

    async def _reach(self) -> Found:
        sites, site = self.here.sites(), self._to()
        if site == self.here.site:
            return Outcome.SKIPPED, "同じサイトの中です", "within one site"
        leg = sites.way_to(site)[0]
        hop = sites.entry(leg.next_site)
        if leg.is_fetched:
            return (
                Outcome.SKIPPED,
                f"{hop.name}が取りに来るため、こちらからは接続しません",
                f"{leg.next_site} comes for its calls; nothing is opened from here",
            )
        found = self._connection = await connect(hop.url, about(leg.next_site, sites))
        taken = f"{found.microseconds / 1000:.1f} ms"
        return (
            Outcome.PASSED,
            f"{hop.name}（{found.host}:{found.port}）に {taken} でつながりました",
            f"{leg.next_site} ({found.host}:{found.port}) in {taken}",
        )

    async def _tls(self) -> Found:
        found = self._connection
        if found is None:
            return Outcome.SKIPPED, "こちらからは接続しません", "nothing is opened from here"
        if found.tls is None or found.expires is None:
            return (
                Outcome.SKIPPED,
                "TLS を使わない接続です（本文と署名は別に守られます）",
                "plain HTTP; bodies and signatures are protected apart from it",
            )
        left = found.expires - self.here.clock.now()
        outcome = Outcome.WARNED if left < _EXPIRY_WARNS else Outcome.PASSED
        return (
            outcome,
            f"{found.tls}、証明書の残り {left.days} 日",
            f"{found.tls}, the certificate is good for {left.days} days",
        )

    async def _way(self) -> Found:
        """Greet the other gateway; a failure that is about a later step is told there."""
        began = self.here.clock.now()
        ticks = time.monotonic()
        try:
            came = answered(await self._ask(probe(Probe.HELLO, {})))
            taken = timedelta(seconds=time.monotonic() - ticks)
            self._their = came
            self._ahead = (from_wire(str(came["at"])) - (began + taken / 2), taken / 2)
        except (KeyError, ValueError):
            raise AnswerUnfit(reason="hello") from None
        except KumobashiError as error:
            if stage_of(error) is Stage.WAY:
                raise
            self._late = error
        way = [self.here.site, *(leg.next_site for leg in self.here.sites().way_to(self._to()))]
        ja = " → ".join(self.here.sites().entry(site).name for site in way)
        return Outcome.PASSED, ja, " → ".join(way)

    async def _signature(self) -> Found:
        self._tell_late(Stage.SIGNATURE)
        return (
            Outcome.PASSED,
            "こちらの署名を相手が、相手の署名をこちらが確かめました",
            "each side has checked the other's",
        )

    async def _clock(self) -> Found:
        self._tell_late(Stage.CLOCK)
        if self._ahead is None:
            return Outcome.PASSED, "許される差の中です", "within what is allowed"
        ahead, give = self._ahead
        outcome = Outcome.WARNED if abs(ahead) - give > _CLOCK_WARNS else Outcome.PASSED
        said = f"{ahead.total_seconds():+.2f} s ± {give.total_seconds():.2f} s"
        return outcome, f"相手の時計の差 {said}", f"the clock there is off by {said}"

    async def _plan_there(self) -> Found:
        self._tell_late(Stage.PLAN_THERE)
        return Outcome.PASSED, "双方の事前点検が同じです", "both sides have the same plan"

    async def _sizes(self) -> Found:
        link = self._link()
        largest = LARGEST_REQUEST - _ROOM
        tries = [(size, min(size, link.largest_answer_bytes)) for size in _SIZES]
        tries.append((largest, link.largest_answer_bytes))
        there = back = taken = 0.0
        for request_bytes, answer_bytes in tries:
            request = size_probe(request_bytes, answer_bytes)
            begun = time.monotonic()
            came = await self._ask(request, seconds=_LARGE_SECONDS)
            taken += time.monotonic() - begun
            seen = f"{len(request.body)}:{sha256(request.body).hexdigest()}:".encode()
            if len(came.body) < answer_bytes or not came.body.startswith(seen):
                raise AnswerUnfit(reason=f"{request_bytes} / {answer_bytes} bytes")
            there, back = there + request_bytes, back + answer_bytes
        rate = (there + back) / taken / (1 << 20)
        most = f"{_mib(largest)} / {_mib(link.largest_answer_bytes)}"
        return (
            Outcome.PASSED,
            f"往き・復りとも通りました（最大 {most}、毎秒 {rate:.0f} MiB）",
            f"there and back, at most {most}; {rate:.0f} MiB/s",
        )

    async def _characters(self) -> Found:
        await self._compare(CANARY)
        count = sum(len(text) for text in CANARY.values())
        kinds = len(CANARY)
        return (
            Outcome.PASSED,
            f"異体字・半角カナ・波ダッシュなど {kinds} 種 {count} 文字が変わらず届きました",
            f"{count} characters of {kinds} kinds came as they were sent",
        )

    async def _fictional(self) -> Found:
        record = dict(await asyncio.to_thread(self.canary, self.link))
        if not record:
            return Outcome.SKIPPED, "この連携には見本の項目がありません", "the link names no items"
        await self._compare(record)
        return (
            Outcome.PASSED,
            f"{len(record)} 項目の架空の1件が、そのまま戻りました",
            f"a fictional record of {len(record)} items came back as it was",
        )

    async def _system(self) -> Found:
        if self._link().service == BULK:
            return (
                Outcome.SKIPPED,
                "一括の連携では、取込のときに使います",
                "used when data are taken in",
            )
        came = answered(await self._ask(probe(Probe.SYSTEM, {})))
        real, test = str(came.get("real", "none")), str(came.get("test", "none"))
        said = f"{real} / {test}"
        if real == "open" and test in {"open", "none"}:
            return (
                Outcome.PASSED,
                f"接続できます（本番 / 試験: {said}）",
                f"open (real / test: {said})",
            )
        return (
            Outcome.WARNED,
            f"接続できません（本番 / 試験: {said}）。相手の業務システムの担当に伝えてください",
            f"cannot be reached (real / test: {said}); tell whoever runs it",
        )

    async def _receipts(self) -> Found:
        calls = dict(self._calls)
        came = answered(await self._ask(probe(Probe.RECEIPTS, {"calls": calls})))
        if came.get("missing") != []:
            raise AnswerUnfit(reason="calls that the other side has no record of")
        return (
            Outcome.PASSED,
            f"{len(calls)} 件の要求と回答が、双方の記録にあります",
            f"both sides have all {len(calls)} requests and answers on record",
        )

    async def _sign(self, begun: datetime) -> None:
        """Close the record and sign it; the other side signs when everything went well."""
        link = self._tested
        is_whole = all(s.outcome not in {Outcome.FAILED, Outcome.NOT_RUN} for s in self.steps)
        self.record = {
            "format": records.FORMAT,
            "test": self.test,
            "tenant": self.here.tenant,
            "link": self.link,
            "kind": "bulk" if link and link.service == BULK else "online",
            "plan": link.plan if link else "",
            "asker": link.asker if link else "",
            "answerer": link.answerer if link else "",
            "asking_site": self.here.site,
            "answering_site": link.sites[0] if link else "",
            "way": self._way_names(),
            "by": self.by,
            "begun": to_wire(begun),
            "ended": to_wire(self.here.clock.now()),
            "versions": {"asking": __version__, "answering": str(self._their.get("version", ""))},
            "steps": [step.as_json() for step in self.steps],
            "calls": dict(self._calls),
            "passed": is_whole,
        }
        self.signatures["asking"] = records.sign(self.record, self.here.key)
        if is_whole:
            came = answered(await self._ask(probe(Probe.SIGN, {"record": self.record})))
            token = str(came.get("signature"))
            records.signed_by(self.record, token, self.here.sites().keys_of(self._to()))
            self.signatures["answering"] = token

    async def _compare(self, texts: Mapping[str, str]) -> None:
        came = answered(await self._ask(probe(Probe.CHARACTERS, {"texts": dict(texts)})))
        points = came.get("points")
        sent = {name: code_points(text) for name, text in texts.items()}
        if points != sent:
            held = points if isinstance(points, dict) else {}
            wrong = [name for name, there in sent.items() if held.get(name) != there]
            raise AnswerUnfit(reason="、".join(wrong))

    async def _ask(self, request: Request, *, seconds: float = _SECONDS) -> Answer:
        link = self._link()
        wish = Wish(
            asker=link.asker,
            answerer=link.answerer,
            service=link.service,
            version=_VERSION,
            request=request,
            correlation=self.test,
            seconds=seconds,
            is_test=True,
        )
        return await self.asker.ask_at(
            self._to(),
            wish,
            replace(link, answer_seconds=seconds),
            self.here.sites(),
            begun=asyncio.get_running_loop().time(),
            told=self._sent,
        )

    def _sent(self, header: CallHeader, asked: Proof) -> None:
        self._calls[header.call] = asked.digest

    def _tell_late(self, stage: Stage) -> None:
        if self._late is not None and stage_of(self._late) is stage:
            raise self._late

    def _link(self) -> CallLink:
        assert self._tested is not None, "the first step finds it"  # noqa: S101 - for the checker
        return self._tested

    def _to(self) -> str:
        return self._link().sites[0]

    def _way_names(self) -> list[str]:
        if self._tested is None:
            return [self.here.site]
        return [self.here.site, *(leg.next_site for leg in self.here.sites().way_to(self._to()))]


def _mib(size: int) -> str:
    return f"{size / (1 << 20):.1f} MiB"
