"""Layouts: the fields of a dataset, as dated data.

A layout file is YAML and begins ``kumobashi: 1``. Each of its fields names an item of the registry
(``items.csv``) and says what this dataset adds, or says all by itself. Types are those of the
national item definitions; ``digits`` count characters, never bytes.

>>> layouts = load_layouts()
>>> layouts.get("resident-registry", "1").field("sex").code_list
'sex'
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path

from kumobashi.catalogue.contradictions import overlaps
from kumobashi.catalogue.errors import LayoutsOverlap, LayoutUnknown
from kumobashi.catalogue.fields import Field, Layout
from kumobashi.catalogue.items import FieldType, Sensitivity
from kumobashi.catalogue.reading import layout_from, read_layout

__all__ = [
    "Field",
    "FieldType",
    "Layout",
    "Layouts",
    "Sensitivity",
    "layout_from",
    "load_layouts",
    "read_layout",
    "span",
]

_SHIPPED = Path(__file__).with_suffix("")


class Layouts:
    """All layouts known here, by name and version."""

    def __init__(
        self, layouts: Iterable[Layout], unread: Mapping[tuple[str, str], Path] | None = None
    ) -> None:
        """Hold layouts; those of ``unread`` are read from their files when they are asked for."""
        self._held: dict[tuple[str, str], Layout | Path] = dict(unread or {})
        self._held |= {(layout.layout, layout.version): layout for layout in layouts}

    def __iter__(self) -> Iterator[Layout]:
        """Go through all layouts."""
        return (self._read(key) for key in list(self._held))

    def __len__(self) -> int:
        """Count layouts, each version by itself."""
        return len(self._held)

    def names(self) -> tuple[str, ...]:
        """Return the names of all layouts."""
        return tuple(dict.fromkeys(name for name, _ in self._held))

    def versions(self, name: str) -> tuple[str, ...]:
        """Return the versions of a layout; none when there is no such layout."""
        return tuple(version for held, version in self._held if held == name)

    def get(self, name: str, version: str) -> Layout:
        """Return one layout, or raise :class:`LayoutUnknown`."""
        if (name, version) not in self._held:
            known = ", ".join(f"{held} {of}" for held, of in self._held)
            raise LayoutUnknown(layout=name, version=version, known=known)
        return self._read((name, version))

    def named(self, name: str) -> list[Layout]:
        """Return the versions of one layout; none when there is no such layout."""
        return [self._read(key) for key in list(self._held) if key[0] == name]

    def on(self, name: str, day: date) -> Layout:
        """Return the newest version that is valid on that day.

        Of two that run side by side it is the one that names the other as running beside it.
        """
        valid = [held for held in self.named(name) if held.is_valid(day)]
        if not valid:
            raise LayoutUnknown(layout=name, version=day.isoformat(), known=", ".join(self.names()))
        older = {version for held in valid for version in held.parallel}
        return max(valid, key=lambda held: (held.version not in older, held.valid_from))

    def with_local(self, layouts: Iterable[Layout]) -> "Layouts":
        """Return these and the given ones, which win where name and version are the same."""
        mine = Layouts(layouts)
        mine._held = {**self._held, **mine._held}
        return mine

    def _read(self, key: tuple[str, str]) -> Layout:
        found = self._held[key]
        if isinstance(found, Path):  # twice at once is the same value twice
            found = self._held[key] = _of_shipped(found)
        return found


def load_layouts(extra: Path | None = None) -> Layouts:
    """Return the layouts that ship with kumobashi and those of the folder ``extra``.

    Raises:
        LayoutBroken: a file of the folder cannot be read.
        LayoutsOverlap: two versions of one layout are valid on the same days.
    """
    shipped = _shipped()
    if extra is None or not extra.is_dir():
        return shipped
    local = _apart([read_layout(path) for path in sorted(extra.glob("*.yaml"))])
    together = shipped.with_local(local)
    for name in {layout.layout for layout in local}:
        _apart(together.named(name))
    return together


# Each workspace that is read holds them anew; what a release brings is the same all along.
_of_shipped = lru_cache(maxsize=None)(read_layout)


@lru_cache(maxsize=1)
def _shipped() -> Layouts:
    """Return what ships, unread: a file is named for its layout and, but for the first, version."""
    return Layouts((), {_name_and_version(path): path for path in sorted(_SHIPPED.glob("*.yaml"))})


def _name_and_version(path: Path) -> tuple[str, str]:
    name, _, version = path.stem.rpartition("-")
    return (name, version) if version.isdecimal() else (path.stem, "1")


def _apart(layouts: list[Layout]) -> list[Layout]:
    """Return the layouts, or raise :class:`LayoutsOverlap` for the first two of one day."""
    for older, newer in overlaps(layouts):
        raise LayoutsOverlap(
            layout=newer.layout,
            version=newer.version,
            span=span(newer),
            other=older.version,
            other_span=span(older),
        )
    return layouts


def span(layout: Layout) -> str:
    """Return the days of a layout in words; an end that is open stays empty."""
    first = "" if layout.valid_from == date.min else layout.valid_from.isoformat()
    return f"{first}〜{layout.valid_to or ''}"
