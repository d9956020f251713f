"""Write the rows of the people with a story, table by table.

``_Cast`` knows what everybody has: a line in the register, consents, tax from 15, care insurance
from 65, medical care of the old from 75. What makes a story is said beside its person.
"""

# ruff: noqa: PLR2004 - ages that the law names

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from kumobashi.testing.city.benefits import tax_year
from kumobashi.testing.city.outsiders import ELSEWHERE, INSTITUTION, LETTERS, TAXED
from kumobashi.testing.city.schema import MUNICIPALITY
from kumobashi.testing.city.towns import Town, towns
from kumobashi.testing.city.views import ELSEWHERE_NAME, PREFECTURE

Row = dict[str, Any]
Rows = dict[str, list[Row]]
_ENTRIES, _REMOVALS = {"01", "02", "15"}, {"04", "05", "16"}


def rows_of_golden(on: date, purposes: Sequence[str]) -> Rows:
    """Return the rows by table for a city of that day; dates follow the day, numbers never do."""
    cast = _Cast(on, purposes)
    _left(cast)
    _homes(cast)
    _names(cast)
    _birthdays(cast)
    _without_record(cast)
    return cast.rows


class _Cast:
    """Collects rows; a home is named by the number of its first person."""

    def __init__(self, on: date, purposes: Sequence[str]) -> None:
        self.on, self.purposes = on, purposes
        self.rows: Rows = {}

    def add(self, table: str, **values: object) -> None:
        """Add one row; columns that are not named are null."""
        self.rows.setdefault(table, []).append(values)

    def ago(self, days: int) -> date:
        """Return the day so many days before that of the city."""
        return self.on - timedelta(days=days)

    def born(self, age: int, month: int, day: int) -> date:
        """Return the birthday of someone who is ``age`` on the day of the city."""
        this_year = date(self.on.year, month, day) <= self.on
        return date(self.on.year - age - (0 if this_year else 1), month, day)

    def person(  # noqa: PLR0913 - a line of the register has so many columns
        self,
        number: int,
        family: tuple[str, str | None],
        given: tuple[str, str | None],
        sex: str,
        born: date,
        *,
        home: int = 0,
        ward: int = 1,
        relationship: str = "02",
        order: int | None = 1,
        status: str = "1",
        kind: str = "1",
        since: date | None = None,
        removed: date | None = None,
        income: int | None = 0,
        **details: object,
    ) -> None:
        """Add a person of the register; ``income`` None means that there is no tax row."""
        no, at = f"{number:010d}", _town(ward)
        since = max(born, since or self.ago(4000))
        last = max(since, removed or since, self.ago(400))
        self.add(
            "resident_registry",
            resident_no=no,
            household_no=f"{home or number:010d}",
            family_name=family[0],
            given_name=given[0],
            family_name_kana=family[1],
            given_name_kana=given[1],
            sex=sex,
            birth_date=born,
            relationship=relationship,
            municipality_code=MUNICIPALITY,
            town_code=at.code,
            town_name=at.name,
            address_number=_wide(f"{(home or number) % 90 + 1}番地"),
            postal_code=at.postal_code,
            resident_kind=kind,
            resident_status=status,
            resident_since=since,
            updated_at=datetime.combine(min(last, self.ago(1)), time(9, 30)),
        )
        unknown = {"birth_date_unknown": "0", **details}
        self.add(
            "resident_details",
            resident_no=no,
            ward_code=str(ward),
            display_order=order if status == "1" else None,
            removed_on=removed,
            **unknown,
        )
        if income is not None and self.age(born) >= 15:
            self.tax(no, income)
        if status == "1":
            self._living(no, born, since)

    def age(self, born: date) -> int:
        """Return the age on the day of the city."""
        before = (self.on.month, self.on.day) < (born.month, born.day)
        return self.on.year - born.year - before

    def tax(self, no: str, income: int) -> None:
        """Add the row of the current tax year."""
        base = max(income - 430_000, 0)
        self.add(
            "resident_tax",
            resident_no=no,
            tax_year=tax_year(self.on),
            exemption_kind="0" if income > 450_000 else "1",
            total_income=income,
            tax_base=base if income > 450_000 else 0,
        )

    def care(self, no: str, born: date, *, level: str | None = None, special: str = "0",
             since: date | None = None, lost: date | None = None) -> None:  # fmt: skip
        """Add a row of the care insurance."""
        certified = self.ago(200) if level else None
        self.add(
            "long_term_care",
            resident_no=no,
            insured_no=no,
            insured_kind="1",
            gained_on=max(_turns(born, 65) - timedelta(days=1), since or date.min),
            lost_on=lost,
            care_level=level,
            certified_on=certified,
            valid_from=certified,
            valid_to=certified + timedelta(days=730) if certified else None,
            premium_stage=3,
            burden_rate=1,
            is_special_address=special,
        )

    def medical(self, no: str, born: date, *, special: str = "0") -> None:
        """Add a row of the medical care of the old."""
        self.add(
            "latter_stage_medical",
            resident_no=no,
            insured_no=no[2:],
            insured_kind="1",
            gained_on=_turns(born, 75),
            burden_rate=1,
            is_special_address=special,
        )

    def insured(self, number: int, since: date, *, home: int, lost: date | None = None,
                kind: str = "1") -> None:  # fmt: skip
        """Add a row of the national health insurance."""
        self.add(
            "national_health_insurance",
            resident_no=f"{number:010d}",
            insured_no=f"97-{home:08d}",
            qualification_kind="0" if lost else kind,
            gained_on=since,
            lost_on=lost,
        )

    def allowance(self, number: int, children: int, decided: date) -> None:
        """Add a recipient of the child allowance."""
        self.add(
            "child_allowance",
            resident_no=f"{number:010d}",
            payment_kind="1",
            children=children,
            decided_on=decided,
        )

    def event(self, number: int, no: int, reason: str, day: date, *, home: int = 0,
              status: str = "1", elsewhere: bool = False) -> None:  # fmt: skip
        """Add an event of the register."""
        prefix = "previous" if reason in _ENTRIES else "destination"
        place = {
            f"{prefix}_municipality_code": ELSEWHERE,
            f"{prefix}_prefecture": PREFECTURE,
            f"{prefix}_municipality": ELSEWHERE_NAME,
        }
        self.add(
            "resident_events",
            municipality_code=MUNICIPALITY,
            resident_no=f"{number:010d}",
            event_no=no,
            event_date=day,
            event_date_unknown="0",
            event_reported_on=day,
            event_kind="1" if reason in _ENTRIES else "2" if reason in _REMOVALS else "3",
            event_reason=reason,
            household_no=f"{home or number:010d}",
            resident_status=status,
            processed_on=day,
            **(place if elsewhere else {}),
        )

    def outsider(  # noqa: PLR0917 - as a clerk would read them out
        self,
        number: int,
        kind: str,
        name: tuple[str, str],
        kana: tuple[str, str],
        sex: str,
        born: date,
        **values: object,
    ) -> None:
        """Add a person without a resident record."""
        plain: Row = {
            "nonresident_no": f"{number:010d}",
            "full_name": "\u3000".join(name),
            "family_name_japanese": name[0],
            "given_name_japanese": name[1],
            "name_yomigana": "\u3000".join(kana),
            "family_name_yomigana": kana[0],
            "given_name_yomigana": kana[1],
            "sex": sex,
            "birth_date": born,
            "address_municipality_code": ELSEWHERE,
            "address_town_id": "0000000",
            "address_prefecture": PREFECTURE,
            "address_municipality": ELSEWHERE_NAME,
            "address_town": "本町",
            "address_block": _wide(f"{number % 900}番地"),
            "business_id": "031",
            "is_representative": 0,
            "operator_id": "KAKU-00001",
            "operated_on": self.ago(900),
            "operated_at": "10:15:00",
            "nonresident_kind": kind,
        }
        self.add("nonresidents", **{**plain, **values})

    def _living(self, no: str, born: date, since: date) -> None:
        for purpose in self.purposes:
            self.add(
                "consents",
                resident_no=no,
                purpose=purpose,
                granted_on=min(max(self.ago(100), since), self.ago(1)),
                version="2026-04",
            )
        level = {"0000000101": "22", "0000000191": "23"}.get(no)
        if self.age(born) >= 65:
            self.care(no, born, level=level)
        if self.age(born) >= 75:
            self.medical(no, born)


