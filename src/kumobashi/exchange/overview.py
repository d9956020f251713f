"""Draw what people see of a transfer from what the ledger holds; pure but for the reading."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from kumobashi.exchange.beginning import FALLBACK
from kumobashi.exchange.hearsay import hops_of
from kumobashi.exchange.records import Outgoing
from kumobashi.exchange.states import Out
from kumobashi.exchange.views import (
    Cause,
    ContactView,
    HopView,
    Light,
    Progress,
    ReceiptView,
    StageView,
    TransferView,
    Words,
)
from kumobashi.kernel import Finding, from_micros, from_wire
from kumobashi.release.gate_report import report_of

_STAGES = ("extract", "release", "seal", "carry", "delivered", "opened", "validated", "applied")
_REACHED = {  # how many of the stages are done in a state
    Out.EXTRACTING: 0,
    Out.HELD: 2,
    Out.SEALED: 3,
    Out.SENT: 4,
    Out.DELIVERED: 5,
    Out.OPENED: 6,
    Out.VALIDATED: 7,
    Out.APPLIED: 8,
}
_RED_AFTER = timedelta(minutes=2)
_RED_AFTER_TRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What the directory calls sites, and whom to call about them."""

    sites: Mapping[str, str]
    contacts: Mapping[str, ContactView | None]  # by site
    route: tuple[str, ...]  # sites on the way of this link, the sender first


def transfer_view(row: Outgoing, names: Names, now: datetime) -> TransferView:
    """Return a transfer as people see it."""
    released = row.facts.get("released", {})
    sent = row.facts.get("sent", {})
    received = row.facts.get("received", {})
    findings = tuple(Finding(**finding) for finding in released.get("findings", ()))
    cause = _cause(row.cause, names)
    started = from_micros(row.started_at)
    finished = from_micros(row.finished_at) if row.finished_at else None
    applied = received.get("applied")
    return TransferView(
        transfer=row.transfer,
        link=row.link,
        business_date=date.fromisoformat(row.business_date),
        sequence=row.sequence,
        attempt=row.attempt,
        mode="difference" if row.base_transfer else "full",
        state=row.state.value,
        light=light_of(row.state, row.cause, now),
        started=started,
        finished=finished,
        seconds=(finished - started).total_seconds() if finished else None,
        rows_extracted=released.get("extracted"),
        rows_without_consent=released.get("without_consent"),
        untied=released.get("ties") or {},
        rows_quarantined=released.get("quarantined"),
        rows_released=released.get("rows"),
        rows_applied=applied["rows"] if applied else None,
        smallest_class=released.get("smallest_class"),
        rows_below_k=released.get("rows_below_five"),
        payload_bytes=sent.get("payload_bytes"),
        sealed_bytes=sent.get("sealed_bytes"),
        stages=_stages(row, started),
        hops=_hops(row, names),
        receipts=tuple(_receipt(stage, said) for stage, said in received.items()),
        findings=findings,
        findings_total=sum(finding.rows for finding in findings)
        + max((said["findings"] for said in received.values()), default=0),
        cause=cause,
        rows_deleted=sent.get("deleted_rows"),
        rows_set_aside=_set_aside(sent, received),
        fallback=row.facts.get(FALLBACK, {}).get("link"),
        fallback_code=row.facts.get(FALLBACK, {}).get("code"),
        gate=report_of(gate) if (gate := row.facts.get("gate")) else None,
        left_to_people=released.get("left_to_people", 0),
    )


def _set_aside(sent: Mapping[str, Any], received: Mapping[str, Any]) -> int | None:
    """Return how many rows the receiver checked and will not apply."""
    if "validated" not in received or "opened" not in received:
        return None
    opened, good = int(received["opened"]["rows"]), int(received["validated"]["rows"])
    return opened - int(sent.get("deleted_rows", 0)) - good


def light_of(  # noqa: PLR0911 - one per state
    state: Out, cause: Mapping[str, Any] | None, now: datetime
) -> Light:
    """Return the light of a transfer from its state and what it waits for."""
    match state:
        case Out.APPLIED:
            return Light.APPLIED
        case Out.REFUSED:
            return Light.REFUSED
        case Out.HELD:
            return Light.HELD
        case Out.CANCELLED:
            return Light.NEVER
        case _ if not cause:
            return Light.RUNNING
        case _ if cause.get("calm"):  # closed doors, a pause, its turn: nobody is at fault
            return Light.WAITING
        case _ if int(cause.get("tries", 0)) >= _RED_AFTER_TRIES:
            return Light.STOPPED
        case _ if now - from_wire(str(cause["since"])) > _RED_AFTER:
            return Light.STOPPED
        case _:
            return Light.WAITING


