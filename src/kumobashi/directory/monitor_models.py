"""``monitor.yaml``: what lies between hall and cloud, deadlines, planned work, how soon to tell.

Optional: without it ways, receipts and clocks are watched, and links are due at 08:00.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, AwareDatetime, Field, model_validator

from kumobashi.directory.file_parts import FileModel, Ident, Name, TimeOfDay
from kumobashi.storage.mistakes import Said

DEFAULT_DEADLINE = "08:00"
_SCHEMES = frozenset({"tcp", "http", "https"})


class PartKind(StrEnum):
    """What a part of the network is (report 003, table 2-14)."""

    CORE = "core_network"  # 基幹網
    EXCHANGE = "exchange"  # 局舎
    ACCESS = "access_line"  # アクセス回線
    HARDWARE = "hardware"  # ハードウェア
    BASE = "base_software"  # 基盤ソフトウェア
    APPLICATION = "application"  # アプリケーション
    DEVICE = "device"  # 通信機器
    TERMINAL = "terminal"  # 端末


def _is_askable(address: str) -> str:
    parts = urlsplit(address)
    try:
        has_port = parts.port is not None
    except ValueError:
        has_port = False
    if parts.scheme not in _SCHEMES or not parts.hostname or parts.username is not None:
        raise Said(
            "tcp://相手:ポート か http(s)://相手/… を書いてください。",
            "Write tcp://host:port or http(s)://host/…",
            example="tcp://192.0.2.1:22",
        )
    if parts.scheme == "tcp" and (not has_port or parts.path not in {"", "/"}):
        raise Said(
            "tcp:// にはポートを書いてください。",
            "tcp:// needs a port and nothing behind it.",
            example="tcp://192.0.2.1:22",
        )
    return address


class NetworkPart(FileModel):
    """A device, a line or a cloud's layer, and whom to call for it."""

    part: Ident = Field(examples=["hall-router"])
    name: Name = Field(examples=["庁舎のルーター"])
    kind: PartKind = Field(examples=["device"])
    side: Name = Field(examples=["情報政策課"], description="だれの持ち場か（責任分界）")
    contact: Ident | None = Field(default=None, examples=["network-carrier"])
    stops: tuple[Ident, ...] = Field(
        default=(),
        examples=[["asp-relay", "public-cloud"]],
        description="これが止まると、ここから届かなくなるサイト",
    )


class Probe(FileModel):
    """A connection that is tried again and again, and what it goes over."""

    probe: Ident = Field(examples=["to-provider-edge"])
    ask: Annotated[str, AfterValidator(_is_askable)] = Field(
        max_length=200, examples=["tcp://192.0.2.1:22"]
    )
    over: Annotated[tuple[Ident, ...], Field(min_length=1, max_length=16)] = Field(
        examples=[["hall-router", "line-a"]], description="通るもの。手前から順に"
    )


class PlannedWork(FileModel):
    """A stop that was announced: nobody is called for what it touches."""

    sites: Annotated[tuple[Ident, ...], Field(min_length=1)] = Field(examples=[["public-cloud"]])
    begins: AwareDatetime = Field(examples=["2026-12-05T22:00:00+09:00"])
    ends: AwareDatetime = Field(examples=["2026-12-06T05:00:00+09:00"])
    reason: Name = Field(examples=["クラウドの定期保守"])

    @model_validator(mode="after")
    def _ends_later(self) -> Self:
        if self.ends <= self.begins:
            raise Said(
                "終わりは始まりより後にしてください。",
                "It ends after it begins.",
                example="ends: 2026-12-06T05:00:00+09:00",
                at=("ends",),
            )
        return self

    def covers(self, site: str, now: datetime) -> bool:
        """Whether ``site`` is being worked on."""
        return site in self.sites and self.begins <= now < self.ends


class LinkDeadlines(FileModel):
    """When nightly links have to be in, in Japanese time, where the link says nothing itself."""

    default: TimeOfDay = Field(default=DEFAULT_DEADLINE, examples=["08:00"])
    contacts: dict[Ident, TimeOfDay] = Field(
        default_factory=dict,
        examples=[{"tax-office": "07:30"}],
        description="担当（連絡先）ごとの期限",
    )


class MonitorFile(FileModel):
    """``monitor.yaml``."""

    kumobashi: Literal[1]
    deadlines: LinkDeadlines = LinkDeadlines()
    parts: tuple[NetworkPart, ...] = ()
    probes: tuple[Probe, ...] = ()
    planned: tuple[PlannedWork, ...] = ()
    clock_alarm_seconds: float = Field(default=1.0, ge=0.1, le=3600)

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        parts = [one.part for one in self.parts]
        probes = [one.probe for one in self.probes]
        for names, key in ((parts, "parts"), (probes, "probes")):
            twice = next((name for name in names if names.count(name) > 1), None)
            if twice:
                raise Said(
                    f"「{twice}」が二つあります。",
                    f"{twice!r} is there twice.",
                    example=f"{key}: …",
                    at=(key,),
                )
        for index, probe in enumerate(self.probes):
            unknown = next((part for part in probe.over if part not in parts), None)
            if unknown:
                raise Said(
                    f"「{unknown}」は parts にありません。",
                    f"{unknown!r} is not among the parts.",
                    example=f"over: [{', '.join(parts[:2]) or 'hall-router'}]",
                    at=("probes", index, "over"),
                )
        return self
