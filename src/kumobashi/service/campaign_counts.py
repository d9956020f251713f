"""Count campaigns where their data lie: open the stores, lay both conditions side by side, forget.

Nothing leaves; the rows are gone when the counts are taken.
"""

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import duckdb

from kumobashi.exchange.aiming import hall_of, times_of
from kumobashi.exchange.packing import write_parquet
from kumobashi.planning.campaign_items import asked_items
from kumobashi.planning.campaign_story import CampaignLine, campaigns_of, rule_of
from kumobashi.planning.errors import CampaignUncounted
from kumobashi.planning.links import LinkFile
from kumobashi.planning.workspace import Workspace
from kumobashi.release.abstraction import AbstractionError, count, side_by_side
from kumobashi.release.campaigns import Campaign
from kumobashi.release.climbed_error import with_climbed
from kumobashi.release.columns import AnyColumn
from kumobashi.release.comparing import Way, compare
from kumobashi.release.data_times import freshness, why_stopped
from kumobashi.release.errors import BaseDateBeforeData
from kumobashi.release.gate_report import GateReport
from kumobashi.release.ladders import at_level, steps
from kumobashi.release.people import alike
from kumobashi.release.releasing import Source
from kumobashi.release.rules import ReleaseRule
from kumobashi.service.campaign_sources import targeting_of
from kumobashi.service.protecting import open_source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kumobashi.storage.tables import TableStore

_MEMORY_MIB = 768


def campaign_lines(
    workspace: Workspace,
    campaigns: Sequence[Campaign],
    *,
    on: date,
    now: datetime,
    is_compared: bool = False,
) -> list[CampaignLine]:
    """Return a line for each campaign; with ``is_compared`` also the three ways of each alone.

    Raises:
        CampaignUncounted: a campaign has no release rule to be counted with.
        BaseDateBeforeData: the data are of later days than the base date.
        StoreUnreachable: a source does not answer.
    """
    by_rule: dict[str, list[Campaign]] = {}
    for campaign in campaigns:
        rule = rule_of(workspace, campaign)
        if rule is None:
            raise CampaignUncounted(campaign=campaign.campaign)
        by_rule.setdefault(rule.release, []).append(campaign)
    found: dict[str, CampaignLine] = {}
    for name, served in by_rule.items():
        groups = [[one] for one in served] if is_compared else [served]
        for group in groups:
            for line in lines_of_rule(
                workspace, workspace.rules[name], group, on=on, now=now, is_compared=is_compared
            )[0]:
                found[line.campaign.campaign] = line
    return [found[campaign.campaign] for campaign in campaigns]


def campaigns_of_plan(
    workspace: Workspace,
    link: LinkFile,
    *,
    on: date,
    now: datetime,
    gate: GateReport | None = None,
) -> tuple[list[CampaignLine], tuple[Way, ...]]:
    """Return the campaigns that a link serves, and the three ways for all of them together.

    ``gate`` is what was measured of the link: what it makes coarser is a way of its own.

    Those of a predicate-only link are held against their coarsened conditions, where they have one:
    that is what the link spares. Without one rule for all there are no ways.
    """
    campaigns = campaigns_of(workspace, link)
    if not campaigns:
        return [], ()
    rules = {rule.release for c in campaigns if (rule := rule_of(workspace, c)) is not None}
    if len(rules) == 1:
        return lines_of_rule(
            workspace,
            workspace.rules[min(rules)],
            campaigns,
            on=on,
            now=now,
            is_compared=True,
            levels=gate.levels if gate and link.release in rules else {},
        )
    return campaign_lines(workspace, campaigns, on=on, now=now), ()


