"""The workspace: one folder of plain files that describes a municipality, read as a whole.

>>> from kumobashi.planning.sampling import write_sample
>>> import tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     workspace = load(write_sample(Path(folder) / "city"))
>>> sorted(workspace.sites)
['asp-relay', 'hall-core', 'hall-exchange', 'public-cloud']
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from kumobashi.catalogue.layouts import Layout, Layouts
from kumobashi.consent.texts import ConsentText
from kumobashi.directory.entries import ServiceEntry
from kumobashi.directory.models import Dataset, MunicipalityFile, SiteFile, SystemFile
from kumobashi.directory.monitor_models import MonitorFile
from kumobashi.directory.service_models import ServiceFile
from kumobashi.directory.sign_on_models import ProviderFile
from kumobashi.planning.approvals import ApprovalFile
from kumobashi.planning.call_links import CallFile
from kumobashi.planning.call_references import check_calls
from kumobashi.planning.campaign_references import check_campaigns
from kumobashi.planning.errors import CampaignUnknown, LinkUnknown, WorkspaceBroken
from kumobashi.planning.interfaces import interface_files, read_interfaces
from kumobashi.planning.layout_files import read_layouts
from kumobashi.planning.links import LinkFile
from kumobashi.planning.monitor_references import MONITOR, read_alerts, read_monitor
from kumobashi.planning.references import Loaded, check
from kumobashi.planning.right_lines import RIGHT_LINES
from kumobashi.planning.rule_tables import own_tables
from kumobashi.planning.services import Services, services_of
from kumobashi.planning.sign_on_references import check_providers
from kumobashi.policy.deciding import Where
from kumobashi.policy.tables import OWN, Tables
from kumobashi.release.campaigns import Campaign
from kumobashi.release.rules import ReleaseRule
from kumobashi.storage.documents import Document, Mark, Mistake, read
from kumobashi.storage.mistakes import mistake_at

MAIN = "kumobashi.yaml"
_ATTEMPTS = 3
KINDS: Mapping[str, tuple[type[BaseModel], str]] = {  # folder → model, and the key that names it
    "sites": (SiteFile, "site"),
    "systems": (SystemFile, "system"),
    "rules": (ReleaseRule, "release"),
    "campaigns": (Campaign, "campaign"),
    "links": (LinkFile, "link"),
    "calls": (CallFile, "link"),
    "consents": (ConsentText, "purpose"),
    "sign-on": (ProviderFile, "provider"),
    "approvals": (ApprovalFile, "link"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """All files of a workspace, checked one by one and against each other."""

    folder: Path
    municipality: MunicipalityFile
    sites: Mapping[str, SiteFile]
    systems: Mapping[str, SystemFile]
    rules: Mapping[str, ReleaseRule]
    campaigns: Mapping[str, Campaign]
    links: Mapping[str, LinkFile]
    calls: Mapping[str, CallFile]  # online links
    approvals: Mapping[str, ApprovalFile]
    consents: Mapping[str, ConsentText]
    providers: Mapping[str, ProviderFile]  # where staff sign in
    layouts: Layouts
    documents: Mapping[str, Document[Any]] = field(repr=False)  # by file
    tables: Tables = field(repr=False)  # rules: ours, with the rows of the folder ``policy``
    monitor: MonitorFile = field(default_factory=lambda: MonitorFile(kumobashi=1))  # for a watch
    services: Services = field(default_factory=dict, repr=False)  # with what their documents say

    def link(self, name: str) -> LinkFile:
        """Return a link, or raise :class:`LinkUnknown`."""
        try:
            return self.links[name]
        except KeyError:
            raise LinkUnknown(link=name, known=", ".join(sorted(self.links))) from None

    def call(self, name: str) -> CallFile:
        """Return an online link, or raise :class:`LinkUnknown`."""
        try:
            return self.calls[name]
        except KeyError:
            raise LinkUnknown(link=name, known=", ".join(sorted(self.calls))) from None

    def declared(self, name: str) -> LinkFile | CallFile:
        """Return a link of either kind, or raise :class:`LinkUnknown`."""
        try:
            return self.every_link[name]
        except KeyError:
            raise LinkUnknown(link=name, known=", ".join(sorted(self.every_link))) from None

    @property
    def every_link(self) -> Mapping[str, LinkFile | CallFile]:
        """The links of both kinds; a name is used once."""
        return {**self.links, **self.calls}

    def service(self, call: CallFile) -> tuple[ServiceFile, ServiceEntry]:
        """Return the service that an online link asks: as written, and with its documents."""
        written = self.systems[call.from_].services[call.service]
        return written, self.services[call.from_][call.service]

    def campaign(self, code: str) -> Campaign:
        """Return a campaign, or raise :class:`CampaignUnknown`."""
        try:
            return self.campaigns[code]
        except KeyError:
            known = ", ".join(sorted(self.campaigns)) or "-"
            raise CampaignUnknown(campaign=code, known=known) from None

    def dataset(self, reference: str) -> tuple[SystemFile, Dataset]:
        """Return system and dataset of ``system.dataset``."""
        system, _, dataset = reference.partition(".")
        return self.systems[system], self.systems[system].datasets[dataset]

    def layout(self, reference: str) -> Layout:
        """Return the layout of ``system.dataset``."""
        _, dataset = self.dataset(reference)
        return self.layouts.get(dataset.layout, dataset.version)

    def where(self, file: str, *path: str | int) -> Where:
        """Return the line of a key, for messages."""
        document = self.documents[file]
        steps = [str(step) for step in path if isinstance(step, str)]
        return Where(file=file, line=document.line(*path), key=steps[0] if steps else "")


def load(folder: Path) -> Workspace:
    """Read every file; raise :class:`WorkspaceBroken` with all mistakes of all files.

    All files are those of one moment: when one is saved meanwhile, all are read again, because half
    of a change may look right. A folder that never rests is a mistake of its own.
    """
    for _ in range(_ATTEMPTS):
        before = _moment(folder)
        try:
            found = _load(folder)
        except WorkspaceBroken:
            if _moment(folder) == before:
                raise
            continue
        if _moment(folder) == before:
            return found
    raise WorkspaceBroken(
        [
            mistake_at(
                MAIN,
                Mark(1, 1),
                (),
                code="workspace.changing",
                ja="読んでいる間に設定ファイルが書き換えられ続けています。"
                "保存が終わってから、もう一度試してください。",
                en="Files keep changing while they are read; try again when they are saved.",
            )
        ]
    )


def _moment(folder: Path) -> frozenset[tuple[str, int, int, int]]:
    """Return what tells one state of the folder's files from another."""
    found = set()
    for path in (
        folder / MAIN,
        folder / MONITOR,
        *(p for k in (*KINDS, "layouts", OWN) for p in (folder / k).glob("*")),
        *interface_files(folder),
    ):
        try:
            held = path.stat()
        except OSError:
            continue
        found.add((str(path), held.st_ino, held.st_size, held.st_mtime_ns))
    return frozenset(found)


