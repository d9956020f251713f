"""Logs as one JSON object a line, in which no resident can stand.

That does not rest on everybody's care. A line is made of what is known to be harmless: templates
that stand as constants in our own code, codes of errors, declared names, UUIDs, small numbers. For
anything else there is an ellipsis. Of what libraries log remain the logger, the level, the class of
an exception and the lines of code that it passed.
"""

import json
import logging
import os
import sys
import threading
import warnings
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final

from kumobashi.observe.log_fields import FIELDS, argument_said
from kumobashi.observe.names import LEFT_OUT, declared
from kumobashi.observe.trace_context import current
from kumobashi.observe.wording import OWN, code_said, is_constant, logger_said, place_of

LONGEST_MESSAGE: Final = 300
_MOST_PLACES: Final = 12
_NOISY: Final = ("alembic", "uvicorn", "asyncio", "aiohttp")
log = logging.getLogger(__name__)


class JsonLines(logging.Formatter):
    """Formats a record as one JSON object."""

    def __init__(self, site: str | None = None) -> None:
        """``site`` stands in every line that names no other, once it is declared."""
        super().__init__()
        self._site = site

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; what is not known to be harmless is left out of it."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, object] = {
            "at": at,
            "level": logging.getLevelName(record.levelno).lower()[:10],
            "logger": logger_said(record.name),
            "message": message_of(record),
            "process": os.getpid(),
        }
        if self._site is not None:
            line["site"] = declared.said(self._site)
        for name, said in FIELDS.items():
            if name in record.__dict__:
                line[name] = said(record.__dict__[name], record.name)
        if (spot := current.get()) is not None and spot.is_sampled:
            line |= {"trace": f"{spot.trace:032x}", "span": f"{spot.span:016x}"}
        if line["message"] == LEFT_OUT:
            line["place"] = place_of(record.pathname, record.lineno, record.funcName or "")
        if isinstance(record.exc_info, tuple) and record.exc_info[0]:
            # The place, not the text: an exception may quote a value.
            line["error"] = code_said(record.exc_info[0].__name__, record.name)
            line["where"] = _places(record.exc_info[2])
        return json.dumps(line, ensure_ascii=False)


def message_of(record: logging.LogRecord) -> str:
    """Return the sentence of a record: a constant of our own code, filled with what is harmless."""
    is_own = record.name == OWN or record.name.startswith(f"{OWN}.")
    if not is_own or not is_constant(record.name, record.msg):
        return LEFT_OUT
    template = str(record.msg)
    args = record.args
    if args:
        said: Any
        if isinstance(args, Mapping):
            said = {str(name): argument_said(one, record.name) for name, one in args.items()}
        else:
            said = tuple(argument_said(one, record.name) for one in args)
        # A template that wants a number and gets none is shown as it stands.
        with suppress(TypeError, ValueError, KeyError):
            template = template % said
    return template[:LONGEST_MESSAGE]


def log_to_stderr(level: int = logging.INFO, *, site: str | None = None) -> None:
    """Send every log of this process to standard error as JSON lines, and nothing else there.

    Failures that nobody caught, warnings and failures of logging itself would be written there by
    Python with the values they quote; they become lines like all others.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(site))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in _NOISY:
        logging.getLogger(noisy).setLevel(logging.WARNING)
    logging.raiseExceptions = False  # it would print the arguments of a record that it cannot write
    logging.captureWarnings(capture=True)
    warnings.simplefilter("once")
    sys.excepthook = _uncaught
    sys.unraisablehook = lambda raised: _tell(
        raised.exc_type, raised.exc_value, raised.exc_traceback
    )
    threading.excepthook = lambda raised: _tell(
        raised.exc_type, raised.exc_value, raised.exc_traceback
    )


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if not issubclass(kind, KeyboardInterrupt):
        _tell(kind, error, trace)


def _tell(
    kind: type[BaseException], error: BaseException | None, trace: TracebackType | None
) -> None:
    log.critical("nobody caught this", exc_info=(kind, error or kind(), trace))


def _places(trace: TracebackType | None) -> list[str]:
    places = []
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(place_of(code.co_filename, trace.tb_lineno, code.co_name))
        trace = trace.tb_next
    return places[-_MOST_PLACES:]


__all__ = ["JsonLines", "log_to_stderr", "message_of"]
