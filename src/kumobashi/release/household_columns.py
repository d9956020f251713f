"""Columns that are made from all rows of a subject's household."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, Discriminator, Field, Tag, model_validator

from kumobashi.release.bands import DEFAULT_BANDS, OLDEST, Band, read_bands
from kumobashi.release.column_parts import ColumnModel, DropStep, Model, Name
from kumobashi.storage.mistakes import Said

Years = Annotated[int, Field(ge=0, le=OLDEST)]


class HasSpouse(ColumnModel):
    """1 when the relationships of the household show a spouse (続柄 11 to 14, also chained)."""

    op: Literal["has_spouse"]
    of: Name
    ladder: list[Literal["drop"]] = []


class HouseholdStep(Model):
    """A step of the columns of a household: bands of ages, or whether anybody is of some ages."""

    bands: Annotated[list[str | int], Field(min_length=1)] | None = None
    from_: Annotated[Years | None, Field(alias="from")] = None
    to: Years | None = None

    @model_validator(mode="after")
    def _is_one_of_both(self) -> "HouseholdStep":
        has_ages = self.from_ is not None or self.to is not None
        if (self.bands is None) != has_ages:
            raise Said(
                "bands（年齢の区分）か、from と to（年齢の範囲）の、どちらかを書いてください。",
                "Write either bands, or from and to.",
                example="ladder: [{bands: [0-17, 18+]}, {from: 0, to: 17}]",
            )
        if self.bands is not None:
            read_bands(self.bands)
        _check_span(self.from_ or 0, self.to)
        return self


def _check_span(from_: int, to: int | None) -> None:
    if to is not None and to < from_:
        raise Said(
            f"to（{to} 歳）を from（{from_} 歳）以上にしてください。",
            f"to, {to}, must not be below from, {from_}.",
            example="to: 17",
            at=("to",),
        )


_Step = Annotated[HouseholdStep, Tag("HouseholdStep")]
_Word = Annotated[Literal["bands", "drop"], Tag("word")]
_Top = Annotated[int, Field(ge=1, le=OLDEST)]


def _kind(value: object) -> str:
    if isinstance(value, str):
        return "word"
    return "HouseholdStep" if isinstance(value, dict | BaseModel) else "number"


def _is_step(value: object) -> str:
    return "word" if isinstance(value, str) else "HouseholdStep"


class HouseholdAges(ColumnModel):
    """Ages of all members at the base date, sorted; ``top`` and more become ``top``."""

    op: Literal["household_ages"]
    of: Name
    top: _Top = 100
    ladder: list[
        Annotated[Annotated[_Top, Tag("number")] | _Word | _Step, Discriminator(_kind)]
    ] = []


class HouseholdCounts(ColumnModel):
    """How many members are of each band of ages at the base date, one number a band."""

    op: Literal["household_counts"]
    of: Name
    bands: Annotated[list[str | int], Field(min_length=1)] = list(DEFAULT_BANDS)
    ladder: list[Annotated[DropStep | _Step, Discriminator(_is_step)]] = []

    @property
    def read(self) -> tuple[Band, ...]:
        """The bands."""
        return read_bands(self.bands)

    @model_validator(mode="after")
    def _are_bands(self) -> "HouseholdCounts":
        read_bands(self.bands)
        return self


class HasMember(ColumnModel):
    """1 when anybody of the household is of these ages at the base date, both ends included.

    ``form: list`` gives ``[1]`` or ``[0]``, which a column of ages or counts climbs to.
    """

    op: Literal["has_member"]
    of: Name
    from_: Annotated[Years, Field(alias="from")] = 0
    to: Years | None = None
    form: Literal["number", "list"] = "number"
    ladder: list[Literal["drop"]] = []

    @property
    def band(self) -> Band:
        """The ages."""
        return Band(self.from_, self.to)

    @model_validator(mode="after")
    def _is_a_span(self) -> "HasMember":
        _check_span(self.from_, self.to)
        return self


class HouseholdBirthMonths(ColumnModel):
    """Birth year-months (yyyymm) or years of members younger than ``under`` years, sorted."""

    unsaid: ClassVar[Mapping[str, Any]] = {**ColumnModel.unsaid, "to": "month"}

    op: Literal["household_birth_months"]
    of: Name
    under: Annotated[int, Field(ge=1, le=OLDEST)]
    to: Literal["month", "year"] = "month"
    ladder: list[
        Annotated[Annotated[Literal["year", "drop"], Tag("word")] | _Step, Discriminator(_is_step)]
    ] = []
