"""Believable reports of the gate for scenes: the sample's own rules and limits, invented people.

Figures come out of sizes of groups by the code that measures real ones, so they agree with each
other; the ladders are those of ``planning/sample/rules``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ruamel.yaml import YAML

import kumobashi.planning
from kumobashi.catalogue.layouts import load_layouts
from kumobashi.release.gate import thresholds_of
from kumobashi.release.gate_report import (
    GateReport,
    Outcome,
    climbs_of,
    figures_of,
    limits_of,
)
from kumobashi.release.rules import ReleaseRule
from kumobashi.risk.measures import Measures, SensitiveMeasures, Sizes, tell

if TYPE_CHECKING:
    from kumobashi.release.gates import Gate

_RULES = Path(kumobashi.planning.__file__).parent / "sample" / "rules"
Groups = Sequence[tuple[int, int, int]]  # people sent, people in the town, how many such groups
WRITTEN: Groups = ((1, 1, 389_279), (1, 2, 6_010), (2, 2, 2_912), (2, 3, 840), (3, 4, 96))
CLIMBED: Groups = (
    (10, 14, 212),
    (31, 33, 618),
    (74, 80, 1_106),
    (262, 275, 1_001),
    (2_410, 2_466, 14),
    (2_753, 2_801, 1),
)
FEW_WRITTEN: Groups = ((1, 1, 171), (1, 4, 9), (2, 6, 2))


@cache
def sample_rule(name: str) -> ReleaseRule:
    """Return a release rule of the sample workspace."""
    text = (_RULES / f"{name}.yaml").read_text(encoding="utf-8")
    return ReleaseRule.model_validate(YAML(typ="safe", pure=True).load(text))


def climbed(*, left_out: int = 0) -> GateReport:
    """Return what the gate did with the notice attributes: four columns became coarser."""
    levels = {"birth_ym": 2, "town_code": 2, "household_ages": 2, "child_birth_yms": 2}
    values = {"tax_exempt": 2, "child_support_allowance": 1, "public_assistance": 1}
    after = _measures(CLIMBED, values, {"public_assistance": 0.21, "tax_exempt": 0.18})
    before = _measures(WRITTEN, {}, {})
    after = replace(after, suppressed=left_out)
    return _report(Outcome.CLIMBED, before, after, levels, left_out)


def refused() -> GateReport:
    """Return what the gate found of a few people who all stand out, however coarse."""
    return _report(Outcome.REFUSED, _measures(FEW_WRITTEN, {}, {}), None, {}, 0)


def _measures(groups: Groups, values: Mapping[str, int], t: Mapping[str, float]) -> Measures:
    told = tell(Sizes(rows=rows, population=town, classes=count) for rows, town, count in groups)
    as_written = not values
    return replace(
        told,
        sensitive={
            column.name: SensitiveMeasures(
                l=1 if as_written else values.get(column.name, 2),
                entropy_l=1.0,
                t=0.9 if as_written else t.get(column.name, 0.3),
                delta=0.0,
                is_ordered=True,
                values=2,
            )
            for column in sample_rule("notice-attributes").having("sensitive")
        },
    )


def _report(
    outcome: Outcome,
    before: Measures,
    after: Measures | None,
    levels: Mapping[str, int],
    left_out: int,
) -> GateReport:
    rule = sample_rule("notice-attributes")
    gate = cast("Gate", rule.gate)
    thresholds = thresholds_of(gate, [column.name for column in rule.having("sensitive")])
    return GateReport(
        outcome=outcome,
        columns=tuple(column.name for column in rule.having("quasi")),
        limits=limits_of(thresholds, before, after),
        before=figures_of(before),
        after=figures_of(after) if after else None,
        climbs=climbs_of(rule, levels),
        suppressed=left_out,
        names=_names(rule),
        chosen_on="2026-11-22",
    )


def _names(rule: ReleaseRule) -> dict[str, str]:
    """Return what the layout that the rule makes calls its columns."""
    layout = next(one for one in load_layouts() if one.layout == rule.release)
    called = {field.name: field.ja for field in layout.fields}
    return {column.name: called.get(column.name, column.name) for column in rule.released}
