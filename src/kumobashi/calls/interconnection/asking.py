"""The asking side of an interconnection test: step by step, until one fails.

Every step says what it found; the first that fails says where that was, whose it is to mend and
what to do, and nothing after it is tried. What is sent are calls of the link, marked as test
traffic: they go the same way and are signed, sealed and recorded as every call is.
"""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from kumobashi import __version__
from kumobashi.calls.asking import Asker
from kumobashi.calls.here import Here
from kumobashi.calls.interconnection import record as records
from kumobashi.calls.interconnection.attempts import Attempts, Found
from kumobashi.calls.interconnection.blame import failed
from kumobashi.calls.interconnection.probes import (
    BULK,
    Probe,
    answered,
    probe,
)
from kumobashi.calls.interconnection.steps import Outcome, Stage, Step
from kumobashi.kernel import KumobashiError, new_id, to_wire


@dataclass
class LinkTest:
    """One test of one link, from this site to where the link leads; belongs to one event loop."""

    here: Here
    asker: Asker
    link: str
    by: str
    at: str | None = None  # the site to be tested, where several stand by
    canary: Callable[[str], Mapping[str, str]] = lambda _link: {}  # a fictional record of the link
    test: str = field(default_factory=new_id)
    steps: list[Step] = field(default_factory=list)
    signatures: dict[str, str] = field(default_factory=dict)
    record: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make ready what is tried."""
        self._attempts = Attempts(self.here, self.asker, self.link, self.at, self.canary, self.test)

    @property
    def is_passed(self) -> bool:
        """Whether every step went well, and both sides have signed."""
        bad = {Outcome.FAILED, Outcome.NOT_RUN}
        return not bad & {step.outcome for step in self.steps} and len(self.signatures) > 1

    async def run(self) -> AsyncIterator[Step]:
        """Try everything, in order; give every step as soon as it is over, then sign."""
        begun = self.here.clock.now()
        for stage, attempt in self._attempts.in_order().items():
            step = await self._try(stage, attempt)
            self.steps.append(step)
            yield step
        await self._sign(begun)

    async def _try(self, stage: Stage, attempt: Callable[[], Awaitable[Found]]) -> Step:
        if any(step.outcome is Outcome.FAILED for step in self.steps):
            ja, en = "手前で止まったため、試していません", "not tried: an earlier step failed"
            return Step(stage=stage, outcome=Outcome.NOT_RUN, ja=ja, en=en)
        begun = time.monotonic()
        try:
            outcome, ja, en = await attempt()
            step = Step(stage=stage, outcome=outcome, ja=ja, en=en)
        except KumobashiError as error:
            tested = self._attempts.tested
            site = tested.sites[0] if tested else self.here.site
            step = failed(stage, error, site=self.here.site if stage is Stage.PLAN else site)
        return replace(step, microseconds=round((time.monotonic() - begun) * 1e6))

    async def _sign(self, begun: datetime) -> None:
        """Close the record and sign it; the other side signs when everything went well."""
        link = self._attempts.tested
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
            "way": self._attempts.way(),
            "by": self.by,
            "begun": to_wire(begun),
            "ended": to_wire(self.here.clock.now()),
            "versions": {"asking": __version__, "answering": self._attempts.version_there},
            "steps": [step.as_json() for step in self.steps],
            "calls": dict(self._attempts.calls),
            "passed": is_whole,
        }
        self.signatures["asking"] = records.sign(self.record, self.here.key)
        if is_whole:
            came = answered(await self._attempts.ask(probe(Probe.SIGN, {"record": self.record})))
            token = str(came.get("signature"))
            records.signed_by(self.record, token, self.here.sites().keys_of(self._attempts.to()))
            self.signatures["answering"] = token
