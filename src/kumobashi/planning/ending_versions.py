"""Versions of a service that end: told in time, and no reason to stop what uses newer ones too."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from kumobashi.planning.call_links import CallFile
from kumobashi.planning.services import AskedOperation
from kumobashi.planning.workspace import Workspace
from kumobashi.policy.deciding import Reason, Where

_TOLD_BEFORE: Final = timedelta(days=90)


def ending_versions(
    workspace: Workspace, call: CallFile, asked: tuple[AskedOperation, ...], on: date
) -> Iterator[Reason]:
    """Give a caution for every version that is over, or soon will be."""
    for version, last_day in _last_days(asked).items():
        if on > last_day:
            yield Reason(
                code="planning.version_over",
                ja=f"{call.from_} の {call.service} {version} は {last_day} で終わりました。"
                "この版への照会は断られます",
                en=f"{call.from_}.{call.service} {version} ended on {last_day}; calls to it are"
                " refused",
                where=_where(workspace, call),
                remedy_ja="versions から除いてください。",
                remedy_en="Take it out of versions.",
            )
        elif on + _TOLD_BEFORE >= last_day:
            yield Reason(
                code="planning.version_ends",
                ja=f"{call.from_} の {call.service} {version} に照会できるのは {last_day} までです",
                en=f"{call.from_}.{call.service} {version} may be asked until {last_day}",
                where=_where(workspace, call),
                remedy_ja="照会する側を新しい版に移し、versions に加えてください。",
                remedy_en="Move whoever asks to the newer version, and add it to versions.",
            )


def over(
    workspace: Workspace, call: CallFile, asked: tuple[AskedOperation, ...], on: date
) -> Iterator[Reason]:
    """Give the reason when nothing is left to ask: every version is over."""
    if asked and all(one.last_day is not None and on > one.last_day for one in asked):
        yield Reason(
            code="planning.versions_over",
            ja=f"{call.from_} の {call.service} のうち、この連携が使う版はすべて終わりました",
            en=f"All versions of {call.from_}.{call.service} that the link uses are over",
            where=_where(workspace, call),
            remedy_ja="新しい版を versions に書き、承認を受けてください。",
            remedy_en="Write the newer version into versions, and have it approved.",
        )


def _last_days(asked: tuple[AskedOperation, ...]) -> dict[str, date]:
    return {one.version: one.last_day for one in asked if one.last_day is not None}


def _where(workspace: Workspace, call: CallFile) -> Where:
    return workspace.where(f"calls/{call.link}.yaml", "versions")
