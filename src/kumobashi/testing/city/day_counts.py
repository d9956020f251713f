"""What a day did: records that changed, and people it touched."""

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Records that are new, that changed, and whose person is no resident any more."""

    inserted: int
    updated: int
    removed: int

    def __add__(self, other: "Changes") -> "Changes":
        """Return both together."""
        return Changes(
            inserted=self.inserted + other.inserted,
            updated=self.updated + other.updated,
            removed=self.removed + other.removed,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """How many people a day touches, or is to touch."""

    born: int
    died: int
    moved_in: int
    moved_out: int
    to_ward: int  # from ward to ward
    in_ward: int

    def __add__(self, other: "Touched") -> "Touched":
        """Return both together."""
        return Touched(**{f.name: getattr(self, f.name) + getattr(other, f.name)
                          for f in fields(self)})  # fmt: skip

    def __neg__(self) -> "Touched":
        """Return what is to be taken away."""
        return Touched(**{f.name: -getattr(self, f.name) for f in fields(self)})
