"""The morning: what calls for people, gathered by cause, so that one failure is one telephone call.

All pure. A cloud that is down stops hundreds of links; the page says so once, with the first of
them in full and the number of the others.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kumobashi.console.listing import Sort, in_order
from kumobashi.console.reading import CALLS_FOR_PEOPLE
from kumobashi.exchange.views import Light, LinkRow

MOST_CALLS = 8  # drawn in full; the others are named in one line each
MOST_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Links that wait for the same person for the same reason."""

    light: Light
    code: str | None
    side: str | None
    rows: tuple[LinkRow, ...]

    @property
    def first(self) -> LinkRow:
        """The link that is drawn in full."""
        return self.rows[0]

    @property
    def named(self) -> tuple[LinkRow, ...]:
        """The next few, by name."""
        return self.rows[1 : 1 + MOST_NAMED]

    @property
    def unnamed(self) -> int:
        """How many more there are."""
        return len(self.rows) - 1 - len(self.named)


def calls(rows: Iterable[LinkRow]) -> tuple[Call, ...]:
    """Gather the links that call for people, the most urgent first, then the largest."""
    gathered: dict[tuple[Light, str | None, str | None], list[LinkRow]] = {}
    for row in in_order((row for row in rows if row.light in CALLS_FOR_PEOPLE), Sort.URGENT):
        # Held transfers and refused ones are each a decision of their own.
        alone = row.link if row.light is not Light.STOPPED else row.cause_code
        gathered.setdefault((row.light, alone, row.cause_side), []).append(row)
    found = [
        Call(light=light, code=alike[0].cause_code, side=side, rows=tuple(alike))
        for (light, _, side), alike in gathered.items()
    ]
    order: Sequence[Light] = (Light.STOPPED, Light.REFUSED, Light.HELD)
    return tuple(sorted(found, key=lambda call: (order.index(call.light), -len(call.rows))))
