"""Through which doors a link goes, and what its partner must open and prepare for it."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from kumobashi.directory.models import By, Contact, Dataset
from kumobashi.directory.profile_models import PeerProfile
from kumobashi.directory.store_models import FilesStore, RemoteStore
from kumobashi.kernel import Zone
from kumobashi.planning.decided import Decided
from kumobashi.planning.plan import Plan
from kumobashi.planning.workspace import Workspace
from kumobashi.policy.tables import Tables, ZoneFlow

_MIB = 1024 * 1024
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One connection on the way: who opens it, to where, over what, and which rule permits it."""

    from_name: str
    to_name: str
    from_zone: Zone
    to_zone: Zone
    by: By
    host: str
    port: int
    largest_part_bytes: int  # that the far side takes at once
    is_relay: bool  # the far side passes on what it cannot read
    flow: ZoneFlow | None  # the row of the rules; none: nothing permits it
    profile: PeerProfile  # what the far side takes, how fast and when


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One thing that somebody else must do before the link can run."""

    whom: str  # name of a site or a system
    contact: Contact | None
    ja: str
    en: str


def doors(workspace: Workspace, plan: Decided, tables: Tables) -> tuple[Door, ...]:
    """Return the doors in the order of the way; none when both systems are at one site."""
    model = workspace.municipality.network_model
    found = []
    for hop in plan.hops:
        if hop.by == "same_site":
            continue
        there = workspace.sites[hop.to_site]
        address = urlsplit(there.url)
        found.append(
            Door(
                from_name=workspace.sites[hop.from_site].name,
                to_name=there.name,
                from_zone=hop.from_zone,
                to_zone=hop.to_zone,
                by=By(hop.by),
                host=address.hostname or "",
                port=address.port or _PORTS[address.scheme],
                largest_part_bytes=there.largest_part_bytes,
                is_relay=there.role == "relay",
                profile=there.profile,
                flow=tables.flow(model, hop.from_zone, hop.to_zone, hop.by, on=plan.on),
            )
        )
    return tuple(found)


def asks(workspace: Workspace, plan: Plan, way: tuple[Door, ...]) -> tuple[Ask, ...]:
    """Return what others must open and prepare."""
    return (*_to_open(workspace, plan, way), *_to_take(workspace, plan))


def _to_open(workspace: Workspace, plan: Plan, way: tuple[Door, ...]) -> Iterator[Ask]:
    hops = [hop for hop in plan.hops if hop.by != "same_site"]
    for hop, door in zip(hops, way, strict=True):
        if door.by is By.COURIER:
            yield Ask(
                whom=door.to_name,
                contact=_contact(workspace, workspace.sites[hop.to_site].contact),
                ja="媒体を受け取って取り込み（kumobashi courier import）、消去して返し、到達確認か"
                "確認番号を返す。",
                en="take media in (kumobashi courier import), erase and return them, and send back"
                " receipts or a confirmation code.",
            )
            continue
        size = f"{door.largest_part_bytes / _MIB:.1f} MiB"
        yield Ask(
            whom=door.to_name,
            contact=_contact(workspace, workspace.sites[hop.to_site].contact),
            ja=f"{door.from_name}からの接続を {door.host} の TCP {door.port} 番で受ける"
            f"（{door.by.ja}、一度に {size} まで）。こちらへ開くものはない。",
            en=f"accept connections from {door.from_name} at {door.host}, TCP port {door.port}"
            f" ({door.by.value}, up to {size} at once); it opens nothing towards us.",
        )


def _to_take(workspace: Workspace, plan: Plan) -> Iterator[Ask]:
    to = plan.link.to
    system, dataset = workspace.dataset(f"{to.system}.{to.dataset}")
    layout = workspace.layout(f"{to.system}.{to.dataset}")
    form = "Parquet" if plan.link.format == "parquet" else f"CSV（{plan.link.characters.charset}）"
    required = sum(field.required for field in layout.fields)
    where = (f"表 {dataset.table} に受け、", f"into table {dataset.table},")
    if isinstance(system.store, FilesStore):
        where = _into_files(system.store, dataset)
    yield Ask(
        whom=system.name,
        contact=_contact(workspace, system.contact),
        ja=f"レイアウト「{layout.ja}」第{layout.version}版（{len(layout.fields)} 項目、うち必須"
        f" {required}）を {form} から{where[0]}取込の受領書を返す。",
        en=f"take layout {layout.layout} {layout.version} ({len(layout.fields)} fields,"
        f" {required} required) from {form} {where[1]}"
        " and return the receipt of applying.",
    )


def _into_files(store: FilesStore, dataset: Dataset) -> tuple[str, str]:
    """Return which file appears for a run, in both languages."""
    file = dataset.file or f"{dataset.table}_{{date}}.csv"
    form: str = store.charset
    if dataset.records:
        form = f"{dataset.records.charset}、{dataset.records.length} バイト固定長"
    elif file.lower().endswith(".xlsx"):
        form = "Excel"
    place = f"置き場所（{store.kind}）" if isinstance(store, RemoteStore) else "受け渡しフォルダ"
    return (
        f"{place}のファイル「{file}」（{form}、いつも全件）に書き、",
        f"into the file {file} of its folder ({form}, always the whole),",
    )


def _contact(workspace: Workspace, name: str) -> Contact | None:
    return workspace.municipality.contacts.get(name)
