"""Every metric there is: its name, what kind it is, what it means, and which labels it has.

``docs/reference/metrics.md`` is held to this table, the rules and the dashboard in ``deploy/`` too.
Labels take their values from closed sets (states, codes) or from names that the directory and the
workspace declare, so that nobody from outside can make series.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Kind(StrEnum):
    """What a number is to Prometheus."""

    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Family:
    """One metric; every one also has the label ``site``."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()  # upper bounds in seconds, of a histogram


CALL_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
DELIVERY_SECONDS: Final = (
    *(1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0),
    *(1800.0, 3600.0, 7200.0, 21600.0, 86400.0),
)
_GAUGE, _COUNTER, _HISTOGRAM = Kind.GAUGE, Kind.COUNTER, Kind.HISTOGRAM

_ALL: Final = (
    Family("kumobashi_build_info", _GAUGE, "Always 1", ("version", "python", "role")),
    Family(
        "kumobashi_metrics_age_seconds",
        _GAUGE,
        "How long ago the numbers of a part were read; parts that cost much are read less often",
        ("part",),
    ),
    Family("kumobashi_state_up", _GAUGE, "Whether the state of this gateway can be read"),
    # Transfers
    Family("kumobashi_links", _GAUGE, "Links of this site by their light", ("light",)),
    Family(
        "kumobashi_transfers",
        _GAUGE,
        "Transfers by side and state: all that are under way, and the ended ones of 35 days",
        ("side", "state"),
    ),
    Family(
        "kumobashi_transfers_ended_total",
        _COUNTER,
        "Transfers of this site that ended since this process started, by receiver and how",
        ("to_site", "outcome"),
    ),
    Family(
        "kumobashi_receipts_total",
        _COUNTER,
        "Receipts for the transfers of this site that ended since this process started, by stage",
        ("to_site", "stage"),
    ),
    Family(
        "kumobashi_delivery_seconds",
        _HISTOGRAM,
        "From the start of a transfer to its last receipt, if applied since this process started",
        ("to_site",),
        DELIVERY_SECONDS,
    ),
    Family(
        "kumobashi_oldest_unacknowledged_seconds",
        _GAUGE,
        "Age of the oldest transfer that has left and is not applied yet",
        ("to_site",),
    ),
    Family(
        "kumobashi_oldest_waiting_seconds",
        _GAUGE,
        "Age of the oldest transfer that has not left yet, those that wait for a person left out",
        ("to_site",),
    ),
    Family(
        "kumobashi_oldest_arrival_seconds",
        _GAUGE,
        "Age of the oldest bundle that came here and is neither taken in nor passed on",
    ),
    Family(
        "kumobashi_deletions_overdue",
        _GAUGE,
        "Deletions that no receiver has proved in time, by level of lateness",
        ("level",),
    ),
    # Calls
    Family(
        "kumobashi_calls_total",
        _COUNTER,
        "Online calls since this process started, by what this gateway was to them and the outcome",
        ("role", "outcome"),
    ),
    Family(
        "kumobashi_call_seconds",
        _HISTOGRAM,
        "How long calls took here, whatever came of them",
        ("role",),
        CALL_SECONDS,
    ),
    Family("kumobashi_journal_records_total", _COUNTER, "Records of calls that reached the disk"),
    Family("kumobashi_journal_flushes_total", _COUNTER, "Flushes that brought them there"),
    # Peers
    Family("kumobashi_peer_up", _GAUGE, "Whether a neighbour answers", ("peer",)),
    Family(
        "kumobashi_peer_down_seconds",
        _GAUGE,
        "Since when it does not answer; 0 while it does",
        ("peer",),
    ),
    Family(
        "kumobashi_peer_requests_last_minute",
        _GAUGE,
        "Requests to a neighbour in the last minute",
        ("peer",),
    ),
    Family("kumobashi_way_up", _GAUGE, "Whether the last pulse came back whole", ("to_site",)),
    Family(
        "kumobashi_way_broken_seconds",
        _GAUGE,
        "Since when pulses along a way do not come back whole; 0 while they do",
        ("to_site",),
    ),
    Family("kumobashi_way_seconds", _GAUGE, "How long the last pulse was under way", ("to_site",)),
    # What ends
    Family(
        "kumobashi_directory_expiry_timestamp_seconds",
        _GAUGE,
        "When the directory in use expires",
    ),
    Family("kumobashi_directory_version", _GAUGE, "Number of the directory in use"),
    Family(
        "kumobashi_client_certificate_expiry_timestamp_seconds",
        _GAUGE,
        "When the certificate that is shown to a neighbour expires",
        ("peer",),
    ),
    # Disk and evidence
    Family("kumobashi_spool_bytes", _GAUGE, "Bytes of sealed parts", ("side",)),
    Family("kumobashi_disk_free_bytes", _GAUGE, "Free bytes where this site keeps its own"),
    Family("kumobashi_disk_size_bytes", _GAUGE, "All bytes there"),
    Family("kumobashi_evidence_records", _GAUGE, "Records of the evidence log that have a number"),
    Family("kumobashi_evidence_waiting", _GAUGE, "Records that have none yet"),
    Family(
        "kumobashi_evidence_checkpoint_timestamp_seconds",
        _GAUGE,
        "When the evidence log was signed last; none while nothing was signed",
    ),
    Family("kumobashi_evidence_unsigned_records", _GAUGE, "Records that no checkpoint covers yet"),
    Family("kumobashi_logged_errors_total", _COUNTER, "Lines that were logged as errors"),
)
FAMILIES: Final[Mapping[str, Family]] = MappingProxyType({one.name: one for one in _ALL})
"""By name; the process and Python metrics of ``prometheus_client`` come besides."""
