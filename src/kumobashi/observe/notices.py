"""What programs of this process have written to their log as errors: codes and counts, no texts.

Detection point 4 of report 001, item (6): an error that is written to a log during linkage is
returned in the answer. A pulse carries what was noted lately; the log itself stays where it is.

>>> notices = Notices(clock=lambda: 100.0)
>>> notices.note("storage.unreachable", "kumobashi.exchange.receiving")
>>> notices.note("storage.unreachable", "kumobashi.exchange.receiving")
>>> [(one.code, one.count) for one in notices.recent(seconds=60)]
[('storage.unreachable', 2)]
"""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from kumobashi.observe.names import LEFT_OUT
from kumobashi.observe.wording import code_said, logger_said

MOST_KINDS = 200
UNNAMED = "log.error"  # an error that has no code of its own
RAISED = "log.exception"  # one that nobody foresaw


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """One kind of error; times are seconds since the epoch."""

    code: str
    logger: str
    count: int
    first: float
    last: float


class Notices:
    """The newest kinds of errors, bounded; any thread may note and ask."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kinds: OrderedDict[tuple[str, str], Noted] = OrderedDict()
        self.total = 0  # since this process started, of all kinds

    def note(self, code: str, logger: str) -> None:
        """Count one error."""
        now = self._clock()
        with self._lock:
            self.total += 1
            old = self._kinds.pop((code, logger), None)
            self._kinds[code, logger] = Noted(
                code=code,
                logger=logger,
                count=old.count + 1 if old else 1,
                first=old.first if old else now,
                last=now,
            )
            if len(self._kinds) > MOST_KINDS:
                self._kinds.popitem(last=False)

    def recent(self, *, seconds: float) -> tuple[Noted, ...]:
        """Return the kinds that were noted within so many seconds, the newest first."""
        since = self._clock() - seconds
        with self._lock:
            for key, one in list(self._kinds.items()):
                if one.last < since:
                    del self._kinds[key]  # it begins to be counted anew
            return tuple(reversed(self._kinds.values()))


class NoticeHandler(logging.Handler):
    """Notes what loggers write as errors."""

    def __init__(self, notices: Notices) -> None:
        super().__init__(logging.ERROR)
        self._notices = notices

    def emit(self, record: logging.LogRecord) -> None:
        """Note the kind of a record; its words stay in the log."""
        said = getattr(record, "code", None)
        code = UNNAMED if not record.exc_info else RAISED
        if said is not None:
            known = code_said(said, record.name)  # what leaves this machine is as strict as a line
            code = known if "." in known and LEFT_OUT not in known else code
        self._notices.note(code, logger_said(record.name))
