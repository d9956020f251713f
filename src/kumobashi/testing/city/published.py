"""Published figures of Chiba-shi, typed by hand, and what we assume where nothing is published.

The city has the proportions of a real one: wards, households, ages and what happens in a year. Each
figure carries its source, each assumption says that it is one. Shares are taken from the figure's
own total, because the sources are of different years.

>>> round(RESIDENTS / HOUSEHOLDS, 3)
2.298
>>> sum(ward.residents for ward in WARDS) == RESIDENTS
True
"""

from dataclasses import dataclass

# 千葉市 市勢要覧, 2017-01-01
RESIDENTS, HOUSEHOLDS = 973_309, 423_464
MEN, WOMEN = 483_427, 489_882
FOREIGN = 22_908  # the same, 2016-12-31


@dataclass(frozen=True, slots=True, kw_only=True)
class Ward:
    """One ward: ours has the number, the published one lends its size."""

    code: str
    pattern: str  # the ward of Chiba-shi
    residents: int
    households: int


# 千葉市 市勢要覧, 2017-01-01; the wards sum to the city
WARDS = (
    Ward(code="1", pattern="中央区", residents=206_722, households=97_360),
    Ward(code="2", pattern="花見川区", residents=178_739, households=78_297),
    Ward(code="3", pattern="稲毛区", residents=161_043, households=72_153),
    Ward(code="4", pattern="若葉区", residents=150_661, households=63_453),
    Ward(code="5", pattern="緑区", residents=127_976, households=47_881),
    Ward(code="6", pattern="美浜区", residents=148_168, households=64_320),
)

# 総務省 国勢調査 2015: men and women by five years of age, 0 to 64; unknown ages are left out
BANDS = (
    (0, 19_032, 17_952),
    (5, 20_766, 20_000),
    (10, 22_513, 21_799),
    (15, 24_082, 22_770),
    (20, 24_768, 23_306),
    (25, 23_771, 23_294),
    (30, 27_891, 27_155),
    (35, 32_858, 32_669),
    (40, 42_234, 41_409),
    (45, 39_487, 37_238),
    (50, 32_814, 30_733),
    (55, 26_582, 26_078),
    (60, 28_999, 29_442),
)
ONE_IN_65, ONE_IN_75 = 4.1, 9.4  # the same census: one resident in so many is 65, 75 or older
OLDEST = 104.0

# 千葉県毎月常住人口調査 年報 2021; moves include those from ward to ward
VITAL_RESIDENTS = 977_306
BIRTHS, DEATHS, MOVES_IN, MOVES_OUT = 6_119, 9_648, 56_178, 51_048
FROM_ABROAD = 806  # 「その他」 of the moves in; assumption: all of them from abroad

# -- assumptions: no source gives these ---------------------------------------------------------

ASSUMED_MEN_OF_75 = 0.42  # of those aged 75 or more
ASSUMED_WARD_TO_WARD = 11_000  # a year, counted in MOVES_IN and in MOVES_OUT
ASSUMED_WITHIN_WARD = 23_000  # a year, counted in neither
ASSUMED_CHILDREN_OF_0 = 1.03  # of the births of a year: some of those aged 0 moved in


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeShare:
    """How many of all residents are of one sex and at least ``start``, below ``end`` years old."""

    start: float
    end: float
    men: float
    women: float


def age_shares() -> tuple[AgeShare, ...]:
    """Return fifteen bands that sum to 1: five years each to 64, then 65 to 74, and 75 and more.

    The census counts to 64 and says how many are 65 and 75 or older; how many of those are men is
    what is left of all men (of 2017), and an assumption from 75 on.
    """
    young = sum(men + women for _, men, women in BANDS)
    total = young / (1 - 1 / ONE_IN_65)
    elder, eldest = total / ONE_IN_65, total / ONE_IN_75
    men_65 = total * MEN / RESIDENTS - sum(men for _, men, _ in BANDS)
    men_75 = eldest * ASSUMED_MEN_OF_75
    rows: list[tuple[float, float, float, float]] = [
        (start, start + 5, men, women) for start, men, women in BANDS
    ]
    rows.append((65, 75, men_65 - men_75, elder - eldest - (men_65 - men_75)))
    rows.append((75, OLDEST, men_75, eldest - men_75))
    return tuple(
        AgeShare(start=start, end=end, men=men / total, women=women / total)
        for start, end, men, women in rows
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Yearly:
    """How many of each event a city has in a year; ``moves`` count persons."""

    births: int
    deaths: int
    moves_in: int  # from other municipalities and from abroad
    moves_out: int
    ward_to_ward: int
    within_ward: int


def yearly(residents: int, days: int = 365) -> Yearly:
    """Return the published events of so many days for a city of so many residents."""

    def scaled(figure: int) -> int:
        return round(figure * residents / VITAL_RESIDENTS * days / 365)

    return Yearly(
        births=scaled(BIRTHS),
        deaths=scaled(DEATHS),
        moves_in=scaled(MOVES_IN - ASSUMED_WARD_TO_WARD),
        moves_out=scaled(MOVES_OUT - ASSUMED_WARD_TO_WARD),
        ward_to_ward=scaled(ASSUMED_WARD_TO_WARD),
        within_ward=scaled(ASSUMED_WITHIN_WARD),
    )
