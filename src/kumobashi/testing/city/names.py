"""Real surnames by population, real given names that fit sex and generation, names in katakana.

The package japanese-personal-name-dataset knows 1,999 surnames with the number of their bearers and
943 readings of given names with their spellings. Surnames with a character that old code pages lack
(髙 﨑 𠮷, and 辻 and 葛 with a variation selector) are added as a share of the plain spelling.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from japanese_personal_name_dataset import FirstNameEntry, load_dataset
from numpy.typing import NDArray

# plain character: the variant that some families write, and the share of families who do
_VARIANTS = {
    "高": ("\u9ad9", 0.16),  # 髙, はしご高
    "崎": ("\ufa11", 0.12),  # 﨑, たつさき
    "吉": ("\U00020bb7", 0.08),  # 𠮷, つちよし, outside the BMP
    "辻": ("\u8fbb\U000e0100", 0.20),  # 辻󠄀, one-dot, an ideographic variation sequence
    "葛": ("\u845b\U000e0100", 0.15),  # 葛󠄀, likewise
}
SPECIAL_CHARACTERS = tuple(variant for variant, _ in _VARIANTS.values())
_FOREIGN_FAMILY = (
    "グエン",
    "チャン",
    "レ",
    "ファム",
    "ワン",
    "リー",
    "チェン",
    "リウ",
    "キム",
    "パク",
    "イ",
    "チェ",
    "サントス",
    "クルス",
    "レイエス",
    "シルバ",
    "スミス",
    "ブラウン",
    "シン",
    "クマール",
    "タパ",
    "グルン",
    "シュレスタ",
    "ペレラ",
    "カーン",
    "アフマド",
    "イワノフ",
    "マルティン",
)
_FOREIGN_MALE = (
    "ミン",
    "フン",
    "ナム",
    "ウェイ",
    "ジュン",
    "ジフン",
    "ホセ",
    "マルコ",
    "ルーカス",
    "ジョン",
    "デイビッド",
    "ラジ",
    "アミット",
    "ビシャル",
    "サンジェイ",
    "モハメド",
    "アリ",
    "イワン",
    "ダニエル",
)
_FOREIGN_FEMALE = (
    "リン",
    "フオン",
    "トゥイ",
    "マイ",
    "リーファ",
    "シュウ",
    "スジン",
    "ミンジ",
    "マリア",
    "グレース",
    "アナ",
    "カミラ",
    "エミリー",
    "サラ",
    "プリヤ",
    "アニタ",
    "スニタ",
    "アイシャ",
    "オルガ",
    "ソフィア",
)
_CLASSIC_FEMALE = ("こ", "え", "よ", "み", "ね", "ぎく", "しず")
_CLASSIC_MALE = ("お", "じ", "いち", "ろう", "し", "のり", "あき", "ひろ", "ゆき", "かず")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Entries of a name table, by row number, and how often each is drawn among them."""

    rows: NDArray[np.int32]
    cumulative: NDArray[np.float64]

    def draw(self, uniform: NDArray[np.float64]) -> NDArray[np.int32]:
        """Turn numbers in [0, 1) into rows of the name table."""
        return self.rows[np.searchsorted(self.cumulative, uniform, side="right")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Two tables of names (written form, kana) and the pools that point into them."""

    family: list[tuple[str, str]]
    given: list[tuple[str, str]]
    surnames: Pool
    surnames_of: tuple[NDArray[np.int32], ...]  # per special character, the rows that hold it
    foreign_surnames: Pool
    classic: dict[int, Pool]  # by sex, for those born before about 1975
    modern: dict[int, Pool]
    foreign: dict[int, Pool]


@lru_cache(maxsize=1)
def names() -> Names:
    """Return the names of the city; they are read once."""
    male, female, last = load_dataset("opti", include_last_names=True)
    family: list[tuple[str, str]] = []
    weights: list[float] = []
    for kanji, entry in last.items():
        kana = _katakana(entry["reading"])
        spellings = [
            (kanji.replace(c, v), share) for c, (v, share) in _VARIANTS.items() if c in kanji
        ]
        family += [(kanji, kana), *((spelling, kana) for spelling, _ in spellings)]
        plain = 1.0 - sum(share for _, share in spellings)
        weights += [entry["count"] * share for share in (plain, *(s for _, s in spellings))]
    native = len(family)
    family += [(name, name) for name in _FOREIGN_FAMILY]
    given: list[tuple[str, str]] = []
    pools = {
        sex: _given(entries, endings, given)
        for sex, entries, endings in ((1, male, _CLASSIC_MALE), (2, female, _CLASSIC_FEMALE))
    }
    foreign = {}
    for sex, listed in ((1, _FOREIGN_MALE), (2, _FOREIGN_FEMALE)):
        foreign[sex] = _pool(np.arange(len(given), len(given) + len(listed)), np.ones(len(listed)))
        given += [(name, name) for name in listed]
    return Names(
        family=family,
        given=given,
        surnames=_pool(np.arange(native), np.array(weights)),
        surnames_of=tuple(
            np.array([n for n, (kanji, _) in enumerate(family) if c in kanji], dtype=np.int32)
            for c in SPECIAL_CHARACTERS
        ),
        foreign_surnames=_pool(
            np.arange(native, len(family)), 1.0 / np.arange(1, len(_FOREIGN_FAMILY) + 1)
        ),
        classic={sex: both[0] for sex, both in pools.items()},
        modern={sex: both[1] for sex, both in pools.items()},
        foreign=foreign,
    )


def _given(
    entries: dict[str, FirstNameEntry], endings: tuple[str, ...], given: list[tuple[str, str]]
) -> tuple[Pool, Pool]:
    """Append the spellings to ``given``; return the pool of the elder and of the younger."""
    spelled = [(kanji, kana) for kana, entry in entries.items() for kanji in entry["kanji"]]
    common: dict[str, int] = {}
    for kanji, _ in spelled:
        for character in kanji:
            common[character] = common.get(character, 0) + 1
    # How many bear a given name is not known; names of common characters are taken as common.
    weights = np.array(
        [np.prod([common[c] for c in kanji]) ** (1.3 / len(kanji)) for kanji, _ in spelled]
    )
    start = len(given)
    given += [(kanji, _katakana(kana)) for kanji, kana in spelled]
    rows = np.arange(start, len(given))
    is_classic = np.array([kana.endswith(endings) for _, kana in spelled])
    return (
        _pool(rows, np.where(is_classic, weights, weights * 0.05)),
        _pool(rows, np.where(is_classic, weights * 0.1, weights)),
    )


def _pool(rows: NDArray[np.int64], weights: NDArray[np.float64]) -> Pool:
    cumulative = np.cumsum(weights)
    cumulative /= cumulative[-1]
    cumulative[-1] = 1.0
    return Pool(rows=rows.astype(np.int32), cumulative=cumulative)


def _katakana(hiragana: str) -> str:
    return "".join(chr(ord(c) + 0x60) if "ぁ" <= c <= "ゖ" else c for c in hiragana)
