r"""The one column by which a cloud finds a row again (its external id).

A layout whose key is one column has it; where several make a row unique, they are joined into a
column of their own, so that no two different rows get the same one.

>>> Key(("resident_no",)).name, Key(("token", "vaccine_code")).name
('resident_no', 'row_key')
>>> import duckdb
>>> joined = Key(("a", "b")).sql()
>>> rows = "(values ('x|', 'y'), ('x', '|y'), ('x', null)) t(a, b)"
>>> duckdb.sql(f"select {joined} from {rows}").fetchall()
[('x\\||y',), ('x|\\|y',), (None,)]
"""

from dataclasses import dataclass
from typing import Final

from kumobashi.storage.tables import quoted

JOINED: Final = "row_key"


@dataclass(frozen=True, slots=True)
class Key:
    """The columns that make a row unique."""

    columns: tuple[str, ...]

    @property
    def is_joined(self) -> bool:
        """Whether it is a column that the layout does not have."""
        return len(self.columns) > 1

    @property
    def name(self) -> str:
        """The cloud's column."""
        return JOINED if self.is_joined else self.columns[0]

    def sql(self) -> str:
        """Return its value in SQL, a text; null where a part of it is empty."""
        parts = [f"nullif({quoted(column)}::varchar, '')" for column in self.columns]
        if not self.is_joined:
            return parts[0]
        escaped = (rf"replace(replace({part}, '\', '\\'), '|', '\|')" for part in parts)
        return " || '|' || ".join(escaped)
