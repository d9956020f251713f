"""Layouts that a municipality adds in ``layouts/``: read like every file of the workspace."""

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from kumobashi.catalogue.code_lists import load_code_lists
from kumobashi.catalogue.contradictions import contradictions, overlaps
from kumobashi.catalogue.fields import Condition, FieldEntry, Layout, fields_of, what_is_wrong
from kumobashi.catalogue.items import FieldType, Sensitivity
from kumobashi.catalogue.layouts import Layouts, load_layouts, span
from kumobashi.directory.file_parts import FileModel, Ident, Name, TableName
from kumobashi.planning.references import unknown
from kumobashi.storage.documents import Document, Mistake, read
from kumobashi.storage.mistakes import Said

Digits = Annotated[int, Field(ge=1, le=100_000)]
Decimals = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]?,[1-9][0-9]?$")]
Repeats = Annotated[int, Field(ge=0, le=999)]


class ConditionFile(FileModel):
    """When an item must be filled."""

    field: TableName = Field(examples=["birth_date_unknown"])
    one_of: tuple[str, ...] = Field(default=(), examples=[["1"]])


class FieldFile(FileModel):
    """One item of a layout: one of the registry, or one that says all by itself."""

    item: TableName | None = Field(default=None, examples=["birth_date"])
    name: TableName | None = Field(default=None, examples=["birth_date"])
    ja: Name | None = Field(default=None, examples=["生年月日"])
    item_id: str | None = Field(default=None, examples=["0010007"])
    romaji: TableName | None = Field(default=None, examples=["seinengappi"])
    en: Name | None = Field(default=None, examples=["birth date"])
    type: FieldType | None = Field(default=None, examples=["DATE"])
    digits: Digits | Decimals | None = Field(default=None, examples=[10])
    code_list: str | None = Field(default=None, examples=["sex"])
    required: bool = Field(default=False, examples=[True])
    condition: ConditionFile | None = Field(
        default=None, examples=[{"field": "birth_date_unknown", "one_of": ["1"]}]
    )
    repeat: tuple[Repeats, Repeats] | None = Field(default=None, examples=[[0, 99]])
    sensitivity: Sensitivity | None = Field(default=None, examples=["personal"])

    @model_validator(mode="after")
    def _is_one_field(self) -> "FieldFile":
        if wrong := what_is_wrong(self.entry()):
            raise Said(wrong.ja, wrong.en, example=wrong.example, at=(wrong.key,))
        return self

    def entry(self) -> FieldEntry:
        """Return what is said of the field, as the catalogue takes it."""
        digits, decimals = self.digits, None
        if isinstance(digits, str):
            digits, decimals = map(int, digits.split(","))
        said = {
            key: getattr(self, key)
            for key in ("item", "name", "ja", "item_id", "romaji", "en", "type", "code_list")
        }
        return FieldEntry(
            **said,
            digits=digits,
            decimals=decimals,
            sensitivity=self.sensitivity,
            required=self.required,
            condition=Condition(field=self.condition.field, one_of=self.condition.one_of)
            if self.condition
            else None,
            repeat=self.repeat,
        )


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
    business: Annotated[str, StringConstraints(pattern=r"^[0-9]{3}$")] | None = Field(
        default=None, examples=["001"]
    )
    strict: bool = Field(default=False, examples=[True])
    parallel: tuple[str, ...] = Field(default=(), examples=[["1"]])
    key: tuple[TableName, ...] = Field(min_length=1, examples=[["resident_no"]])
    fields: tuple[FieldFile, ...] = Field(
        min_length=1,
        examples=[[{"name": "sex", "ja": "性別", "type": "X", "sensitivity": "attribute"}]],
    )

    @model_validator(mode="after")
    def _key_is_there(self) -> "LayoutFile":
        names = list(self.layout_value().names)
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
                at=("fields", self.number_of(twice[0])),
            )
        return self

    def layout_value(self) -> Layout:
        """Return the layout as the catalogue holds it."""
        return Layout(
            layout=self.layout,
            version=self.version,
            ja=self.name,
            fields=tuple(
                made
                for field in self.fields
                for made in fields_of(field.entry(), business=self.business)
            ),
            key=self.key,
            valid_from=self.valid_from or date.min,
            valid_to=self.valid_to,
            source=self.source,
            own_shape=self.own_shape,
            business=self.business,
            is_strict=self.strict,
            parallel=self.parallel,
        )

    def number_of(self, column: str) -> int:
        """Return where in ``fields`` a column stands, the last of two."""
        return max(
            number
            for number, field in enumerate(self.fields)
            for made in fields_of(field.entry(), business=self.business)
            if made.name == column
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
            mistakes += _contradictions(document)
        else:
            mistakes += document
    layouts = load_layouts().with_local(d.value.layout_value() for d in own.values())
    return layouts, own, [*mistakes, *_overlapping(layouts, own)]


def _unknown_code_lists(document: Document[LayoutFile]) -> Iterator[Mistake]:
    known = tuple(load_code_lists())
    for number, field in enumerate(document.value.fields):
        if field.code_list and field.code_list not in known:
            path = ("fields", number, "code_list")
            yield unknown(document, path, field.code_list, known, ("コード表", "code list"))


def _contradictions(document: Document[LayoutFile]) -> Iterator[Mistake]:
    layout, known = document.value.layout_value(), tuple(load_code_lists())
    for wrong in contradictions(layout):
        if wrong.column and layout.field(wrong.column).code_list not in (None, *known):
            continue  # told with the nearest name
        place: tuple[str | int, ...] = wrong.at
        if wrong.column is not None:
            place = ("fields", document.value.number_of(wrong.column), *wrong.at)
        yield document.mistake(
            place,
            code="workspace.layout_contradicts",
            ja=wrong.ja,
            en=f"Expected {wrong.en}.",
            expected=wrong.en,
            example=wrong.example,
        )


def _overlapping(layouts: Layouts, own: Mapping[str, Document[LayoutFile]]) -> Iterator[Mistake]:
    """Tell of versions that are valid on the same days, at the file that can be changed."""
    written: dict[tuple[str, str], Document[LayoutFile]] = {}
    for document in own.values():
        layout, version = document.value.layout, document.value.version
        if other_file := written.get((layout, version)):
            yield document.mistake(
                ("version",),
                code="workspace.twice",
                ja=f"レイアウト「{layout}」の版 {version} は {other_file.file} にもあります。",
                en=f"Version {version!r} of {layout!r} is in {other_file.file} too.",
                example=f'version: "{version}-2"',
            )
        written[layout, version] = document
    names = dict.fromkeys(name for name, _ in written)
    for older, newer in overlaps(one for name in names for one in layouts.named(name)):
        found = written.get((newer.layout, newer.version)) or written.get(
            (older.layout, older.version)
        )
        if found is not None:
            other = older if found.value.version == newer.version else newer
            yield found.mistake(
                ("valid_from",),
                code="workspace.layouts_overlap",
                ja=f"レイアウト「{other.layout}」の版 {other.version}（{span(other)}）と期間が"
                "重なっています。期間を分けるか、並行して使うなら parallel に書いてください。",
                en=f"Version {other.version!r} of {other.layout!r} ({span(other)}) is valid on the"
                " same days; part them, or name it under parallel.",
                expected="",
                example=f'parallel: ["{other.version}"]',
            )
