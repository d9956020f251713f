"""A campaign as it stands in ``campaigns/<code>.yaml``: one notice, and whom it is meant for.

It says twice whom it means: exactly, over the datasets of the hall; and coarsely, over the columns
that a release rule gives to a cloud. How far the two lie apart is what ``abstraction`` counts
(report 001, verification item (8)); a link that is ``predicate_only`` uses the exact one alone.
"""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, model_validator

from kumobashi.directory.file_parts import FileModel, Ident, TableName
from kumobashi.directory.file_parts import Name as Text
from kumobashi.release.conditions import Code, Condition, HouseholdHas, nodes, rows_asked
from kumobashi.release.rules import DatasetRef
from kumobashi.storage.mistakes import Said

Share = Annotated[float, Field(gt=0.0, le=1.0)]


class Whom(FileModel):
    """The dataset whose rows are the people that a campaign chooses from."""

    dataset: TableName = Field(examples=["residents"])
    key: TableName = Field(examples=["resident_no"])
    household: TableName | None = Field(default=None, examples=["household_no"])
    only: dict[TableName, Annotated[list[Code], Field(min_length=1)]] = Field(
        default={}, examples=[{"resident_status": ["1"]}]
    )


class Coarsened(FileModel):
    """The same people, as far as the columns of a release rule can tell."""

    rule: Ident = Field(examples=["notice-attributes"])
    when: Condition = Field(examples=[{"op": "flag", "column": "nhi_insured", "is": 1}])


class Age(FileModel):
    """How old data may be when they are used."""

    days: int = Field(default=0, ge=0, le=3_660, examples=[2])
    hours: int = Field(default=0, ge=0, le=87_840, examples=[36])

    @model_validator(mode="after")
    def _is_some_time(self) -> "Age":
        if not (self.days or self.hours):
            raise Said(
                "古さの上限は 1 時間以上にしてください。",
                "The maximum age must be an hour or more.",
                example="{days: 2}",
            )
        return self

    @property
    def time(self) -> timedelta:
        """The same as a length of time."""
        return timedelta(days=self.days, hours=self.hours)


class Campaign(FileModel):
    """``campaigns/<code>.yaml``; ``version`` rises with every change that people decide."""

    kumobashi: Literal[1]
    campaign: Ident = Field(examples=["infant-check-18m"])
    version: Annotated[int, Field(ge=1)] = Field(examples=[1])
    name: Text = Field(examples=["1歳6か月児健診のお知らせ"])
    purpose: Ident = Field(examples=["child-notices"], description="同意を得た目的")
    datasets: Annotated[dict[TableName, DatasetRef], Field(min_length=1)] = Field(
        examples=[{"residents": "integrated-db.residents"}]
    )
    subject: Whom = Field(examples=[{"dataset": "residents", "key": "resident_no"}])
    exact: Condition = Field(
        description="庁内のデータで正確に言った対象者",
        examples=[{"op": "age", "column": "birth_date", "from": 40}],
    )
    coarsened: Coarsened | None = Field(
        default=None,
        description="提供ルールの項目だけで言った対象者（省くと庁内判定専用）",
        examples=[{"rule": "notice-attributes", "when": {"op": "flag", "column": "x", "is": 1}}],
    )
    min_precision: Share = Field(examples=[0.95], description="届いた人のうち対象者の割合の下限")
    min_recall: Share = Field(examples=[0.99], description="対象者のうち届く人の割合の下限")
    max_age: dict[TableName, Age] = Field(
        examples=[{"residents": {"days": 2}}],
        description="使うデータの古さの上限。datasets のどれにも要ります",
    )

    @model_validator(mode="after")
    def _is_said_carefully(self) -> "Campaign":
        if "匿名" in self.name:
            raise Said(
                "抽象化したデータは個人情報のままです。「匿名」と書かず「抽象化済」と書いてください。",
                "Coarsened data are still personal information; do not call them anonymous (匿名).",
                example="name: 特定健診のお知らせ",
                at=("name",),
            )
        return self

    @model_validator(mode="after")
    def _hangs_together(self) -> "Campaign":
        used = {self.subject.dataset: ("subject", "dataset")} | {
            asked.dataset: ("exact", *path, "dataset") for path, asked in rows_asked(self.exact)
        }
        for dataset, at in used.items():
            if dataset not in self.datasets:
                raise Said(
                    f"{dataset} が datasets にありません。",
                    f"{dataset} is not under datasets.",
                    example=f"datasets: {{{dataset}: integrated-db.{dataset}}}",
                    at=at,
                )
        if without := sorted(self.datasets.keys() - self.max_age.keys()):
            raise Said(
                f"{', '.join(without)} の古さの上限がありません。古いデータで通知しないために、"
                "使うデータすべてに書きます。",
                f"No maximum age for {', '.join(without)}: every dataset that is used needs one.",
                example=f"max_age: {{{without[0]}: {{days: 2}}}}",
                at=("max_age",),
            )
        if unknown := sorted(self.max_age.keys() - self.datasets.keys()):
            raise Said(
                f"{', '.join(unknown)} が datasets にありません。",
                f"Not under datasets: {', '.join(unknown)}.",
                example=f"max_age: {{{min(self.datasets)}: {{days: 2}}}}",
                at=("max_age", unknown[0]),
            )
        parts = [part for _, part in nodes(self.exact)]
        if self.subject.household is None and any(isinstance(p, HouseholdHas) for p in parts):
            raise Said(
                "household_has には subject.household が要ります。",
                "household_has needs subject.household.",
                example="household: household_no",
                at=("subject",),
            )
        return self

    @model_validator(mode="after")
    def _coarsened_is_flat(self) -> "Campaign":
        for at, part in nodes(self.coarsened.when) if self.coarsened else ():
            if part.op in {"has_row", "household_has"}:
                raise Said(
                    f"粗い条件（coarsened）に {part.op} は書けません。送り先にあるのは"
                    "提供ルールの項目だけです。",
                    f"{part.op} cannot stand under coarsened: all that is known there are the"
                    " columns of the release rule.",
                    example="op: flag",
                    at=("coarsened", "when", *at),
                )
        return self
