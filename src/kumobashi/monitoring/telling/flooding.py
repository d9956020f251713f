"""A flood of alerts becomes a few letters: at most so many by a channel in ten minutes. Pure.

Up to half of them go one by one, as long as all that waits fits into that. From there on letters
to one person keep their distance, and each takes along everything that waits for her (ほか n 件).
Nothing is dropped. Of telephones nobody is called twice for what one call can say.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

WINDOW = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One errand that no letter carries yet."""

    errand: str
    person: str
    rank: int  # 0 is the most urgent


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One letter that was made."""

    at: datetime
    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """The errands that one letter carries, the most urgent first."""

    person: str
    errands: tuple[str, ...]


def gather(
    waiting: Sequence[Waiting],
    sent: Sequence[Sent],
    *,
    most: int,
    now: datetime,
    one_by_one: bool = True,
) -> tuple[Gathered, ...]:
    """Return the letters that one channel makes now.

    ``sent`` are its letters, at least those of the last ten minutes; without ``one_by_one``
    whatever waits for somebody goes in one letter.
    """
    order = sorted(waiting, key=lambda one: one.rank)  # stable: the oldest first
    recent = [one for one in sent if one.at > now - WINDOW]
    singly = most // 2 if one_by_one else 0
    alone = max(0, singly - len(recent))
    if len(order) > alone:
        alone = max(0, alone - 1)  # the last of them takes the others along
    letters = [Gathered(person=one.person, errands=(one.errand,)) for one in order[:alone]]
    rest = order[alone:]
    if len(recent) >= singly:
        soon = {one.person for one in recent if now - one.at < WINDOW / (most - singly)}
        rest = [one for one in rest if one.person not in soon]
    room = max(0, most - len(recent) - len(letters))
    people = list(dict.fromkeys(one.person for one in rest))
    letters += [
        Gathered(person=person, errands=tuple(one.errand for one in rest if one.person == person))
        for person in people[:room]
    ]
    return tuple(letters)
