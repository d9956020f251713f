"""The files in which people describe a municipality: itself, its sites and its systems.

They are pydantic models because people write these files; ``document`` turns them into the values
that gateways work with.
"""

import re
from datetime import date
from enum import StrEnum
from typing import Literal

from pydantic import Field, field_validator, model_validator

from kumobashi.directory.agreement_models import AgreementRules
from kumobashi.directory.channel_models import ChannelRules
from kumobashi.directory.file_parts import (
    BusinessNumber,
    FileModel,
    Ident,
    Name,
    SecretRef,
    TableName,
)
from kumobashi.directory.network_models import SiteNetwork
from kumobashi.directory.profile_models import PeerProfile
from kumobashi.directory.service_models import BaseUrl, ServiceFile, ServiceName, StandbyFile
from kumobashi.directory.store_models import FilesStore, RecordsEntry, Store
from kumobashi.kernel import MunicipalityCode, Zone
from kumobashi.kernel.ids import NotAMunicipality, check_digit
from kumobashi.storage.mistakes import Said


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
    COURIER = "courier"  # no line at all: media, carried by hand under a permit

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
            "courier": "媒体での持ち運び",
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


class ProtectiveMeasures(FileModel):
    """支援措置: the register of those whom no automatic link carries, and who looks after them.

    A row holds from its first to its last day, both included; one without a first day holds, and
    one without a last day goes on holding.
    """

    dataset: str = Field(
        pattern=r"^[a-z][a-z0-9-]*\.[a-z][a-z0-9_]*$", examples=["integrated-db.support_measures"]
    )
    key: TableName = Field(examples=["resident_no"], description="宛名番号の項目")
    first_day: TableName | None = Field(default=None, examples=["support_from"])
    last_day: TableName | None = Field(default=None, examples=["support_to"])
    ended_on: TableName | None = Field(
        default=None, examples=["ended_on"], description="期間の途中で終わった日の項目"
    )
    contact: Ident = Field(
        examples=["welfare-office"], description="個別対応リストを受け取る担当課"
    )

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are read, the key first."""
        dates = (self.first_day, self.last_day, self.ended_on)
        return (self.key, *(column for column in dates if column))


class MunicipalityFile(FileModel):
    """``kumobashi.yaml``."""

    kumobashi: Literal[1]
    municipality: Municipality
    network_model: NetworkModel = Field(description="三層の対策のモデル")
    contacts: dict[Ident, Contact] = Field(
        description="連絡先。他のファイルから名前で指します",
        examples=[{"it-desk": {"name": "情報政策課", "phone": "000-000-0000", "hours": "平日"}}],
    )
    protective_measures: ProtectiveMeasures | None = Field(
        default=None, description="支援措置の登録。載っている人は、どの連携でも自動では出しません"
    )
    agreements: AgreementRules = Field(
        default_factory=AgreementRules,
        examples=[{"required": True}],
        description="利用協議: だれが申請・審査・合議・決定するか、どの連携に要るか",
    )
    channels: ChannelRules | None = Field(
        default=None,
        examples=[{"contact": "consent-office", "post": {}}],
        description="連絡手段: 住民の連絡先を、どの方法で確かめ、何で送るか",
    )


class Connection(FileModel):
    """A connection that this site opens, or media that go there; never the other way round."""

    site: Ident = Field(examples=["hall-exchange"])
    by: By


class Certification(FileModel):
    """What an auditor or a list says about a site."""

    name: Name = Field(examples=["ISMAP"])
    number: str | None = Field(default=None, examples=["C00-0000-0"])
    scope: str | None = Field(
        default=None,
        max_length=400,
        examples=["IaaS 全サービス（東京・大阪）"],
        description="登録の対象範囲（言明の範囲）",
    )
    valid_from: date | None = Field(default=None, examples=["2026-04-01"])
    valid_to: date | None = Field(default=None, examples=["2027-03-31"])


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
    network: SiteNetwork | None = Field(
        default=None,
        examples=[{"ip": "192.0.2.10"}],
        description="ゲートウェイの IP・MAC・セグメントと、手前の機器（特定通信の申請に使う）",
    )
    bases: dict[ServiceName, BaseUrl] = Field(
        default={},
        examples=[{"finance.postings": "http://127.0.0.1:9003/api"}],
        description="このサイトでの API の場所（システムの base と違うとき。システム.サービス）",
    )


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
        description="store が folder・s3・sftp のときのファイル名。{date} は業務日付、"
        "{sequence} は回、読むときは * も使えます（既定: <table>_{date}.csv）",
    )
    records: RecordsEntry | None = Field(
        default=None, description="store が folder・s3・sftp のときの固定長レコードの切り方"
    )


class DataTimes(FileModel):
    """The table in which a system that collects data says of which moment they are."""

    table: TableName = Field(
        examples=["data_times"],
        description="dataset（datasets の名前）・core_at（業務システムの時点）・taken_at（ここへ"
        "入れた時点）の3列を持つ表",
    )


class SystemFile(FileModel):
    """``systems/<system>.yaml``: a business system, its datasets and its services."""

    kumobashi: Literal[1]
    system: Ident = Field(examples=["integrated-db"])
    name: Name = Field(examples=["統合DB"])
    site: Ident = Field(examples=["hall-core"])
    kind: Literal["standard", "local_policy", "legacy", "external"] = Field(examples=["standard"])
    business: BusinessNumber | None = Field(default=None, examples=["001"])
    unit: Ident | None = Field(
        default=None,
        examples=["nhi"],
        description="受け取る業務（規則の表 units.csv の名前）。省くと business の番号から決めます",
    )
    contact: Ident = Field(examples=["vendor-a"])
    store: Store | None = Field(
        default=None,
        examples=[{"kind": "duckdb"}],
        description="データの置き場所。datasets のあるシステムに要ります",
    )
    as_of: Literal["live"] | DataTimes | None = Field(
        default=None,
        description="データの時点。live は業務システムそのもの（読んだ時点）。ほかから集めたデータ"
        "なら時点の表を指します",
        examples=["live"],
    )
    datasets: dict[TableName, Dataset] = Field(
        default={},
        examples=[
            {
                "residents": {
                    "layout": "resident-registry",
                    "version": "1",
                    "table": "resident_registry",
                }
            }
        ],
    )
    services: dict[TableName, ServiceFile] = Field(
        default={},
        examples=[
            {
                "payments": {
                    "name": "納付の照会",
                    "kind": "rest",
                    "base": "http://127.0.0.1:9001/api",
                    "versions": {"v1": {"document": "interfaces/collection-v1.yaml"}},
                }
            }
        ],
        description="照会に答えるサービス（API）",
    )
    standby: tuple[StandbyFile, ...] = Field(
        default=(),
        examples=[[{"site": "hall-core", "base": {"payments": "http://127.0.0.1:9003/api"}}]],
        description="同じサービスが動いている、ほかのサイト。site に届かないときに照会が行きます",
    )

    @model_validator(mode="after")
    def _datasets_are_stored(self) -> "SystemFile":
        if self.datasets and self.store is None:
            raise Said(
                "データセットの置き場所（store）がありません。",
                "Datasets need a store.",
                example="store: {kind: duckdb}",
                at=("store",),
            )
        return self

    @model_validator(mode="after")
    def _stands_by_elsewhere(self) -> "SystemFile":
        sites = [self.site]
        for number, one in enumerate(self.standby):
            if one.site in sites:
                raise Said(
                    f"「{one.site}」は、このシステムのサイトとしてすでに書かれています。",
                    f"{one.site!r} is named as a site of this system already.",
                    example="standby: []",
                    at=("standby", number, "site"),
                )
            sites.append(one.site)
            for name in one.base:
                if name not in self.services:
                    raise Said(
                        f"このシステムに「{name}」というサービスはありません。"
                        f"あるもの: {'、'.join(self.services) or 'なし'}。",
                        f"This system has no service {name!r};"
                        f" there are: {', '.join(self.services) or 'none'}.",
                        example=f"base: {{{next(iter(self.services), 'payments')}:"
                        " http://127.0.0.1:9003/api}",
                        at=("standby", number, "base", name),
                    )
        return self

    @model_validator(mode="after")
    def _files_are_of_folders(self) -> "SystemFile":
        if self.store is None or isinstance(self.store, FilesStore):
            return self
        for name, dataset in self.datasets.items():
            for key in ("file", "records"):
                if getattr(dataset, key) is not None:
                    raise Said(
                        f"{key} は store が folder・s3・sftp のときだけ書けます。",
                        f"{key} belongs to a store of kind folder, s3 or sftp.",
                        example="store: {kind: folder}",
                        at=("datasets", name, key),
                    )
        return self
