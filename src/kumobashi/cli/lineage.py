"""Where an item comes from and where it goes: datasets, rule columns and links of a workspace.

What the workspace describes, whether a plan permits it or not. Pure but for what it is given: the
workspace goes in, flows come out; ``catalogue.py`` draws them.
"""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from kumobashi.catalogue.errors import ItemUnknown
from kumobashi.catalogue.fields import Field
from kumobashi.exchange.views import Words
from kumobashi.planning.campaign_items import asked_items
from kumobashi.planning.items import items_of
from kumobashi.planning.rule_columns import columns_used
from kumobashi.planning.workspace import Workspace
from kumobashi.release.campaigns import Campaign


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """One column of one dataset: ``integrated-db.residents`` and ``birth_date``."""

    dataset: str
    column: str

    def __str__(self) -> str:
        return f"{self.dataset}.{self.column}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One step of one link: a column is made from another, or decides about the rows."""

    kind: Literal["becomes", "decides"]
    source: Place
    source_ja: str
    target: Place | None  # decides: none
    target_ja: str
    said: Words  # what is done with it
    link: str
    link_ja: str
    file: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """Where an item is held, and every flow it takes part in, nearest to its origin first."""

    item: str
    held: tuple[tuple[Place, str, str], ...]  # place, Japanese name, system's name
    flows: tuple[Flow, ...]


def lineage(workspace: Workspace, item: str) -> Lineage:
    """Return where an item goes and comes from.

    ``item`` is a name of the registry, a column, a Japanese name or romaji, or one column of one
    dataset or layout (``integrated-db.residents.birth_date``, ``resident-registry.birth_date``).

    Raises:
        ItemUnknown: no dataset of the workspace holds such an item.
    """
    fields = dict(_fields(workspace))
    start = {place for place, field in fields.items() if item in _names(workspace, place, field)}
    if not start:
        known = {f.item or f.name for f in fields.values()} | {f.ja for f in fields.values()}
        near = difflib.get_close_matches(item, sorted(known), n=5, cutoff=0.4)
        raise ItemUnknown(item=item, known=", ".join(near) or "-")
    every = [flow for name in sorted(workspace.links) for flow in _flows(workspace, name, fields)]
    after, before = _closure(every, start), _closure(every, start, backwards=True)
    flows = [*reversed(before), *(flow for flow in after if flow not in before)]
    return Lineage(
        item=item,
        held=tuple(
            (place, fields[place].ja, workspace.dataset(place.dataset)[0].name)
            for place in sorted(start)
        ),
        flows=tuple(flows),
    )


def _fields(workspace: Workspace) -> Iterator[tuple[Place, Field]]:
    for system in workspace.systems.values():
        for name in system.datasets:
            reference = f"{system.system}.{name}"
            for field in workspace.layout(reference).fields:
                yield Place(reference, field.name), field


def _names(workspace: Workspace, place: Place, field: Field) -> set[str | None]:
    layout = workspace.layout(place.dataset)
    return {
        field.item,
        field.name,
        field.ja,
        field.romaji or None,
        field.item_id,
        str(place),
        f"{layout.layout}.{field.name}",
        f"{layout.ja}.{field.ja}",
    } - {None}


def _flows(workspace: Workspace, name: str, fields: dict[Place, Field]) -> Iterator[Flow]:
    link = workspace.links[name]
    rule = workspace.rules[link.release]
    file = f"rules/{link.release}.yaml"
    to = f"{link.to.system}.{link.to.dataset}"

    def flow(dataset: str, column: str, target: str | None, said: Words, line: int) -> Flow:
        source = Place(rule.datasets[dataset], column)
        return Flow(
            kind="decides" if target is None else "becomes",
            source=source,
            source_ja=fields[source].ja,
            target=Place(to, target) if target else None,
            target_ja=fields[Place(to, target)].ja if target else "",
            said=said,
            link=name,
            link_ja=link.name,
            file=file,
            line=line,
        )

    for made in items_of(workspace, link):
        if made.source is not None:
            dataset, _, column = made.source.partition(".")
            said = Words(ja=made.operation_ja, en=made.operation_en)
            yield flow(dataset, column, made.name, said, made.where.line)
    for code in rule.campaigns:
        yield from _of_campaign(workspace, name, workspace.campaigns[code], fields)
    for dataset, path, column in columns_used(rule):
        said_of = _decides(path)
        if said_of:
            yield flow(dataset, column, None, said_of, workspace.where(file, *path).line)


def _of_campaign(
    workspace: Workspace, link: str, campaign: Campaign, fields: dict[Place, Field]
) -> Iterator[Flow]:
    """Give the columns that decide in the hall whom a predicate-only link tells of."""
    file = f"campaigns/{campaign.campaign}.yaml"
    for item in asked_items(workspace, campaign):
        source = Place(item.reference, item.column)
        if source in fields:
            yield Flow(
                kind="decides",
                source=source,
                source_ja=item.ja,
                target=None,
                target_ja="",
                said=Words(
                    ja=f"通知「{campaign.name}」の対象を庁内で決める",
                    en=f"decides in the hall whom {campaign.campaign} means",
                ),
                link=link,
                link_ja=workspace.links[link].name,
                file=file,
                line=workspace.where(file, "exact").line,
            )


def _decides(path: tuple[str | int, ...]) -> Words | None:
    """Return in words what a column decides about; nothing where it is what is released."""
    match path:
        case ("columns", _, "only", *_) | ("columns", _, "dataset"):
            return Words(ja="項目の値を決める", en="decides about the value of an item")
        case ("columns", *_):
            return None
        case ("consent", *_):
            return Words(ja="同意を確かめる", en="decides about consent")
        case _:
            return Words(ja="対象者を選ぶ", en="decides whom rows are about")


def _closure(flows: list[Flow], start: set[Place], *, backwards: bool = False) -> list[Flow]:
    """Return the flows that begin at ``start``, then those that begin where these end."""
    found: list[Flow] = []
    frontier, seen = set(start), set[Place]()
    while frontier:
        seen |= frontier
        step = [f for f in flows if (f.target if backwards else f.source) in frontier]
        found += [f for f in step if f not in found]
        ends = {f.source if backwards else f.target for f in step}
        frontier = {place for place in ends if place is not None} - seen
    return found
