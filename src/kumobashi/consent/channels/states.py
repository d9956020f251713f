"""What may become of an address, and how long a code for it is good. Pure: tables and functions.

A row is one address of one resident. It ends once: whoever brings another address, or the same one
later, begins a new row. A proven address stands until a newer one is proven in its place.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from kumobashi.consent.channels.errors import ChannelMove


class Channel(StrEnum):
    """A way to reach a resident that has an address; the words are those of ties."""

    MAIL = "mail"  # electronic
    SMS = "sms"
    APP = "app"  # an opaque id that a messaging service gave for her
    POST = "post"  # paper


class State(StrEnum):
    """An address in the book."""

    UNPROVEN = "unproven"  # 未確認
    SENT = "sent"  # コード送信済み
    PROVEN = "proven"  # 確認済み
    FAILED = "failed"  # 確認できず
    EXPIRED = "expired"  # 期限切れ
    WITHDRAWN = "withdrawn"  # 取消


class Reason(StrEnum):
    """Why an address ended."""

    LOCKED = "locked"  # too many wrong codes
    REFUSED = "refused"  # the channel says that there is no such address
    TIME = "time"  # no code came back in time
    ASKED = "asked"  # the resident said so
    REPLACED = "replaced"  # a newer address stands in its place
    CONSENT = "consent"  # the consent that it served has ended
    DIED = "died"
    MERGED = "merged"  # the number follows another; prove it again


MOVES: dict[State, frozenset[State]] = {
    State.UNPROVEN: frozenset({State.SENT, State.FAILED, State.EXPIRED, State.WITHDRAWN}),
    State.SENT: frozenset({State.PROVEN, State.FAILED, State.EXPIRED, State.WITHDRAWN}),
    State.PROVEN: frozenset({State.WITHDRAWN}),
    State.FAILED: frozenset(),
    State.EXPIRED: frozenset(),
    State.WITHDRAWN: frozenset(),
}
PENDING = frozenset({State.UNPROVEN, State.SENT})
"""In which a code may be sent and brought back."""
LIVE = PENDING | {State.PROVEN}
"""In which there is an address at all; in every other state it is erased."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How often anybody may try; windows begin with the first use and last :attr:`window`."""

    tries: int = 5  # of one code, then the address has failed
    tries_of_resident: int = 20  # wrong and right codes together, in a window
    sendings: int = 4  # codes for one row: the first and three more
    sendings_to_resident: int = 10  # in a window, over all addresses
    sendings_to_address: int = 6  # in a window, whoever names it
    pause: timedelta = timedelta(seconds=60)  # between two codes for one row
    window: timedelta = timedelta(hours=24)


LIVES: dict[Channel, timedelta] = {
    Channel.MAIL: timedelta(hours=24),  # mail may be held back for hours (greylisting)
    Channel.SMS: timedelta(minutes=30),
    Channel.APP: timedelta(minutes=30),
    Channel.POST: timedelta(days=30),
}
"""How long a code is good."""
UNSENT_LIVES = timedelta(hours=24)
"""How long an address waits whose code never went out."""


def check_move(now: State, then: State) -> None:
    """Raise :class:`ChannelMove` unless an address may go from ``now`` to ``then``."""
    if then not in MOVES[now]:
        raise ChannelMove(now=now.value, then=then.value)
