"""Addresses as areas: 町丁目 → 大字 → 区 → 市, by prefix of the code or by a mapping."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from kumobashi.release.column_parts import ColumnModel, Length, Model, Name
from kumobashi.storage.mistakes import Said

AreaLevel = Literal["chome", "oaza", "ward", "city"]  # 町丁目 → 大字 → 区 → 市
AREA_LEVELS: tuple[AreaLevel, ...] = ("chome", "oaza", "ward", "city")
# A town code as the samples have it: municipality 6, 大字 4, 丁目 3 digits.
AREA_LENGTHS: dict[AreaLevel, int] = {"chome": 13, "oaza": 10, "city": 6}


class AreaMapping(Model):
    """A dataset that says which area a code belongs to, for levels that no prefix tells."""

    dataset: Name
    key: Name
    length: Length | None = None  # of the code that ``key`` holds; none: the whole code
    to: Annotated[dict[AreaLevel, Name], Field(min_length=1)]


class Area(ColumnModel):
    """An address as an area: 町丁目, 大字, 区 or 市, by prefix of its code or by a mapping.

    A code that is shorter than the longest of ``lengths``, or that the mapping lacks, is a finding
    at every level: what cannot be placed finely is not placed coarsely either.
    """

    op: Literal["area"]
    of: Name
    to: AreaLevel
    lengths: dict[AreaLevel, Length] = AREA_LENGTHS
    mapping: AreaMapping | None = None
    ladder: list[Literal["chome", "oaza", "ward", "city", "drop"]] = []

    @property
    def levels(self) -> tuple[AreaLevel, ...]:
        """The levels this column has or may climb to, the finest first."""
        return (self.to, *(step for step in self.ladder if step != "drop"))

    def is_mapped(self, level: AreaLevel) -> bool:
        """Whether a level is looked up in the mapping."""
        return self.mapping is not None and level in self.mapping.to

    def is_above_mapped(self, level: AreaLevel) -> bool:
        """Whether a level is wider than one that is looked up."""
        place = AREA_LEVELS.index(level)
        return self.mapping is not None and any(
            AREA_LEVELS.index(mapped) < place for mapped in self.mapping.to
        )

    @model_validator(mode="after")
    def _has_levels(self) -> "Area":
        for level in self.levels:
            if level not in self.lengths and not self.is_mapped(level):
                raise Said(
                    f"「{level}」は符号の桁数でも対応表でも決まっていません。"
                    "lengths に桁数を書くか、mapping に対応表の項目を書いてください。",
                    f"Neither lengths nor mapping says what {level} is.",
                    example=f"mapping: {{dataset: areas, key: town, to: {{{level}: {level}}}}}",
                    at=("to",),
                )
        lengths = [self.lengths[level] for level in AREA_LEVELS if level in self.lengths]
        if lengths != sorted(set(lengths), reverse=True):
            raise Said(
                "lengths は、広い地域ほど短い桁数にしてください（chome > oaza > ward > city）。",
                "In lengths a wider area has fewer digits: chome > oaza > ward > city.",
                example="lengths: {chome: 12, oaza: 9, city: 5}",
                at=("lengths",),
            )
        return self

    @model_validator(mode="after")
    def _mapping_is_fine_enough(self) -> "Area":
        if self.mapping is None or self.mapping.length is None:
            return self
        for level, length in self.lengths.items():
            is_by_prefix = self.is_above_mapped(level) and not self.is_mapped(level)
            if is_by_prefix and length > self.mapping.length:
                raise Said(
                    f"対応表の符号（{self.mapping.length} 桁）からは「{level}」（{length} 桁）が"
                    "決まりません。mapping.to に書くか、桁数を直してください。",
                    f"The mapping's codes have {self.mapping.length} digits, too few for {level}"
                    f" ({length}); name it in mapping.to, or correct the digits.",
                    example=f"to: {{{level}: {level}}}",
                    at=("mapping", "length"),
                )
        return self
