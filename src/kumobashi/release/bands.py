"""Bands of ages as people write them: from 0 upwards, without a gap and without an overlap.

>>> read_bands([0, "1-2", "3-17", "18+"])
(Band(first=0, last=0), Band(first=1, last=2), Band(first=3, last=17), Band(first=18, last=None))
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kumobashi.storage.mistakes import Said

# Facts on the abstraction table of the Chiba trial (2017): stages of life rather than single years.
DEFAULT_BANDS = ("0", "1-2", "3-5", "6-11", "12-14", "15-17", "18-64", "65-74", "75+")
OLDEST = 150  # years; nobody is older
_FORM = re.compile(r"([0-9]{1,3})(?:-([0-9]{1,3})|(\+))?")
_EXAMPLE = "bands: [0, 1-2, 3-5, 6-17, 18+]"


@dataclass(frozen=True, slots=True)
class Band:
    """Full years of age, both ends included; ``last`` is none where there is no upper end."""

    first: int
    last: int | None

    @property
    def after(self) -> int | None:
        """The first age above the band; none where there is none."""
        return None if self.last is None else self.last + 1


def read_bands(written: Sequence[str | int]) -> tuple[Band, ...]:
    """Return the bands; raise :class:`Said`, at the number of the band, for any other writing."""
    found: list[Band] = []
    for number, text in enumerate(written):
        band, expected = _read(text, number), found[-1].after if found else 0
        if expected is None:
            raise _said(
                number,
                f"「{written[number - 1]}」より上の年齢はありません。+ は最後に1つだけ書きます。",
                f"Nothing is left above {written[number - 1]}: + stands once, at the end.",
            )
        if band.first > expected:
            raise _said(
                number,
                f"年齢の区分に隙間があります: {expected} 歳がどの区分にも入りません。",
                f"The bands leave a gap: nobody of {expected} is in any.",
            )
        if band.first < expected:
            raise _said(
                number,
                f"年齢の区分が重なっています: {band.first} 歳が2つの区分に入ります。",
                f"The bands overlap: {band.first} is in two of them.",
            )
        found.append(band)
    if found and found[-1].last is not None:
        last = len(found) - 1
        raise _said(
            last,
            f"{found[-1].after} 歳以上がどの区分にも入りません。最後の区分に + を付けてください。",
            f"Nobody of {found[-1].after} or older is in any band; end the last one with +.",
        )
    return tuple(found)


def bounds(bands: Sequence[Band]) -> frozenset[int]:
    """Return the ages at which a band begins, but for 0: what two persons can be told apart by."""
    return frozenset(band.first for band in bands) - {0}


def _read(text: str | int, number: int) -> Band:
    form = _FORM.fullmatch(str(text))
    first = int(form[1]) if form else -1
    last = (int(form[2]) if form[2] else None if form[3] else first) if form else None
    if form is None or first > OLDEST or (last is not None and not first <= last <= OLDEST):
        raise _said(
            number,
            f"「{text}」は年齢の区分として読めません。0、1-2、75+ のように書きます。",
            f"{text!r} is no band of ages; write 0, 1-2 or 75+.",
        )
    return Band(first, last)


def _said(number: int, ja: str, en: str) -> Said:
    return Said(ja, en, example=_EXAMPLE, at=("bands", number))
