"""A key that comes after the announcement was passed on is passed on before anything is closed."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from kumobashi.exchange.changes import Changes
from kumobashi.exchange.passing import Passing
from kumobashi.kernel import new_id
from kumobashi.messages.announcement import Announcement
from kumobashi.storage.spool import Spool

HOP = "asp-relay"
KEY = (new_id(), 1)


class Hop:
    """Writes down what it is handed."""

    def __init__(self) -> None:
        self.handed: list[str] = []

    async def announce(self, _hop: str, _announcement: Announcement) -> dict[str, Any]:
        self.handed.append("announcement")
        return {"have": []}

    def require_keys(self, _hop: str, answer: dict[str, Any]) -> None:
        assert answer == {"have": []}

    async def put_key(self, _hop: str, *_key: object) -> None:
        self.handed.append("key")

    async def close_attempt(self, _hop: str, *_key: object) -> None:
        self.handed.append("close")


def test_a_key_that_comes_late_is_passed_on_once_and_before_the_close(tmp_path: Path) -> None:
    hop, documents = Hop(), dict[tuple[str, int], bytes]()
    keys = SimpleNamespace(taken=lambda *key: documents.get(key))
    announcement = cast("Announcement", SimpleNamespace(parts=()))

    async def go() -> None:
        bundles = Passing(cast("Any", hop), Spool(tmp_path), cast("Any", keys), Changes())
        await bundles.parts(HOP, KEY, announcement)
        documents[KEY] = b"wrapped"
        await bundles.parts(HOP, KEY, announcement)
        await bundles.parts(HOP, KEY, announcement)
        await bundles.close(HOP, KEY, "manifest")

    asyncio.run(go())

    assert hop.handed == ["announcement", "key", "close"]
