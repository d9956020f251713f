"""The files in which people describe a municipality: itself, its sites and its systems.

They are pydantic models because people write these files; ``document`` turns them into the values
that gateways work with.
"""

import re
from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from kumobashi.kernel import MunicipalityCode, Zone
from kumobashi.kernel.ids import NotAMunicipality, check_digit
from kumobashi.storage.mistakes import Said

Ident = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=63),
    Field(examples=["hall-core"]),
]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
TableName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=63)]
HourOfDay = Annotated[
    str,
    StringConstraints(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"),
    Field(examples=["08:30"]),
]
BusinessNumber = Annotated[str, StringConstraints(pattern=r"^[0-9]{3}$")]


class FileModel(BaseModel):
    """A part of a file that people write: unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NetworkModel(StrEnum):
    """How a municipality lays out its zones (三層の対策 α, α′, β, β′)."""

    ALPHA = "alpha"
    ALPHA_PRIME = "alpha_prime"
    BETA = "beta"
    BETA_PRIME = "beta_prime"

    @property
    def ja(self) -> str:
        """The name people know."""
        return {"alpha": "α", "alpha_prime": "α′", "beta": "β", "beta_prime": "β′"}[self] + "モデル"


class SiteKind(StrEnum):
    """What sort of place a site is."""

    ON_PREMISES = "on_premises"
    PRIVATE_CLOUD = "private_cloud"
    REGIONAL_CLOUD = "regional_cloud"
    NATIONWIDE_CLOUD = "nationwide_cloud"
    GOVERNMENT_CLOUD = "government_cloud"
    PUBLIC_CLOUD = "public_cloud"


class By(StrEnum):
    """What a connection between two sites runs over."""

    DESIGNATED_COMMUNICATION = "designated_communication"  # 特定通信
    LGWAN = "lgwan"
    IP_VPN = "ip_vpn"
    DEDICATED_LINE = "dedicated_line"  # 専用線
    INTERNET = "internet"
    SAME_ZONE = "same_zone"  # 庁内LAN, inside one zone

    @property
    def ja(self) -> str:
        """The name people know."""
        return {
            "designated_communication": "特定通信",
            "lgwan": "LGWAN",
            "ip_vpn": "IP-VPN",
            "dedicated_line": "専用線",
            "internet": "インターネット",
            "same_zone": "同じ領域の中",
        }[self]


class Contact(FileModel):
    """Whom to call."""

    name: Name = Field(examples=["情報政策課"])
    phone: str = Field(pattern=r"^[0-9+][0-9-]{5,19}$", examples=["000-000-0000"])
    hours: str = Field(examples=["平日 8:30–17:15"])
    mail: str | None = Field(default=None, examples=["it@example.jp"])


class Municipality(FileModel):
    """The tenant: code with check digit, and name."""

    code: str = Field(
        examples=["999997"], description="全国地方公共団体コード（検査数字を含む6桁）"
    )
    name: Name = Field(examples=["架空市"])

    @field_validator("code")
    @classmethod
    def _has_check_digit(cls, code: str) -> str:
        try:
            return MunicipalityCode.parse(code).text
        except NotAMunicipality:
            pass
        if re.fullmatch(r"[0-9]{6}", code):
            right = check_digit(code[:5])
            raise Said(
                f"団体コード {code} は検査数字が合いません。"
                f"{code[:5]} なら最後の桁は {right} です。",
                f"The check digit of {code} is wrong; behind {code[:5]} it is {right}.",
                example=f'code: "{code[:5]}{right}"',
            )
        raise Said(
            "団体コードは検査数字を含む6桁の数字を引用符で囲んで書いてください。",
            "Write six digits with the check digit, in quotation marks.",
            example='code: "999997"',
        )


class MunicipalityFile(FileModel):
    """``kumobashi.yaml``."""

    kumobashi: Literal[1]
    municipality: Municipality
    network_model: NetworkModel = Field(description="三層の対策のモデル")
    contacts: dict[Ident, Contact] = Field(
        description="連絡先。他のファイルから名前で指します",
        examples=[{"it-desk": {"name": "情報政策課", "phone": "000-000-0000", "hours": "平日"}}],
    )


class Connection(FileModel):
    """A connection that this site opens; the other side never opens one back."""

    site: Ident = Field(examples=["hall-exchange"])
    by: By


class Certification(FileModel):
    """What an auditor or a list says about a site."""

    name: Name = Field(examples=["ISMAP"])
    number: str | None = Field(default=None, examples=["C00-0000-0"])
    valid_to: date | None = Field(default=None, examples=["2027-03-31"])


class Weekday(StrEnum):
    """A day of the week, as people write it."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


class OpenHours(FileModel):
    """When a site takes calls, in Japanese time; over midnight when it closes before it opens."""

    days: tuple[Weekday, ...] = Field(
        default=tuple(Weekday), min_length=1, examples=[["mon", "tue", "wed", "thu", "fri"]]
    )
    opens: HourOfDay = Field(default="00:00", examples=["08:30"])
    closes: HourOfDay = Field(default="24:00", examples=["17:15"])
    closed: tuple[date, ...] = Field(
        default=(), max_length=1000, description="休みの日（祝日など）", examples=[["2026-12-29"]]
    )

    @model_validator(mode="after")
    def _is_open_at_all(self) -> "OpenHours":
        if self.opens == self.closes:
            raise Said(
                f"opens と closes が同じ {self.opens} です。一日中なら両方とも省いてください。",
                f"opens and closes are both {self.opens}; leave both out for all day.",
                example='opens: "08:30"',
                at=("opens",),
            )
        return self


class PeerProfile(FileModel):
    """What a site can take, so that others send no faster, no larger and at no other time."""

    answer_seconds: int = Field(
        default=120, ge=5, le=3600, description="1回の要求に許される秒数", examples=[60]
    )
    requests_per_minute: int = Field(default=12_000, ge=6, le=1_000_000, examples=[600])
    at_once: int = Field(default=16, ge=1, le=256, description="同時の接続の数", examples=[4])
    formats: tuple[Literal["parquet", "csv"], ...] = Field(
        default=("parquet", "csv"), min_length=1, examples=[["csv"]]
    )
    unclosed_bytes: int = Field(
        default=64 * 1024**3,
        ge=1024,
        description="送り元ごとに預かる、まだ閉じていない分割片の合計の上限",
        examples=[10_737_418_240],
    )
    unclosed_transfers: int = Field(default=10_000, ge=1, examples=[1000])
    open: OpenHours | None = Field(
        default=None,
        examples=[{"days": ["mon", "tue"], "opens": "08:30", "closes": "17:15"}],
        description="受け付ける時間。省くといつでも",
    )


class SiteFile(FileModel):
    """``sites/<site>.yaml``: a place where systems run or bundles pass."""

    kumobashi: Literal[1]
    site: Ident
    name: Name = Field(examples=["庁内 基幹系"])
    kind: SiteKind
    zone: Zone = Field(examples=["lgwan"])
    role: Literal["endpoint", "relay"] = Field(examples=["endpoint"])
    provider: Name = Field(examples=["架空市"])
    jurisdiction: str = Field(pattern=r"^[A-Z]{2}$", examples=["JP"])
    url: str = Field(pattern=r"^https?://[^\s/?#]+$", examples=["http://127.0.0.1:8740"])
    connects_to: tuple[Connection, ...] = Field(
        default=(), examples=[[{"site": "hall-exchange", "by": "designated_communication"}]]
    )
    largest_part_bytes: int = Field(default=4 * 1024 * 1024, ge=1024, examples=[4194304])
    profile: PeerProfile = Field(
        default=PeerProfile(),
        description="このサイトが受けられる量・速さ・時間",
        examples=[{"requests_per_minute": 600, "at_once": 4}],
    )
    certifications: tuple[Certification, ...] = Field(default=(), examples=[[{"name": "ISMAP"}]])
    contact: Ident = Field(examples=["it-desk"])


class DuckDbStore(FileModel):
    """A file of our own; ``path`` is relative to the workspace."""

    kind: Literal["duckdb"] = Field(examples=["duckdb"])
    path: str | None = Field(default=None, examples=["var/hall-core/data/integrated-db.duckdb"])

    @field_validator("path")
    @classmethod
    def _stays_inside(cls, path: str | None) -> str | None:
        if path is not None and (path.startswith(("/", "~")) or ".." in path.split("/")):
            raise Said(
                "path は連携設定フォルダの中を、フォルダからの相対で書いてください。",
                "Write path relative to the workspace and inside it.",
                example="path: var/hall-core/data/integrated-db.duckdb",
            )
        return path


class PostgresqlStore(FileModel):
    """A PostgreSQL database; ``dsn`` says where its address and password are kept."""

    kind: Literal["postgresql"]
    dsn: str = Field(examples=["file:private/hall-core/db.dsn"])
    db_schema: TableName = Field(default="public", alias="schema", examples=["public"])

    @field_validator("dsn")
    @classmethod
    def _is_no_secret(cls, dsn: str) -> str:
        if re.fullmatch(r"env:[A-Za-z_][A-Za-z0-9_]*", dsn):
            return dsn
        if dsn.startswith("file:") and (place := dsn.removeprefix("file:")):
            if place.startswith(("/", "~")) or ".." in place.split("/"):
                raise Said(
                    "file: のあとは連携設定フォルダの中を相対で書いてください。",
                    "Behind file: write a place inside the workspace.",
                    example="dsn: file:private/hall-core/db.dsn",
                )
            return dsn
        raise Said(  # the value itself is a secret: never repeat it
            "接続文字列やパスワードをここに書かないでください。ファイルか環境変数の名前を書きます。",
            "Never write connection strings or passwords here; name a file or a variable.",
            example="dsn: file:private/hall-core/db.dsn",
        )


Store = Annotated[DuckDbStore | PostgresqlStore, Field(discriminator="kind")]


class Dataset(FileModel):
    """Rows that a system offers or takes in bulk."""

    layout: Ident = Field(examples=["resident-registry"])
    version: str = Field(examples=["1"])
    table: TableName = Field(examples=["resident_registry"])


class SystemFile(FileModel):
    """``systems/<system>.yaml``: a business system and its datasets."""

    kumobashi: Literal[1]
    system: Ident = Field(examples=["integrated-db"])
    name: Name = Field(examples=["統合DB"])
    site: Ident = Field(examples=["hall-core"])
    kind: Literal["standard", "local_policy", "legacy", "external"] = Field(examples=["standard"])
    business: BusinessNumber | None = Field(default=None, examples=["001"])
    contact: Ident = Field(examples=["vendor-a"])
    store: Store = Field(examples=[{"kind": "duckdb"}])
    datasets: Annotated[dict[TableName, Dataset], Field(min_length=1)] = Field(
        examples=[
            {
                "residents": {
                    "layout": "resident-registry",
                    "version": "1",
                    "table": "resident_registry",
                }
            }
        ]
    )