def _load(folder: Path) -> Workspace:
    mistakes: list[Mistake] = []
    main = read(folder / MAIN, MunicipalityFile, root=folder)
    loaded = Loaded(main=main if isinstance(main, Document) else None)
    if not isinstance(main, Document):
        mistakes += main
    for kind, (model, key) in KINDS.items():
        readable: list[tuple[Path, Document[Any]]] = []
        for path in sorted((folder / kind).glob("*.y*ml")):
            document = read(path, model, root=folder, examples=RIGHT_LINES)
            if isinstance(document, Document):
                readable.append((path, document))
            else:
                loaded.broken[kind].add(path.stem)
                mistakes += document
        # Files that bear the name of what they describe come first: of two, the other is wrong.
        readable.sort(key=lambda held: held[0].stem != getattr(held[1].value, key))
        for path, document in readable:
            mistakes += loaded.add(kind, key, path.name, document)
    layouts, own, wrong = read_layouts(folder)
    mistakes += wrong
    tables, wrong = own_tables(folder)
    mistakes += wrong
    mistakes += check(loaded, layouts)
    mistakes += check_campaigns(loaded, layouts)
    interfaces = read_interfaces(folder)
    mistakes += check_calls(loaded, layouts, interfaces)
    monitor, wrong = read_monitor(folder, loaded)
    mistakes += wrong
    mistakes += read_alerts(folder)
    mistakes += check_providers(loaded)
    if mistakes or loaded.main is None:
        raise WorkspaceBroken(sorted(mistakes, key=lambda m: (m.file != MAIN, m.file, m.line)))
    documents = {d.file: d for held in loaded.kinds.values() for d in held.values()}
    return Workspace(
        folder=folder,
        municipality=loaded.main.value,
        sites=loaded.values("sites"),
        systems=loaded.values("systems"),
        rules=loaded.values("rules"),
        campaigns=loaded.values("campaigns"),
        links=loaded.values("links"),
        calls=loaded.values("calls"),
        approvals=loaded.values("approvals"),
        consents=loaded.values("consents"),
        providers=loaded.values("sign-on"),
        layouts=layouts,
        documents={loaded.main.file: loaded.main, **own, **documents},
        tables=tables,
        monitor=monitor,
        services={
            name: services_of(document.value, interfaces)
            for name, document in loaded.kinds["systems"].items()
            if document.value.services
        },
    )
