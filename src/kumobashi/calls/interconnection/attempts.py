"""What an interconnection test tries, a step at a time; each says what it found, or raises."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from hashlib import sha256
from typing import Final

from kumobashi.calls.asking import Asker, Wish
from kumobashi.calls.binary_http import Answer, Request
from kumobashi.calls.errors import CertificateRefused, PeerAway
from kumobashi.calls.header import CallHeader
from kumobashi.calls.here import Here
from kumobashi.calls.interconnection.blame import stage_of
from kumobashi.calls.interconnection.canary import CANARY
from kumobashi.calls.interconnection.connecting import connect
from kumobashi.calls.interconnection.errors import AnswerUnfit, OverCourier, TlsUnfit
from kumobashi.calls.interconnection.probes import (
    BULK,
    Probe,
    answered,
    code_points,
    probe,
    size_probe,
)
from kumobashi.calls.interconnection.steps import Outcome, Stage
from kumobashi.calls.permits import CallLink
from kumobashi.calls.relaying import about
from kumobashi.calls.signing import Proof
from kumobashi.calls.wire import LARGEST_ANSWER, LARGEST_REQUEST
from kumobashi.exchange.entrances import Entrance
from kumobashi.kernel import KumobashiError, from_wire

_VERSION: Final = "v1"  # of what probes say
_SECONDS: Final = 10.0  # for one probe
_LARGE_SECONDS: Final = 60.0
_SIZES: Final = (1 << 10, 1 << 16, 1 << 20)  # bytes; then the largest that may be sent
_ROOM: Final = 8192  # of the largest request, for its fields
_CLOCK_WARNS: Final = timedelta(seconds=2)
_EXPIRY_WARNS: Final = timedelta(days=30)
_REACHED: Final = {
    "open": "つながります",
    "refused": "断られました",
    "dropped": "応答がありません",
    "unreachable": "届きません",
    "none": "ありません",
}
Found = tuple[Outcome, str, str]  # and how it is told in both languages


@dataclass
class Attempts:
    """The steps of one test, from this site to where the link leads; belongs to one event loop."""

    here: Here
    asker: Asker
    link: str
    at: str | None  # the site to be tested, where several stand by
    canary: Callable[[str], Mapping[str, str]]  # a fictional record of the link
    test: str  # correlation of all its calls
    calls: dict[str, str] = field(default_factory=dict)  # digest of each request
    tested: CallLink | None = None
    version_there: str = ""  # of the other gateway
    _connection: Entrance | None = None
    _unfit: KumobashiError | None = None  # why TLS did not come about
    _ahead: tuple[timedelta, timedelta] | None = None  # its clock, give or take
    _late: KumobashiError | None = None  # what the way ended with, told at the step it is about

    def in_order(self) -> dict[Stage, Callable[[], Awaitable[Found]]]:
        """Return every step with its attempt, in the order in which they can fail."""
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

    async def _plan(self) -> Found:
        link = await asyncio.to_thread(self.here.permits.tested, self.link)
        site = self.at or link.sites[0]
        if site not in link.sites:
            raise PeerAway(**about(site, self.here.sites()))
        self.tested = replace(link, sites=(site,))
        if site != self.here.site and not self.here.sites().way_to(site):
            raise OverCourier(link=self.link)
        return (
            Outcome.PASSED,
            f"承認された内容と同じです（{link.plan[7:19]}）",
            f"as it was approved ({link.plan[7:19]})",
        )

    async def _reach(self) -> Found:
        sites, site = self.here.sites(), self.to()
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
        try:
            found = await connect(
                hop.url, leg.next_site, self.here.handing.tls, about(leg.next_site, sites)
            )
        except (CertificateRefused, TlsUnfit) as error:  # somebody is there: told at its step
            self._unfit = error
            return Outcome.PASSED, f"{hop.name}につながりました", f"{leg.next_site} is there"
        self._connection = found
        taken = f"{found.microseconds / 1000:.1f} ms"
        return (
            Outcome.PASSED,
            f"{hop.name}（{found.host}:{found.port}）に {taken} でつながりました",
            f"{leg.next_site} ({found.host}:{found.port}) in {taken}",
        )

    async def _tls(self) -> Found:
        if self._unfit:
            raise self._unfit
        found = self._connection
        if found is None:
            return Outcome.SKIPPED, "こちらからは接続しません", "nothing is opened from here"
        if found.tls is None or found.expires is None:
            return (
                Outcome.SKIPPED,
                "TLS を使わない接続です（本文と署名は別に守られます）",
                "plain HTTP; bodies and signatures are protected apart from it",
            )
        now = self.here.clock.now()
        left = found.expires - now
        ja = f"{found.tls}、証明書の残り {left.days} 日"
        en = f"{found.tls}, the certificate is good for {left.days} days"
        if found.shown_until:
            ours = found.shown_until - now
            ja += f"、こちらのクライアント証明書の残り {ours.days} 日"
            en += f", our client certificate for {ours.days}"
            left = min(left, ours)
        return Outcome.WARNED if left < _EXPIRY_WARNS else Outcome.PASSED, ja, en

    async def _way(self) -> Found:
        """Greet the other gateway; a failure that is about a later step is told there."""
        began = self.here.clock.now()
        ticks = time.monotonic()
        try:
            came = answered(await self.ask(probe(Probe.HELLO, {})))
            taken = timedelta(seconds=time.monotonic() - ticks)
            self.version_there = str(came.get("version", ""))
            self._ahead = (from_wire(str(came["at"])) - (began + taken / 2), taken / 2)
        except (KeyError, ValueError):
            raise AnswerUnfit(reason="hello") from None
        except KumobashiError as error:
            if stage_of(error) is Stage.WAY:
                raise
            self._late = error
        way = self.way()
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
        largest_answer = min(link.largest_answer_bytes, LARGEST_ANSWER)
        tries = [(size, min(size, largest_answer)) for size in _SIZES]
        tries.append((largest, largest_answer))
        there = back = taken = 0.0
        for request_bytes, answer_bytes in tries:
            request = size_probe(request_bytes, answer_bytes)
            begun = time.monotonic()
            came = await self.ask(request, seconds=_LARGE_SECONDS)
            taken += time.monotonic() - begun
            seen = f"{len(request.body)}:{sha256(request.body).hexdigest()}:".encode()
            if len(came.body) < answer_bytes or not came.body.startswith(seen):
                raise AnswerUnfit(reason=f"{request_bytes} / {answer_bytes} bytes")
            there, back = there + request_bytes, back + answer_bytes
        rate = (there + back) / taken / (1 << 20)
        most = f"{_mib(largest)} / {_mib(largest_answer)}"
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
        came = answered(await self.ask(probe(Probe.SYSTEM, {})))
        real, test = str(came.get("real", "none")), str(came.get("test", "none"))
        is_well = real == "open" and test in {"open", "none"}
        ja = f"本番は{_REACHED.get(real, real)}、試験用は{_REACHED.get(test, test)}"
        ask = "" if is_well else "。相手の業務システムの担当に伝えてください"
        outcome = Outcome.PASSED if is_well else Outcome.WARNED
        return outcome, ja + ask, f"real: {real}, for tests: {test}"

    async def _receipts(self) -> Found:
        calls = dict(self.calls)
        came = answered(await self.ask(probe(Probe.RECEIPTS, {"calls": calls})))
        if came.get("missing") != []:
            raise AnswerUnfit(reason="calls that the other side has no record of")
        return (
            Outcome.PASSED,
            f"{len(calls)} 件の要求と回答が、双方の記録にあります",
            f"both sides have all {len(calls)} requests and answers on record",
        )

    async def _compare(self, texts: Mapping[str, str]) -> None:
        came = answered(await self.ask(probe(Probe.CHARACTERS, {"texts": dict(texts)})))
        points = came.get("points")
        sent = {name: code_points(text) for name, text in texts.items()}
        if points != sent:
            held = points if isinstance(points, dict) else {}
            wrong = [name for name, there in sent.items() if held.get(name) != there]
            raise AnswerUnfit(reason="、".join(wrong))

    async def ask(self, request: Request, *, seconds: float = _SECONDS) -> Answer:
        """Send a probe along the way of the link; raise ``CallFailed``."""
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
            self.to(),
            wish,
            replace(link, answer_seconds=seconds),
            self.here.sites(),
            begun=asyncio.get_running_loop().time(),
            told=self._sent,
        )

    def _sent(self, header: CallHeader, asked: Proof) -> None:
        self.calls[header.call] = asked.digest

    def _tell_late(self, stage: Stage) -> None:
        if self._late is not None and stage_of(self._late) is stage:
            raise self._late

    def _link(self) -> CallLink:
        assert self.tested is not None, "the first step finds it"  # noqa: S101 - for the checker
        return self.tested

    def to(self) -> str:
        """Return the site that is tested."""
        return self._link().sites[0]

    def way(self) -> list[str]:
        """Return the sites on the way, as far as they are known."""
        if self.tested is None or self.to() == self.here.site:
            return [self.here.site]
        return [self.here.site, *(leg.next_site for leg in self.here.sites().way_to(self.to()))]


def _mib(size: int) -> str:
    return f"{size / (1 << 20):.1f} MiB"
