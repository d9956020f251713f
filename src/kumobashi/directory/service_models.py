"""What a system's file says of the services it answers: interfaces, operations, other sites.

Addresses (``base``, ``test_base``, those of ``standby``) stay in the file, at the site that calls
them; the directory has names, operations and the digest of the document alone.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from kumobashi.directory.file_parts import FileModel, Ident, Name, TableName
from kumobashi.storage.mistakes import Said

INTERFACES = "interfaces"  # the folder of the workspace that holds OpenAPI and WSDL documents
Version = Annotated[str, StringConstraints(pattern=r"^v[0-9]{1,3}$")]
OperationName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]{0,79}$")]
BaseUrl = Annotated[
    str, StringConstraints(pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*[^\s?#/])?$", max_length=400)
]
ServiceName = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}\.[a-z][a-z0-9_]{0,62}$")
]
PathTemplate = Annotated[
    str,
    StringConstraints(
        pattern=r"^(/([A-Za-z0-9._~!$&'()*+,;=:@-]|\{[A-Za-z_][A-Za-z0-9_]*\})+)+$", max_length=400
    ),
]
Pointer = Annotated[str, StringConstraints(pattern=r"^(/[^/\s]+)*$", max_length=200)]


class AnswerFile(FileModel):
    """What an operation answers: records of a layout, and where in the JSON they lie."""

    layout: Ident = Field(examples=["collection-payments"])
    version: str = Field(examples=["1"])
    at: Pointer = Field(
        default="",
        examples=["/result"],
        description="回答の JSON の中で、1件または何件かが入る場所（JSON Pointer）。空は全体",
    )
    keys: Literal["name", "romaji"] = Field(
        default="name",
        examples=["romaji"],
        description="JSON の項目名: レイアウトの項目名（name）か、ローマ字名（romaji）",
    )


class OperationFile(FileModel):
    """One thing that may be asked; what the document says of it need not be written again."""

    name: Name | None = Field(default=None, examples=["納付の照会"])
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] | None = Field(
        default=None, examples=["GET"]
    )
    path: PathTemplate | None = Field(default=None, examples=["/payments/{resident_no}"])
    request: tuple[TableName, ...] = Field(
        default=(),
        examples=[["resident_no"]],
        description="照会する側が渡す項目（レイアウトか項目表の名前）",
    )
    answer: AnswerFile = Field(examples=[{"layout": "collection-payments", "version": "1"}])


class InterfaceFile(FileModel):
    """One version of a service; old and new ones stand side by side."""

    document: str | None = Field(
        default=None,
        pattern=rf"^{INTERFACES}/[^/\\\x00-\x1f.~][^/\\\x00-\x1f]*\.(yaml|yml|json|wsdl|xml)$",
        max_length=120,
        examples=["interfaces/collection-v1.yaml"],
        description="OpenAPI か WSDL の文書（連携設定フォルダの interfaces の中）",
    )
    last_day: date | None = Field(
        default=None,
        examples=["2027-03-31"],
        description="この版に照会できる最後の日。書かなければ終わりません",
    )
    operations: Annotated[dict[OperationName, OperationFile], Field(min_length=1)] = Field(
        examples=[{"listPayments": {"answer": {"layout": "collection-payments", "version": "1"}}}],
        description="操作。名前は OpenAPI の operationId か WSDL の operation",
    )


class ServiceFile(FileModel):
    """A service that a system answers."""

    name: Name = Field(examples=["納付の照会"])
    kind: Literal["rest", "soap"] = Field(examples=["rest"])
    base: BaseUrl = Field(
        examples=["http://127.0.0.1:9001/api"],
        description="このシステムの API の場所（版 v1 などの手前まで）。ディレクトリには載りません",
    )
    test_base: BaseUrl | None = Field(
        default=None, examples=["http://127.0.0.1:9002/api"], description="試験の照会が行く場所"
    )
    versions: Annotated[dict[Version, InterfaceFile], Field(min_length=1)] = Field(
        examples=[{"v1": {"operations": {"listPayments": {"answer": {}}}}}]
    )
    test_only: bool = Field(
        default=False, examples=[True], description="試験の照会だけを受ける（本番の照会は断る）"
    )

    @model_validator(mode="after")
    def _can_be_asked(self) -> "ServiceFile":
        if self.test_only and self.test_base is None:
            raise Said(
                "試験の照会だけを受けるなら、その場所（test_base）を書いてください。",
                "A service that takes tests only needs a test_base.",
                example="test_base: http://127.0.0.1:9002/api",
                at=("test_only",),
            )
        for version, interface in self.versions.items():
            for name, operation in interface.operations.items():
                at = ("versions", version, "operations", name)
                if interface.document is None and operation.path is None:
                    raise Said(
                        f"「{name}」の path がありません。path と method を書くか、"
                        "OpenAPI か WSDL の文書を document に書いてください。",
                        f"{name!r} has no path: write path and method, or name a document.",
                        example="path: /payments/{resident_no}",
                        at=at,
                    )
                if interface.document is None and operation.method is None:
                    raise Said(
                        f"「{name}」の method がありません。",
                        f"{name!r} has no method.",
                        example="method: POST" if self.kind == "soap" else "method: GET",
                        at=at,
                    )
                if self.kind == "soap" and operation.answer.at:
                    raise Said(
                        "SOAP の回答は XML なので、JSON の場所（at）は書けません。",
                        "The answer of SOAP is XML; a place in JSON (at) makes no sense.",
                        example='answer: {layout: collection-payments, version: "1"}',
                        at=(*at, "answer", "at"),
                    )
        return self


class StandbyFile(FileModel):
    """Another site where a system runs too."""

    site: Ident = Field(examples=["hall-core"])
    base: dict[TableName, BaseUrl] = Field(
        examples=[{"payments": "http://127.0.0.1:9003/api"}],
        description="サービスごとの、そのサイトでの API の場所",
    )
