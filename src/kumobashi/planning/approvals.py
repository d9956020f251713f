"""The file of an approval: what was decided, by whom, and the counts it was decided on."""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import Field

from kumobashi.directory.file_parts import FileModel, Ident, Name
from kumobashi.planning.links import Bounds


class Counted(FileModel):
    """What was counted when the plan was approved; a run may differ by the bounds."""

    on: date
    rows: int = Field(ge=0)
    bytes: int = Field(ge=0)


class ApprovalFile(FileModel):
    """``approvals/<link>.yaml``, written by ``kumobashi plan --approve``."""

    kumobashi: Literal[1]
    link: Ident
    hash: str = Field(pattern=r"^sha256:[0-9a-f]{64}$")
    by: Name
    at: datetime
    counted: Counted | None = None
    bounds: Bounds
    decision: dict[str, Any]  # all that the hash covers, so that drift can be told in words
