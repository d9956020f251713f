"""The file of an approval: what was decided, by whom, and the counts it was decided on."""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import Field, field_validator

from kumobashi.directory.file_parts import FileModel, Ident, Name
from kumobashi.planning.links import Bounds
from kumobashi.release.gate_report import report_of
from kumobashi.storage.mistakes import Said


class Counted(FileModel):
    """What was counted when the plan was approved; a run may differ by the bounds."""

    on: date
    rows: int = Field(ge=0)
    bytes: int = Field(ge=0)
    gate: dict[str, Any] | None = Field(
        default=None, description="危険度の確認の結果。承認した人が見た粗さで出ます"
    )

    @field_validator("gate")
    @classmethod
    def _can_be_read(cls, gate: dict[str, Any] | None) -> dict[str, Any] | None:
        try:
            if gate is not None:
                report_of(gate)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise Said(
                "危険度の確認の結果が読めません。承認をやり直してください。",
                "What the gate measured cannot be read; approve the link again.",
                example="kumobashi plan notice-attributes --approve",
            ) from None
        return gate


class ApprovalFile(FileModel):
    """``approvals/<link>.yaml``, written by ``kumobashi plan --approve``."""

    kumobashi: Literal[1]
    link: Ident
    hash: str = Field(pattern=r"^sha256:[0-9a-f]{64}$")
    by: Name
    at: datetime
    counted: Counted | None = None
    bounds: Bounds | None = None  # of a link that counts what leaves
    decision: dict[str, Any]  # all that the hash covers, so that drift can be told in words
