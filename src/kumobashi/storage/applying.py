"""In which order loads of one link may be applied: pure, the same for every target."""

from datetime import date
from typing import NamedTuple

from kumobashi.storage.errors import BaseMissing, LoadSuperseded
from kumobashi.storage.tables import Load


class Newest(NamedTuple):
    """The newest load of a link that the target holds."""

    transfer: str
    business_date: date
    sequence: int
    is_deleted: bool = False  # its rows were deleted since (消去)


def check_order(load: Load, newest: Newest | None) -> None:
    """Raise unless ``load`` may follow ``newest``.

    Raises:
        LoadSuperseded: something as new or newer has been applied.
        BaseMissing: a difference whose base is not what was applied last.
    """
    if newest and (newest.business_date, newest.sequence) >= (load.business_date, load.sequence):
        raise LoadSuperseded(newer=f"{newest.business_date} #{newest.sequence}", link=load.link)
    if load.mode == "difference" and (
        newest is None or newest.is_deleted or newest.transfer != load.base_transfer
    ):
        raise BaseMissing(link=load.link)
