"""The files in which people describe a municipality: itself, its sites and its systems.

They are pydantic models because people write these files; ``document`` turns them into the values
that gateways work with.
"""

import re
from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from kumobashi.kernel import MunicipalityCode, Zone
from kumobashi.kernel.ids import NotAMunicipality, check_digit
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
    state: SecretRef | None = Field(default=None, examples=["file:private/hall-core/state.dsn"])


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
    dsn: SecretRef = Field(examples=["file:private/hall-core/db.dsn"])
    db_schema: TableName = Field(default="public", alias="schema", examples=["public"])


class FolderStore(FileModel):
    """A folder where files are dropped and fetched; ``path`` is relative to the workspace.

    A share of another machine is mounted there, or linked to from there.
    """

    kind: Literal["folder"]
    path: str | None = Field(
        default=None,
        examples=["files/school-desk"],
        description="受け渡しフォルダ。書かなければ var/<site>/files/<system>",
    )
    charset: Literal["utf-8-bom", "utf-8", "cp932"] = Field(
        default="utf-8-bom",
        examples=["cp932"],
        description="書くファイルの文字コード。読むときは自動で見分けます",
    )
    complete: Literal["quiet", "done"] = Field(
        default="quiet",
        examples=["done"],
        description="書き終わりの印。quiet: しばらく変わらない、done: <ファイル名>.done がある",
    )
    quiet_seconds: float = Field(default=5.0, ge=0.2, le=3600, examples=[5])
    corrections: Literal["offer", "apply"] = Field(
        default="offer",
        examples=["apply"],
        description="直し方が一つに決まるもの。offer: 写しを作って示す、apply: 直して読む",
    )
    keep_days: int = Field(
        default=31, ge=1, le=3660, examples=[31], description="読んだファイルを保管する日数"
    )

    @field_validator("path")
    @classmethod
    def _stays_inside(cls, path: str | None) -> str | None:
        if path is not None and (path.startswith(("/", "~")) or ".." in path.split("/")):
            raise Said(
                "path は連携設定フォルダの中を、フォルダからの相対で書いてください。"
                "共有フォルダは、その場所にマウントするかリンクを張ります。",
                "Write path relative to the workspace and inside it; mount or link a share there.",
                example="path: files/school-desk",
            )
        return path


Store = Annotated[DuckDbStore | PostgresqlStore | FolderStore, Field(discriminator="kind")]


class RecordEntry(FileModel):
    """Where an item stands in a record of fixed length, in bytes from 0, and how it is written."""

    name: TableName = Field(examples=["resident_no"])
    offset: int = Field(ge=0, examples=[0])
    length: int = Field(ge=1, le=32_000, examples=[10])
    kind: Literal["text", "wide", "digits", "zoned", "packed", "date"] = Field(
        default="text", examples=["digits"]
    )


class RecordsEntry(FileModel):
    """Files of fixed lengths: the record, cut into items."""

    charset: Literal["cp932", "ibm930", "ibm939"] = Field(examples=["ibm930"])
    length: int = Field(ge=1, le=65_535, examples=[120], description="改行を除いたバイト数")
    ends_with: Literal["none", "lf", "crlf"] = Field(default="none", examples=["crlf"])
    items: Annotated[tuple[RecordEntry, ...], Field(min_length=1)] = Field(
        examples=[[{"name": "resident_no", "offset": 0, "length": 10, "kind": "digits"}]]
    )

    @model_validator(mode="after")
    def _items_lie_apart(self) -> "RecordsEntry":
        end, before = 0, ""
        for item in sorted(self.items, key=lambda item: item.offset):
            if item.offset < end:
                raise Said(
                    f"項目 {item.name} が {before} と重なっています。",
                    f"The item {item.name} lies over {before}.",
                    example=f"offset: {end}",
                    at=("items", self.items.index(item), "offset"),
                )
            if item.offset + item.length > self.length:
                raise Said(
                    f"項目 {item.name} がレコード長 {self.length} をはみ出しています。",
                    f"The item {item.name} ends behind the record's {self.length} bytes.",
                    example=f"length: {item.offset + item.length}",
                    at=("length",),
                )
            end, before = item.offset + item.length, item.name
        names = [item.name for item in self.items]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise Said(
                f"項目 {twice} が2度書かれています。",
                f"The item {twice} stands there twice.",
                example=f"- {{name: {twice}, offset: 0, length: 1}}",
                at=("items",),
            )
        return self


_FILE_NAME = r"^[^/\\\x00-\x1f.~][^/\\\x00-\x1f]*$"


class Dataset(FileModel):
    """Rows that a system offers or takes in bulk."""

    layout: Ident = Field(examples=["resident-registry"])
    version: str = Field(examples=["1"])
    table: TableName = Field(examples=["resident_registry"])
    file: str | None = Field(
        default=None,
        pattern=_FILE_NAME,
        max_length=120,
        examples=["学齢児童_{date}.csv"],
        description="store が folder のときのファイル名。{date} は業務日付、{sequence} は回、"
        "読むときは * も使えます（既定: <table>_{date}.csv）",
    )
    records: RecordsEntry | None = Field(
        default=None, description="store が folder のときの固定長レコードの切り方"
    )


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

    @model_validator(mode="after")
    def _files_are_of_folders(self) -> "SystemFile":
        if self.store.kind == "folder":
            return self
        for name, dataset in self.datasets.items():
            for key in ("file", "records"):
                if getattr(dataset, key) is not None:
                    raise Said(
                        f"{key} は store が folder のときだけ書けます。",
                        f"{key} belongs to a store of kind folder.",
                        example="store: {kind: folder}",
                        at=("datasets", name, key),
                    )
        return self
