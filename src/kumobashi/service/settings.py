"""What a gateway may be told from outside: read once at the start, every mistake at once."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from kumobashi.service.errors import BadRequest

_MEMORY_MIB = 576  # of the working database of one transfer; the rest spills to disk


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Options of one gateway, with their defaults."""

    workspace: Path
    site: str
    memory_mib: int = _MEMORY_MIB
    host: str | None = None  # default: the host of the site's url
    port: int | None = None  # default: the port of the site's url
    is_training: bool = False  # pages say so, and nothing may lead to another machine


def read_settings(
    workspace: Path,
    site: str,
    environment: Mapping[str, str] | None = None,
    *,
    is_training: bool = False,
) -> Settings:
    """Return the settings; ``KUMO_MEMORY_MIB``, ``KUMO_HOST`` and ``KUMO_PORT`` change them."""
    env = os.environ if environment is None else environment
    memory = env.get("KUMO_MEMORY_MIB", str(_MEMORY_MIB))
    port = env.get("KUMO_PORT", "")
    if not memory.isdigit() or not 64 <= int(memory) <= 1 << 20:  # noqa: PLR2004 - MiB
        raise BadRequest(field="KUMO_MEMORY_MIB", expected="64 .. 1048576")
    if port and not port.isdigit():
        raise BadRequest(field="KUMO_PORT", expected="a port")
    return Settings(
        workspace=workspace,
        site=site,
        memory_mib=int(memory),
        host=env.get("KUMO_HOST") or None,
        port=int(port) if port else None,
        is_training=is_training,
    )


def listen_at(settings: Settings, url: str) -> tuple[str, int]:
    """Return host and port to listen at: those of the site's url unless told otherwise."""
    parts = urlsplit(url)
    default = parts.port or (443 if parts.scheme == "https" else 80)
    return settings.host or parts.hostname or "127.0.0.1", settings.port or default
