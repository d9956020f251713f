"""Spans of what this gateway does, sent to a collector by OTLP; off unless an address is given.

While it is off, a span is one object that does nothing, and no library for traces is loaded. While
it is on, spans wait in a bounded queue that drops what does not fit; a collector that is slow, or
dead, keeps nobody waiting. Attributes are of a closed list and held to the same rules as the fields
of a log line, so that no resident can stand in a span; neither can the text of an error.

>>> with span("transfer.seal", transfer="019ab0c2-7d53-7cc0-8a11-0c5f4f4f9f11") as made:
...     made.set(parts=3)
>>> made.is_recorded
False
"""

import logging
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Protocol, Self
from urllib.parse import urlsplit

from kumobashi.observe.log_fields import FIELDS
from kumobashi.observe.names import LEFT_OUT, declared
from kumobashi.observe.trace_context import Spot, current, of_transfer

if TYPE_CHECKING:
    from contextvars import Token

    from opentelemetry.sdk.trace import TracerProvider

MOST_WAITING: Final = 2_048  # spans in memory
_AT_ONCE: Final = 512
_PAUSE_MILLIS: Final = 1_000
_EXPORT_SECONDS: Final = 5.0
_CLOSE_SECONDS: Final = 3.0
_HALF: Final = (1 << 64) - 1
_EXTRA: Final = frozenset({"rows", "bytes", "status"})
_SERVER, _CLIENT, _INTERNAL = "server", "client", "internal"
OWN: Final = "kumobashi.observe.tracing"
log = logging.getLogger(__name__)


class Span(Protocol):
    """What happens between entering and leaving it."""

    @property
    def is_recorded(self) -> bool:
        """Whether it will be sent."""

    def set(self, **attributes: object) -> None:
        """Say more about it; of names and values that may not be said, nothing is."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End; an error is told by its code or class."""


class _Nothing:
    """A span while tracing is off."""

    is_recorded = False

    def set(self, **_attributes: object) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


NOTHING: Final = _Nothing()


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Where spans go, and of how many calls; every transfer is traced."""

    endpoint: str  # "http://127.0.0.1:4318": OTLP over HTTP
    calls: float = 0.1  # the share of calls, by trace; each gateway decides by its own


def span(
    name: str,
    *,
    kind: str = _INTERNAL,
    parent: Spot | None = None,
    transfer: str | None = None,
    **attributes: object,
) -> Span:
    """Return a span to enter; ``parent`` came from outside, else it is where we are now.

    With ``transfer`` it belongs to the trace of that transfer, wherever it was called from.
    """
    tracer = _tracer
    if tracer is None:
        return NOTHING
    if transfer is not None:
        root, here = of_transfer(transfer), parent or current.get()
        parent = here if here is not None and here.trace == root.trace else root
        parent = Spot(parent.trace, parent.span, is_sampled=True)
        attributes["transfer"] = transfer
    elif parent is not None:
        parent = tracer.judged(parent)
    else:
        parent = current.get()
    return _Live(tracer, name, kind, parent, attributes)


def is_on() -> bool:
    """Whether spans are made at all."""
    return _tracer is not None


def server(name: str, *, parent: Spot | None = None, **attributes: Any) -> Span:  # noqa: ANN401
    """Return a span of a request that came."""
    return NOTHING if _tracer is None else span(name, kind=_SERVER, parent=parent, **attributes)


def client(name: str, **attributes: Any) -> Span:  # noqa: ANN401 - see ``span``
    """Return a span of a request that goes."""
    return NOTHING if _tracer is None else span(name, kind=_CLIENT, **attributes)


def transfer_ended(transfer: str, *, started: float, ended: float, **attributes: object) -> None:
    """Send the root of a transfer's trace; times are seconds since the epoch."""
    if (tracer := _tracer) is not None:
        tracer.root(of_transfer(transfer), started, ended, {**attributes, "transfer": transfer})


def begin(options: Options, *, site: str, version: str) -> None:
    """Begin to send spans; what another gateway of this process began goes on for both."""
    global _tracer  # noqa: PLW0603 - one for a process, as the log
    with _lock:
        if _tracer is None:
            _tracer = _Tracer(options, site=site, version=version)


def end() -> None:
    """Send what waits, for some seconds at most, and send nothing more."""
    global _tracer
    with _lock:
        tracer, _tracer = _tracer, None
    if tracer is not None:
        tracer.close()


def endpoint_is_usable(endpoint: str) -> bool:
    """Whether an address can be one of a collector.

    >>> endpoint_is_usable("http://127.0.0.1:4318"), endpoint_is_usable("ftp://x"), \
endpoint_is_usable("http://a:b@x")
    (True, False, False)
    """
    try:
        parts = urlsplit(endpoint)
        port = parts.port
    except ValueError:
        return False
    is_web = parts.scheme in {"http", "https"} and bool(parts.hostname)
    is_plain = not (parts.query or parts.fragment or parts.username or parts.password)
    return is_web and is_plain and port != 0


