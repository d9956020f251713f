"""What a site can take and when it takes calls, as people write it in ``sites/<site>.yaml``."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from kumobashi.directory.file_parts import FileModel
from kumobashi.storage.mistakes import Said

HourOfDay = Annotated[
    str,
    StringConstraints(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"),
    Field(examples=["08:30"]),
]


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
