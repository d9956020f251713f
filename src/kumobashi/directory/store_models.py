"""Where a system keeps its rows: our own file, PostgreSQL, files here or elsewhere, a cloud."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from kumobashi.directory.file_parts import FileModel, SecretRef, TableName
from kumobashi.storage.mistakes import Said


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


class FilesStore(FileModel):
    """What every place of files has, whether a folder here or one elsewhere."""

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


class FolderStore(FilesStore):
    """A folder where files are dropped and fetched; ``path`` is relative to the workspace.

    A share of another machine is mounted there, or linked to from there.
    """

    kind: Literal["folder"]
    path: str | None = Field(
        default=None,
        examples=["files/school-desk"],
        description="受け渡しフォルダ。書かなければ var/<site>/files/<system>",
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


class RemoteStore(FilesStore):
    """Files that lie elsewhere: fetched from there, put there."""

    kind: str
    taken: Literal["leave", "remove"] = Field(
        default="leave",
        examples=["remove"],
        description="取り込んだファイル。leave: 置いたままにする、remove: 置き場所から消す",
    )


class ObjectStore(RemoteStore):
    """Object storage with the interface of S3."""

    kind: Literal["s3"]
    endpoint: str = Field(
        pattern=r"^https?://[^/?#@]+(/[^?#@]*)?$",
        examples=["https://objects.example.lg.jp"],
        description="オブジェクトストレージの入口",
    )
    bucket: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", examples=["linkage"])
    prefix: str = Field(
        default="",
        pattern=r"^([^/.][^/]*(/[^/.][^/]*)*)?$",
        examples=["999997/collection"],
        description="バケットの中の場所",
    )
    region: str = Field(default="us-east-1", pattern=r"^[a-z0-9-]{1,40}$", examples=["jp-east-1"])
    key_id: SecretRef = Field(examples=["file:private/hall-core/linkage.id"])
    secret_key: SecretRef = Field(examples=["file:private/hall-core/linkage.key"])


class SftpStore(RemoteStore):
    """A file server reached by SFTP, for systems that cannot use object storage."""

    kind: Literal["sftp"]
    host: str = Field(pattern=r"^[A-Za-z0-9.:-]{1,253}$", examples=["files.example.lg.jp"])
    port: int = Field(default=22, ge=1, le=65_535, examples=[22])
    user: str = Field(pattern=r"^[A-Za-z0-9._-]{1,64}$", examples=["kumobashi"])
    folder: str = Field(
        pattern=r"^/?[^/]+(/[^/]+)*$",
        examples=["linkage/collection"],
        description="サーバーの中のフォルダ",
    )
    host_key: str = Field(
        pattern=r"^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/=]+$",
        examples=["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMF0ZGVtbw"],
        description="サーバーの公開鍵。これと違うサーバーにはつなぎません",
    )
    key: SecretRef = Field(
        examples=["file:private/hall-core/linkage-sftp"], description="こちらの秘密鍵"
    )


class JobLimits(FileModel):
    """What one job may be; the defaults are what large clouds publish."""

    upload_bytes: int = Field(
        default=100_000_000, ge=1_000, le=150_000_000, examples=[100_000_000],
        description="1回のアップロードのバイト数。超える分は別のジョブにします",
    )  # fmt: skip
    upload_rows: int = Field(
        default=10_000_000, ge=1, le=150_000_000, examples=[100_000],
        description="1つのジョブの件数",
    )  # fmt: skip
    columns: int = Field(default=5_000, ge=1, le=5_000, examples=[800], description="項目の数")
    field_characters: int = Field(
        default=32_000, ge=1, le=131_072, examples=[32_000], description="1項目の文字数"
    )
    row_characters: int = Field(
        default=400_000, ge=1, le=400_000, examples=[400_000], description="1件の文字数"
    )


class JobsStore(FileModel):
    """A public cloud that takes and gives rows by jobs (asynchronous REST).

    ``table`` of a dataset is the cloud's object, a layout's key its external id; where the key is
    of several columns, the external id is ``row_key``.
    """

    kind: Literal["jobs"]
    url: str = Field(
        pattern=r"^https?://[^/?#@]+(/[^?#@]*)?$",
        examples=["https://cloud.example.jp/api/v1"],
        description="jobs/ingest と jobs/query の手前まで。暗号化しない http はこのマシンだけ",
    )
    token_url: str = Field(
        pattern=r"^https?://[^/?#@]+(/[^?#@]*)?$",
        examples=["https://cloud.example.jp/oauth2/token"],
        description="トークンを出す所（client_credentials）",
    )
    client_id: SecretRef = Field(examples=["file:private/public-cloud/jobs.id"])
    client_secret: SecretRef = Field(examples=["file:private/public-cloud/jobs.secret"])
    patience_seconds: float = Field(
        default=30.0, ge=1, le=3_600, examples=[30],
        description="1つのジョブを1回に待つ秒数。終わらなければ、間をおいて自動で続きから待ちます",
    )  # fmt: skip
    limits: JobLimits = Field(default_factory=JobLimits)

    @field_validator("url", "token_url")
    @classmethod
    def _is_encrypted(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme == "http" and parts.hostname not in {"127.0.0.1", "::1", "localhost"}:
            raise Said(
                "住民のデータを暗号化せずに送ることになります。https で書いてください。",
                "Rows would travel unencrypted; write https.",
                example="url: https://cloud.example.jp/api/v1",
            )
        return url


Store = Annotated[
    DuckDbStore | PostgresqlStore | FolderStore | ObjectStore | SftpStore | JobsStore,
    Field(discriminator="kind"),
]


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
