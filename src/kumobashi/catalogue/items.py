"""The registry of items: each item that a layout may hold, defined once, with its source.

``items.csv`` has one line per item: its name here, the item ids that are public, Japanese name,
romaji (the name in JSON of the standard's API), English name, type, digits, code list, sensitivity.
Digits count characters; those of 9V are "n,m", n before the point and m behind it (our reading of
the standard's digits, as in COBOL's 9(n)V9(m)). ``fixed`` says that exactly so many are wanted.

An item id is that of one business: its first three digits are the business number, and a layout of
another business that holds the same item has another, which is not public.

>>> load_items()["birth_date"].romaji
'seinengappi'
>>> load_items()["sex"].id_for("031"), load_items()["sex"].id_for("001")
('03100011', None)
"""

import csv
import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal, cast, get_args

from kumobashi.catalogue.errors import ItemUnknown, RegistryBroken

# Of the national item definitions; TIMESTAMP and LIST9, a list of whole numbers, are our own.
FieldType = Literal["X", "N", "9", "9V", "S9", "YEAR", "DATE", "TIME", "TIMESTAMP", "LIST9"]
# public: about no one; attribute: about a person, shared by many; personal: about one person;
# identifier: names one person for a machine; special: harms when it is known (生活保護 …).
Sensitivity = Literal["public", "attribute", "personal", "identifier", "special"]

_FILE = Path(__file__).with_name("items.csv")
_SOURCES = Path(__file__).with_name("sources.csv")
_HEADER = ["item", "item_id", "ja", "romaji", "en", "type", "digits", "fixed", "code_list"]
_HEADER += ["sensitivity", "own_shape", "source"]
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_ROMAJI = re.compile(r"[a-z0-9_]+(\{n\}[a-z]*)?")
_IDS = re.compile(r"([0-9]{8}( [0-9]{8})*)?")
_DIGITS = re.compile(r"([1-9][0-9]{0,5})?(,[1-9][0-9]?)?")
_YES_NO = re.compile(r"yes|no")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item; ``item`` is its name in code and, unless a layout says otherwise, the column."""

    item: str
    item_ids: tuple[str, ...]  # 3 digits of the business and 5 of the item, where public
    ja: str
    romaji: str  # Hepburn, the name in JSON
    en: str
    type: FieldType
    digits: int | None  # characters; of 9V those before the point
    decimals: int | None  # of 9V those behind the point
    is_fixed: bool  # exactly so many characters
    code_list: str | None
    sensitivity: Sensitivity
    own_shape: bool  # no public source gives the definition
    source: str

    def id_for(self, business: str | None) -> str | None:
        """Return the item id in layouts of a business, where it is public."""
        return next((i for i in self.item_ids if business and i.startswith(business)), None)


class Items(Mapping[str, Item]):
    """The registry; asking for an item that is not there raises :class:`ItemUnknown`."""

    def __init__(self, items: Mapping[str, Item]) -> None:
        self._held = MappingProxyType(dict(items))

    def __getitem__(self, name: str) -> Item:
        """Return one item."""
        found = self._held.get(name)
        if found is None:
            near = difflib.get_close_matches(name, self._held, n=5, cutoff=0.4)
            raise ItemUnknown(item=name, known=", ".join(near) or "-")
        return found

    def __iter__(self) -> Iterator[str]:
        """Go through the names."""
        return iter(self._held)

    def __len__(self) -> int:
        """Count the items."""
        return len(self._held)

    def __contains__(self, name: object) -> bool:
        """Say whether there is such an item."""
        return name in self._held


@lru_cache(maxsize=1)
def load_items() -> Items:
    """Return the registry that ships with kumobashi; it is read once."""
    return read_items(_FILE, _read_sources(_SOURCES))


def read_items(path: Path, sources: Mapping[str, str]) -> Items:
    """Read a registry; the last column names one of ``sources``."""
    found: dict[str, Item] = {}
    with path.open(encoding="utf-8", newline="") as lines:
        reader = csv.reader(lines, strict=True)
        for cells in reader:
            line = _Line(path.name, reader.line_num, cells)
            if reader.line_num == 1:
                if cells != _HEADER:
                    raise line.broken("-", ",".join(_HEADER))
                continue
            if len(cells) != len(_HEADER):
                raise line.broken("-", f"{len(_HEADER)} columns")
            item = _item(line, sources)
            if item.item in found:
                raise line.broken("item", f"each item once, {item.item} twice")
            found[item.item] = item
    return Items(found)


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of the file; every question names the line when the answer is wrong."""

    file: str
    number: int
    cells: list[str]

    def broken(self, key: str, expected: str) -> RegistryBroken:
        return RegistryBroken(file=self.file, line=self.number, key=key, expected=expected)

    def text(self, key: str, shape: re.Pattern[str] | None = None) -> str:
        found = self.cells[_HEADER.index(key)]
        if not (shape.fullmatch(found) if shape else found):
            raise self.broken(key, shape.pattern if shape else "text")
        return found

    def one_of(self, key: str, known: tuple[str, ...]) -> str:
        found = self.cells[_HEADER.index(key)]
        if found not in known:
            raise self.broken(key, f"one of {', '.join(known)}")
        return found


def _item(line: _Line, sources: Mapping[str, str]) -> Item:
    digits, _, decimals = line.text("digits", _DIGITS).partition(",")
    return Item(
        item=line.text("item", _NAME),
        item_ids=tuple(line.text("item_id", _IDS).split()),
        ja=line.text("ja"),
        romaji=line.text("romaji", _ROMAJI),
        en=line.text("en"),
        type=cast("FieldType", line.one_of("type", get_args(FieldType))),
        digits=int(digits) if digits else None,
        decimals=int(decimals) if decimals else None,
        is_fixed=line.one_of("fixed", ("", "yes")) == "yes",
        code_list=line.text("code_list", re.compile(r"[a-z0-9_]*")) or None,
        sensitivity=cast("Sensitivity", line.one_of("sensitivity", get_args(Sensitivity))),
        own_shape=line.text("own_shape", _YES_NO) == "yes",
        source=sources[line.one_of("source", tuple(sources))],
    )


def _read_sources(path: Path) -> dict[str, str]:
    with path.open(encoding="utf-8", newline="") as lines:
        return {row["source"]: row["ja"] for row in csv.DictReader(lines, strict=True)}
