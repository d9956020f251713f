"""Ladders of release rules: the coarser forms of a column, and the proof that each is coarser.

``steps`` gives a column at each of its levels: level 0 is what the rule says, level n the n-th step
of its ladder. Coarser means: the value at a level can be worked out from the value at the level
before, whoever it is about. Then two residents who are equal at one level are equal at the next,
classes only grow, and climbing never tells more. A ladder of which that is not certain is refused
when the rule is read. (School years divide April, so no month and no calendar year tells them.)
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, assert_never

from kumobashi.release.area_columns import AREA_LEVELS
from kumobashi.release.bands import DEFAULT_BANDS, Band, bounds
from kumobashi.release.columns import (
    AnyColumn,
    Area,
    BaseDate,
    CampaignCode,
    Constant,
    Drop,
    Flag,
    HasMember,
    HasSpouse,
    HouseholdAges,
    HouseholdBirthMonths,
    HouseholdCounts,
    Keep,
    Limits,
    Mask,
    Prefix,
    Suppress,
    Token,
    TopBottom,
    Truncate,
)
from kumobashi.release.household_columns import HouseholdStep
from kumobashi.storage.mistakes import Said

_ABOVE = {  # what the value of a truncated date still tells
    "month": {"year", "five_years"},
    "year": {"five_years"},
    "five_years": set[str](),
    "school_year": set[str](),
}
LEVEL = "_at_level_"


def steps(column: AnyColumn) -> tuple[AnyColumn, ...]:
    """Return the column at level 0, 1, …; each carries what is left of the ladder above it.

    >>> column = Truncate(name="born", op="truncate", of="birth_date", to="month", ladder=["year"])
    >>> [step.to for step in steps(column)]
    ['month', 'year']
    """
    ladder: list[Any] = list(getattr(column, "ladder", ()))
    found: list[AnyColumn] = [column]
    for number, step in enumerate(ladder):
        found.append(_step(column, found[-1], step, ladder[number + 1 :]))
    return tuple(found)


def at_level(held: Sequence[AnyColumn], level: int) -> AnyColumn | None:
    """Return a column at a level under a name of its own; None where it is dropped.

    Level 0 keeps its name, by which the tables of flags are called.
    """
    step = held[level]
    return (
        None if isinstance(step, Drop) else step.model_copy(update={"name": at(step.name, level)})
    )


def at(name: str, level: int) -> str:
    """Return what a column is called at a level where all levels stand side by side."""
    return f"{name}{LEVEL}{level}" if level else name


def plain(name: str) -> str:
    """Return a column's own name, whatever level it stands at.

    >>> plain(at("birth_ym", 2)), plain("birth_ym")
    ('birth_ym', 'birth_ym')
    """
    return name.partition(LEVEL)[0]


def can_be_dropped(column: AnyColumn) -> bool:
    """Whether the ladder of a column ends in not sending it at all."""
    return isinstance(steps(column)[-1], Drop)


def check_ladder(column: AnyColumn) -> None:
    """Raise :class:`Said`, at the step, when a ladder widens itself or goes on above ``drop``."""
    levels = steps(column)
    for number, (finer, coarser) in enumerate(pairwise(levels)):
        if isinstance(finer, Drop):
            raise Said(
                "drop（出さない）より上の段はありません。drop は最後に書いてください。",
                "Nothing is coarser than drop; it stands last.",
                example="ladder: [year, drop]",
                at=("ladder", number),
            )
        if is_coarser(coarser, than=finer):
            continue
        why_ja, why_en = _why(finer, coarser)
        raise Said(
            f"ladder の {number + 1} 段目は、その前の段より粗いとはいえません{why_ja}。"
            "前の段で同じ値の人が、この段でも必ず同じ値になるようにしてください。",
            f"Step {number + 1} of the ladder is not coarser than what is before it{why_en}:"
            " whoever had the same value there must have the same value here.",
            example=_EXAMPLES.get(column.op, "ladder: [drop]"),
            at=("ladder", number),
        )


_EXAMPLES = {
    "keep": "ladder: [10, 6, drop]",
    "truncate": "ladder: [year, five_years, drop]",
    "prefix": "ladder: [10, 6, drop]",
    "area": "ladder: [oaza, city, drop]",
    "mask": "ladder: [1, drop]",
    "top_bottom": "ladder: [{top: 5000000}, drop]",
    "household_ages": "ladder: [bands, {from: 0, to: 17}, drop]",
    "household_counts": "ladder: [{bands: [0-17, 18+]}, {from: 0, to: 17}, drop]",
    "household_birth_months": "ladder: [year, drop]",
}


def is_coarser(  # noqa: C901, PLR0911, PLR0912 - one case for each pair of operations
    coarser: AnyColumn, *, than: AnyColumn
) -> bool:
    """Whether the value of ``coarser`` follows from that of ``than``, and tells less."""
    match than, coarser:
        case (Drop() | Suppress() | Constant() | CampaignCode() | BaseDate(), _):
            return False
        case (_, Drop()):
            return True
        case (Keep(), Prefix()):
            return True
        case (Truncate(to=finer), Truncate(to=wider)):
            return wider in _ABOVE[finer]
        case (Prefix(length=longer), Prefix(length=shorter)):
            return shorter < longer
        case (Area(to=finer_area), Area(to=wider_area)):
            return AREA_LEVELS.index(wider_area) > AREA_LEVELS.index(finer_area)
        case (Mask() as more, Mask() as less):
            return (more.first is None) == (less.first is None) and less.kept < more.kept
        case (TopBottom() as wide, TopBottom() as narrow):
            return _is_narrower(narrow, wide)
        case (HouseholdAges(top=top), HouseholdAges(top=lower)):
            return lower < top
        case (HouseholdAges(top=top), HouseholdCounts() as counts):
            return all(bound <= top for bound in bounds(counts.read))
        case (HouseholdAges(top=top), HasMember() as member):
            return all(bound <= top for bound in _ends(member.band))
        case (HouseholdCounts() as fine, HouseholdCounts() as wide_bands):
            return bounds(wide_bands.read) < bounds(fine.read)
        case (HouseholdCounts() as fine, HasMember() as member):
            return _ends(member.band) <= bounds(fine.read)
        case (HouseholdBirthMonths(to="month", under=u), HouseholdBirthMonths(to="year", under=v)):
            return u == v
        case (HouseholdBirthMonths(under=under), HasMember() as member):
            # Months alone do not tell who passed a birthday; that there is anybody, they do.
            return member.band == Band(0, under - 1)
        case _:
            return False


def _ends(band: Band) -> frozenset[int]:
    """Return the ages at which the answer changes."""
    return frozenset({band.first} | ({band.after} if band.after is not None else set())) - {0}


def _is_narrower(narrow: TopBottom, wide: TopBottom) -> bool:
    low = wide.bottom if wide.bottom is not None else -(1 << 63)
    high = wide.top if wide.top is not None else 1 << 63
    new_low = narrow.bottom if narrow.bottom is not None else -(1 << 63)
    new_high = narrow.top if narrow.top is not None else 1 << 63
    return low <= new_low < new_high <= high and (new_low, new_high) != (low, high)


def _step(  # noqa: C901, PLR0911 - by operation
    column: AnyColumn,
    before: AnyColumn,
    step: Any,  # noqa: ANN401 - what the ladder of that operation may hold
    rest: list[Any],
) -> AnyColumn:
    """Return ``column`` at ``step``; ``before`` is it one step below, ``rest`` the steps above."""
    said: dict[str, Any] = {"name": column.name, "role": column.role}
    if step == "drop" or isinstance(before, Drop):
        return Drop(op="drop", **said)
    match column:
        case Keep():
            return Prefix(op="prefix", of=column.of, length=step, ladder=rest, **said)
        case Prefix():
            return column.model_copy(update={"length": step, "ladder": rest})
        case Truncate() | Area():
            return column.model_copy(update={"to": step, "ladder": rest})
        case Mask():
            end = "first" if column.first is not None else "last"
            return column.model_copy(update={end: step, "ladder": rest})
        case TopBottom() if isinstance(step, Limits) and isinstance(before, TopBottom):
            ends = {
                "bottom": before.bottom if step.bottom is None else step.bottom,
                "top": before.top if step.top is None else step.top,
            }
            return column.model_copy(update={**ends, "ladder": rest})
        case HouseholdAges() if isinstance(step, int):
            return column.model_copy(update={"top": step, "ladder": rest})
        case HouseholdBirthMonths() if step == "year":
            return column.model_copy(update={"to": "year", "ladder": rest})
        case HouseholdAges() | HouseholdCounts() | HouseholdBirthMonths():
            return _of_household(column.of, step, rest, said)
        case Token() | BaseDate() | Constant() | CampaignCode() | Suppress() | Drop():
            raise AssertionError(f"{column.op} has no ladder")
        case HasSpouse() | HasMember() | Flag() | TopBottom():
            raise AssertionError(f"{column.op} climbs to drop alone")
        case _:
            assert_never(column)


def _of_household(
    of: str,
    step: Any,  # noqa: ANN401 - a word or a step
    rest: list[Any],
    said: dict[str, Any],
) -> AnyColumn:
    if isinstance(step, HouseholdStep) and step.bands is None:
        ages = {"from": step.from_ or 0, "to": step.to, "form": "list"}
        left = [held for held in rest if held == "drop"]
        return HasMember.model_validate(
            {"op": "has_member", "of": of, "ladder": left, **ages, **said}
        )
    bands = step.bands if isinstance(step, HouseholdStep) else None
    usual = HouseholdStep(bands=list(DEFAULT_BANDS))
    left = [usual if held == "bands" else held for held in rest]
    return HouseholdCounts.model_construct(
        op="household_counts", of=of, bands=bands or list(DEFAULT_BANDS), ladder=left, **said
    )


def _why(finer: AnyColumn, coarser: AnyColumn) -> tuple[str, str]:
    """Say what people stumble over."""
    match finer, coarser:
        case (Truncate(), Truncate(to="school_year")):
            return (
                "（学年は4月1日と2日の間で分かれるので、年月や年からは決まりません）",
                " (school years change between 1 and 2 April, which no month or year tells)",
            )
        case (HouseholdBirthMonths(under=under), HasMember()):
            return (
                f"（生年月だけで決まるのは、0〜{under - 1} 歳がいるかどうかだけです）",
                f" (birth months tell only whether anybody is of 0 to {under - 1})",
            )
        case (HouseholdAges(top=top), HouseholdCounts() | HasMember()):
            return (
                f"（{top} 歳以上はまとめてあるので、その中は分けられません）",
                f" (ages of {top} and more are together already)",
            )
        case (HouseholdCounts(), HouseholdCounts() | HasMember()):
            return (
                "（前の段の区分を、まとめるだけにしてください）",
                " (put whole bands of the step before together)",
            )
        case _:
            return "", ""
