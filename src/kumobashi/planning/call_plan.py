"""The plan of an online link: what its answers tell, to whom, which way, on what basis, whether.

Pure, like :mod:`kumobashi.planning.plan`. The policy is asked twice for every site where the
service runs: whether the asking system may have the answer, and whether what it gives may go there.
The answer comes back over the connections that the request went.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from kumobashi.crypto.canonical import canonical, digest
from kumobashi.directory.entries import Directory
from kumobashi.planning.call_decisions import call_decision_of
from kumobashi.planning.call_items import (
    CallItem,
    answered_items,
    layouts_of,
    operations_of,
    requested_items,
)
from kumobashi.planning.call_links import CallFile
from kumobashi.planning.call_questioning import at_answer, call_decisions
from kumobashi.planning.decided import Decided
from kumobashi.planning.ending_versions import ending_versions, over
from kumobashi.planning.net_allowed import net_cautions
from kumobashi.planning.services import AskedOperation
from kumobashi.planning.validity import against_layout, stale_directory, stale_sites, unpublished
from kumobashi.planning.ways import CallWay, call_way
from kumobashi.planning.workspace import Workspace
from kumobashi.policy.deciding import Reason
from kumobashi.policy.tables import Tables

_ABOUT_A_PERSON = ("personal", "identifier", "special")
_HIDEABLE = ("policy.item_forbidden", "policy.level_mask", "policy.form_not_permitted")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPlan(Decided):
    """The plan of an online link; the data go from the service to the system that asks."""

    link: CallFile
    items: tuple[CallItem, ...]  # that the asking system gets
    hidden: tuple[CallItem, ...]  # that the answer has, and it does not get
    requested: tuple[CallItem, ...]  # that it gives
    operations: tuple[AskedOperation, ...]
    ways: tuple[CallWay, ...]  # to every site where the service runs, the usual one first
    unit: str | None  # the business unit that asks
    kinds: tuple[str, ...]  # of information that the answers hold

    @property
    def is_fetched(self) -> bool:
        """Whether a call waits until the answering side comes for it."""
        return any(way.is_fetched for way in self.ways)


def call_plan(
    workspace: Workspace,
    directory: Directory | None,
    link: str,
    *,
    on: date,
    tables: Tables | None = None,
) -> CallPlan:
    """Return the plan of an online link for a day; without a directory it is refused, but drawn.

    Raises:
        LinkUnknown: there is no such online link.
        PolicyUnreadable: the tables make no sense.
    """
    tables = tables or workspace.tables
    call = workspace.call(link)
    answering, asking = workspace.systems[call.from_], workspace.systems[call.to]
    asked = operations_of(workspace, call)
    shown, hidden = answered_items(workspace, call, asked)
    requested = requested_items(workspace, call, asked)
    found = [
        call_way(workspace, asking.site, site)
        for site in (answering.site, *(one.site for one in answering.standby))
    ]
    ways = tuple(way for way, _ in found)
    decisions = [
        decision
        for way in ways
        for decision in call_decisions(workspace, call, way, asked, (shown, requested), tables, on)
    ]
    decision = call_decision_of(
        workspace,
        directory,
        call,
        asked=asked,
        shown=shown,
        hidden=hidden,
        requested=requested,
        ways=ways,
    )
    rows = [tables.kind_of_layout(layout.layout, on=on) for layout in layouts_of(workspace, asked)]
    unit = asking.unit
    if (
        unit is None
        and asking.business
        and (row := tables.unit_of_business(asking.business, on=on))
    ):
        unit = row.unit
    reasons = (
        *_stale(workspace, directory, call, ways),
        *_ended_layouts(workspace, call, asked, on),
        *over(workspace, call, asked, on),
        *(reason for _, wrong in found for reason in wrong),
        *(_with_hiding(call, reason, shown) for one in decisions for reason in one.reasons),
    )
    basis = call.legal_basis
    return CallPlan(
        link=call,
        on=on,
        from_name=answering.name,
        to_name=asking.name,
        from_site_name=workspace.sites[answering.site].name,
        to_site_name=workspace.sites[asking.site].name,
        items=shown,
        hidden=hidden,
        requested=requested,
        operations=asked,
        hops=ways[0].hops,
        ways=ways,
        site_names={
            site: workspace.sites[site].name
            for way in ways
            for hop in way.hops
            for site in (hop.from_site, hop.to_site)
        },
        unit=unit,
        kinds=tuple(dict.fromkeys(row.kind for row in rows if row)),
        basis=tables.basis(basis.code, on=on) if basis else None,
        reasons=tuple(dict.fromkeys(reasons)),
        cautions=tuple(
            dict.fromkeys(
                (
                    *_cautions(workspace, call, asked, requested),
                    *ending_versions(workspace, call, asked, on),
                    *(caution for one in decisions for caution in one.cautions),
                    *(c for way in ways for c in net_cautions(workspace, link, way.hops)),
                )
            )
        ),
        decision=decision,
        hash=digest(canonical(decision)),
        rows=tuple(dict.fromkeys(row for one in decisions for row in one.rows)),
    )


def _with_hiding(call: CallFile, reason: Reason, shown: tuple[CallItem, ...]) -> Reason:
    """Return a reason against an item with what an online link can do about it: hide it."""
    item = next((item for item in shown if item.where == reason.where), None)
    if item is None or reason.code not in _HIDEABLE:
        return reason
    return replace(
        reason,
        remedy_ja="渡さなくてよければ hide に書いてください（回答する側で消してから返します）。",
        remedy_en="Unless it is needed, write it into hide: it is blanked before it leaves.",
        example=f"hide: [{', '.join((*call.hide, item.item))}]",
    )


def _stale(
    workspace: Workspace, directory: Directory | None, call: CallFile, ways: tuple[CallWay, ...]
) -> tuple[Reason, ...]:
    """Return the reason when the signed directory does not say what the files say."""
    at_link = workspace.where(f"calls/{call.link}.yaml", "from")
    if directory is None:
        return (unpublished(at_link),)
    for way in ways:
        if stale := stale_sites(workspace, directory, way.hops):
            return stale
    written = workspace.systems[call.from_]
    held = directory.systems.get(call.from_)
    places = (written.site, tuple(one.site for one in written.standby))
    _, entry = workspace.service(call)
    if (
        held is None
        or (held.site, held.standby) != places
        or held.services.get(call.service) != entry
    ):
        reference = f"{call.from_}.{call.service}"
        return (
            stale_directory(
                ja=f"発行済みのディレクトリ第{directory.version}版に「{reference}」がないか、"
                "サイト・版・操作・文書が違います",
                en=f"Version {directory.version} of the directory lacks {reference}, or has other"
                " sites, versions, operations or another document for it",
                where=at_link,
            ),
        )
    asking = directory.systems.get(call.to)
    if asking is None or asking.site != workspace.systems[call.to].site:
        return (
            stale_directory(
                ja=f"発行済みのディレクトリ第{directory.version}版に「{call.to}」がないか、サイトが"
                "違います",
                en=f"Version {directory.version} of the directory lacks {call.to}, or has another"
                " site for it",
                where=workspace.where(f"calls/{call.link}.yaml", "to"),
            ),
        )
    return ()


def _ended_layouts(
    workspace: Workspace, call: CallFile, asked: tuple[AskedOperation, ...], on: date
) -> tuple[Reason, ...]:
    return tuple(
        reason
        for layout in layouts_of(workspace, asked)
        for reason in against_layout(layout, on=on, where=at_answer(workspace, call, asked, layout))
    )


def _cautions(
    workspace: Workspace,
    call: CallFile,
    asked: tuple[AskedOperation, ...],
    requested: tuple[CallItem, ...],
) -> Iterator[Reason]:
    service, _ = workspace.service(call)
    told = {item.item: item for item in requested if item.sensitivity in _ABOUT_A_PERSON}
    for one in asked:
        for name in one.request:
            if name in told and f"{{{name}}}" in one.path:
                yield Reason(
                    code="planning.item_in_path",
                    ja=f"「{told[name].ja}」が URL（{one.path}）に入ります。相手のアクセスログに"
                    "残るおそれがあります",
                    en=f"{name!r} stands in the URL ({one.path}); access logs there may keep it",
                    where=told[name].where,
                    remedy_ja="回答する側に、本文で渡す操作（POST）がないか確かめてください。",
                    remedy_en="Ask whether there is an operation that takes it in its body (POST).",
                )
    if service.test_only:
        yield Reason(
            code="planning.test_only",
            ja=f"{call.from_} の {call.service} は試験の照会だけを受けます。本番の照会は断られます",
            en=f"{call.from_}.{call.service} takes tests only; other calls are refused",
            where=workspace.where(f"systems/{call.from_}.yaml", "services", call.service),
            remedy_ja="本番で使うときは test_only を消してください。",
            remedy_en="Delete test_only when it goes into service.",
        )
