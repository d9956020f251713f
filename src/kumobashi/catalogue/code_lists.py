"""Code lists: which values a coded field may hold, and what they mean.

>>> load_code_lists()["sex"].ja("2")
'女'
>>> "7" in load_code_lists()["sex"]
False
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from kumobashi.catalogue.errors import CodeListBroken, CodeListUnknown

_SHIPPED = Path(__file__).with_suffix("")
_HEADER = ["code", "ja", "en", "own_shape", "source"]
_DATED = [*_HEADER, "valid_from", "valid_to"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One value of a code list."""

    code: str
    ja: str
    en: str
    own_shape: bool  # chosen by this project, because no public list was found
    source: str
    valid_from: date | None = None
    valid_to: date | None = None  # the last day


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeList:
    """A closed list of codes; a chained one allows up to four codes with commas (続柄 20,12)."""

    name: str
    codes: tuple[Code, ...]

    @property
    def chain(self) -> int:
        """How many codes may stand in a row."""
        return 4 if self.name == "relationship" else 1

    @property
    def longest(self) -> int:
        """How many characters the longest value has, commas of a chain included."""
        return (max(map(len, self.values)) + 1) * self.chain - 1

    @property
    def values(self) -> tuple[str, ...]:
        """The codes alone."""
        return tuple(code.code for code in self.codes)

    def __contains__(self, value: object) -> bool:
        """Say whether a field may hold this value."""
        parts = str(value).split(",") if self.chain > 1 else [str(value)]
        known = set(self.values)
        return len(parts) <= self.chain and all(part in known for part in parts)

    def ja(self, value: str) -> str:
        """Return the Japanese words for a value; a chain is read from the left with の between."""
        named = {code.code: code.ja for code in self.codes}
        return "の".join(named[part] for part in value.split(","))


class CodeLists(Mapping[str, CodeList]):
    """All code lists, by name; asking for another raises :class:`CodeListUnknown`."""

    def __init__(self, lists: Mapping[str, CodeList]) -> None:
        self._held = MappingProxyType(dict(lists))

    def __getitem__(self, name: str) -> CodeList:
        """Return one list."""
        found = self._held.get(name)
        if found is None:
            raise CodeListUnknown(code_list=name, known=", ".join(self._held))
        return found

    def __iter__(self) -> Iterator[str]:
        """Go through the names."""
        return iter(self._held)

    def __len__(self) -> int:
        """Count the lists."""
        return len(self._held)


@lru_cache(maxsize=1)
def load_code_lists() -> CodeLists:
    """Return the code lists that ship with kumobashi; they are read once."""
    return CodeLists({path.stem: read_code_list(path) for path in sorted(_SHIPPED.glob("*.csv"))})


def read_code_list(path: Path) -> CodeList:
    """Read one list; its name is that of the file. Two more columns may say from when to when."""
    codes: dict[str, Code] = {}
    header = _HEADER
    with path.open(encoding="utf-8", newline="") as lines:
        reader = csv.reader(lines, strict=True)
        for cells in reader:
            if reader.line_num == 1:
                if cells not in (_HEADER, _DATED):
                    raise CodeListBroken(file=path.name, line=1, expected=",".join(_HEADER))
                header = cells
                continue
            code = _code(path.name, reader.line_num, dict(zip(header, cells, strict=False)))
            if len(cells) != len(header):
                raise CodeListBroken(
                    file=path.name, line=reader.line_num, expected=f"{len(header)} columns"
                )
            if code.code in codes:
                expected = f"each code once, {code.code} twice"
                raise CodeListBroken(file=path.name, line=reader.line_num, expected=expected)
            codes[code.code] = code
    if not codes:
        raise CodeListBroken(file=path.name, line=2, expected="at least one code")
    return CodeList(name=path.stem, codes=tuple(codes.values()))


def _code(file: str, line: int, cells: Mapping[str, str]) -> Code:
    if missing := next((key for key in _HEADER[:3] if not cells.get(key)), None):
        raise CodeListBroken(file=file, line=line, expected=missing)
    days = []
    for key in _DATED[len(_HEADER) :]:
        try:
            days.append(date.fromisoformat(cells[key]) if cells.get(key) else None)
        except ValueError:
            raise CodeListBroken(file=file, line=line, expected=f"{key}: 2019-05-01") from None
    return Code(
        code=cells["code"],
        ja=cells["ja"],
        en=cells["en"],
        own_shape=cells.get("own_shape") == "yes",
        source=cells.get("source", ""),
        valid_from=days[0],
        valid_to=days[1],
    )
