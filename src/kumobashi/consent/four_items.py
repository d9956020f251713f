"""Is the applicant who she says she is? Name, sex, birth date and address against the register.

Only the outcome leaves this module: one resident, none, or several. Which item was unlike is said
to nobody, or whoever guesses would learn them one by one. Names are compared by their kana and
addresses by town and numbers, each in one form: what people type is never quite what stands there.

>>> said = FourItems(
...     kana="やまだ はなこ", sex="2", birth_date=date(1990, 5, 14), address="架空町１丁目２番３号"
... )
>>> there = FourItems(
...     kana="ヤマダ　ハナコ", sex="2", birth_date=date(1990, 5, 14), address="架空町一丁目2-3"
... )
>>> identify(said, [("0000000001", there)])
Identified(outcome=<Outcome.MATCH: 'match'>, number='0000000001')
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

_SMALL = str.maketrans("ァィゥェォッャュョヮヵヶ", "アイウエオツヤユヨワカケ")
_HIRAGANA = {code: code + 0x60 for code in range(0x3041, 0x3097)}
_DIGITS = {"〇": 0, "一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
_KANJI_NUMBER = re.compile(r"[〇一二三四五六七八九十]+(?=丁目|番|号|の|-|$)")
_BETWEEN = re.compile(r"丁目|番地の|番地|番|号|の(?=\d)|[-‐‑‒–—―−ーｰ~〜]+")
_STREET = re.compile(r"^(.*?)(\d+(?:-\d+)*)")


class Outcome(StrEnum):
    """All that may be said."""

    MATCH = "match"
    NONE = "none"
    AMBIGUOUS = "ambiguous"


@dataclass(frozen=True, slots=True, kw_only=True)
class FourItems:
    """基本4情報, as somebody states them or as the register has them."""

    kana: str = field(repr=False)
    sex: str = field(repr=False)
    birth_date: date = field(repr=False)
    address: str = field(repr=False)

    @property
    def form(self) -> tuple[str, str, date, str]:
        """The form in which two are compared."""
        return name_form(self.kana), self.sex, self.birth_date, address_form(self.address)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identified:
    """The outcome; ``number`` only of a match."""

    outcome: Outcome
    number: str | None = None


def identify(said: FourItems, register: Iterable[tuple[str, FourItems]]) -> Identified:
    """Compare with residents of the register: number and items."""
    form = said.form
    if not form[0] or not form[3]:
        return Identified(outcome=Outcome.NONE)
    found = {number for number, items in register if items.form == form}
    if len(found) == 1:
        return Identified(outcome=Outcome.MATCH, number=found.pop())
    return Identified(outcome=Outcome.AMBIGUOUS if found else Outcome.NONE)


def name_form(kana: str) -> str:
    """Return a name in one form of kana: full width, katakana, no small ones, nothing between.

    >>> name_form("ｼｮｳｼﾞ・ｷｮｳｺ") == name_form("しょうじ きょうこ")
    True
    """
    text = unicodedata.normalize("NFKC", kana).translate(_HIRAGANA).translate(_SMALL)
    return "".join(char for char in text if char.isalpha() and char not in "ー・")


def address_form(address: str) -> str:
    """Return town and numbers of an address in one form; the building behind them is left out.

    >>> address_form("架空町十二丁目3番地の4 架空ハイツ101")
    '架空町12-3-4'
    """
    text = "".join(unicodedata.normalize("NFKC", address).split())
    text = _KANJI_NUMBER.sub(lambda found: str(_number(found.group())), text)
    parts = _BETWEEN.sub("-", text)
    found = _STREET.match(parts)
    if found is None:
        return parts.strip("-")
    return f"{found.group(1).rstrip('-')}{found.group(2)}"


def _number(kanji: str) -> int:
    """Return a number below a hundred that is written in kanji, or digit by digit."""
    if "十" in kanji:
        tens, _, ones = kanji.partition("十")
        return (_DIGITS.get(tens, 1) if tens else 1) * 10 + (_DIGITS.get(ones, 0) if ones else 0)
    return int("".join(str(_DIGITS[char]) for char in kanji))
