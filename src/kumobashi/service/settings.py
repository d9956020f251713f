"""What a gateway may be told from outside: read once at the start, every mistake at once."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from kumobashi.observe.tracing import endpoint_is_usable
from kumobashi.service.errors import BadRequest

_SERVER = re.compile(r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?")
_MEMORY_MIB = 576  # of the working database of one transfer; the rest spills to disk


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Options of one gateway, with their defaults."""

    workspace: Path
    site: str
    memory_mib: int = _MEMORY_MIB
    host: str | None = None  # default: the host of the site's url
    port: int | None = None  # default: the port of the site's url
    state: str | None = None  # where the address of a PostgreSQL is kept; default: the site's file
    works: bool = True  # whether transfers and bundles are worked on in this process
    recall_seconds: float = 300.0  # how often receivers are asked what they remember
    lease_seconds: float = 60.0  # how long work is left alone after its process was last heard of
    is_training: bool = False  # pages say so, and nothing may lead to another machine
    duty_seconds: float = 30.0  # between two looks at what is to be deleted
    clock_stop_seconds: float = 30.0  # off by more than this, nothing is signed; 0: never stops
    clock_sources: tuple[str, ...] = ()  # NTP servers, host or host:port
    pulse_seconds: float = 10.0  # between two pulses along the same way
    otlp_endpoint: str | None = None  # of a collector of traces; none: nothing is traced
    traced_calls: float = 0.1  # the share of calls that is traced; transfers all are


def read_settings(
    workspace: Path,
    site: str,
    environment: Mapping[str, str] | None = None,
    *,
    state: str | None = None,
    works: bool | None = None,
    is_training: bool = False,
) -> Settings:
    """Return the settings; the environment's ``KUMO_…`` change them, arguments go before it.

    ``KUMO_MEMORY_MIB``, ``KUMO_HOST``, ``KUMO_PORT``, ``KUMO_STATE`` (a reference, ``file:`` or
    ``env:``), ``KUMO_WORK`` (``on`` or ``off``), ``KUMO_LEASE_SECONDS``, ``KUMO_RECALL_SECONDS``,
    ``KUMO_DUTY_SECONDS``, ``KUMO_PULSE_SECONDS``, ``KUMO_CLOCK_STOP_SECONDS``,
    ``KUMO_CLOCK_SOURCES`` (NTP servers, with commas between), ``KUMO_OTLP_ENDPOINT``,
    ``KUMO_TRACED_CALLS``.
    """
    env = os.environ if environment is None else environment
    memory = env.get("KUMO_MEMORY_MIB", str(_MEMORY_MIB))
    port = env.get("KUMO_PORT", "")
    if not memory.isdigit() or not 64 <= int(memory) <= 1 << 20:  # noqa: PLR2004 - MiB
        raise BadRequest(field="KUMO_MEMORY_MIB", expected="64 .. 1048576")
    if port and not port.isdigit():
        raise BadRequest(field="KUMO_PORT", expected="a port")
    state = state or env.get("KUMO_STATE") or None
    if state and not state.startswith(("file:", "env:")):  # never repeat it: it holds a password
        raise BadRequest(field="--state, KUMO_STATE", expected="file:… / env:…")
    work = env.get("KUMO_WORK", "on")
    if work not in {"on", "off"}:
        raise BadRequest(field="KUMO_WORK", expected="on / off")
    endpoint = env.get("KUMO_OTLP_ENDPOINT") or None
    if endpoint and not endpoint_is_usable(endpoint):  # it may hold a password: never repeat it
        raise BadRequest(field="KUMO_OTLP_ENDPOINT", expected="http://127.0.0.1:4318")
    share = env.get("KUMO_TRACED_CALLS", "0.1")
    if not re.fullmatch(r"1(\.0+)?|0(\.[0-9]{1,6})?", share):
        raise BadRequest(field="KUMO_TRACED_CALLS", expected="0 .. 1")
    return Settings(
        workspace=workspace,
        site=site,
        memory_mib=int(memory),
        host=env.get("KUMO_HOST") or None,
        port=int(port) if port else None,
        duty_seconds=_seconds(env, "KUMO_DUTY_SECONDS", 30, least=0.1),
        state=state,
        works=work == "on" if works is None else works,
        lease_seconds=_seconds(env, "KUMO_LEASE_SECONDS", 60, least=0.5),
        recall_seconds=_seconds(env, "KUMO_RECALL_SECONDS", 300, least=0.5),
        is_training=is_training,
        pulse_seconds=_seconds(env, "KUMO_PULSE_SECONDS", 10, least=0.2),
        clock_stop_seconds=_seconds(env, "KUMO_CLOCK_STOP_SECONDS", 30, least=0),
        clock_sources=_servers(env.get("KUMO_CLOCK_SOURCES", "")),
        otlp_endpoint=endpoint,
        traced_calls=float(share),
    )


def _seconds(env: Mapping[str, str], name: str, default: int, *, least: float) -> float:
    said = env.get(name, str(default))
    if not re.fullmatch(r"[0-9]{1,5}(\.[0-9]+)?", said) or float(said) < least:
        raise BadRequest(field=name, expected=f"seconds, {least} .. 99999")
    return float(said)


def _servers(said: str) -> tuple[str, ...]:
    servers = tuple(one.strip() for one in said.split(",") if one.strip())
    if len(servers) > 20 or not all(_SERVER.fullmatch(one) for one in servers):  # noqa: PLR2004
        raise BadRequest(
            field="KUMO_CLOCK_SOURCES", expected="ntp1.example.jp, ntp2.example.jp:123"
        )
    return servers


def listen_at(settings: Settings, url: str) -> tuple[str, int]:
    """Return host and port to listen at: those of the site's url unless told otherwise."""
    parts = urlsplit(url)
    default = parts.port or (443 if parts.scheme == "https" else 80)
    return settings.host or parts.hostname or "127.0.0.1", settings.port or default
