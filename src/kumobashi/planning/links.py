"""The file of a link: a declared flow from one system to one receiver."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from kumobashi.directory.file_parts import FileModel, Ident, Name, TableName, TimeOfDay
from kumobashi.storage.mistakes import Said

Share = Annotated[float, Field(ge=0.0, le=10.0)]
Charset = Literal["utf-8", "utf-8-bom", "cp932"]


def said_carefully(name: str) -> str:
    """Return the name of a link, unless it calls coarsened data what they are not."""
    if "匿名" in name:
        raise Said(
            "抽象化したデータは個人情報のままです。「匿名」と書かず「抽象化済」と書いてください。",
            "Coarsened data are still personal information; do not call them anonymous (匿名).",
            example="name: お知らせ属性（抽象化済）",
        )
    return name


class Receiver(FileModel):
    """Where the rows go."""

    system: Ident = Field(examples=["notice-cloud"])
    dataset: TableName = Field(examples=["notice_attributes"])


class Schedule(FileModel):
    """When a link runs, in Japanese time; the deadline may fall on the next day."""

    daily: TimeOfDay = Field(examples=["01:20"])
    deadline: TimeOfDay | None = Field(default=None, examples=["06:00"])


class LegalBasis(FileModel):
    """法的根拠: what permits the flow; the codes are data of ``policy``."""

    code: str = Field(min_length=1, examples=["69-2-1"])
    consent: Ident | None = Field(
        default=None, examples=["child-notices"], description="本人同意の目的（69条2項1号のとき）"
    )
    ordinance: str | None = Field(default=None, examples=["架空市個人番号の利用に関する条例 第4条"])
    note: str | None = Field(default=None, examples=["相当の理由: 給付の漏れを防ぐため"])
    until: date | None = Field(
        default=None, examples=["2030-03-31"], description="目的外の利用・提供の終わりの日"
    )
    proviso: str | None = Field(
        default=None,
        min_length=1,
        max_length=400,
        examples=["総務課が確認。項目は有無だけで、本人に不利益を生じない"],
        description="69条2項ただし書（権利利益を不当に侵害するおそれ）を、だれがどう確かめたか",
    )


class Characters(FileModel):
    """Which characters the receiver can hold, and what happens to the others."""

    charset: Charset = Field(default="utf-8", examples=["cp932"])
    substitutes: dict[str, str] = Field(default={}, examples=[{"𠮷": "吉"}])
    otherwise: Literal["refuse", "quarantine"] = Field(default="refuse", examples=["refuse"])

    @model_validator(mode="after")
    def _substitutes_fit(self) -> "Characters":
        for char, instead in self.substitutes.items():
            if again := next((key for key in self.substitutes if key in instead), None):
                raise Said(
                    f"「{char}」の代わりの「{instead}」に、置き換える字「{again}」が入っています。",
                    f"{instead!r} stands in for {char!r} but holds {again!r}, to be replaced too.",
                    example='substitutes: {"𠮷": "吉"}',
                    at=("substitutes", char),
                )
            if self.charset != "cp932":
                continue
            try:
                instead.encode("cp932")
            except UnicodeEncodeError:
                raise Said(
                    f"「{char}」の代わりの「{instead}」も cp932 にありません。",
                    f"cp932 does not hold {instead!r} either, which stands in for {char!r}.",
                    example='substitutes: {"𠮷": "吉"}',
                    at=("substitutes", char),
                ) from None
        return self


class Bounds(FileModel):
    """How far a run may differ from what was approved, as a share (0.05 is 5 %)."""

    rows: Share = Field(default=0.05, examples=[0.05])
    bytes: Share = Field(default=0.10, examples=[0.10])


class Retention(FileModel):
    """保持期間: how long the receiver may keep it; the classes are data of ``policy``."""

    class_: Ident = Field(alias="class", examples=["service"], description="保持区分")
    days: int | None = Field(
        default=None,
        ge=1,
        le=36_525,
        examples=[30],
        description="取込からの日数。省くと区分の日数",
    )


class Courier(FileModel):
    """That a link may also travel on removable media; without it nothing of it ever does."""

    longest_days: int = Field(
        default=7,
        ge=1,
        le=31,
        examples=[7],
        description="持出許可の返却期日までの最長の日数（許可を願い出た日から数えます）",
    )


class LinkFile(FileModel):
    """``links/<link>.yaml``."""

    kumobashi: Literal[1]
    link: Ident = Field(examples=["notice-attributes"])
    name: Name = Field(examples=["住民基本台帳ほか → お知らせ属性"])
    from_: Ident = Field(alias="from", examples=["integrated-db"])
    release: Ident = Field(examples=["notice-attributes"])
    to: Receiver = Field(examples=[{"system": "notice-cloud", "dataset": "notice_attributes"}])
    mode: Literal["full", "difference"] = Field(default="full", examples=["full"])
    schedule: Schedule | None = Field(
        default=None, examples=[{"daily": "01:20", "deadline": "06:00"}]
    )
    order: Literal["free", "stream"] = Field(
        default="free",
        examples=["stream"],
        description="stream: 前の転送が終わるまで次を送らない（順序を守る）",
    )
    priority: Literal["high", "normal", "low"] = Field(default="normal", examples=["high"])
    purpose: Ident = Field(examples=["child-notices"])
    # A link without a basis is read, so that the plan can refuse it and say what to do.
    legal_basis: LegalBasis | None = Field(
        default=None, examples=[{"code": "69-2-1", "consent": "child-notices"}]
    )
    format: Literal["parquet", "csv"] = Field(default="parquet", examples=["parquet"])
    characters: Characters = Field(default=Characters(), examples=[{"charset": "cp932"}])
    on_findings: Literal["refuse", "quarantine", "go_on"] = Field(
        default="refuse", examples=["refuse"]
    )
    courier: Courier | None = Field(
        default=None,
        examples=[{"longest_days": 7}],
        description="媒体での持ち運びを許す（既定は許さない）",
    )
    fallback: Ident | None = Field(
        default=None,
        examples=["campaign-targets"],
        description="危険度の確認（gate）で出せないときに、代わりに動く連携。"
        "庁内で判定して符号だけを送るもの（predicate_only）",
    )
    bounds: Bounds = Field(default=Bounds(), examples=[{"rows": 0.05, "bytes": 0.10}])
    retention: Retention | None = Field(default=None, examples=[{"class": "service", "days": 30}])
    agreement: str | None = Field(
        default=None,
        pattern=r"^[^\s/\\]{1,40}$",
        examples=["8架総第123号"],
        description="利用協議の文書番号。書くと、それが効力を持つ間だけ送ります",
    )
    contact: Ident = Field(examples=["vendor-b"])

    @field_validator("name")
    @classmethod
    def _is_said_carefully(cls, name: str) -> str:
        return said_carefully(name)

    @model_validator(mode="after")
    def _parquet_is_utf8(self) -> "LinkFile":
        if self.format == "parquet" and self.characters.charset != "utf-8":
            raise Said(
                f"Parquet の文字は UTF-8 だけです。"
                f"{self.characters.charset} には format: csv を使います。",
                f"Parquet holds UTF-8 only; use format: csv for {self.characters.charset}.",
                example="format: csv",
                at=("format",),
            )
        return self
