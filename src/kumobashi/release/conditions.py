"""Whom a campaign means, as people write it: a small tree of typed comparisons; no free SQL.

The same words serve both sides of a campaign: the exact condition over the rows of the hall, and
the coarsened one over the columns that a release rule gives away. A comparison with a value that is
not there is unknown; ``not`` leaves unknown as it is, and in the end an unknown person is never a
match (``compiling_conditions`` says it in SQL).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from kumobashi.directory.file_parts import FileModel, TableName
from kumobashi.release.campaign_days import Day
from kumobashi.storage.mistakes import Path, Said

Code = Annotated[str | int, Field(examples=["1"])]
Codes = Annotated[list[Code], Field(min_length=1, max_length=5_000)]
TownCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,20}$")]
BlockNumber = Annotated[int, Field(ge=0, le=999_999)]


class AllOf(FileModel):
    """Every one of these holds."""

    op: Literal["all"]
    of: Annotated[list["Condition"], Field(min_length=1)]


class AnyOf(FileModel):
    """At least one of these holds."""

    op: Literal["any"]
    of: Annotated[list["Condition"], Field(min_length=1)]


class Not(FileModel):
    """The opposite holds; what is unknown stays unknown."""

    op: Literal["not"]
    of: "Condition"


class HasCode(FileModel):
    """A code is one of these; with ``none_of``, a code in neither list is unknown, never a no."""

    op: Literal["code"]
    column: TableName
    one_of: Codes
    none_of: list[Code] = Field(default=[], examples=[["9"]])

    @model_validator(mode="after")
    def _apart(self) -> "HasCode":
        if both := {str(c) for c in self.one_of} & {str(c) for c in self.none_of}:
            codes = ", ".join(sorted(both))
            raise Said(
                f"コード {codes} が one_of と none_of の両方にあります。",
                f"Codes in both one_of and none_of: {codes}.",
                example='one_of: ["1", "2"]',
                at=("none_of",),
            )
        return self


class StartsWith(FileModel):
    """A code begins with one of these: every 町丁目 of a 大字, for example."""

    op: Literal["starts"]
    column: TableName
    one_of: Annotated[
        list[Annotated[str, StringConstraints(min_length=1, max_length=100)]],
        Field(min_length=1, max_length=5_000),
    ]


class IsFlag(FileModel):
    """A released flag is 1, or 0."""

    op: Literal["flag"]
    column: TableName
    is_: Annotated[Literal[0, 1], Field(alias="is")]


class _Range(FileModel):
    """What has a lower end, an upper end, or both."""

    @model_validator(mode="after")
    def _has_an_end(self) -> "_Range":
        first, last = getattr(self, "from_", None), getattr(self, "to", None)
        if first is None and last is None:
            raise Said(
                "from か to のどちらかを書いてください。書かないと、だれでも当てはまります。",
                "Write from, to or both: without an end everybody is meant.",
                example="from: …",
            )
        if _is_behind(first, last):
            raise Said(
                f"from（{first}）が to（{last}）より後にあります。だれも当てはまりません。",
                f"from ({first}) lies behind to ({last}): nobody would be meant.",
                example=f"from: {last}",
                at=("from",),
            )
        return self


class InNumbers(_Range):
    """A number lies between these, both ends included."""

    op: Literal["number"]
    column: TableName
    from_: int | None = Field(default=None, alias="from")
    to: int | None = None


class InDays(_Range):
    """A date lies between these, both ends included."""

    op: Literal["days"]
    column: TableName
    from_: Day | None = Field(default=None, alias="from")
    to: Day | None = None


class InAges(_Range):
    """An age in full years, counted from a birth date, at a day (default: the base date).

    ``reached: day_before`` counts as 年齢計算ニ関スル法律 does: a year is full at the end of the
    day before the birthday, so who was born on 1 April is one school year ahead.
    """

    op: Literal["age"]
    column: TableName
    from_: Annotated[int, Field(ge=0, le=150)] | None = Field(default=None, alias="from")
    to: Annotated[int, Field(ge=0, le=150)] | None = None
    at: Day | None = None
    reached: Literal["birthday", "day_before"] = "birthday"


class InMonths(_Range):
    """A released month (yyyymm) lies between the months of these days, both included."""

    op: Literal["months"]
    column: TableName
    from_: Day | None = Field(default=None, alias="from")
    to: Day | None = None


class HasMonth(FileModel):
    """A released list of months holds one between the months of these days, both included."""

    op: Literal["has_month"]
    column: TableName
    from_: Day = Field(alias="from")
    to: Day


class HasAge(FileModel):
    """A released list of ages holds one between these, both included."""

    op: Literal["has_age"]
    column: TableName
    from_: Annotated[int, Field(alias="from", ge=0, le=150)]
    to: Annotated[int, Field(ge=0, le=150)]


class InParcels(FileModel):
    """An address lies in one of these parcels: by 町丁目, the numbers in front of 番 or 番地."""

    op: Literal["parcels"]
    town: TableName = "town_code"
    number: TableName = "address_number"
    of: Annotated[
        dict[TownCode, Annotated[list[BlockNumber], Field(min_length=1, max_length=5_000)]],
        Field(min_length=1, max_length=5_000),
    ]


class HasRow(FileModel):
    """There is a row about the person in another dataset, such as an insurance."""

    op: Literal["has_row"]
    dataset: TableName
    where: "Condition | None" = None

    @model_validator(mode="after")
    def _is_flat(self) -> "HasRow":
        _refuse_inside(self, HasRow, HouseholdHas)
        return self


class HouseholdHas(FileModel):
    """Somebody of the person's household, himself included, meets this."""

    op: Literal["household_has"]
    where: "Condition"

    @model_validator(mode="after")
    def _is_flat(self) -> "HouseholdHas":
        _refuse_inside(self, HouseholdHas)
        return self