def _left(cast: _Cast) -> None:
    """Those who die, left, or are the only ones left."""
    cast.person(101, ("若松", "ワカマツ"), ("ふじ", "フジ"), "2", cast.born(91, 3, 3))

    out = cast.ago(40)
    cast.person(111, ("高梨", "タカナシ"), ("聡", "サトシ"), "1", cast.born(38, 8, 20), ward=2,
                status="2", removed=out, income=3_100_000)  # fmt: skip
    cast.insured(111, cast.ago(700), home=111, lost=out)
    cast.event(111, 1, "04", out, status="2", elsewhere=True)

    home, died = 131, cast.ago(62)
    cast.person(131, ("真壁", "マカベ"), ("澄江", "スミエ"), "2", cast.born(71, 10, 9), ward=3)
    cast.person(132, ("真壁", "マカベ"), ("昭三", "ショウゾウ"), "1", cast.born(74, 2, 11), ward=3,
                home=home, status="3", removed=died)  # fmt: skip
    cast.person(133, ("真壁", "マカベ"), ("トメ", "トメ"), "2", cast.born(95, 1, 6), ward=3,
                home=home, relationship="11,52", order=2)  # fmt: skip
    cast.insured(131, cast.ago(2200), home=home, kind="3")
    cast.insured(132, cast.ago(2200), home=home, lost=died + timedelta(days=1))
    cast.care("0000000132", cast.born(74, 2, 11), lost=died + timedelta(days=1))
    cast.event(132, 1, "05", died, home=home, status="3")
    for no in (131, 133):
        cast.event(no, 1, "08", died, home=home)

    moved = cast.ago(800)
    born = cast.born(88, 5, 2)
    cast.person(151, ("小暮", "コグレ"), ("正", "タダシ"), "1", born, ward=4, status="2",
                removed=moved, income=None)  # fmt: skip
    cast.care("0000000151", born, level="24", special="1")
    cast.medical("0000000151", born, special="1")
    cast.event(151, 1, "04", moved, status="2", elsewhere=True)
    cast.outsider(902, INSTITUTION, ("小暮", "正"), ("コグレ", "タダシ"), "1", born,
                  address_building="特別養護老人ホーム　やまなみ苑", merged_into_no="0000000151",
                  operated_on=moved)  # fmt: skip