def _cause(cause: Mapping[str, Any] | None, names: Names) -> Cause | None:
    if not cause:
        return None
    side = str(cause["side"])
    next_try = cause.get("next_try")
    return Cause(
        code=str(cause["code"]),
        what=Words(ja=str(cause["ja"]), en=str(cause["en"])),
        remedy=Words(ja=str(cause["remedy_ja"]), en=str(cause["remedy_en"])),
        side=side,
        side_name=names.sites.get(side, side),
        contact=names.contacts.get(side),
        since=from_wire(str(cause["since"])),
        tries=int(cause.get("tries", 0)),
        next_try=from_wire(str(next_try)) if next_try else None,
        behind=int(cause.get("behind", 0)),
        is_calm=cause.get("calm") is True,
    )


def _stages(row: Outgoing, started: datetime) -> tuple[StageView, ...]:
    received = row.facts.get("received", {})
    timed = row.facts.get("stages", {})
    sent = row.facts.get("sent", {})
    reached = _REACHED.get(row.state)
    if reached is None:  # refused or cancelled: as far as receipts and timings tell
        reached = 4 + sum(s != "refused" for s in received) if received else len(timed)
    current = row.facts.get("stage")
    views = []
    before = started
    for number, stage in enumerate(_STAGES):
        said = received.get(stage, {})
        at = from_wire(said["at"]) if said else None
        seconds = timed.get(stage, {}).get("seconds")
        if at and stage != "delivered":
            seconds = max((at - before).total_seconds(), 0.0)
        before = at or before
        if number < reached:
            progress = Progress.DONE
        elif row.state is Out.REFUSED and number == reached:
            progress = Progress.FAILED
        elif row.state in {Out.REFUSED, Out.CANCELLED, Out.HELD}:
            progress = Progress.AHEAD
        elif row.cause and (number == reached or stage == current):
            progress = Progress.WAITING
        elif stage == current or (number == reached and number >= 3):  # noqa: PLR2004 - from carry on
            progress = Progress.RUNNING
        else:
            progress = Progress.DONE if _is_before(stage, current) else Progress.AHEAD
        views.append(
            StageView(
                stage=stage,
                progress=progress,
                rows=said.get("rows") if said else timed.get(stage, {}).get("rows"),
                bytes=sent.get("sealed_bytes") if stage in {"seal", "carry"} else None,
                seconds=seconds,
                parts_done=_parts_there(row) if stage == "carry" else None,
                parts_total=sent.get("parts") if stage == "carry" else None,
                at=at,
            )
        )
    return tuple(views)


def _is_before(stage: str, current: object) -> bool:
    if current not in _STAGES:
        return False
    return _STAGES.index(stage) < _STAGES.index(str(current))


def _parts_there(row: Outgoing) -> int | None:
    """Return how many parts the receiver has."""
    total: int | None = row.facts.get("sent", {}).get("parts")
    if row.facts.get("received"):
        return total
    hops = hops_of(row.facts)
    return int(hops[-1]["parts"]) if hops else (0 if total else None)


def _hops(row: Outgoing, names: Names) -> tuple[HopView, ...]:
    told = {str(hop["site"]): hop for hop in hops_of(row.facts)}
    failing = str(row.cause["side"]) if row.cause and not row.cause.get("calm") else None
    total = row.facts.get("sent", {}).get("parts", 0)
    is_over = row.state is Out.APPLIED
    views = []
    for number, site in enumerate(names.route):
        hop = told.get(site, {})
        if site == failing:
            progress = Progress.FAILED
        elif is_over or (number == 0 and row.manifest) or hop.get("state") in {"passed", "settled"}:
            progress = Progress.DONE
        elif hop:
            progress = Progress.RUNNING
        else:
            progress = Progress.AHEAD
        parts = total if is_over or number == 0 else int(hop.get("parts", 0))
        views.append(
            HopView(site=site, name=names.sites.get(site, site), progress=progress, parts=parts)
        )
    return tuple(views)


def _receipt(stage: str, said: Mapping[str, Any]) -> ReceiptView:
    return ReceiptView(
        stage=stage,
        site=str(said["site"]),
        at=from_wire(str(said["at"])),
        digest=str(said["digest"]),
        rows=said["rows"],
        findings=int(said["findings"]),
        code=said["code"],
    )
