"""What people send when they apply: the body of a call, and the file of the register."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationError, model_validator

from kumobashi.agreements.errors import ApplicationUnfit
from kumobashi.agreements.processors import Processor
from kumobashi.directory.file_parts import FileModel, Ident, Name
from kumobashi.storage.mistakes import Said, key_text

Line = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
_JA = {
    "link": "連携",
    "owner_section": "所管課",
    "purpose": "目的",
    "conditions": "条件",
    "first": "期間の始め",
    "last": "期間の終わり",
    "processors": "再委託台帳",
}


class ProcessorLine(FileModel):
    """One business of the register (再委託台帳)."""

    name: Name = Field(examples=["架空データ株式会社"])
    address: Line = Field(examples=["架空県架空市雲橋町1-2-3"])
    task: Line = Field(examples=["お知らせ配信サービスの運用"])
    place: Line = Field(examples=["東日本データセンター"], description="データのある所")
    jurisdiction: str = Field(
        default="JP", pattern=r"^[A-Z]{2}$", examples=["JP"], description="国（ISO 3166-1）"
    )
    under: Name | None = Field(
        default=None, examples=["架空データ株式会社"], description="再委託の委託元。省くと委託先"
    )
    permission: Line | None = Field(
        default=None, examples=["8架総第45号"], description="再委託の許可番号"
    )
    permitted_until: date | None = Field(
        default=None, examples=["2027-03-31"], description="許可の期限（その日まで）"
    )

    def processor(self) -> Processor:
        """Return the value."""
        return Processor(**self.model_dump())


class RegisterFile(FileModel):
    """The file that ``kumobashi agreement processors`` reads."""

    kumobashi: Literal[1]
    processors: tuple[ProcessorLine, ...] = Field(max_length=200)


class ApplicationWish(FileModel):
    """What somebody writes who applies; the rest comes from the plan of the link."""

    link: Ident
    owner_section: Name
    purpose: Text
    conditions: tuple[Line, ...] = Field(default=(), max_length=50)
    first: date
    last: date
    change: str | None = Field(default=None, max_length=40)  # the number of what it changes
    processors: tuple[ProcessorLine, ...] = Field(default=(), max_length=200)

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> "ApplicationWish":
        if self.last < self.first:
            raise Said(
                "期間の終わりの日が、始めの日より前です。",
                "The last day is before the first.",
                example="last: 2027-03-31",
                at=("last",),
            )
        return self


def wish_of(value: object) -> ApplicationWish:
    """Read an application; raise :class:`ApplicationUnfit` for the first mistake."""
    try:
        return ApplicationWish.model_validate(value)
    except ValidationError as error:
        raise unfit(error) from None


def lines_of(value: object) -> tuple[Processor, ...]:
    """Read a register; raise :class:`ApplicationUnfit` for the first mistake."""
    try:
        found = RegisterFile.model_validate({"kumobashi": 1, "processors": value})
    except ValidationError as error:
        raise unfit(error) from None
    return tuple(line.processor() for line in found.processors)


def unfit(error: ValidationError) -> ApplicationUnfit:
    """Return the first mistake in words; the value that was written is not repeated."""
    first = error.errors(include_url=False, include_input=False)[0]
    said = first.get("ctx", {}).get("error")
    at = tuple(first["loc"]) + (said.at if isinstance(said, Said) else ())
    field = key_text(at) or "body"
    ja = said.ja if isinstance(said, Said) else "書き方が違うか、足りません"
    en = str(said) if isinstance(said, Said) else first["msg"]
    name = str(at[0]) if at else ""
    return ApplicationUnfit(field=field, field_ja=_JA.get(name, field), reason=ja, reason_en=en)
