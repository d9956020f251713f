"""What every file of a workspace is made of: strict models, names, references to secrets."""

import re
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
)

from kumobashi.storage.mistakes import Said

_DEVICES = frozenset(
    {"aux", "con", "nul", "prn", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}
)


def _no_device(name: str) -> str:
    """Refuse names that Windows keeps for devices: files and folders are named so (CON, COM1 …)."""
    if name in _DEVICES:
        raise Said(
            f"「{name}」は Windows が装置の名前に使うため、ファイルの名前にできません",
            f"{name!r} names a device on Windows, so no file can be called so",
            example="hall-core",
        )
    return name


Ident = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=63),
    AfterValidator(_no_device),
    Field(examples=["hall-core"]),
]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
TableName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=63)]
TimeOfDay = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
BusinessNumber = Annotated[str, StringConstraints(pattern=r"^[0-9]{3}$")]


class FileModel(BaseModel):
    """A part of a file that people write: unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _is_no_secret(reference: str, info: ValidationInfo) -> str:
    example = f"{info.field_name}: file:private/hall-core/db.dsn"
    if re.fullmatch(r"env:[A-Za-z_][A-Za-z0-9_]*", reference):
        return reference
    if reference.startswith("file:") and (place := reference.removeprefix("file:")):
        if place.startswith(("/", "~")) or ".." in place.split("/"):
            raise Said(
                "file: のあとは連携設定フォルダの中を相対で書いてください。",
                "Behind file: write a place inside the workspace.",
                example=example,
            )
        return reference
    raise Said(  # the value itself is a secret: never repeat it
        "接続文字列やパスワードをここに書かないでください。ファイルか環境変数の名前を書きます。",
        "Never write connection strings or passwords here; name a file or a variable.",
        example=example,
    )


SecretRef = Annotated[str, AfterValidator(_is_no_secret)]
"""Where a secret is kept: ``file:`` a place in the workspace, ``env:`` a variable."""
