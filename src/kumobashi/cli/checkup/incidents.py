"""Incidents whose reports are due: nothing is said while none is near its last day."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path

from kumobashi.cli.checkup.checks import Check, State, words
from kumobashi.papers.clocks import DueReport, Level, clocks_of
from kumobashi.papers.errors import PaperFailed
from kumobashi.papers.incidents import Incident
from kumobashi.papers.incidents import State as IncidentState

_QUERY = (
    "select i.incident, i.state, r.number, r.body from incidents i join incident_revisions r"
    " on r.tenant = i.tenant and r.incident = i.incident and r.number = i.revisions"
    " where i.state in ('open', 'prompted') order by i.incident"
)
_NAME = words("漏えい等の事案", "Incidents")
_REPORTS = {"prompt": ("速報", "prompt report"), "final": ("確報", "final report")}


def of_sites(folder: Path, sites: Sequence[str], now: datetime) -> Iterator[Check]:
    """Look into the states of this machine's sites; those in PostgreSQL are not seen."""
    for site in sites:
        state = folder / "var" / site / "state.db"
        for incident, found in _open(state):
            place = f"var/{site}/state.db ({incident[-8:]})"
            check = _unreadable(place) if found is None else _judged(found, now, place)
            if check is not None:
                yield check


def _open(state: Path) -> Iterator[tuple[str, Incident | None]]:
    """Yield the incidents that are not reported yet; none for one that cannot be read."""
    if not state.is_file():
        return
    try:
        with closing(sqlite3.connect(f"{state.as_uri()}?mode=ro", uri=True)) as connection:
            rows = connection.execute(_QUERY).fetchall()
    except sqlite3.Error:  # in use in a way that forbids it, or of another release
        return
    for incident, kept, number, body in rows:
        try:
            content = json.loads(body)["content"]
            yield incident, Incident.decode(incident, number, IncidentState(kept), content)
        except (ValueError, KeyError, TypeError, AttributeError):
            yield incident, None


def _judged(found: Incident, now: datetime, place: str) -> Check | None:
    try:
        clocks = clocks_of(found.noticed, improper=found.improper.value, filed=found.filed)
    except PaperFailed:
        return _unreadable(place)
    worst = max(clocks, key=lambda one: one.level(now))
    level = worst.level(now)
    if level < Level.SOON:
        return None
    return Check(
        code="doctor.incident_overdue" if level is Level.OVERDUE else "doctor.incident_due",
        name=_NAME,
        state=State.WRONG if level is Level.OVERDUE else State.CAUTION,
        said=words(*_said(worst, now)),
        where=place,
        expected=words(f"{worst.due_day} まで", f"by {worst.due_day}"),
        remedy=words(
            f"kumobashi incident report {found.incident[-8:]} --kind {worst.report}",
            f"kumobashi incident report {found.incident[-8:]} --kind {worst.report}",
        ),
    )


def _said(due: DueReport, now: datetime) -> tuple[str, str]:
    ja, en = _REPORTS[due.report]
    left = due.days_left(now)
    if due.level(now) is Level.OVERDUE:
        return f"{ja}の期限を {-left} 日過ぎました", f"the {en} is {-left} days late"
    return f"{ja}の期限まであと {left} 日です", f"{left} days left for the {en}"


def _unreadable(place: str) -> Check:
    return Check(
        code="doctor.incident_touched",
        name=_NAME,
        state=State.WRONG,
        said=words("事案の記録が読めません", "an incident cannot be read"),
        where=place,
        remedy=words("kumobashi evidence verify", "kumobashi evidence verify"),
    )
