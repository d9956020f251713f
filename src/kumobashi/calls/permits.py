"""What an online link permits, as both gateways ask it while a call goes by: values only."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Protocol

from kumobashi.calls.errors import Side
from kumobashi.calls.permission_errors import (
    LinkChanging,
    LinkNotReady,
    OperationNotPermitted,
    VersionOver,
)
from kumobashi.calls.showing import Shown
from kumobashi.exchange.errors import Drifted
from kumobashi.kernel import KumobashiError
from kumobashi.planning.errors import PlanRefused

_PIECE = re.compile(r"\{[A-Za-z_][A-Za-z0-9_]*\}")
_UNRESERVED = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@-]|%(?!2[FfEe]|5[Cc]|00)[0-9A-Fa-f]{2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One permitted operation of one version."""

    version: str
    name: str
    method: str
    path: str  # template, "/payments/{payment}"
    given: frozenset[str] | None = None  # names that a request may hold; None: nobody can tell
    shown: Shown | None = None  # what of an answer leaves; None: all of it
    last_day: date | None = None  # on which its version may be asked


@dataclass(frozen=True, kw_only=True)
class CallLink:
    """An online link that is planned, approved and agreed."""

    link: str
    asker: str  # system
    answerer: str  # system
    service: str
    sites: tuple[str, ...]  # where the service is: the first one, then those that stand by
    operations: tuple[Operation, ...]
    purpose: str
    unit: str = ""  # the asker's business unit
    kind: str = ""  # of information
    agreement: str = ""
    plan: str  # hash of the approved plan
    answer_seconds: float = 30.0
    largest_answer_bytes: int = 16 * 1024 * 1024

    @property
    def asked(self) -> str:
        """The service in full: ``system.service``."""
        return f"{self.answerer}.{self.service}"

    @cached_property
    def _patterns(self) -> tuple[tuple[Operation, re.Pattern[str]], ...]:
        return tuple((one, _pattern(one.path)) for one in self.operations)

    def operation(self, version: str, method: str, path: str, *, on: date) -> Operation:
        """Return the operation that ``method`` and ``path`` (without query) are, if permitted.

        A path is compared as it is sent. One that another reader could take for another one (dot
        segments, encoded slashes, empty segments) fits no template.

        Raises:
            OperationNotPermitted: it is none of the link's.
            VersionOver: it is of a version that has ended.
        """
        for one, pattern in self._patterns:
            if one.version == version and one.method == method and pattern.fullmatch(path):
                if one.last_day is not None and on > one.last_day:
                    raise VersionOver(
                        version=version, last_day=one.last_day, others=self._others(on)
                    )
                return one
        permitted = ", ".join(f"{o.method} {o.version}{o.path}" for o in self.operations)
        raise OperationNotPermitted(link=self.link, method=method, permitted=permitted)

    def _others(self, on: date) -> str:
        left = {o.version for o in self.operations if o.last_day is None or on <= o.last_day}
        return ", ".join(sorted(left)) or "-"


@dataclass(frozen=True, slots=True)
class Permitted:
    """What one look found: links and refusal asked apart, a link could be in neither."""

    links: Sequence[CallLink] = ()
    refusal: KumobashiError | None = None


class Permits(Protocol):
    """What both gateways ask before a call goes on; cheap, as often as there are calls."""

    def permitted(self, asker: str, asked: str) -> Permitted:
        """Return the links in force by which a system may ask ``system.service``.

        With the reason why a declared one is not in force; without when there is none at all.
        """

    def backend(self, system: str, service: str, *, is_test: bool) -> str | None:
        """Return where the system answers at this site: scheme, authority and base path."""

    def tested(self, link: str) -> CallLink:
        """Return what an interconnection test of a link of either kind goes by; reads files.

        Raises:
            KumobashiError: why it is not in force.
        """


def not_ready(link: str, reason: KumobashiError, side: Side) -> LinkNotReady:
    """Return what a gateway says of a link that is declared, but not in force for ``reason``."""
    kind = (
        LinkChanging
        if reason.retryable or isinstance(reason, Drifted | PlanRefused)
        else LinkNotReady
    )
    return kind(link=link, reason=reason.say("ja"), reason_en=reason.say("en"), side=side)


Known = Callable[[str], bytes | None]  # SHA-256 of a system's token at this site


def _pattern(template: str) -> re.Pattern[str]:
    """Return what fits a template: every parameter one segment that says nothing but itself."""
    segment = f"(?!\\.{{1,2}}(?:/|$))(?:{_UNRESERVED.pattern})+"
    pieces, at = [], 0
    for found in _PIECE.finditer(template):
        pieces += [re.escape(template[at : found.start()]), segment]
        at = found.end()
    return re.compile("".join((*pieces, re.escape(template[at:]))))
