"""How each site has been, hour by hour: how often it answered, how slowly, and its clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from kumobashi.kernel import from_micros, to_micros
from kumobashi.monitoring.clocks import skews
from kumobashi.monitoring.picture import Picture
from kumobashi.monitoring.sql import health
from kumobashi.storage.shared_file import SharedFile

_HOUR = 3_600_000_000  # microseconds
_FLUSH_LOOKS = 12  # looks that are gathered before they are written


@dataclass(frozen=True, slots=True, kw_only=True)
class HourView:
    """One hour of one site."""

    at: datetime  # when it began
    looks: int
    answered: int
    slowest: timedelta
    skew: timedelta | None
    within: timedelta | None

    @property
    def share(self) -> float:
        """How much of it the site answered, 0 to 1."""
        return self.answered / self.looks if self.looks else 0.0


@dataclass(slots=True)
class _Gathered:
    looks: int = 0
    answered: int = 0
    slowest_ms: int = 0
    skew_us: int | None = None
    within_us: int | None = None


class Hours:
    """The hours of all sites that one watch sees."""

    def __init__(self, file: SharedFile, tenant: str) -> None:
        self._file = file
        self._tenant = tenant
        self._left: dict[tuple[str, int], _Gathered] = {}
        self._looks = 0

    def look(self, picture: Picture) -> None:
        """Count one look."""
        hour = to_micros(picture.now) // _HOUR * _HOUR
        here = self._left.setdefault((picture.site, hour), _Gathered())
        here.looks += 1
        here.answered += picture.said is not None
        for way in picture.said.ways if picture.said else ():
            for site in way.way[1:]:
                word = next((one for one in way.words if one.site == site), None)
                one = self._left.setdefault((site, hour), _Gathered())
                one.looks += 1
                one.answered += word is not None
                if word is not None:
                    one.slowest_ms = max(one.slowest_ms, int(way.seconds * 1000))
        for site, skew in skews(picture.said.ways if picture.said else ()).items():
            one = self._left.setdefault((site, hour), _Gathered())
            one.skew_us = skew.ahead // timedelta(microseconds=1)
            one.within_us = skew.within // timedelta(microseconds=1)
        self._looks += 1
        if self._looks >= _FLUSH_LOOKS:
            self.flush()

    def flush(self) -> None:
        """Write what was gathered."""
        with self._file.writing() as connection:
            for (site, hour), one in self._left.items():
                mine = sa.and_(
                    health.c.tenant == self._tenant, health.c.site == site, health.c.hour == hour
                )
                row = connection.execute(sa.select(health).where(mine)).first()
                values = {
                    "looks": one.looks + (row.looks if row else 0),
                    "answered": one.answered + (row.answered if row else 0),
                    "slowest_ms": max(one.slowest_ms, row.slowest_ms if row else 0),
                    "skew_us": one.skew_us,
                    "within_us": one.within_us,
                }
                if row:
                    connection.execute(sa.update(health).where(mine).values(values))
                else:
                    key = {"tenant": self._tenant, "site": site, "hour": hour}
                    connection.execute(sa.insert(health).values(key | values))
        self._left.clear()
        self._looks = 0

    def of(self, site: str, since: datetime) -> Sequence[HourView]:
        """Return the hours of a site from ``since`` on, the oldest first."""
        if not self._file.exists:
            return ()
        query = (
            sa.select(health)
            .where(
                health.c.tenant == self._tenant,
                health.c.site == site,
                health.c.hour >= to_micros(since),
            )
            .order_by(health.c.hour)
        )
        with self._file.engine.connect() as connection:
            rows = connection.execute(query).all()
        return tuple(
            HourView(
                at=from_micros(row.hour),
                looks=row.looks,
                answered=row.answered,
                slowest=timedelta(milliseconds=row.slowest_ms),
                skew=timedelta(microseconds=row.skew_us) if row.skew_us is not None else None,
                within=timedelta(microseconds=row.within_us) if row.within_us is not None else None,
            )
            for row in rows
        )