def _homes(cast: _Cast) -> None:
    """Homes whose members the law sees differently."""
    came = cast.ago(20)
    cast.person(121, ("大河内", "オオコウチ"), ("玲", "レイ"), "2", cast.born(44, 6, 30), ward=6,
                since=came, income=None)  # fmt: skip
    cast.person(122, ("大河内", "オオコウチ"), ("海", "カイ"), "1", cast.born(9, 9, 1), ward=6,
                home=121, relationship="20", order=2, since=came)  # fmt: skip
    for no in (121, 122):
        cast.insured(no, came, home=121)
        cast.event(no, 1, "15", came, home=121)
    cast.allowance(121, 1, cast.ago(5))

    cast.person(141, ("水沢", "ミズサワ"), ("茜", "アカネ"), "2", cast.born(33, 7, 7), ward=5,
                since=cast.ago(150), income=900_000)  # fmt: skip
    cast.person(142, ("水沢", "ミズサワ"), ("ひより", "ヒヨリ"), "2", cast.born(6, 5, 28), ward=5,
                home=141, relationship="20", order=2, since=cast.ago(150))  # fmt: skip
    cast.allowance(141, 1, cast.ago(120))
    cast.add("child_support_allowance", resident_no="0000000141", payment_kind="1",
             decided_on=cast.ago(110))  # fmt: skip
    for no, role in ((141, "1"), (142, "2")):
        cast.event(no, 1, "02", cast.ago(150), home=141, elsewhere=True)
        cast.insured(no, cast.ago(150), home=141)
        cast.add(
            "support_measures",
            support_no="9000000141",
            resident_no=f"{no:010d}",
            support_kind="1",
            support_role=role,
            support_from=cast.ago(140),
            support_to=cast.ago(140) + timedelta(days=365),
            copy_refused="1",
        )

    cast.person(161, ("久我", "クガ"), ("隆", "タカシ"), "1", cast.born(57, 4, 18), ward=2,
                income=4_200_000)  # fmt: skip
    cast.person(162, ("久我", "クガ"), ("美和", "ミワ"), "2", cast.born(55, 11, 25), ward=2,
                home=161, relationship="12", order=2, income=1_800_000)  # fmt: skip
    cast.person(163, ("久我", "クガ"), ("直人", "ナオト"), "1", cast.born(25, 1, 30), ward=2,
                home=161, relationship="20", order=3, income=600_000)  # fmt: skip
    for no in (162, 163):
        cast.insured(no, cast.ago(900), home=161)

    born = cast.born(3, 2, 14)
    lee = ("リー", "リー")
    cast.person(181, lee, ("ドヒョン", "ドヒョン"), "1", cast.born(35, 3, 3), ward=1, kind="2",
                income=3_900_000, name_roman="LEE DOHYEON")  # fmt: skip
    cast.person(182, lee, ("ジウォン", "ジウォン"), "2", cast.born(33, 9, 9), ward=1, kind="2",
                home=181, relationship="12", order=2, name_roman="LEE JIWON")  # fmt: skip
    for no, order in ((183, 3), (184, 4)):
        cast.person(no, lee, ("ミンジュン", "ミンジュン"), "1", born, ward=1, kind="2", home=181,
                    relationship="20", order=order, name_roman="LEE MINJUN")  # fmt: skip
    cast.allowance(181, 2, born + timedelta(days=30))


