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
from kumobashi.planning.questioning import question_of
from kumobashi.planning.retaining import against_retention, retention_of
from kumobashi.planning.workspace import Workspace
from kumobashi.policy.deciding import (
    Reason,
    Where,
    decide,
)
from kumobashi.policy.tables import RetentionRow, Tables
from kumobashi.routing.errors import RoutingFailed
from kumobashi.routing.finding import Hop, route


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
    hops, wrong = _way(workspace, source.site, receiver.site)
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
        cautions=verdict.cautions,
        decision=decision,
        hash=digest(canonical(decision)),
        rows=verdict.rows,
    )


def _way(
    workspace: Workspace, from_site: str, to_site: str
) -> tuple[tuple[Hop, ...], tuple[Reason, ...]]:
    """Return the route, or the reason why there is none."""
    try:
        return route(workspace.sites, from_site, to_site), ()
    except RoutingFailed as error:
        last = error.facts.get("last", from_site)
        reason = Reason(
            code=error.code,
            ja=error.say("ja").rstrip("。"),
            en=error.say("en").rstrip("."),
            where=workspace.where(f"sites/{last}.yaml", "connects_to"),
            remedy_ja=error.remedy("ja"),
            remedy_en=error.remedy("en"),
            example=f"connects_to: [{{site: {to_site}, by: ip_vpn}}]",
        )
        return (), (reason,)


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
        ja, en = "署名付きディレクトリがまだ発行されていません", "No directory has been published"
        return (_publish("planning.no_directory", ja, en, at_link),)
    version = directory.version
    for name in dict.fromkeys(name for hop in hops for name in (hop.from_site, hop.to_site)):
        held, written = directory.sites.get(name), workspace.sites[name]
        said = [(c.site, c.by) for c in held.connects_to] if held else None
        if (
            held is None
            or said != [(c.site, c.by) for c in written.connects_to]
            or (held.zone, held.role, held.url) != (written.zone, written.role, written.url)
        ):
            ja = f"発行済みのディレクトリ第{version}版が sites/{name}.yaml と違います"
            en = f"Version {version} of the directory differs from sites/{name}.yaml"
            at_site = workspace.where(f"sites/{name}.yaml", "site")
            return (_publish("planning.directory_stale", ja, en, at_site),)
    receiver = directory.systems.get(link.to.system)
    dataset = workspace.systems[link.to.system].datasets[link.to.dataset]
    entry = receiver.datasets.get(link.to.dataset) if receiver else None
    if entry is None or (entry.layout, entry.version) != (dataset.layout, dataset.version):
        reference = f"{link.to.system}.{link.to.dataset}"
        ja = f"発行済みのディレクトリ第{version}版に「{reference}」がないか、レイアウトが違います"
        en = f"Version {version} of the directory lacks {reference}, or has another layout for it"
        return (_publish("planning.directory_stale", ja, en, at_link),)
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


def _publish(code: str, ja: str, en: str, where: Where) -> Reason:
    return Reason(
        code=code,
        ja=ja,
        en=en,
        where=where,
        remedy_ja="発行してください: kumobashi directory publish",
        remedy_en="Publish it: kumobashi directory publish",
    )


def _ended_layouts(workspace: Workspace, link: LinkFile, on: date) -> tuple[Reason, ...]:
    """Return a reason for each layout that may not be used on the day."""
    rule = workspace.rules[link.release]
    used = {*rule.datasets.values(), f"{link.to.system}.{link.to.dataset}"}
    found = []
    for reference in sorted(used):
        layout = workspace.layout(reference)
        if layout.is_valid(on):
            continue
        system, _, dataset = reference.partition(".")
        end = layout.valid_to.isoformat() if layout.valid_to else ""
        found.append(
            Reason(
                code="planning.layout_not_valid",
                ja=f"{on.isoformat()} にはレイアウト「{layout.ja}」第{layout.version}版を使えません"
                f"（{layout.valid_from.isoformat()} から {end}）",
                en=f"The layout {layout.layout} {layout.version} holds from"
                f" {layout.valid_from.isoformat()} to {end or 'now'}, not on {on.isoformat()}",
                where=workspace.where(f"systems/{system}.yaml", "datasets", dataset, "version"),
                remedy_ja="その日に有効な版を書いてください。",
                remedy_en="Write the version that holds on that day.",
            )
        )
    return tuple(found)
