"""Layouts that a municipality adds in ``layouts/``: read like every file of the workspace."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from kumobashi.catalogue import layouts as catalogue
from kumobashi.catalogue.code_lists import load_code_lists
from kumobashi.catalogue.layouts import FieldType, Layout, Layouts, Sensitivity, load_layouts
from kumobashi.directory.models import FileModel, Ident, Name, TableName
from kumobashi.planning.references import unknown
from kumobashi.storage.documents import Document, Mistake, read
from kumobashi.storage.mistakes import Said


class FieldFile(FileModel):
    """One item of a layout."""

    name: TableName = Field(examples=["birth_date"])
    ja: Name = Field(examples=["生年月日"])
    item_id: str | None = Field(default=None, examples=["0010007"])
    type: FieldType = Field(examples=["DATE"])
    digits: int | None = Field(default=None, ge=1, le=100_000, examples=[10])
    code_list: str | None = Field(default=None, examples=["sex"])
    required: bool = Field(default=False, examples=[True])
    sensitivity: Sensitivity = Field(examples=["personal"])


class LayoutFile(FileModel):
    """``layouts/<layout>.yaml``."""

    kumobashi: Literal[1]
    layout: Ident = Field(examples=["resident-registry"])
    version: str = Field(min_length=1, examples=["1"])
    name: Name = Field(examples=["住民基本台帳"])
    valid_from: date | None = Field(default=None, examples=["2026-04-01"])
    valid_to: date | None = Field(default=None, examples=["2027-03-31"])
    source: Name = Field(examples=["架空市が定めた形"])
    own_shape: bool = Field(default=True, examples=[True])
    key: tuple[TableName, ...] = Field(min_length=1, examples=[["resident_no"]])
    fields: tuple[FieldFile, ...] = Field(
        min_length=1,
        examples=[[{"name": "sex", "ja": "性別", "type": "X", "sensitivity": "attribute"}]],
    )

    @model_validator(mode="after")
    def _key_is_there(self) -> "LayoutFile":
        names = [field.name for field in self.fields]
        if missing := [name for name in self.key if name not in names]:
            raise Said(
                f"key の「{missing[0]}」が fields にありません。",
                f"{missing[0]!r} stands in key but not among the fields.",
                example=f"key: [{names[0]}]",
                at=("key",),
            )
        if twice := [name for name in names if names.count(name) > 1]:
            raise Said(
                f"項目「{twice[0]}」が2回あります。",
                f"The field {twice[0]!r} stands twice.",
                at=("fields", len(names) - 1 - names[::-1].index(twice[0])),
            )
        return self

    def layout_value(self) -> Layout:
        """Return the layout as the catalogue holds it."""
        return Layout(
            layout=self.layout,
            version=self.version,
            ja=self.name,
            fields=tuple(catalogue.Field(**dict(field)) for field in self.fields),
            key=self.key,
            valid_from=self.valid_from or date.min,
            valid_to=self.valid_to,
            source=self.source,
            own_shape=self.own_shape,
        )


def read_layouts(folder: Path) -> tuple[Layouts, dict[str, Document[LayoutFile]], list[Mistake]]:
    """Return all layouts, the files of our own by name, and what is wrong with them."""
    own: dict[str, Document[LayoutFile]] = {}
    mistakes: list[Mistake] = []
    for path in sorted((folder / "layouts").glob("*.yaml")):
        document = read(path, LayoutFile, root=folder)
        if isinstance(document, Document):
            own[document.file] = document
            mistakes += _unknown_code_lists(document)
        else:
            mistakes += document
    layouts = load_layouts().with_local(d.value.layout_value() for d in own.values())
    return layouts, own, mistakes


def _unknown_code_lists(document: Document[LayoutFile]) -> Iterator[Mistake]:
    known = tuple(load_code_lists())
    for number, field in enumerate(document.value.fields):
        if field.code_list and field.code_list not in known:
            path = ("fields", number, "code_list")
            yield unknown(document, path, field.code_list, known, ("コード表", "code list"))
