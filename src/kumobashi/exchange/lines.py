"""The lines of one gateway, one to each peer; what was known of it is known again at a start."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from kumobashi.exchange.health import Health
from kumobashi.exchange.identity import Identity
from kumobashi.exchange.line import Line
from kumobashi.kernel import Clock

Keep = Callable[[str, Health, int | None], None]


class Lines:
    """The lines of one gateway, made when they are first needed."""

    def __init__(
        self,
        identity: Identity,
        clock: Clock,
        *,
        known: Mapping[str, tuple[Health, int | None]] | None = None,
        keep: Keep | None = None,
    ) -> None:
        self._identity = identity
        self._clock = clock
        self._known = known or {}
        self._keep = keep
        self._lines: dict[str, Line] = {}

    def to(self, site: str) -> Line:
        """Return the line to a site; raise ``MessageForeign`` when the directory has none."""
        line = self._lines.get(site)
        if line is None:
            health, learned = self._known.get(site, (Health(), None))
            line = Line(
                site,
                self._identity.at(site),
                self._clock,
                health=replace(health, answers=0),
                is_self=site == self._identity.site,
            )
            line.learned(learned)
            if self._keep is not None:
                keep = self._keep
                line.keep = lambda: keep(site, line.health, line.learned_bytes)
            self._lines[site] = line
        return line

    def all(self) -> list[Line]:
        """Return the lines that were used, by site."""
        return [line for _, line in sorted(self._lines.items())]
