"""How far clocks are apart: from each peer's answer, and from times that peers have signed.

An answer took some time, so a difference is known within bounds only; what is judged is the part
that no delay explains. From 1 second on it is told, from 5 on it is wrong; a signature that is more
than 30 seconds off is refused by every gateway.

>>> of_peer("asp-relay", "", Reading(timedelta(seconds=-1), timedelta(seconds=3))).state.name
'GOOD'
>>> of_peer("asp-relay", "", Reading(timedelta(seconds=8), timedelta(seconds=9))).state.name
'WRONG'
"""

import base64
import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from kumobashi.cli.checkup.checks import Check, State, fine, words
from kumobashi.directory.entries import Directory
from kumobashi.exchange.views import Words
from kumobashi.kernel.clock import from_micros, from_wire

TELL_FROM = timedelta(seconds=1)
WRONG_FROM = timedelta(seconds=5)
_ZERO = timedelta()
_RECEIPTS = 200  # the newest of a site
_EXPECTED = words("差は1秒未満", "less than a second apart")
_REMEDY = words(
    "時計を合わせてください（NTP）。30 秒を超えると連携が断られます。",
    "Set the clocks right (NTP); beyond 30 seconds requests are refused.",
)


@dataclass(frozen=True, slots=True)
class Reading:
    """Their clock minus ours lies between these."""

    low: timedelta
    high: timedelta

    @property
    def proven(self) -> timedelta:
        """The part of the difference that no delay explains; positive: theirs is ahead."""
        if self.low <= _ZERO <= self.high:
            return _ZERO
        return min(self.low, self.high, key=abs)


def of_peer(site: str, url: str, reading: Reading | None) -> Check:
    """Judge a peer's clock against ours."""
    name = words(f"時計 {site}", f"Clock {site}")
    if reading is None:
        return Check(
            code="doctor.clock_unknown",
            name=name,
            state=State.CAUTION,
            said=words("時刻がわかりません", "it tells no time"),
            where=url,
            remedy=words("間に立つ機器を確かめてください。", "Look at what stands between."),
        )
    bound = max(abs(reading.low), abs(reading.high)).total_seconds()
    return _judged("doctor.clock", name, reading.proven, where=url, bound=bound)


def of_source(server: str, reading: Reading) -> Check:
    """Judge our clock against a server that knows the time."""
    name = words(f"時刻の元 {server}", f"Time source {server}")
    bound = max(abs(reading.low), abs(reading.high)).total_seconds()
    return _judged("doctor.time_source", name, reading.proven, where="NTP", bound=bound)


def _judged(
    code: str, name: Words, proven: timedelta, *, where: str, bound: float | None = None
) -> Check:
    seconds = abs(proven).total_seconds()
    if abs(proven) < TELL_FROM:
        said = (
            words(f"差は {bound:.2f} 秒以内", f"{bound:.2f} s apart at most")
            if bound is not None
            else words("ずれは見られません", "nothing seen")
        )
        return fine(code, name, said, where=where)
    ahead = proven > _ZERO
    return Check(
        code=code,
        name=name,
        state=State.WRONG if abs(proven) >= WRONG_FROM else State.CAUTION,
        said=words(
            f"相手が {seconds:.1f} 秒以上{'進んで' if ahead else '遅れて'}います",
            f"{seconds:.1f} s or more {'ahead of' if ahead else 'behind'} ours",
        ),
        where=where,
        expected=_EXPECTED,
        remedy=_REMEDY,
    )


def own(now: datetime, directory: Directory | None) -> Check:
    """Judge our own clock by what was signed before: nothing is signed in the future."""
    name = words("この時計", "This clock")
    if directory and directory.issued - now >= TELL_FROM:
        late = (directory.issued - now).total_seconds()
        return Check(
            code="doctor.clock_own",
            name=name,
            state=State.WRONG,
            said=words(
                f"ディレクトリが署名された時刻より {late:,.0f} 秒遅れています",
                f"{late:,.0f} s behind the time that the directory was signed at",
            ),
            where=now.isoformat(timespec="seconds"),
            expected=_EXPECTED,
            remedy=_REMEDY,
        )
    said = now.isoformat(timespec="seconds")
    return fine("doctor.clock_own", name, words(said, said))


def of_receipts(folder: Path, sites: Sequence[str]) -> Iterator[Check]:
    """Judge the clocks of receivers by their signed receipts, which came after they were signed."""
    furthest: dict[str, timedelta] = {}
    for site in sites:
        for signer, ahead in _signed(folder / "var" / site / "state.db"):
            furthest[signer] = max(ahead, furthest.get(signer, ahead))
    for signer, ahead in sorted(furthest.items()):
        name = words(f"受領書の時刻 {signer}", f"Receipts {signer}")
        proven = max(ahead, _ZERO)  # behind ours may be the way they took
        yield _judged("doctor.clock_receipts", name, proven, where=f"var/*/state.db ({signer})")


def _signed(state: Path) -> Iterator[tuple[str, timedelta]]:
    """Yield signer, and how far the signed time lies behind the moment that we had it."""
    if not state.is_file():
        return
    query = "select jws, at from receipts where side = 'out' order by at desc limit ?"
    try:
        with closing(sqlite3.connect(f"{state.as_uri()}?mode=ro", uri=True)) as connection:
            rows = connection.execute(query, (_RECEIPTS,)).fetchall()
    except sqlite3.Error:  # in use in a way that forbids it, or of another release
        return
    for jws, at in rows:
        try:
            text = str(jws).split(".")[1]
            said = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            yield str(said["site"]), from_wire(said["at"]) - from_micros(at)
        except (ValueError, KeyError, IndexError, TypeError):
            continue
