"""Hold the city against the published figures: each line says both, and how far they are apart.

The city's own number is scaled to the size of the published city, line by line: people and homes by
the residents of 2017, ages by those whose age the census knows, events by the residents of 2021.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from kumobashi.testing.city.city import City
from kumobashi.testing.city.published import (
    BANDS,
    BIRTHS,
    DEATHS,
    HOUSEHOLDS,
    MEN,
    MOVES_IN,
    MOVES_OUT,
    ONE_IN_65,
    RESIDENTS,
    VITAL_RESIDENTS,
    WARDS,
    WOMEN,
    age_shares,
)
from kumobashi.testing.city.towns import towns

TOLERANCE = 0.01
_YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """One published figure beside the city's, scaled to the same size."""

    group: str  # population, wards, households, ages, events
    ja: str
    en: str
    published: float
    city: float
    is_assumed: bool = False  # part of the published side is our assumption

    @property
    def difference(self) -> float:
        """Return how far the city is off, as a share of the published figure."""
        return self.city / self.published - 1

    @property
    def is_good(self) -> bool:
        """Whether the city is within one percent."""
        return abs(self.difference) <= TOLERANCE


def totals(city: City) -> tuple[Total, ...]:
    """Return all lines, in the order in which people read them."""
    return (*_population(city), *_wards(city), *_ages(city), *_events(city))


def _ask(city: City, sql: str) -> list[tuple[Any, ...]]:
    return city.connection.execute(sql).fetchall()


def _population(city: City) -> Iterator[Total]:
    living, men, women, homes = _ask(
        city,
        """select count(*), count(*) filter (sex = '1'), count(*) filter (sex = '2'),
            count(distinct household_no) from resident_registry where resident_status = '1'""",
    )[0]
    scale = RESIDENTS / city.residents
    for group, ja, en, published, found in (
        ("population", "人口", "residents", RESIDENTS, living),
        ("population", "男", "men", MEN, men),
        ("population", "女", "women", WOMEN, women),
        ("households", "世帯", "households", HOUSEHOLDS, homes),
    ):
        yield Total(group=group, ja=ja, en=en, published=published, city=found * scale)
    yield Total(
        group="households",
        ja="1世帯あたりの人数",
        en="persons per household",
        published=RESIDENTS / HOUSEHOLDS,
        city=living / homes,
    )


def _wards(city: City) -> Iterator[Total]:
    found = {
        code: (living, homes)
        for code, living, homes in _ask(
            city,
            """select ward_code, count(*), count(distinct household_no)
            from resident_details join resident_registry using (resident_no)
            where resident_status = '1' group by 1""",
        )
    }
    scale = RESIDENTS / city.residents
    for place, (ja, en) in enumerate((("人口", "residents"), ("世帯", "households"))):
        for ward in WARDS:
            yield Total(
                group="wards",
                ja=f"第{ward.code}区の{ja}（{ward.pattern}）",
                en=f"ward {ward.code}, {en} ({ward.pattern})",
                published=(ward.residents, ward.households)[place],
                city=found.get(ward.code, (0, 0))[place] * scale,
            )


def _ages(city: City) -> Iterator[Total]:
    known = sum(men + women for _, men, women in BANDS) / (1 - 1 / ONE_IN_65)
    shares = age_shares()
    starts = ", ".join(str(int(share.start)) for share in shares)
    found: dict[int, int] = dict(
        _ask(
            city,
            f"""select list_max(list_filter([{starts}], lambda s: s <= years)), count(*) from (
                select date_diff('day', birth_date, date '{city.on}') / 365.2425 as years
                from resident_registry where resident_status = '1') group by 1""",
        )
    )
    living = sum(found.values())
    for share in shares:
        first, is_last = int(share.start), share is shares[-1]
        until = int(share.end) - 1
        yield Total(
            group="ages",
            ja=f"{first}歳以上" if is_last else f"{first}〜{until}歳",
            en=f"aged {first} and more" if is_last else f"aged {first} to {until}",
            published=(share.men + share.women) * known,
            city=found.get(first, 0) / living * known,
            is_assumed=first >= 65,  # noqa: PLR2004 - what is left of the census
        )


def _events(city: City) -> Iterator[Total]:
    since = city.on - _YEAR
    rows = city.connection.execute(
        """select event_reason, count(*) from resident_events
        where event_date >= ? and event_date < ? group by 1""",
        [since, city.on],
    ).fetchall()
    count: dict[str, int] = dict(rows)
    ward = {town.name: town.ward for town in towns()}
    moves = city.connection.execute(
        """select previous_town, destination_town, count(*) from resident_events
        where event_reason = '03' and event_date >= ? and event_date < ?
            and previous_town is not null group by all""",
        [since, city.on],
    ).fetchall()
    to_ward = sum(many for before, after, many in moves if ward[before] != ward[after])
    scale = VITAL_RESIDENTS / city.residents
    came = count.get("02", 0) + count.get("15", 0) + to_ward
    went = count.get("04", 0) + count.get("16", 0) + to_ward
    for ja, en, published, found, is_assumed in (
        ("1年の出生", "births in a year", BIRTHS, count.get("01", 0), False),
        ("1年の死亡", "deaths in a year", DEATHS, count.get("05", 0), False),
        ("1年の転入（区間を含む）", "moves in (wards included)", MOVES_IN, came, True),
        ("1年の転出（区間を含む）", "moves out (wards included)", MOVES_OUT, went, True),
    ):
        yield Total(
            group="events", ja=ja, en=en, published=published, city=found * scale,
            is_assumed=is_assumed,
        )  # fmt: skip
