"""The plan of a link: what would leave, in which form, which way, on what basis, and whether.

``plan`` is pure: files, directory, tables and a day go in. What was counted at the sources is added
by ``measuring`` and never touches the hash, which covers the decision alone.

>>> from kumobashi.planning.sampling import write_sample
>>> from kumobashi.planning.workspace import load
>>> import pathlib, tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     workspace = load(write_sample(pathlib.Path(folder) / "city"))
>>> refused = plan(workspace, None, "welfare-to-citizen-app", on=date(2026, 11, 21))
>>> refused.is_permitted
False
>>> [reason.code for reason in refused.reasons]
['planning.no_directory', 'policy.no_basis', 'policy.item_forbidden']
"""

from dataclasses import dataclass
from datetime import date

from kumobashi.crypto.canonical import canonical, digest
from kumobashi.directory.entries import Directory
from kumobashi.directory.models import By
from kumobashi.messages.retention import Retention
from kumobashi.planning.coding import against_coding
from kumobashi.planning.decided import Decided
from kumobashi.planning.decisions import decision_of
from kumobashi.planning.gating import against_gate
from kumobashi.planning.items import PlannedItem, items_of
from kumobashi.planning.links import Bounds, LinkFile
from kumobashi.planning.net_allowed import net_cautions
from kumobashi.planning.questioning import question_of
from kumobashi.planning.retaining import against_retention, retention_of
from kumobashi.planning.validity import against_layout, stale_directory, stale_sites, unpublished
from kumobashi.planning.ways import way_of
from kumobashi.planning.workspace import Workspace
from kumobashi.policy.deciding import (
    Reason,
    decide,
)
from kumobashi.policy.tables import RetentionRow, Tables
from kumobashi.routing.finding import Hop


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(Decided):
    """The plan of a bulk link: what a release rule lets leave."""

    link: LinkFile
    items: tuple[PlannedItem, ...]
    left_out: tuple[str, ...]  # items of the subject's dataset that do not leave, in Japanese
    retention: Retention | None  # how long the receiver may keep it; none: no end was declared
    retention_row: RetentionRow | None
    rule_version: int
    is_predicate_only: bool
    largest_part_bytes: int

    @property
    def bounds(self) -> Bounds:
        """How far a run may differ from the approved counts."""
        return self.link.bounds

    @property
    def fallback(self) -> str | None:
        """The link that steps in when the gate lets nothing leave."""
        return self.link.fallback

    @property
    def names(self) -> dict[str, str]:
        """What the released columns are called in Japanese."""
        return {item.name: item.ja for item in self.items}


def plan(
    workspace: Workspace,
    directory: Directory | None,
    link: str,
    *,
    on: date,
    tables: Tables | None = None,
) -> Plan:
    """Return the plan of a link for a day; without a directory it is refused, but still drawn.

    The rules are those of the workspace: ours, with the rows of its folder ``policy``.

    Raises:
        LinkUnknown: there is no such link.
        PolicyUnreadable: the tables make no sense.
    """
    tables = tables or workspace.tables
    declared = workspace.link(link)
    rule = workspace.rules[declared.release]
    source, receiver = workspace.systems[declared.from_], workspace.systems[declared.to.system]
    hops, wrong = way_of(workspace, source.site, receiver.site)
    items = items_of(workspace, declared)
    question = question_of(workspace, declared, hops, items)
    verdict = decide(question, tables, on=on)
    decision = decision_of(workspace, directory, declared, items, hops)
    basis = declared.legal_basis
    return Plan(
        link=declared,
        on=on,
        from_name=source.name,
        to_name=receiver.name,
        from_site_name=workspace.sites[source.site].name,
        to_site_name=workspace.sites[receiver.site].name,
        items=items,
        left_out=_left_out(workspace, declared, items),
        hops=hops,
        site_names={
            site: workspace.sites[site].name
            for hop in hops
            for site in (hop.from_site, hop.to_site)
        },
        basis=tables.basis(basis.code, on=on) if basis else None,
        retention=retention_of(declared, tables, on=on),
        retention_row=tables.retention(declared.retention.class_, on=on)
        if declared.retention
        else None,
        rule_version=rule.version,
        is_predicate_only=rule.predicate_only,
        largest_part_bytes=min(
            (workspace.sites[hop.to_site].largest_part_bytes for hop in hops),
            default=workspace.sites[source.site].largest_part_bytes,
        ),
        reasons=(
            *_stale(workspace, directory, declared, hops),
            *_ended_layouts(workspace, declared, on),
            *wrong,
            *against_retention(
                declared,
                tables,
                on=on,
                where=workspace.where(f"links/{link}.yaml", "retention"),
            ),
            *against_gate(
                rule,
                workspace.sites[receiver.site],
                where=workspace.where(
                    f"rules/{rule.release}.yaml", "gate" if rule.gate else "release"
                ),
            ),
            *against_coding(workspace, declared, on=on),
            *_untaken_formats(workspace, declared),
            *_uncarried(workspace, declared, hops),
            *verdict.reasons,
        ),
        cautions=(*verdict.cautions, *net_cautions(workspace, link, hops)),
        decision=decision,
        hash=digest(canonical(decision)),
        rows=verdict.rows,
    )