def lines_of_rule(
    workspace: Workspace,
    rule: ReleaseRule,
    campaigns: Sequence[Campaign],
    *,
    on: date,
    now: datetime,
    is_compared: bool,
    levels: Mapping[str, int] = MappingProxyType({}),
) -> tuple[list[CampaignLine], tuple[Way, ...]]:
    """Return the lines of one rule's campaigns and, if asked for, the ways for all together.

    ``levels`` are those of columns that the gate makes coarser than the rule says.

    Campaigns that choose from different people cannot be compared together: then there are no ways.
    """
    stores: dict[str, TableStore] = {}
    targeting = targeting_of(workspace, campaigns, stores)
    for reference in rule.datasets.values():
        system = workspace.dataset(reference)[0]
        if system.system not in stores:
            stores[system.system] = open_source(workspace, system)
    counted: dict[str, AbstractionError] = {}
    ways: tuple[Way, ...] = ()
    groups = alike(campaigns)
    with ExitStack() as stack:
        readers = {id(s): stack.enter_context(s.reading()) for s in stores.values()}
        times = times_of(targeting, readers, now)
        stopped = {c.campaign: why_stopped(c, times, on=on, now=now) for c in campaigns}
        for wrong in stopped.values():
            if isinstance(
                wrong, BaseDateBeforeData
            ):  # nothing that could be counted means anything
                raise wrong
        sources = {}
        for name, reference in rule.datasets.items():
            system, dataset = workspace.dataset(reference)
            sources[name] = Source(readers[id(stores[system.system])], dataset.table)
        work, folder = stack.enter_context(_workroom())
        for people in side_by_side(
            rule,
            groups,
            sources,
            hall_of(targeting, readers),
            work,
            purpose=campaigns[0].purpose,
            on=on,
            is_whole=is_compared,
            levels=levels,
        ):
            lines = [
                with_climbed(rule, line, people, levels, work)
                for line in count(rule.release, people, work)
            ]
            counted |= {line.campaign.campaign: line for line in lines}
            if is_compared and len(groups) == 1:
                told = [c for c in rule.columns if c.op not in {"token", "campaign"}]
                ways = compare(
                    people,
                    lines,
                    [column.name for column in told],
                    work,
                    size_of=_bytes,
                    folder=folder,
                    climbed=_climbed(told, levels) if levels else None,
                )
    found, named = [], _named(workspace, rule)
    for campaign in campaigns:
        is_dated = all(reference in times for reference in campaign.datasets.values())
        found.append(
            CampaignLine(
                campaign=campaign,
                rule=rule.release,
                counted=counted[campaign.campaign],
                items=asked_items(workspace, campaign),
                freshness=freshness([campaign], times) if is_dated else None,
                stopped=stopped[campaign.campaign],
                named=named,
            )
        )
    if len(found) == 1:
        found = [replace(found[0], ways=ways)]
    return found, ways


def _climbed(told: Sequence[AnyColumn], levels: Mapping[str, int]) -> list[str]:
    """Return what the columns are called where all levels stand side by side; none that drops."""
    found = (at_level(steps(column), levels.get(column.name, 0)) for column in told)
    return [column.name for column in found if column is not None]


def _named(workspace: Workspace, rule: ReleaseRule) -> dict[str, str]:
    """Return the Japanese names of a rule's columns, as a receiving layout calls them."""
    return {
        field.name: field.ja
        for link in workspace.links.values()
        if link.release == rule.release
        for field in workspace.layout(f"{link.to.system}.{link.to.dataset}").fields
    }


def _bytes(work: duckdb.DuckDBPyConnection, relation: str, path: Path) -> int:
    return write_parquet(work, relation, path).bytes


@contextmanager
def _workroom() -> "Iterator[tuple[duckdb.DuckDBPyConnection, Path]]":
    with tempfile.TemporaryDirectory(prefix="kumobashi-campaign-") as folder:
        work = duckdb.connect()
        try:
            work.execute(
                f"set memory_limit = '{_MEMORY_MIB}MiB'; set temp_directory = '{folder}';"
                " set preserve_insertion_order = false; set enable_progress_bar = false"
            )
            yield work, Path(folder)
        finally:
            work.close()
