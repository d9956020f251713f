"""The gate of a release rule: how much risk may leave, and what happens when it is more.

This is what people write; measuring and climbing are done elsewhere. Shares and risks are numbers
from 0 to 1; k counts persons.
"""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BaseModel, Discriminator, Field, StringConstraints, Tag, model_validator

from kumobashi.release.column_parts import Model, Name
from kumobashi.storage.mistakes import Said

Share = Annotated[float, Field(ge=0, le=1)]
Persons = Annotated[int, Field(ge=2, le=1_000_000)]
OnFail = Literal["climb", "refuse", "predicate_only"]
Differencing = Literal["refuse", "report"]
# Measures that compare with everybody, released or not.
_OVER_POPULATION = ("k_map", "max_journalist", "max_marketer")
_THRESHOLDS = (
    "k",
    "k_map",
    "l_diversity",
    "t",
    "max_journalist",
    "max_prosecutor",
    "max_marketer",
    "max_unique_share",
)


class Gate(Model):
    """Thresholds over all released columns; a release must meet every one of them."""

    k: Persons | None = None  # persons in the smallest released class
    k_map: Persons | None = None  # persons of the population in the smallest of these classes
    l_diversity: dict[Name, Persons] = Field(default={})  # values of a sensitive column in a class
    t: Share | None = None  # distance of a sensitive column in a class from all of it
    max_journalist: Share | None = None  # 1 / persons of the population in a class
    max_prosecutor: Share | None = None  # 1 / persons released in a class
    max_marketer: Share | None = None  # expected share of persons told right
    max_unique_share: Share | None = None  # share of persons who are alone in their class
    max_suppressed: Share = 0.0  # share of rows that may be left out to meet the others
    population: Name | None = None  # dataset of everybody who might be meant
    on_fail: OnFail = "refuse"
    differencing: Differencing = "refuse"  # what happens when earlier releases add to what is told

    @model_validator(mode="after")
    def _measures_something(self) -> "Gate":
        if not any(getattr(self, name) not in (None, {}) for name in _THRESHOLDS):
            listed = ", ".join(_THRESHOLDS)
            raise Said(
                f"しきい値が1つもありません。どれかを書いてください: {listed}。",
                f"There is no threshold; write one of {listed}.",
                example="gate: {k: 5, on_fail: climb}",
            )
        needs = [name for name in _OVER_POPULATION if getattr(self, name) is not None]
        if needs and self.population is None:
            raise Said(
                f"{needs[0]} は母集団と比べる値です。population にデータセットを書いてください。",
                f"{needs[0]} compares with everybody; name their dataset as population.",
                example="population: residents",
                at=(needs[0],),
            )
        return self


class NoGate(Model):
    """A gate waived for a stated reason; only links inside the hall may do so."""

    none: Annotated[str, StringConstraints(strip_whitespace=True, min_length=5, max_length=500)]


def _kind(value: object) -> str:
    if isinstance(value, BaseModel):
        return type(value).__name__
    return "NoGate" if isinstance(value, dict) and "none" in value else "Gate"


AnyGate = Annotated[
    Annotated[Gate, Tag("Gate")] | Annotated[NoGate, Tag("NoGate")], Discriminator(_kind)
]


def mistakes_of(
    gate: Gate, *, released: frozenset[str], sensitive: frozenset[str], has_ladder: bool
) -> Iterator[Said]:
    """Give what of a gate does not fit the columns of its rule, placed below ``gate``."""
    listed = ", ".join(sorted(sensitive)) or "なし"
    for name in gate.l_diversity:
        if name not in sensitive:
            ja = "という項目は出しません" if name not in released else "の role は sensitive でない"
            yield Said(
                f"l_diversity の「{name}」{ja}（sensitive の項目: {listed}）。",
                f"l_diversity names {name!r}, which is no sensitive column of this rule.",
                example="- {name: tax_exempt, op: flag, …, role: sensitive}",
                at=("l_diversity", name),
            )
    if gate.t is not None and not sensitive:
        yield Said(
            "t は role が sensitive の項目に効きますが、このルールにはありません。",
            "t is about sensitive columns, and this rule has none.",
            example="- {name: tax_exempt, op: flag, …, role: sensitive}",
            at=("t",),
        )
    if gate.on_fail == "climb" and not has_ladder:
        yield Said(
            "on_fail: climb には、どれかの項目に ladder（粗くする段）が要ります。",
            "on_fail: climb needs a ladder on at least one column.",
            example="ladder: [year, five_years]",
            at=("on_fail",),
        )
