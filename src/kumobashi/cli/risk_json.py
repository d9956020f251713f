"""The answer of ``kumobashi risk`` for machines: ``docs/reference/risk.md`` explains each key."""

from typing import TYPE_CHECKING, Any

from kumobashi.risk.measures import NEAR
from kumobashi.risk.searching import Found

if TYPE_CHECKING:
    from kumobashi.cli.risk import Answer, Asked
    from kumobashi.risk.losses import Losses
    from kumobashi.risk.measures import Measures
    from kumobashi.risk.searching import NothingFound


def as_json(asked: "Asked", answer: "Answer") -> dict[str, Any]:
    """Return all that was measured; what could not be is null, never a number."""
    said: dict[str, Any] = {"file": asked.path.name, "quasi_identifiers": asked.columns}
    said |= of_measures(answer.measures)
    said["identifying"] = [
        {
            "columns": list(one.columns),
            "distinction": one.distinction,
            "separation": one.separation,
        }
        for one in answer.identifying
    ]
    if answer.searched:
        first = asked.objectives[0]
        said |= {"target_k": asked.target_k, "suppression": asked.suppression, "objective": first}
        best = _optimum(answer.searched[first])
        said |= {"levels": best["levels"], "losses": best["losses"]}
        said["optimal"] = {name: _optimum(found) for name, found in answer.searched.items()}
    return said


def of_measures(found: "Measures") -> dict[str, Any]:
    """Return the measures by their published names."""
    return {
        "rows": found.rows,
        "classes": found.classes,
        "k": found.k,
        "k_map": found.k_map,
        "l": found.l,
        "entropy_l": found.entropy_l,
        "t": found.t,
        "delta_disclosure": found.delta_disclosure,
        "unique_share": found.unique_share,
        "population_unique_share": found.population_unique_share,
        "prosecutor_max": found.prosecutor_max,
        "prosecutor_average": found.prosecutor_average,
        "journalist_max": found.journalist_max,
        "journalist_average": found.journalist_average,
        "marketer": found.marketer,
        "population": found.population,
        "suppressed": found.suppressed,
        "rows_with_null": found.rows_with_null,
        "rows_with_empty": found.rows_with_empty,
        "sensitive": {
            name: {
                "l": one.l,
                "entropy_l": one.entropy_l,
                "t": one.t,
                "delta_disclosure": one.delta,
                "distance": "ordered" if one.is_ordered else "equal",
                "values": one.values,
            }
            for name, one in found.sensitive.items()
        },
        "rows_in_classes_below": {str(size): found.rows_below(size) for size in NEAR},
        "histogram": [
            {"least": one.least, "most": one.most, "classes": one.classes, "rows": one.rows}
            for one in found.histogram()
        ],
    }


def _optimum(found: "Found | NothingFound") -> dict[str, Any]:
    nodes = {"nodes": found.nodes, "looked_at": found.looked_at}
    if not isinstance(found, Found):
        return {"levels": None, "losses": None, "suppressed": None, "measures": None, **nodes}
    return {
        "levels": found.levels,
        "losses": _losses(found.losses, list(found.levels)),
        "suppressed": found.suppressed,
        "measures": of_measures(found.measures),
        **nodes,
    }


def _losses(losses: "Losses", columns: list[str]) -> dict[str, Any]:
    return {
        "discernibility": losses.discernibility,
        "average_class_size": losses.average_class_size,
        "precomputed_entropy": losses.precomputed_entropy,
        "loss": dict(zip(columns, losses.loss, strict=True)),
    }
