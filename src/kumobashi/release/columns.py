"""The operations of a release rule: what a released column is made of, and how.

They are a closed set; there is no free SQL. ``role`` says what the risk gate takes a column for,
``ladder`` to what coarser form it may climb (see ``ladders``).
"""

from typing import Annotated, Literal

from pydantic import Discriminator, Field, StringConstraints, Tag, model_validator

from kumobashi.release.area_columns import Area
from kumobashi.release.column_parts import (
    Codes,
    ColumnModel,
    DropStep,
    Length,
    LengthStep,
    Model,
    Name,
)
from kumobashi.release.household_columns import (
    HasMember,
    HasSpouse,
    HouseholdAges,
    HouseholdBirthMonths,
    HouseholdCounts,
)
from kumobashi.storage.mistakes import Said

__all__ = [
    "CAMPAIGN",
    "AnyColumn",
    "Area",
    "BaseDate",
    "CampaignCode",
    "Column",
    "Constant",
    "Drop",
    "Flag",
    "HasMember",
    "HasSpouse",
    "HouseholdAges",
    "HouseholdBirthMonths",
    "HouseholdCounts",
    "Keep",
    "Limits",
    "Mask",
    "OfHousehold",
    "Prefix",
    "Suppress",
    "Token",
    "TopBottom",
    "Truncate",
]

CAMPAIGN = "campaign_code"  # column of ``eligible`` in a predicate-only release
Mark = Annotated[str, StringConstraints(min_length=1, max_length=10)]


def _is_limit(value: object) -> str:
    return "word" if isinstance(value, str) else "Limits"


class Token(ColumnModel):
    """A token per destination instead of a number of the hall: HMAC-SHA256, 128 bits, hex."""

    op: Literal["token"]
    of: Name | Literal["household_head"]


class BaseDate(ColumnModel):
    """The date that ages are counted at: the business date of the transfer."""

    op: Literal["base_date"]


class Keep(ColumnModel):
    """The value as it is; its ladder gives lengths, as of ``prefix``."""

    op: Literal["keep"]
    of: Name
    ladder: list[LengthStep] = []


class Constant(ColumnModel):
    """The same value in every row."""

    op: Literal["constant"]
    value: str


class CampaignCode(ColumnModel):
    """The code of a campaign that means the person: all that a predicate-only rule tells."""

    op: Literal["campaign"]


class Truncate(ColumnModel):
    """A date made coarser: yyyymm for months, yyyy for years, the first of five, a school year.

    A school year (学年) is named by the year of its first 2 April; who is born on 1 April belongs
    to the one before (学校教育法 17条; 年齢計算ニ関スル法律).
    """

    op: Literal["truncate"]
    of: Name
    to: Literal["month", "year", "five_years", "school_year"]
    ladder: list[Literal["month", "year", "five_years", "school_year", "drop"]] = []


class Prefix(ColumnModel):
    """The first ``length`` characters of a code, such as 町丁目 of an address code."""

    op: Literal["prefix"]
    of: Name
    length: Length
    ladder: list[LengthStep] = []


class Mask(ColumnModel):
    """A text of which only the first or the last characters stay, and at least one is hidden.

    Characters are counted as people see them (grapheme clusters): 葛󠄀 is one. Behind or before them
    stands ``mark``, once, however many are hidden.
    """

    op: Literal["mask"]
    of: Name
    first: Length | None = None
    last: Length | None = None
    mark: Mark = "＊"
    ladder: list[LengthStep] = []

    @property
    def kept(self) -> int:
        """How many characters stay at most."""
        return self.first or self.last or 0

    @model_validator(mode="after")
    def _one_end(self) -> "Mask":
        if (self.first is None) == (self.last is None):
            raise Said(
                "first（先頭の文字数）か last（末尾の文字数）の、どちらか1つだけを書いてください。",
                "Write one of first and last, not both and not neither.",
                example="first: 1",
                at=("first",) if self.first is not None else (),
            )
        return self


class Limits(Model):
    """A step of :class:`TopBottom`: the ends that change."""

    bottom: int | None = None
    top: int | None = None


class TopBottom(ColumnModel):
    """A whole number whose values beyond ``top`` or below ``bottom`` become these."""

    op: Literal["top_bottom"]
    of: Name
    bottom: int | None = None
    top: int | None = None
    ladder: list[
        Annotated[
            DropStep | Annotated[Limits, Tag("Limits")],
            Discriminator(_is_limit),
        ]
    ] = []

    @model_validator(mode="after")
    def _has_an_end(self) -> "TopBottom":
        if self.bottom is None and self.top is None:
            raise Said(
                "bottom（下限）か top（上限）を書いてください。",
                "Write bottom, top or both.",
                example="top: 10000000",
            )
        if self.bottom is not None and self.top is not None and self.bottom >= self.top:
            raise Said(
                f"下限 {self.bottom} は上限 {self.top} より小さくしてください。",
                f"The bottom, {self.bottom}, must be below the top, {self.top}.",
                example="bottom: 0",
                at=("bottom",),
            )
        return self


class Suppress(ColumnModel):
    """A fixed mark in every row instead of the value."""

    op: Literal["suppress"]
    of: Name
    mark: Mark = "＊"


class Drop(ColumnModel):
    """A column that does not leave; it stands in the rule so that people see that it does not."""

    op: Literal["drop"]
    of: Name | None = None


class Flag(ColumnModel):
    """1 or 0 from the codes of another dataset; an unknown code is a finding, never 0."""

    op: Literal["flag"]
    dataset: Name
    of: Name
    one: Codes
    zero: list[str | int] = []
    absent: Literal[0, 1] = 0
    only: dict[Name, Codes] = {}
    ladder: list[Literal["drop"]] = []

    @model_validator(mode="after")
    def _apart(self) -> "Flag":
        if both := {str(c) for c in self.one} & {str(c) for c in self.zero}:
            codes = ", ".join(sorted(both))
            raise Said(
                f"コード {codes} が one と zero の両方にあります。",
                f"Codes in both one and zero: {codes}.",
                example='one: ["1"]\n    zero: ["0"]',
            )
        return self


# Made from all rows of a household, so these must be brought together.
OfHousehold = HasSpouse | HouseholdAges | HouseholdCounts | HasMember | HouseholdBirthMonths
AnyColumn = (
    Token
    | BaseDate
    | Keep
    | Constant
    | CampaignCode
    | Truncate
    | Prefix
    | Area
    | Mask
    | TopBottom
    | Suppress
    | Drop
    | HasSpouse
    | HouseholdAges
    | HouseholdCounts
    | HasMember
    | HouseholdBirthMonths
    | Flag
)
Column = Annotated[AnyColumn, Field(discriminator="op")]
