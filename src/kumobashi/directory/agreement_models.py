"""``agreements:`` of ``kumobashi.yaml``: who applies, reviews, concurs and decides (利用協議)."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from kumobashi.directory.file_parts import FileModel, Name
from kumobashi.storage.mistakes import Said

AccountName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{1,31}$")]
Days = Annotated[int, Field(ge=1, le=365)]
Power = Literal["apply", "review", "concur", "decide"]


class Member(FileModel):
    """One account: its section, and what it may do to agreements."""

    section: Name = Field(examples=["子育て支援課"], description="所属する課")
    may: tuple[Power, ...] = Field(
        min_length=1,
        examples=[["apply"]],
        description="apply 申請・review 所管課の審査・concur 総務課の合議・decide 決定",
    )
    title: str = Field(default="", max_length=40, examples=["課長"], description="職名（印刷用）")


class Deputy(FileModel):
    """代決: one account acts for another, from one day to another, both included."""

    deputy: AccountName = Field(examples=["kato"])
    instead_of: AccountName = Field(alias="for", examples=["suzuki"])
    first: date = Field(alias="from", examples=["2026-11-01"])
    last: date = Field(alias="to", examples=["2026-11-30"])

    @model_validator(mode="after")
    def _is_another_for_a_while(self) -> "Deputy":
        if self.deputy == self.instead_of:
            raise Said(
                f"「{self.deputy}」が自分の代決者になっています。",
                f"{self.deputy!r} is named as a deputy of itself.",
                example="{deputy: kato, for: suzuki, from: 2026-11-01, to: 2026-11-30}",
                at=("deputy",),
            )
        if self.last < self.first:
            raise Said(
                "代決の終わりの日が、始めの日より前です。",
                "The last day of a deputy is before the first.",
                example="{deputy: kato, for: suzuki, from: 2026-11-01, to: 2026-11-30}",
                at=("to",),
            )
        return self


class Deadlines(FileModel):
    """How many days an agreement may wait at each step before it is reminded of (督促)."""

    applied: Days = Field(default=7, examples=[7], description="所管課の審査まで")
    owner_review: Days = Field(default=7, examples=[7], description="総務課の合議まで")
    general_affairs_concur: Days = Field(default=5, examples=[5], description="決定まで")


class AgreementRules(FileModel):
    """How agreements between offices are made in this municipality."""

    required: bool = Field(
        default=False,
        examples=[True],
        description="true: どの連携も、効力のある利用協議がなければ送らない",
    )
    letters: str = Field(
        default="総",
        pattern=r"^[^\s第号]{1,10}$",
        examples=["架総"],
        description="文書番号の記号（8架総第123号 の「架総」）",
    )
    members: dict[AccountName, Member] = Field(
        default={}, examples=[{"tanaka": {"section": "子育て支援課", "may": ["apply"]}}]
    )
    deputies: tuple[Deputy, ...] = ()
    deadlines: Deadlines = Field(default_factory=Deadlines)
    warn_days: tuple[Days, ...] = Field(
        default=(90, 30, 7),
        max_length=10,
        examples=[[90, 30, 7]],
        description="期間の終わりの何日前に知らせるか",
    )

    @model_validator(mode="after")
    def _deputies_stand_for_members(self) -> "AgreementRules":
        for at, one in enumerate(self.deputies):
            if one.instead_of not in self.members:
                raise Said(
                    f"代決の相手「{one.instead_of}」が members にありません。",
                    f"{one.instead_of!r}, whom a deputy stands for, is not among members.",
                    example="members: {suzuki: {section: 総務課, may: [concur]}}",
                    at=("deputies", at, "for"),
                )
        return self
