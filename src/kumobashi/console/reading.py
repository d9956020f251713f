"""What a person wants to know from the views: what is red, what it means, whether counts agree.

All pure: views in, small values out. The templates only draw what stands here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from kumobashi.exchange.views import (
    RED,
    HopView,
    Light,
    LinkRow,
    LinkView,
    Progress,
    ReceiptView,
    StageView,
    TransferView,
)
from kumobashi.kernel import JST

ORDER = (
    Light.STOPPED,
    Light.REFUSED,
    Light.HELD,
    Light.WAITING,
    Light.BLOCKED,
    Light.RUNNING,
    Light.NEVER,
    Light.APPLIED,
)
SPOKEN = (
    Light.APPLIED,
    Light.RUNNING,
    Light.WAITING,
    Light.HELD,
    *sorted(RED, reverse=True),
    Light.BLOCKED,
    Light.NEVER,
)
RECEIPT_STAGES = ("delivered", "opened", "validated", "applied")
CALLS_FOR_PEOPLE = RED | {Light.HELD}
K_WANTED = 5  # the smallest class that views.TransferView.rows_below_k counts against


def target_days(rows: Iterable[LinkRow]) -> tuple[date, date] | None:
    """Return the first and last business date that the newest transfers are about."""
    days = [row.on for row in rows if row.on]
    return (min(days), max(days)) if days else None


# --- what a red light means


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """Whose data are old because of it: so many rows, still as of ``as_of`` (None: never came)."""

    rows: int | None
    as_of: date | None
    people: bool  # a full transfer has a row per person, a difference a row per change


def effect(link: LinkView) -> Effect:
    """Say what the receiver lacks while ``link`` does not get through."""
    runs = [link.latest, *link.history] if link.latest else list(link.history)
    applied = [run for run in runs if run.light is Light.APPLIED]
    rows = next(
        (n for run in runs[:1] for n in (run.rows_released, run.rows_extracted) if n is not None),
        None,
    )
    if rows is None and applied:
        rows = applied[0].rows_applied
    return Effect(
        rows=rows,
        as_of=max((run.business_date for run in applied), default=None),
        people=link.mode == "full",
    )


def parts_left(transfer: TransferView | None) -> int | None:
    """Return how many parts have yet to arrive, when the carrying knows."""
    carry = stage_of(transfer, "carry")
    if carry is None or carry.parts_total is None or carry.parts_done is None:
        return None
    return carry.parts_total - carry.parts_done


def overdue(link: LinkView, now: datetime) -> timedelta | None:
    """Return by how much the newest transfer is past the first deadline after its start."""
    run = link.latest
    if run is None or run.light is Light.APPLIED or link.deadline is None:
        return None
    hour, minute = (int(figure) for figure in link.deadline.split(":"))
    started = run.started.astimezone(JST)
    due = started.replace(hour=hour, minute=minute, second=0, microsecond=0)
    if due < started:
        due += timedelta(days=1)
    return now - due if now > due else None


# --- the way and the receipts


class Mark(StrEnum):
    """How a place or a receipt is drawn: a shape and a word, never colour alone."""

    DONE = "done"
    NOW = "now"
    STUCK = "stuck"
    AHEAD = "todo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """One place on the way."""

    site: str
    name: str
    mark: Mark
    parts: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """One of the four receipts."""

    stage: str
    mark: Mark
    receipt: ReceiptView | None


def way(transfer: TransferView) -> tuple[Stop, ...]:
    """Mark each site; at most one is stuck, the first on the side at fault."""
    stops: list[Stop] = []
    stuck = False
    for hop in transfer.hops:
        mark = _mark_hop(hop, transfer, passed=not stuck)
        stuck = stuck or mark is Mark.STUCK
        stops.append(Stop(site=hop.site, name=hop.name, mark=mark, parts=hop.parts))
    return tuple(stops)


def reached(transfer: TransferView) -> Stop | None:
    """Return the last site that holds everything, when the next one does not answer or take it.

    A receiver that has signed for the bundle holds it, though its database may not take the rows.
    """
    signed = {receipt.site for receipt in transfer.receipts if receipt.stage == "delivered"}
    done: Stop | None = None
    for stop, hop in zip(way(transfer), transfer.hops, strict=True):
        if stop.site in signed:
            return stop if transfer.light is not Light.APPLIED else None
        if stop.mark is not Mark.DONE:
            halted = stop.mark in {Mark.STUCK, Mark.NOW} and hop.progress is not Progress.DONE
            return done if halted else None
        done = stop
    return None


def _mark_hop(hop: HopView, transfer: TransferView, *, passed: bool) -> Mark:
    cause = transfer.cause
    fault = cause is not None and cause.side == hop.site and not cause.is_calm
    if (
        passed
        and transfer.light is not Light.APPLIED
        and (fault or hop.progress is Progress.FAILED)
    ):
        return Mark.STUCK if transfer.light in RED else Mark.NOW
    if hop.progress is Progress.DONE:
        return Mark.DONE
    return Mark.NOW if hop.progress is Progress.RUNNING else Mark.AHEAD


def dots(transfer: TransferView | None) -> tuple[Dot, ...]:
    """Give the four receipts in order; the first missing one carries what is wrong."""
    held = {receipt.stage: receipt for receipt in transfer.receipts} if transfer else {}
    found: list[Dot] = []
    reached = False
    for stage in RECEIPT_STAGES:
        if stage in held:
            mark = Mark.DONE
        elif transfer is None or reached:
            mark = Mark.AHEAD
        else:
            reached = True
            mark = (
                Mark.STUCK
                if transfer.light in RED
                else Mark.NOW
                if transfer.light is Light.RUNNING
                else Mark.AHEAD
            )
        found.append(Dot(stage=stage, mark=mark, receipt=held.get(stage)))
    return tuple(found)


def stage_of(transfer: TransferView | None, name: str) -> StageView | None:
    """Return the stage called ``name``."""
    return next((s for s in transfer.stages if s.stage == name), None) if transfer else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A stage with its place on the time bar, in thousandths of the whole."""

    stage: StageView
    start: int
    width: int


def bars(stages: Sequence[StageView]) -> tuple[Bar, ...]:
    """Lay the stages one after another on a line of 1000."""
    total = sum(stage.seconds or 0.0 for stage in stages)
    laid: list[Bar] = []
    at = 0.0
    for stage in stages:
        share = 1000 * (stage.seconds or 0.0) / total if total else 0.0
        laid.append(
            Bar(stage=stage, start=round(at), width=max(round(share), 4) if stage.seconds else 0)
        )
        at += share
    return tuple(laid)
