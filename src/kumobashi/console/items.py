"""What people call an item: a finding names the column, and a clerk knows 続柄 by that name.

>>> item_name("relationship"), item_name("nobody_knows_this")
('続柄', '')
"""

from collections.abc import Mapping
from functools import lru_cache

from kumobashi.catalogue.items import load_items
from kumobashi.catalogue.layouts import load_layouts


def item_name(column: str) -> str:
    """Return the Japanese name of a column, or nothing when only its own layout knows it."""
    return _names().get(column, "")


@lru_cache(maxsize=1)
def _names() -> Mapping[str, str]:
    """Return the name of each column, where all layouts that ship call it by the same one."""
    called: dict[str, set[str]] = {name: {item.ja} for name, item in load_items().items()}
    for layout in load_layouts():
        for field in layout.fields:
            called.setdefault(field.name, set()).add(field.ja)
    return {column: min(names) for column, names in called.items() if len(names) == 1}
