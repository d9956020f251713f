"""The part of tracing that loads OpenTelemetry: only when the address of a collector is given."""

import logging
from typing import Any

import requests
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

_MOST_ATTRIBUTES = 24


class _OurIds(IdGenerator):
    """Gives the ids that were chosen before: a transfer's are found anew by every gateway."""

    def __init__(self, ids: Any) -> None:  # noqa: ANN401 - of one thread
        self._ids = ids

    def generate_trace_id(self) -> int:
        """Return the trace of the span that begins now."""
        return int(self._ids.trace)

    def generate_span_id(self) -> int:
        """Return the span that begins now."""
        return int(self._ids.span)


def provider_of(
    endpoint: str,
    *,
    site: str,
    version: str,
    waiting: int,
    at_once: int,
    pause_millis: int,
    seconds: float,
    ids: Any,  # noqa: ANN401 - of one thread
) -> TracerProvider:
    """Return what makes spans and sends them, batch by batch, in a thread of its own."""
    session = requests.Session()
    session.trust_env = False  # a proxy variable must not send anything elsewhere
    # A collector that is away would be told at every batch; `/metrics` of the collector tells it.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    provider = TracerProvider(
        sampler=ALWAYS_ON,  # whoever is not sampled does not come as far as here
        resource=Resource(
            {"service.name": "kumobashi", "service.instance.id": site, "service.version": version}
        ),
        id_generator=_OurIds(ids),
        span_limits=SpanLimits(max_span_attributes=_MOST_ATTRIBUTES, max_events=0, max_links=0),
        shutdown_on_exit=False,
    )
    exporter = OTLPSpanExporter(
        endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=seconds, session=session
    )
    provider.add_span_processor(
        BatchSpanProcessor(
            exporter,
            max_queue_size=waiting,
            schedule_delay_millis=pause_millis,
            max_export_batch_size=at_once,
            export_timeout_millis=seconds * 1000,
        )
    )
    return provider
