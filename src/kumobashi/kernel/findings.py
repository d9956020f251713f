"""One thing wrong with one row or field, as a value; 400,000 rows may have many."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One 指摘: where it is, what was expected, what was got.

    ``got`` holds a code, a length or a code point, never a name, an address or a number.
    """

    code: str  # stable, "finding.unknown_code"
    line: int | None  # row of the dataset or line of the file, from 1; None: about the whole
    item: str  # column
    expected: str
    got: str
    rows: int = 1  # how many rows share it, when findings are grouped
