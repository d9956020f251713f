"""Who may be told of what is wrong: people, groups with a duty, days away."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from kumobashi.directory.file_parts import FileModel, Ident, Name
from kumobashi.storage.mistakes import Said

MOST_MEMBERS = 50
MAIL = r"^[A-Za-z0-9.#$&'*+/=?^_`{|}~-]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)+$"


class Person(FileModel):
    """Somebody who is told."""

    person: Ident = Field(examples=["sato"])
    name: Name = Field(examples=["佐藤（情報政策課）"])
    mail: str | None = Field(default=None, pattern=MAIL, max_length=254)
    sms: str | None = Field(default=None, pattern=r"^0[26789]0[0-9]{8}$", examples=["09000000001"])
    phone: str | None = Field(default=None, pattern=r"^0[0-9]{8,10}$", examples=["0000000001"])


class Duty(FileModel):
    """A group of which one is on duty (当番)."""

    group: Ident = Field(examples=["it-duty"])
    members: Annotated[tuple[Ident, ...], Field(min_length=1, max_length=MOST_MEMBERS)] = Field(
        examples=[["sato", "suzuki"]], description="当番の順"
    )
    turns: Literal["daily", "weekly"] | None = Field(
        default=None, description="当番の交代。書かなければ、いつも先頭の人が当番です"
    )
    since: date | None = Field(
        default=None, examples=["2026-11-23"], description="先頭の人が当番になる日（0時から）"
    )

    @model_validator(mode="after")
    def _turns_since(self) -> Self:
        if (self.turns is None) != (self.since is None):
            raise Said(
                "turns と since は両方書くか、両方書かないでください。",
                "Write turns and since both, or neither.",
                example="since: 2026-11-23",
                at=("turns",),
            )
        check_once(self.members, "members")
        return self


class Away(FileModel):
    """Days on which somebody is not called."""

    person: Ident = Field(examples=["sato"])
    first: date = Field(examples=["2026-12-29"])
    last: date = Field(examples=["2027-01-03"])

    @model_validator(mode="after")
    def _ends_later(self) -> Self:
        if self.last < self.first:
            raise Said(
                "last は first と同じ日か、後の日にしてください。",
                "The last day is not before the first.",
                example=f"last: {self.first}",
                at=("last",),
            )
        return self


def check_once(names: tuple[str, ...] | list[str], key: str) -> None:
    """Refuse a name that is there twice."""
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise Said(f"「{twice}」が二つあります。", f"{twice!r} is there twice.", at=(key,))
