"""The file of an online link: a system that asks, a service that answers, and what for."""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from kumobashi.directory.file_parts import FileModel, Ident, Name, TableName
from kumobashi.directory.service_models import OperationName, Version
from kumobashi.planning.links import LegalBasis, said_carefully
from kumobashi.storage.mistakes import Said

LARGEST_ANSWER = 1024 * 1024 * 1024  # bytes; more is a bulk link


class CallFile(FileModel):
    """``calls/<link>.yaml``."""

    kumobashi: Literal[1]
    link: Ident = Field(examples=["arrears-payments"])
    name: Name = Field(examples=["収納 → 滞納（納付の照会）"])
    from_: Ident = Field(alias="from", examples=["collection"], description="回答するシステム")
    service: TableName = Field(examples=["payments"])
    versions: Annotated[tuple[Version, ...], Field(min_length=1)] = Field(
        examples=[["v1"]], description="使う版。移行の間は古い版と新しい版を並べます"
    )
    operations: Annotated[tuple[OperationName, ...], Field(min_length=1)] | None = Field(
        default=None, examples=[["listPayments"]], description="使う操作。省くと、その版のすべて"
    )
    to: Ident = Field(examples=["arrears"], description="照会するシステム")
    purpose: Ident = Field(examples=["tax-collection"])
    # A link without a basis is read, so that the plan can refuse it and say what to do.
    legal_basis: LegalBasis | None = Field(
        default=None, examples=[{"code": "61", "note": "利用目的の範囲内"}]
    )
    agreement: str | None = Field(
        default=None,
        pattern=r"^[^\s/\\]{1,40}$",
        examples=["8架総第123号"],
        description="利用協議の文書番号。書くと、それが効力を持つ間だけ照会できます",
    )
    answer_seconds: float = Field(
        default=30.0, ge=0.1, le=600.0, examples=[30.0], description="回答までの時間の予算（秒）"
    )
    largest_answer_bytes: int = Field(
        default=16 * 1024 * 1024, ge=1024, le=LARGEST_ANSWER, examples=[16777216]
    )
    hide: tuple[TableName, ...] = Field(
        default=(),
        examples=[["resident_no", "family_name"]],
        description="回答にあっても、照会した側に渡さない項目（レイアウトの項目名）",
    )
    contact: Ident = Field(examples=["tax-office"])

    @field_validator("name")
    @classmethod
    def _is_said_carefully(cls, name: str) -> str:
        return said_carefully(name)

    @field_validator("answer_seconds", mode="before")
    @classmethod
    def _may_be_whole(cls, seconds: object) -> object:
        """Take ``30`` for ``30.0``: files are read strictly, and people write whole seconds."""
        return float(seconds) if type(seconds) is int else seconds

    @model_validator(mode="after")
    def _names_each_once(self) -> "CallFile":
        for key in ("versions", "operations", "hide"):
            names = getattr(self, key) or ()
            for number, name in enumerate(names):
                if name in names[:number]:
                    raise Said(
                        f"「{name}」が2回あります。片方を消してください。",
                        f"{name!r} stands twice; delete one.",
                        example=f"{key}: [{', '.join(dict.fromkeys(names))}]",
                        at=(key, number),
                    )
        return self