def _uncarried(workspace: Workspace, link: LinkFile, hops: tuple[Hop, ...]) -> tuple[Reason, ...]:
    """Return the reason when only media lead there and the link does not permit them."""
    if link.courier or not any(hop.by == By.COURIER for hop in hops):
        return ()
    return (
        Reason(
            code="planning.media_not_permitted",
            ja="回線がなく媒体だけで届く先ですが、連携が媒体での持ち運びを許していません",
            en="Only media lead there, and the link does not permit them",
            where=workspace.where(f"links/{link.link}.yaml", "to"),
            remedy_ja="許すなら連携に courier を書いてください。",
            remedy_en="To permit them, write courier into the link.",
            example="courier: {longest_days: 7}",
        ),
    )


def _left_out(
    workspace: Workspace, link: LinkFile, items: tuple[PlannedItem, ...]
) -> tuple[str, ...]:
    rule = workspace.rules[link.release]
    layout = workspace.layout(rule.datasets[rule.subject.dataset])
    used = {item.source for item in items}
    subject = rule.subject.dataset
    return tuple(f.ja for f in layout.fields if f"{subject}.{f.name}" not in used)


def _stale(
    workspace: Workspace, directory: Directory | None, link: LinkFile, hops: tuple[Hop, ...]
) -> tuple[Reason, ...]:
    """Return the reason when the signed directory does not say what the files say."""
    at_link = workspace.where(f"links/{link.link}.yaml", "to")
    if directory is None:
        return (unpublished(at_link),)
    if stale := stale_sites(workspace, directory, hops):
        return stale
    receiver = directory.systems.get(link.to.system)
    dataset = workspace.systems[link.to.system].datasets[link.to.dataset]
    entry = receiver.datasets.get(link.to.dataset) if receiver else None
    if entry is None or (entry.layout, entry.version) != (dataset.layout, dataset.version):
        reference = f"{link.to.system}.{link.to.dataset}"
        return (
            stale_directory(
                ja=f"発行済みのディレクトリ第{directory.version}版に「{reference}」がないか、"
                "レイアウトが違います",
                en=f"Version {directory.version} of the directory lacks {reference}, or has another"
                " layout for it",
                where=at_link,
            ),
        )
    return ()


def _untaken_formats(workspace: Workspace, link: LinkFile) -> tuple[Reason, ...]:
    """Return the reason when the receiver's site does not take the form that is sent."""
    name = workspace.systems[link.to.system].site
    taken = workspace.sites[name].profile.formats
    if link.format in taken:
        return ()
    listed = "、".join(taken)
    return (
        Reason(
            code="planning.format_not_taken",
            ja=f"{workspace.sites[name].name}は {link.format} を受けません（受けるのは {listed}）",
            en=f"{name} does not take {link.format}, only {', '.join(taken)}",
            where=workspace.where(f"links/{link.link}.yaml", "format"),
            remedy_ja=f"format を {taken[0]} にするか、相手に受入条件を確かめてください。",
            remedy_en=f"Set format to {taken[0]}, or ask what the receiver takes.",
            example=f"format: {taken[0]}",
        ),
    )


def _ended_layouts(workspace: Workspace, link: LinkFile, on: date) -> tuple[Reason, ...]:
    """Return a reason for each layout that may not be used on the day."""
    rule = workspace.rules[link.release]
    found: list[Reason] = []
    for reference in sorted({*rule.datasets.values(), f"{link.to.system}.{link.to.dataset}"}):
        system, _, dataset = reference.partition(".")
        where = workspace.where(f"systems/{system}.yaml", "datasets", dataset, "version")
        found += against_layout(workspace.layout(reference), on=on, where=where)
    return tuple(found)