def _names(cast: _Cast) -> None:
    """People whose names do not fit into two columns."""
    cast.person(175, ("結城", "ユウキ"), ("梓", "アズサ"), "2", cast.born(41, 12, 3), ward=3,
                income=2_600_000, former_family_name="早乙女")  # fmt: skip
    cast.person(177, ("キム", "キム"), ("ソヨン", "ソヨン"), "2", cast.born(29, 8, 15), ward=6,
                kind="2", income=2_400_000, alias_name="金田\u3000世蓮",
                name_roman="KIM SOYEON")  # fmt: skip
    cast.person(179, ("ＮＧＵＹＥＮ", None), ("ＴＨＩ\u3000ＭＡＩ", None), "2",
                cast.born(26, 10, 10), ward=4, kind="2", since=cast.ago(500), income=1_500_000,
                name_roman="NGUYEN THI MAI")  # fmt: skip


def _birthdays(cast: _Cast) -> None:
    """People whose birthdays do not behave."""
    year = cast.born(79, 7, 1)
    cast.person(171, ("島袋", "シマブクロ"), ("カメ", "カメ"), "2", year, ward=5,
                birth_date_unknown="1", birth_date_label=f"{_showa(year)}月日不詳")  # fmt: skip

    school = cast.on.year if (cast.on.month, cast.on.day) >= (4, 1) else cast.on.year - 1
    cast.person(185, ("春日", "カスガ"), ("悠人", "ユウト"), "1", cast.born(36, 5, 5), ward=4,
                income=3_300_000)  # fmt: skip
    cast.person(186, ("春日", "カスガ"), ("真帆", "マホ"), "2", cast.born(34, 6, 6), ward=4,
                home=185, relationship="12", order=2)  # fmt: skip
    cast.person(187, ("春日", "カスガ"), ("さくら", "サクラ"), "2", date(school - 6, 4, 1), ward=4,
                home=185, relationship="20", order=3)  # fmt: skip
    cast.allowance(185, 1, date(school - 6, 4, 20))

    leap = date((cast.on.year - 74) // 4 * 4, 2, 29)
    cast.person(189, ("如月", "キサラギ"), ("晃", "アキラ"), "1", leap, ward=1)
    if cast.age(leap) < 75:
        cast.insured(189, cast.ago(3000), home=189, kind="3")

    cast.person(191, ("百瀬", "モモセ"), ("千代", "チヨ"), "2", cast.born(100, 5, 15), ward=2)


def _without_record(cast: _Cast) -> None:
    """Those who are, or were, handled without a resident record."""
    cast.outsider(901, TAXED, ("葛\U000e0100城", "武"), ("カツラギ", "タケシ"), "1",
                  cast.born(55, 9, 23), is_representative=1)  # fmt: skip
    cast.tax("0000000901", 5_200_000)

    came = cast.ago(260)
    born = cast.born(36, 4, 26)
    cast.person(195, ("二宮", "ニノミヤ"), ("涼子", "リョウコ"), "2", born, ward=6, since=came,
                income=None)  # fmt: skip
    cast.event(195, 1, "02", came, elsewhere=True)
    cast.outsider(903, LETTERS, ("二宮", "涼子"), ("ニノミヤ", "リョウコ"), "2", born,
                  merged_into_no="0000000195")  # fmt: skip


def _town(ward: int) -> Town:
    return next(town for town in towns() if town.ward == ward - 1)


def _turns(born: date, years: int) -> date:
    try:
        return born.replace(year=born.year + years)
    except ValueError:  # 29 February
        return date(born.year + years, 3, 1)


def _showa(day: date) -> str:
    return f"昭和{day.year - 1925}年"


def _wide(text: str) -> str:
    return text.translate({ord("0") + digit: ord("０") + digit for digit in range(10)})