def said(attributes: Mapping[str, object]) -> dict[str, str | int | float | bool]:
    """Return attributes as they may be said, under names of their own.

    >>> said({"parts": 3, "resident": "山田太郎", "link": "yamada-taro"})
    {'kumobashi.parts': 3}
    """
    made: dict[str, str | int | float | bool] = {}
    for name, value in attributes.items():
        check = FIELDS["parts"] if name in _EXTRA else FIELDS.get(name)
        shown = check(value, _whose(value)) if check else LEFT_OUT
        if isinstance(shown, str | int | float) and not (
            isinstance(shown, str) and LEFT_OUT in shown
        ):
            made[f"kumobashi.{name}"] = shown
    return made


def _whose(value: object) -> str:
    """Return the module whose words a value may be: of an enum, the one that has it."""
    return type(value).__module__ if type(value).__module__.startswith("kumobashi.") else OWN


class _Live:
    """A span that is being made; sampled or not, what is below it knows where it is."""

    __slots__ = ("_attributes", "_kind", "_made", "_name", "_parent", "_spot", "_token", "_tracer")

    def __init__(
        self,
        tracer: "_Tracer",
        name: str,
        kind: str,
        parent: Spot | None,
        attributes: dict[str, object],
    ) -> None:
        self._tracer = tracer
        self._name = name
        self._kind = kind
        self._parent = parent
        self._attributes = attributes
        self._made: Any = None
        self._token: Token[Spot | None] | None = None

    @property
    def is_recorded(self) -> bool:
        return self._made is not None

    def set(self, **attributes: object) -> None:
        if self._made is not None:
            self._made.set_attributes(said(attributes))

    def __enter__(self) -> Self:
        tracer = self._tracer
        parent = self._parent or tracer.new_root()
        spot = Spot(parent.trace, secrets.randbits(64) or 1, parent.is_sampled)
        if spot.is_sampled:
            is_root = self._parent is None
            self._made = tracer.start(self._name, self._kind, spot, parent, is_root=is_root)
            self._made.set_attributes(said(self._attributes))
        self._token = current.set(spot)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self._token is not None:
            current.reset(self._token)
        if self._made is not None:
            if kind is not None:
                self._tracer.failed(self._made, getattr(kind, "code", kind.__name__))
            self._made.end()


class _Tracer:
    """The library for traces, and what of it is ours: ids, who is sampled, bounds."""

    def __init__(self, options: Options, *, site: str, version: str) -> None:
        from kumobashi.observe.otlp import provider_of  # noqa: PLC0415 - loaded only when it is on

        self._calls = options.calls
        self._ids: _Ids = threading.local()
        self._provider: TracerProvider = provider_of(
            options.endpoint,
            site=declared.said(site),
            version=version,
            waiting=MOST_WAITING,
            at_once=_AT_ONCE,
            pause_millis=_PAUSE_MILLIS,
            seconds=_EXPORT_SECONDS,
            ids=self._ids,
        )
        self._made = self._provider.get_tracer("kumobashi", version)

    def new_root(self) -> Spot:
        """Return the trace of something that nobody else began."""
        trace = secrets.randbits(128) or 1
        return Spot(trace, 0, self._is_chosen(trace))

    def judged(self, parent: Spot) -> Spot:
        """Return what came from outside: others may ask for no more of our spans than we choose."""
        is_sampled = parent.is_sampled and self._is_chosen(parent.trace)
        return Spot(parent.trace, parent.span, is_sampled)

    def _is_chosen(self, trace: int) -> bool:
        return (trace & _HALF) < self._calls * (_HALF + 1)

    def start(self, name: str, kind: str, spot: Spot, parent: Spot, *, is_root: bool) -> Any:  # noqa: ANN401
        from opentelemetry.trace import SpanKind  # noqa: PLC0415

        self._ids.trace, self._ids.span = spot.trace, spot.span
        context = _above(None if is_root else parent)
        return self._made.start_span(
            name,
            context=context,
            kind=SpanKind[kind.upper()],
            record_exception=False,
            set_status_on_exception=False,
        )

    def failed(self, made: Any, code: str) -> None:  # noqa: ANN401
        from opentelemetry.trace import StatusCode  # noqa: PLC0415

        made.set_status(StatusCode.ERROR)
        made.set_attributes(said({"code": code}))

    def root(
        self, spot: Spot, started: float, ended: float, attributes: Mapping[str, object]
    ) -> None:
        self._ids.trace, self._ids.span = spot.trace, spot.span
        made = self._made.start_span(
            "transfer", context=_above(None), start_time=int(started * 1e9)
        )
        made.set_attributes(said(attributes))
        made.end(int(max(started, ended) * 1e9))

    def close(self) -> None:
        closing = threading.Thread(target=self._provider.shutdown, daemon=True)
        closing.start()
        closing.join(_CLOSE_SECONDS)  # a dead collector is not waited for


class _Ids(Protocol):
    trace: int
    span: int


def _above(parent: Spot | None) -> Any:  # noqa: ANN401 - of the library
    from opentelemetry import context, trace  # noqa: PLC0415

    if parent is None:
        return context.Context()
    above = trace.SpanContext(
        parent.trace, parent.span, is_remote=True, trace_flags=trace.TraceFlags(1)
    )
    return trace.set_span_in_context(trace.NonRecordingSpan(above), context.Context())


_lock = threading.Lock()
_tracer: _Tracer | None = None
