"""What the console asks of the floors above: views, at once or piece by piece, and deeds.

A page asks only for what it draws, so that thousands of links cost no more than a page of them.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Protocol

from kumobashi.exchange.views import Board, DayView, LinkView, TransferView


class BoardSource(Protocol):
    """Gives the links of one site; called in worker threads."""

    def board(self) -> Board:
        """Return all links in short, as they are now."""

    def links(self, names: Sequence[str]) -> Sequence[LinkView]:
        """Return these links with their newest transfer; unknown ones are left out."""

    def link(self, name: str) -> LinkView | None:
        """Return one link with its transfers, the newest first."""

    def transfer(self, link: str, transfer: str) -> TransferView | None:
        """Return one transfer of a link, however old."""

    def days(self, names: Sequence[str], first: date) -> Mapping[str, Sequence[DayView]]:
        """Return how each business date from ``first`` on stands, by link, the oldest first."""
