"""Write the rows of the people with a story, table by table.

What everybody has comes from :class:`~.cast.Cast`; what makes a story is said beside its person.
"""

# ruff: noqa: PLR2004 - ages that the law names

from collections.abc import Sequence
from datetime import date, timedelta

from kumobashi.testing.city.cast import Cast, Rows
from kumobashi.testing.city.outsiders import INSTITUTION, LETTERS, TAXED


def rows_of_golden(on: date, purposes: Sequence[str]) -> Rows:
    """Return the rows by table for a city of that day; dates follow the day, numbers never do."""
    cast = Cast(on, purposes)
    _left(cast)
    _homes(cast)
    _names(cast)
    _birthdays(cast)
    _without_record(cast)
    return cast.rows


def _left(cast: Cast) -> None:
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


def _homes(cast: Cast) -> None:
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


def _names(cast: Cast) -> None:
    """People whose names do not fit into two columns."""
    cast.person(175, ("結城", "ユウキ"), ("梓", "アズサ"), "2", cast.born(41, 12, 3), ward=3,
                income=2_600_000, former_family_name="早乙女")  # fmt: skip
    cast.person(177, ("キム", "キム"), ("ソヨン", "ソヨン"), "2", cast.born(29, 8, 15), ward=6,
                kind="2", income=2_400_000, alias_name="金田\u3000世蓮",
                name_roman="KIM SOYEON")  # fmt: skip
    cast.person(179, ("ＮＧＵＹＥＮ", None), ("ＴＨＩ\u3000ＭＡＩ", None), "2",
                cast.born(26, 10, 10), ward=4, kind="2", since=cast.ago(500), income=1_500_000,
                name_roman="NGUYEN THI MAI")  # fmt: skip


def _birthdays(cast: Cast) -> None:
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


def _without_record(cast: Cast) -> None:
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


def _showa(day: date) -> str:
    return f"昭和{day.year - 1925}年"
