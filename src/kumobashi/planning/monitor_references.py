"""What a watch is told: ``monitor.yaml``, held against what it names, and ``alerts.yaml``."""

from collections.abc import Iterator
from pathlib import Path

from kumobashi.directory.alert_models import AlertsFile
from kumobashi.directory.monitor_models import MonitorFile
from kumobashi.planning.references import Loaded, unknown
from kumobashi.storage.documents import Document, Mistake, read

MONITOR, ALERTS = "monitor.yaml", "alerts.yaml"
_Step = tuple[str | int, ...]


def read_monitor(folder: Path, loaded: Loaded) -> tuple[MonitorFile, list[Mistake]]:
    """Return what a watch is told, the defaults where there is no file; and mistakes."""
    path = folder / MONITOR
    if not path.is_file():
        return MonitorFile(kumobashi=1), []
    found = read(path, MonitorFile, root=folder)
    if not isinstance(found, Document):
        return MonitorFile(kumobashi=1), list(found)
    return found.value, list(_unknown(found, loaded))


def read_alerts(folder: Path) -> list[Mistake]:
    """Return the mistakes of ``alerts.yaml``; none where there is no file."""
    path = folder / ALERTS
    if not path.is_file():
        return []
    found = read(path, AlertsFile, root=folder)
    return [] if isinstance(found, Document) else list(found)


def _unknown(document: Document[MonitorFile], loaded: Loaded) -> Iterator[Mistake]:
    sites = set(loaded.kinds["sites"]) | loaded.broken["sites"]
    contacts = set(loaded.main.value.contacts) if loaded.main else None
    told = document.value
    named: list[tuple[str, _Step]] = [
        (site, ("planned", number, "sites"))
        for number, work in enumerate(told.planned)
        for site in work.sites
    ]
    named += [
        (site, ("parts", number, "stops"))
        for number, part in enumerate(told.parts)
        for site in part.stops
    ]
    for site, step in named:
        if site not in sites:
            yield unknown(document, step, site, sorted(sites), ("サイト", "site"))
    if contacts is None:
        return
    called: list[tuple[str, _Step]] = [
        (part.contact, ("parts", number, "contact"))
        for number, part in enumerate(told.parts)
        if part.contact
    ]
    called += [(name, ("deadlines", "contacts", name)) for name in told.deadlines.contacts]
    for contact, step in called:
        if contact not in contacts:
            yield unknown(document, step, contact, sorted(contacts), ("連絡先", "contact"))
