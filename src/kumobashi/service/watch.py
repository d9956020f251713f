"""The watch of one site, put together: a process of its own beside the gateway.

It reads little, so that it also runs while the rest of the workspace is broken: who the
municipality is, where the gateway listens, and ``monitor.yaml``.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from kumobashi.directory.models import MunicipalityFile, SiteFile
from kumobashi.directory.monitor_models import MonitorFile
from kumobashi.kernel import Clock, SystemClock
from kumobashi.monitoring.asking import AskedGateway, Connections
from kumobashi.monitoring.book import FaultBook, watch_file
from kumobashi.monitoring.health import Hours
from kumobashi.monitoring.ports import Teller
from kumobashi.monitoring.watching import LOOK_SECONDS, Watch
from kumobashi.planning.errors import WorkspaceBroken
from kumobashi.planning.monitor_references import MONITOR
from kumobashi.service.errors import SiteMissing
from kumobashi.service.settings import listen_at, read_settings
from kumobashi.storage.documents import Document, read

log = logging.getLogger(__name__)
M = TypeVar("M", MunicipalityFile, SiteFile)
_MAIN = "kumobashi.yaml"
_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what listens everywhere


def municipality_of(workspace: Path) -> MunicipalityFile:
    """Return ``kumobashi.yaml``; raise ``WorkspaceBroken``."""
    return _document(workspace / _MAIN, MunicipalityFile, workspace)


def site_file(workspace: Path, site: str) -> Path:
    """Return the file of a site; raise ``SiteMissing``."""
    place = workspace / "sites" / f"{site}.yaml"
    if not place.is_file():
        known = ", ".join(sorted(path.stem for path in (workspace / "sites").glob("*.yaml")))
        raise SiteMissing(site=site, known=known)
    return place


def watch_of(
    workspace: Path,
    site: str,
    teller: Callable[[FaultBook], Teller],
    *,
    clock: Clock | None = None,
    every: float = LOOK_SECONDS,
) -> Watch:
    """Return the watch of a site.

    Raises:
        WorkspaceBroken: a file that it needs cannot be read.
        SiteMissing: the workspace has no such site.
    """
    url = _document(site_file(workspace, site), SiteFile, workspace).url
    host, port = listen_at(read_settings(workspace, site), url)
    host = _LOOPBACK.get(host, host)
    token = (workspace / "private" / site / "api.token").read_text(encoding="ascii").strip()
    tenant = municipality_of(workspace).municipality.code
    file = watch_file(workspace / "var" / site)
    used = clock or SystemClock()
    book = FaultBook(file, tenant=tenant, site=site, clock=used)
    return Watch(
        site=site,
        source=AskedGateway(f"http://{'[' + host + ']' if ':' in host else host}:{port}", token),
        prober=Connections(),
        rules=_Rules(workspace),
        book=book,
        teller=teller(book),
        clock=used,
        hours=Hours(file, tenant),
        every=every,
    )


class _Rules:
    """``monitor.yaml`` as it is now; the last good one while it is broken."""

    def __init__(self, workspace: Path) -> None:
        self._path = workspace / MONITOR
        self._root = workspace
        self._stamp: tuple[int, int] | None = None
        self._held = MonitorFile(kumobashi=1)
        self()

    def __call__(self) -> MonitorFile:
        try:
            held = self._path.stat()
        except OSError:
            self._stamp, self._held = None, MonitorFile(kumobashi=1)
            return self._held
        stamp = (held.st_mtime_ns, held.st_size)
        if stamp != self._stamp:
            found = read(self._path, MonitorFile, root=self._root)
            if isinstance(found, Document):
                self._held = found.value
            elif self._stamp is None:
                raise WorkspaceBroken(found)
            else:
                log.warning("monitor.yaml cannot be read; the watch goes on with what it knew")
            self._stamp = stamp
        return self._held


def _document(path: Path, model: type[M], root: Path) -> M:
    found = read(path, model, root=root)
    if not isinstance(found, Document):
        raise WorkspaceBroken(found)
    return found.value
