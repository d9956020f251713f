"""A history as a chain: each revision holds the hash of the one before it.

For records whose history must not be rewritten unnoticed (consents, ties). No revision names the
resident: one holds a keyed digest of the sealed number, whose key (``salt``) lies in the record, so
a record that somebody moved to another resident is found, and once the salt is gone nothing ties
the history to anybody.
"""

import hmac
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kumobashi.crypto.canonical import canonical, digest

Fact = str | int | None
Facts = dict[str, Fact]
Follows = Callable[[Mapping[str, Any] | None, Mapping[str, Any]], bool]
"""Whether what a revision says may follow what the one before says; nothing is before the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One stored revision."""

    number: int
    hash: str
    body: bytes

    @property
    def said(self) -> dict[str, Any]:
        """What it says; nothing when somebody made it unreadable."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}


def revise(record: str, number: int, previous: str | None, facts: Mapping[str, Fact]) -> Revision:
    """Return the next revision of a record; facts that are ``None`` are left out.

    >>> first = revise("r", 1, None, {"state": "granted", "note": None})
    >>> first.said
    {'number': 1, 'previous': None, 'record': 'r', 'state': 'granted'}
    >>> list(faults("r", [first, revise("r", 2, first.hash, {"state": "withdrawn"})]))
    []
    """
    said = {name: value for name, value in facts.items() if value is not None}
    body = canonical({**said, "record": record, "number": number, "previous": previous})
    return Revision(number=number, hash=digest(body), body=body)


def bound(salt: bytes, subject: str) -> str:
    """Return what ties a revision to a sealed number."""
    return f"hmac-sha256:{hmac.digest(salt, subject.encode('ascii'), 'sha256').hex()}"


def faults(
    record: str, chain: Sequence[Revision], follows: Follows = lambda _before, _said: True
) -> Iterator[tuple[int, str]]:
    """Yield the number of each revision that is not what was written, and what is wrong with it."""
    previous: str | None = None
    before: Mapping[str, Any] | None = None
    for number, revision in enumerate(chain, 1):
        said = revision.said
        holding = {
            "missing": revision.number == number,
            "altered": digest(revision.body) == revision.hash,
            "of another record": (said.get("record"), said.get("number")) == (record, number),
            "not behind the one before": said.get("previous") == previous,
            "a move that is not allowed": follows(before, said),
        }
        if what := next((what for what, holds in holding.items() if not holds), None):
            yield number, what
        previous, before = revision.hash, said
