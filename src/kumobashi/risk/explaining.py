"""Each measure in one sentence for people: what it would mean to a neighbour. No mathematics.

>>> from kumobashi.risk.measures import Sizes, tell
>>> said = explain(tell([Sizes(rows=1, population=None, classes=2)]))
>>> said[1].name, said[1].value
('k', '1')
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import exp, floor

from kumobashi.risk.measures import Measures


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """A measure with its value as text, and what it means, in Japanese and English."""

    name: str
    value: str
    title_ja: str
    title_en: str
    ja: str
    en: str


_WORDS = {
    "classes": (
        "値の組",
        "classes",
        "近所の人が知っていそうな列（準識別子）が、すべて同じ人どうしを1組と数えた数です。",
        "Groups of people who look alike to a neighbour.",
    ),
    "k": (
        "最少人数 k",
        "k",
        "隣人が相手を何人まで絞れるかです。いちばん少ない組の人数で、1 なら名指しできます。",
        "How far a neighbour can narrow it down: the fewest people who look alike. 1 is a name.",
    ),
    "k_map": (
        "母集団での最少人数",
        "k-map",
        "載っているか知らない隣人にとっての k です。まちの全員のうち、同じに見える人の数です。",
        "The same for a neighbour who does not know who is listed: people alike in the whole town.",
    ),
    "l": (
        "値の種類 l",
        "l (distinct)",
        "いちばん偏った組の「{column}」が何種類かです。1 なら、組が分かれば値も分かります。",
        "How many values of {column!r} the poorest group has. 1: the group gives the value away.",
    ),
    "entropy_l": (
        "実質の種類",
        "l (entropy)",
        "偏りまで見た「{column}」の種類です。1 に近いほど、隣人の当て推量が当たります。",
        "Values of {column!r} with their imbalance: near 1, a neighbour's guess is right.",
    ),
    "t": (
        "全体との違い t",
        "t",
        "組の中の「{column}」の割合が全体とどれだけ違うかです。0 なら隣人は何も学びません。",
        "How far a group's {column!r} is from everybody's. 0: a neighbour learns nothing from it.",
    ),
    "delta_disclosure": (
        "見込みの変わり方 δ",
        "δ-disclosure",
        "組が分かると「{column}」の見込みが最大 {times} 倍か {times} 分の1に変わります。",
        "Knowing the group changes a neighbour's guess of {column!r} by a factor of up to {times}.",
    ),
    "unique_share": (
        "ひとりだけの人",
        "alone in their group",
        "同じに見える人がこの名簿にほかに1人もいない人の割合です。隣人は、その行が誰か分かります。",
        "People with nobody like them in the list: a neighbour sees which row is theirs.",
    ),
    "population_unique_share": (
        "まちでひとりだけの人",
        "alone in the town",
        "まち全体にも同じに見える人がいない人の割合です。載っていると知らない隣人にも分かります。",
        "People with nobody like them in the whole town: any neighbour knows the row.",
    ),
    "prosecutor_max": (
        "言い当てられる見込み（最大）",
        "prosecutor risk, highest",
        "載っていると知っている隣人が、いちばん見つけやすい人の行を言い当てる見込みです。",
        "How surely a neighbour who knows that you are listed picks your row, at worst.",
    ),
    "prosecutor_average": (
        "言い当てられる見込み（平均）",
        "prosecutor risk, average",
        "同じ隣人が、名簿の誰か1人について言い当てる見込みの平均です。",
        "The same for anybody in the list, on average.",
    ),
    "journalist_max": (
        "載っているか知らない人から（最大）",
        "journalist risk, highest",
        "載っているか知らない人が、いちばん見つけやすい人を言い当てる見込みです。",
        "How surely somebody who does not know who is listed names a person, at worst.",
    ),
    "journalist_average": (
        "載っているか知らない人から（平均）",
        "journalist risk, average",
        "載っているか知らない人が言い当てる見込みの、名簿全員の平均です。",
        "The same for anybody in the list, on average.",
    ),
    "marketer": (
        "まとめて突き合わせたとき",
        "marketer risk",
        "名簿をまるごと別の名簿と突き合わせた業者が、正しく結びつけられる人の割合です。",
        "Of all people, how many somebody who matches whole lists links rightly.",
    ),
}
_SHARES = frozenset(
    {
        *("unique_share", "population_unique_share", "prosecutor_max", "prosecutor_average"),
        *("journalist_max", "journalist_average", "marketer"),
    }
)


def explain(measures: Measures) -> tuple[Explained, ...]:
    """Return every measure there is, those of a sensitive column once for each."""
    return tuple(_explained(measures))


def _explained(found: Measures) -> Iterator[Explained]:
    for name in ("classes", "k", "k_map"):
        value = getattr(found, name)
        if value is not None:
            yield _said(name, f"{value:,}")
    for column, one in found.sensitive.items():
        yield _said("l", f"{one.l:,}", column)
        yield _said("entropy_l", f"{one.entropy_l:.2f}", column)
        yield _said("t", f"{one.t:.3f}", column)
        yield _said("delta_disclosure", f"{one.delta:.2f}", column, times=f"{exp(one.delta):,.1f}")
    for name in _WORDS:
        if name in _SHARES and (value := getattr(found, name)) is not None:
            yield _said(name, percent(value))


def _said(name: str, value: str, column: str = "", times: str = "") -> Explained:
    title_ja, title_en, ja, en = _WORDS[name]
    return Explained(
        name=name,
        value=value,
        title_ja=title_ja,
        title_en=title_en,
        ja=ja.format(column=column, times=times),
        en=en.replace("{column!r}", repr(column)).format(column=column, times=times),
    )


def percent(share: float) -> str:
    """Return a share as people read it; what is not nothing never reads as nothing.

    >>> percent(0.0), percent(0.00001), percent(0.1234), percent(0.99999), percent(1.0)
    ('0 %', '< 0.1 %', '12.3 %', '> 99.9 %', '100 %')
    """
    if share in {0, 1}:
        return f"{share * 100:.0f} %"
    shown = floor(share * 1000 + 0.5) / 10
    if shown <= 0:
        return "< 0.1 %"
    return "> 99.9 %" if shown >= 100 else f"{shown:.1f} %"  # noqa: PLR2004 - per cent
