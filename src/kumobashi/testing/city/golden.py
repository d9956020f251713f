"""People with names and stories: those who break systems, in every city of 1,000 and more.

Each story says who it is, why she or he breaks systems, and what a right system does. The resident
numbers are the same in every city, so that a test can ask any table for them; all lie below the
numbers that are drawn by chance. Names, dates and lives are invented; ``casting`` writes the rows.

>>> golden("centenarian").resident_no
'0000000191'
>>> golden("taxed-nonresident").number
'0000000901'
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Golden:
    """One story; ``number`` is the one to look for: of the register, or of a non-resident."""

    key: str
    resident_no: str | None
    nonresident_no: str | None = None
    name: str
    who_ja: str
    who_en: str
    breaks_ja: str
    breaks_en: str
    right_ja: str
    right_en: str

    @property
    def number(self) -> str:
        """Return the number under which the city knows the person."""
        return self.resident_no or self.nonresident_no or ""


GOLDEN = (
    Golden(
        key="died-after-extraction",
        resident_no="0000000101",
        name="若松 ふじ",
        who_ja="ひとり暮らしの91歳。基準日の夜に亡くなり、届は翌日に出る",
        who_en="91, lives alone; dies in the night of the reference date, reported a day later",
        breaks_ja="抽出したデータでは生きている。翌日の差分が来る前に、お知らせが発送される",
        breaks_en="alive in the extract; a notice leaves before the next difference arrives",
        right_ja="次の差分で除かれ、発送の直前にもう一度確かめる",
        right_en="removes her with the next difference and looks again just before sending",
    ),
    Golden(
        key="moved-out",
        resident_no="0000000111",
        name="高梨 聡",
        who_ja="40日前に隣接市へ転出した38歳",
        who_en="38, moved to the neighbouring city 40 days ago",
        breaks_ja="住民ではないのに、1月1日に住んでいたので今年度の住民税は課税されている",
        breaks_en="no resident, yet taxed this year, because he lived here on 1 January",
        right_ja="住民向けのお知らせからは外し、税の行は年度末まで残す",
        right_en="leaves him out of notices to residents and keeps his tax row",
    ),
    Golden(
        key="arrived-from-abroad",
        resident_no="0000000121",
        name="大河内 玲",
        who_ja="20日前に小学生の息子と国外から転入した44歳",
        who_en="44, came from abroad 20 days ago with a son at school",
        breaks_ja="前住所の団体コードがなく、今年度の税の行もない",
        breaks_en="no municipality she came from, no tax row for this year",
        right_ja="転入元を空のまま扱い、税の行がないことを非課税とみなさない",
        right_en="takes an empty origin, and does not read a missing tax row as exempt",
    ),
    Golden(
        key="taxed-nonresident",
        resident_no=None,
        nonresident_no="0000000901",
        name="葛󠄀城 武",
        who_ja="隣接市に住み、市内に家屋敷がある55歳（住登外課税）",
        who_en="55, lives next door but owns a house here: taxed without a resident record",
        breaks_ja="税の行の宛名番号が住民基本台帳にない",
        breaks_en="the number of the tax row is in no resident record",
        right_ja="住登外者として突き合わせ、住民と誤って数えない",
        right_en="joins with the non-residents and never counts him as a resident",
    ),
    Golden(
        key="head-died",
        resident_no="0000000131",
        name="真壁 澄江",
        who_ja="2か月前に世帯主の夫を亡くし、世帯主になった71歳。夫の母と暮らす",
        who_en="71, became head when her husband died two months ago; lives with his mother",
        breaks_ja="同じ世帯番号に続柄「世帯主」が2人（1人は死亡）。同居の母の続柄は「夫の母」に変わる",
        breaks_en="two heads under one household number, one dead; his mother is 11,52 now",
        right_ja="住民状態を先に見て、世帯主を1人と数え、11,52 を読む",
        right_en="looks at the status first, counts one head, and reads 11,52",
    ),
    Golden(
        key="protected",
        resident_no="0000000141",
        name="水沢 茜",
        who_ja="娘と暮らす33歳。支援措置を受けている",
        who_en="33, lives with her daughter; protected by a support measure",
        breaks_ja="住所がどこかへ出ると、命にかかわる",
        breaks_en="an address that leaks can cost her life",
        right_ja="住所を含むものは止め、止めたことも本人以外に見せない",
        right_en="holds back whatever has an address, and shows to nobody else that it did",
    ),
    Golden(
        key="institution",
        resident_no="0000000151",
        nonresident_no="0000000902",
        name="小暮 正",
        who_ja="隣接市の特別養護老人ホームへ転出した88歳（住所地特例）",
        who_en="88, moved to a nursing home next door, still insured here (special address rule)",
        breaks_ja="転出しているのに、介護保険と後期高齢者医療は続いている",
        breaks_en="moved out, yet his insurance here goes on",
        right_ja="住民でないことと被保険者であることを別に扱い、施設の住所へ送る",
        right_en="keeps residence and insurance apart, and writes to the home",
    ),
    Golden(
        key="nominal-head",
        resident_no="0000000161",
        name="久我 隆",
        who_ja="勤め先の健康保険に入る世帯主。妻と息子は国保（擬制世帯主）",
        who_en="head of household in his employer's insurance; wife and son are in ours",
        breaks_ja="国保の通知は世帯主あてなのに、本人の国保の行がない",
        breaks_en="letters of the insurance go to the head, who has no row in it",
        right_ja="世帯から世帯主を引き、擬制世帯主として送る",
        right_en="finds the head by way of the household",
    ),
    Golden(
        key="unknown-birth-date",
        resident_no="0000000171",
        name="島袋 カメ",
        who_ja="戦後に記録が失われ、生まれた月日が分からない79歳",
        who_en="79; month and day of birth were lost with the records",
        breaks_ja="生年月日の列には日付があるが、本当の日ではない（7月1日は仮の値）",
        breaks_en="the column has a date that is not true (1 July stands in)",
        right_ja="不詳フラグを見て、不詳表記を印字し、仮の日で年齢の境目を決めない",
        right_en="looks at the flag, prints the label, and decides no birthday by the stand-in",
    ),
    Golden(
        key="former-name",
        resident_no="0000000175",
        name="結城 梓",
        who_ja="旧氏「早乙女」を併記している41歳",
        who_en="41; her record shows the former family name Saotome too",
        breaks_ja="旧氏で申請が来ると、氏名が一致しない",
        breaks_en="an application under the former name does not match",
        right_ja="氏と旧氏のどちらでも突き合わせる",
        right_en="matches by either name",
    ),
    Golden(
        key="alias-name",
        resident_no="0000000177",
        name="キム ソヨン",
        who_ja="通称「金田 世蓮」を登録している29歳",
        who_en="29, a foreign resident with the registered alias Kaneda Seren",
        breaks_ja="口座も勤め先も通称で、本名と読みも画数も違う",
        breaks_en="bank and employer know only the alias",
        right_ja="宛名は本人の選んだ名で出し、突き合わせは番号で行う",
        right_en="addresses her by the name she chose and matches by number",
    ),
    Golden(
        key="latin-only",
        resident_no="0000000179",
        name="ＮＧＵＹＥＮ ＴＨＩ ＭＡＩ",
        who_ja="漢字も読み仮名もなく、ローマ字の氏名だけの26歳",
        who_en="26; her name exists in Latin letters only, without kana",
        breaks_ja="カナが空。半角にすると桁が変わり、姓と名の切れ目も分からない",
        breaks_en="kana is empty; in half width the length changes; family and given name blur",
        right_ja="カナがなくても受け、ローマ字をそのまま運ぶ",
        right_en="takes an empty kana and carries the Latin letters as they are",
    ),
    Golden(
        key="twins",
        resident_no="0000000183",
        name="リー ミンジュン",
        who_ja="敏俊と民俊。カナでは同じ氏名の3歳の双子（もう1人は 0000000184）",
        who_en="twins of 3 whose names differ in their own script only (the other: 0000000184)",
        breaks_ja="基本4情報（氏名・性別・生年月日・住所）がすべて同じ",
        breaks_en="name, sex, birth date and address are all the same",
        right_ja="宛名番号で2人と数え、重複として消さない",
        right_en="counts two by their numbers and drops neither as a duplicate",
    ),
    Golden(
        key="born-on-1-april",
        resident_no="0000000187",
        name="春日 さくら",
        who_ja="4月1日に6歳の誕生日を迎えた小学1年生（早生まれの最後の日）",
        who_en="turned six on 1 April: the last day of the school year above",
        breaks_ja="年齢は誕生日の前日に加わるので、4月2日生まれと学年が違う",
        breaks_en="an age is reached the day before, so she is a year above those of 2 April",
        right_ja="学年を4月2日から翌年4月1日までで区切る",
        right_en="cuts school years from 2 April to 1 April",
    ),
    Golden(
        key="born-on-29-february",
        resident_no="0000000189",
        name="如月 晃",
        who_ja="2月29日生まれ。まもなく75歳で後期高齢者医療に移る",
        who_en="born on 29 February, soon 75 and then in the medical care of the old",
        breaks_ja="75歳の年に2月29日がなく、誕生日の計算が落ちる",
        breaks_en="the year in which he turns 75 has no such day",
        right_ja="落ちずに、定めた日に資格を切り替える",
        right_en="does not fail, and switches on the day that is laid down",
    ),
    Golden(
        key="centenarian",
        resident_no="0000000191",
        name="百瀬 千代",
        who_ja="大正生まれの100歳",
        who_en="100, born in the Taisho era",
        breaks_ja="年齢が3桁。2桁の列では0歳になり、元号の表に大正がない",
        breaks_en="three digits: in two she is a newborn; tables of eras forget Taisho",
        right_ja="3桁の年齢と大正を扱い、乳児健診を案内しない",
        right_en="takes three digits and Taisho, and invites her to no baby check-up",
    ),
    Golden(
        key="merged",
        resident_no="0000000195",
        nonresident_no="0000000903",
        name="二宮 涼子",
        who_ja="住登外者として登録されたあと転入し、番号が2つになった36歳（名寄せ済み）",
        who_en="36, first a non-resident, then a resident: two numbers, one merged into the other",
        breaks_ja="古い番号の行が残り、2人に数えられる",
        breaks_en="rows under the old number remain, and she is counted twice",
        right_ja="名寄せ先の番号に読み替え、1人と数える",
        right_en="follows the merge and counts one",
    ),
)
_BY_KEY = {story.key: story for story in GOLDEN}


def golden(key: str) -> Golden:
    """Return a story by its key.

    Raises:
        KeyError: there is no such story.
    """
    return _BY_KEY[key]
