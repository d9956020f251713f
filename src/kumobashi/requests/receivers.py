"""Receivers of a resident's data after a correction or suspension was carried out. Pure.

A link that still runs tells its receiver by itself: a later run carries the corrected row, or goes
without the resident's, and the receipt of that run confirms it (a whole transfer replaces what was
there, a difference deletes). Other receivers are told on paper, and people note what they answer.

>>> one = Receiver(link="nhi", to_site="hall", to_system="nhi", by_run=True)
>>> how(one, [], due=date(2026, 12, 2), today=date(2026, 11, 23)).told.value
'waiting'
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any, Self


class Told(StrEnum):
    """How far a receiver is."""

    WAITING = "waiting"
    TOLD = "told"
    CONFIRMED = "confirmed"
    OVERDUE = "overdue"  # not confirmed in time

    @property
    def ja(self) -> str:
        """The Japanese name."""
        return {
            Told.WAITING: "未連絡",
            Told.TOLD: "連絡済み",
            Told.CONFIRMED: "確認済み",
            Told.OVERDUE: "確認が遅れています",
        }[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """One link by which the resident's data went, as it was when the request was carried out."""

    link: str
    to_site: str
    to_system: str | None  # none: the file of the link was gone
    by_run: bool  # whether runs of this site's link tell it
    transfers: tuple[str, ...] = ()  # that it may hold the data of
    told_on: date | None = None  # on paper
    confirmed_on: date | None = None

    @classmethod
    def decode(cls, said: Mapping[str, Any]) -> Self:
        """Return what a row says; raises ``ValueError``, ``KeyError`` or ``TypeError``."""
        return cls(
            link=said["link"],
            to_site=said["to_site"],
            to_system=said["to_system"],
            by_run=said["by_run"] is True,
            transfers=tuple(said["transfers"]),
            told_on=date.fromisoformat(said["told_on"]) if said["told_on"] else None,
            confirmed_on=date.fromisoformat(said["confirmed_on"]) if said["confirmed_on"] else None,
        )

    def noted(self, on: date, *, is_confirmed: bool) -> Self:
        """Return it with what was said on paper."""
        if is_confirmed:
            return replace(self, told_on=self.told_on or on, confirmed_on=on)
        return replace(self, told_on=on)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A transfer of the link that was begun after the request was carried out."""

    transfer: str
    on: date  # that it left, or was applied
    has_left: bool
    is_applied: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """How far a receiver is, since when, and by which transfer; none: on paper, or not yet."""

    told: Told
    on: date | None = None
    transfer: str | None = None


def how(receiver: Receiver, runs: Sequence[Run], *, due: date, today: date) -> How:
    """Return how far a receiver is; ``runs`` are later ones of its link, the oldest first."""
    if receiver.confirmed_on is not None:
        return How(told=Told.CONFIRMED, on=receiver.confirmed_on)
    later = runs if receiver.by_run else ()
    applied = next((run for run in later if run.is_applied), None)
    if applied is not None:
        return How(told=Told.CONFIRMED, on=applied.on, transfer=applied.transfer)
    left = next((run for run in later if run.has_left), None)
    on, transfer = (left.on, left.transfer) if left else (receiver.told_on, None)
    if today > due:
        return How(told=Told.OVERDUE, on=on, transfer=transfer)
    return How(told=Told.TOLD if on else Told.WAITING, on=on, transfer=transfer)
