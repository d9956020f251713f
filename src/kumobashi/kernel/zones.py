"""Security zones of a municipality's network (三層分離)."""

from enum import StrEnum


class Zone(StrEnum):
    """A layer of the three-layer separation; which may talk to which is data, in ``policy``."""

    MYNUMBER = "mynumber"  # マイナンバー利用事務系
    LGWAN = "lgwan"  # LGWAN接続系
    INTERNET = "internet"  # インターネット接続系

    @property
    def ja(self) -> str:
        """The Japanese name."""
        return {
            Zone.MYNUMBER: "マイナンバー利用事務系",
            Zone.LGWAN: "LGWAN接続系",
            Zone.INTERNET: "インターネット接続系",
        }[self]
