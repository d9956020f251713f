"""What every column of a release rule says, and the words that columns share."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    SerializerFunctionWrapHandler,
    StringConstraints,
    Tag,
    model_serializer,
)

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Codes = Annotated[list[str | int], Field(min_length=1)]
Length = Annotated[int, Field(ge=1, le=100)]
Role = Literal["pseudonym", "quasi", "sensitive", "plain"]


class Model(BaseModel):
    """A part of a file that people write: unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _is_word(value: object) -> str:
    return "word" if isinstance(value, str) else "number"


DropStep = Annotated[Literal["drop"], Tag("word")]
# Told apart by what is written, so that a mistake is told once.
LengthStep = Annotated[
    Annotated[Length, Tag("number")] | DropStep,
    Discriminator(_is_word),
]


class ColumnModel(Model):
    """What every released column says."""

    # Keys that older rules lack: written out where they say something, so that hashes stay.
    unsaid: ClassVar[Mapping[str, Any]] = {"role": None, "ladder": []}

    name: Name
    role: Role | None = None

    @model_serializer(mode="wrap")
    def _without_the_unsaid(self, plain: SerializerFunctionWrapHandler) -> dict[str, Any]:
        held: dict[str, Any] = plain(self)
        return {key: value for key, value in held.items() if self.unsaid.get(key, ...) != value}