Condition = Annotated[
    AllOf
    | AnyOf
    | Not
    | HasCode
    | StartsWith
    | IsFlag
    | InNumbers
    | InDays
    | InAges
    | InMonths
    | HasMonth
    | HasAge
    | InParcels
    | HasRow
    | HouseholdHas,
    Field(discriminator="op"),
]
Leaf = (
    HasCode
    | StartsWith
    | IsFlag
    | InNumbers
    | InDays
    | InAges
    | InMonths
    | HasMonth
    | HasAge
    | InParcels
)
_INNER = (AllOf, AnyOf, Not, HasRow, HouseholdHas)
for _model in _INNER:
    _model.model_rebuild()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One comparison of a tree: where it stands, and which rows it looks at."""

    path: Path  # in the file, from the tree's root
    leaf: Leaf
    dataset: str | None  # None: the person's own row


def places(condition: Condition, path: Path = ()) -> Iterator[Place]:
    """Give every comparison of a tree with its place, from the first to the last.

    >>> tree = AllOf(op="all", of=[HasRow(op="has_row", dataset="nhi")])
    >>> list(places(tree))
    []
    """
    yield from _places(condition, path, None)


def _places(condition: Condition, path: Path, dataset: str | None) -> Iterator[Place]:
    match condition:
        case AllOf(of=parts) | AnyOf(of=parts):
            for number, part in enumerate(parts):
                yield from _places(part, (*path, "of", number), dataset)
        case Not(of=part):
            yield from _places(part, (*path, "of"), dataset)
        case HasRow(where=where, dataset=other):
            if where is not None:
                yield from _places(where, (*path, "where"), other)
        case HouseholdHas(where=part):
            yield from _places(part, (*path, "where"), dataset)
        case _:
            yield Place(path=path, leaf=condition, dataset=dataset)


def rows_asked(condition: Condition, path: Path = ()) -> Iterator[tuple[Path, HasRow]]:
    """Give every question for a row of another dataset, with its place."""
    for at, part in nodes(condition, path):
        if isinstance(part, HasRow):
            yield at, part


def nodes(condition: Condition, path: Path = ()) -> Iterator[tuple[Path, Condition]]:
    """Give every part of a tree with its place, the root first."""
    yield path, condition
    match condition:
        case AllOf(of=parts) | AnyOf(of=parts):
            for number, part in enumerate(parts):
                yield from nodes(part, (*path, "of", number))
        case Not(of=part):
            yield from nodes(part, (*path, "of"))
        case HasRow(where=where) | HouseholdHas(where=where):
            if where is not None:
                yield from nodes(where, (*path, "where"))
        case _:
            pass


def columns_of(leaf: Leaf) -> tuple[str, ...]:
    """Return the columns that a comparison reads."""
    return (leaf.town, leaf.number) if isinstance(leaf, InParcels) else (leaf.column,)


def _is_behind(first: object, last: object) -> bool:
    if isinstance(first, int) and isinstance(last, int):
        return first > last
    return isinstance(first, date) and isinstance(last, date) and first > last


def _refuse_inside(outer: HasRow | HouseholdHas, *kinds: type) -> None:
    if outer.where is None:
        return
    for at, part in nodes(outer.where, ("where",)):
        if isinstance(part, kinds):
            raise Said(
                f"{outer.op} の中に {part.op} は書けません。外へ出して all で並べてください。",
                f"{part.op} cannot stand inside {outer.op}; put it beside, under all.",
                example="op: all",
                at=at,
            )
