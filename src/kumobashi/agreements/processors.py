"""The register of processors and sub-processors of an agreement (再委託台帳). Pure.

Level 1 is whom the municipality contracts (委託先); level 2 and beyond is whom they hand the work
on to (再委託, 再々委託), each with a permission of its own: a number and a last day.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from kumobashi.agreements.errors import ApplicationUnfit, ProcessorsNotPermitted
from kumobashi.crypto.canonical import canonical

_DEEPEST = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Processor:
    """One business that processes the data."""

    name: str
    address: str
    task: str
    place: str  # where the data lie
    jurisdiction: str  # ISO 3166-1 alpha-2, "JP"
    under: str | None = None  # name of the processor that hands the work on; none: level 1
    permission: str | None = None  # 許可番号
    permitted_until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Why one processor keeps the agreement from coming into force."""

    name: str
    level: int
    ja: str
    en: str


def level_of(processor: Processor, register: Sequence[Processor]) -> int:
    """Return 1 for a processor, 2 for its sub-processor and so on.

    Raises:
        ApplicationUnfit: it stands under a name that is not there, or under itself.
    """
    by_name = {one.name: one for one in register}
    level, now = 1, processor
    while now.under is not None:
        level += 1
        if now.under not in by_name or level > _DEEPEST:
            raise ApplicationUnfit(
                field="processors.under",
                field_ja="再委託の委託元",
                reason=f"「{processor.name}」の委託元「{now.under}」が台帳にないか、輪です",
                reason_en=f"{now.under!r}, above {processor.name!r}, is missing, or goes in a ring",
            )
        now = by_name[now.under]
    return level


def check_register(register: Sequence[Processor]) -> None:
    """Raise ``ApplicationUnfit`` unless the names are each there once and lead to the top."""
    names = [one.name for one in register]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ApplicationUnfit(
            field="processors.name",
            field_ja="事業者名",
            reason=f"「{twice[0]}」が二度あります",
            reason_en=f"{twice[0]!r} is there twice",
        )
    for one in register:
        level_of(one, register)


def faults(register: Sequence[Processor], on: date) -> list[Fault]:
    """Return each processor without a permission that holds on this day.

    Level 1 has its contract: its permission may be left out, but not be over. Every level below
    needs a number and a last day.
    """
    found = []
    for one in register:
        level = level_of(one, register)
        if one.permitted_until is not None and one.permitted_until < on:
            day = one.permitted_until.isoformat()
            found.append(_fault(one, level, f"許可は {day} に切れました", f"permitted until {day}"))
        elif level > 1 and not one.permission:
            found.append(_fault(one, level, "再委託の許可がありません", "no permission"))
        elif level > 1 and one.permitted_until is None:
            found.append(_fault(one, level, "許可の期限がありません", "no last day of permission"))
    return found


def check_permitted(register: Sequence[Processor], on: date, *, number: str) -> None:
    """Raise :class:`ProcessorsNotPermitted` when one of them has no permission that holds."""
    if found := faults(register, on):
        raise ProcessorsNotPermitted(
            number=number,
            names="、".join(f"{one.name}（{one.ja}）" for one in found),
        )


def encode(register: Sequence[Processor]) -> str:
    """Return the canonical text of a register."""
    rows = []
    for one in register:
        until = one.permitted_until.isoformat() if one.permitted_until else None
        rows.append({**asdict(one), "permitted_until": until})
    return canonical(rows).decode("utf-8")


def decode(text: str) -> tuple[Processor, ...]:
    """Read what :func:`encode` wrote."""
    rows: list[dict[str, Any]] = json.loads(text)
    return tuple(
        Processor(
            **{
                **row,
                "permitted_until": date.fromisoformat(row["permitted_until"])
                if row["permitted_until"]
                else None,
            }
        )
        for row in rows
    )


def _fault(one: Processor, level: int, ja: str, en: str) -> Fault:
    return Fault(name=one.name, level=level, ja=ja, en=en)
