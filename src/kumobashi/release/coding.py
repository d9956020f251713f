"""Names of columns that tell nothing: keyed codes in a shuffled order, under an epoch.

The codes and their order come from a key of one destination and one epoch, so that nobody without
it can guess that ``c7kq…`` is a benefit, and two destinations cannot compare their columns. The
table of codes and names is the codebook; it stays in the hall.

>>> book = codebook(bytes(32), "notice-cloud", "notices", "2026Q4", ["token", "born"])
>>> book.codes["born"], [book.names[code] for code in book.order]
('clxcadxmpas', ['token', 'born'])
"""

import base64
import calendar
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from kumobashi.crypto.canonical import canonical
from kumobashi.release.column_parts import Model
from kumobashi.release.errors import CodebookUnreadable, CodesCollide, EpochOver
from kumobashi.storage.mistakes import Said

CODE_DIGITS = 10  # of base32 behind the letter: 50 bits
_EPOCH = re.compile(r"([0-9]{4})(?:Q([1-4])|-(0[1-9]|1[0-2]))?")


class Coding(Model):
    """That columns leave under codes in a shuffled order, and since when the key is the same.

    ``layout`` names the layout with the logical names; the receiver's dataset has the coded one.
    """

    columns: Literal["keyed"]
    order: Literal["shuffled"]
    epoch: Annotated[str, StringConstraints(max_length=7)]
    layout: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    version: Annotated[str, Field(min_length=1)] = "1"

    @model_validator(mode="after")
    def _epoch_is_read(self) -> "Coding":
        if not _EPOCH.fullmatch(self.epoch) or self.epoch.startswith("0000"):
            raise Said(
                f"「{self.epoch}」は期として読めません。年か、四半期か、月で書いてください。",
                f"{self.epoch!r} is no epoch; write a year, a quarter or a month.",
                example="epoch: 2026Q4",
                at=("epoch",),
            )
        return self

    @property
    def coded_layout(self) -> str:
        """The name of the layout that the receiver's dataset has."""
        return f"{self.layout}-{self.epoch.lower()}"


def days_of(epoch: str) -> tuple[date, date]:
    """Return the first and the last day of an epoch: a calendar year, quarter or month.

    >>> days_of("2026Q4")
    (datetime.date(2026, 10, 1), datetime.date(2026, 12, 31))
    """
    form = _EPOCH.fullmatch(epoch)
    if form is None:
        raise ValueError(f"no epoch: {epoch!r}")
    year = int(form[1])
    first, last = (1, 12)
    if form[2]:
        last = int(form[2]) * 3
        first = last - 2
    elif form[3]:
        first = last = int(form[3])
    return date(year, first, 1), date(year, last, calendar.monthrange(year, last)[1])


def check_epoch(epoch: str, on: date) -> None:
    """Raise :class:`EpochOver` unless ``on`` lies within the epoch."""
    first, last = days_of(epoch)
    if not first <= on <= last:
        raise EpochOver(epoch=epoch, first=first, last=last, on=on)


@dataclass(frozen=True, slots=True, kw_only=True)
class Codebook:
    """Which code stands for which column of one dataset, in the order in which they leave."""

    system: str
    dataset: str
    epoch: str
    columns: tuple[tuple[str, str], ...]  # code and logical name

    @property
    def codes(self) -> Mapping[str, str]:
        """The codes by logical name."""
        return {name: code for code, name in self.columns}

    @property
    def names(self) -> Mapping[str, str]:
        """The logical names by code."""
        return dict(self.columns)

    @property
    def order(self) -> tuple[str, ...]:
        """The codes as they leave."""
        return tuple(code for code, _ in self.columns)

    def text(self) -> bytes:
        """Return the content of its file: canonical JSON (RFC 8785)."""
        return canonical(
            {
                "format": 1,
                "system": self.system,
                "dataset": self.dataset,
                "epoch": self.epoch,
                "columns": [[code, name] for code, name in self.columns],
            }
        )

    @property
    def digest(self) -> str:
        """The SHA-256 of its file: all of it that leaves the hall, as evidence."""
        return f"sha256:{sha256(self.text()).hexdigest()}"

    @classmethod
    def read(cls, text: bytes) -> Self:
        """Read the content of a file.

        Raises:
            CodebookUnreadable: it is none.
        """
        try:
            held = json.loads(text)
            book = cls(
                system=str(held["system"]),
                dataset=str(held["dataset"]),
                epoch=str(held["epoch"]),
                columns=tuple((str(code), str(name)) for code, name in held["columns"]),
            )
        except (ValueError, KeyError, TypeError):
            raise CodebookUnreadable from None
        if book.text() != text.strip():
            raise CodebookUnreadable
        return book


def codebook(
    key: bytes,
    system: str,
    dataset: str,
    epoch: str,
    names: Sequence[str],
    *,
    digits: int = CODE_DIGITS,
) -> Codebook:
    """Return the codes of a dataset's columns; ``key`` is of this destination and epoch.

    Raises:
        CodesCollide: two columns have the same code; another epoch has others.
    """
    made = [(_code(key, dataset, name, digits), name) for name in names]
    if len({code for code, _ in made}) < len(made):
        raise CodesCollide(dataset=dataset, epoch=epoch)
    made.sort(key=lambda pair: _mac(key, f"order|{dataset}|{pair[1]}"))
    return Codebook(system=system, dataset=dataset, epoch=epoch, columns=tuple(made))


def _code(key: bytes, dataset: str, name: str, digits: int) -> str:
    text = base64.b32encode(_mac(key, f"{dataset}|{name}")).decode("ascii")
    return f"c{text[:digits].lower()}"


def _mac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
