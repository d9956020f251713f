"""What an operation of a release rule does, in words for people, in Japanese and English."""

from kumobashi.release.columns import (
    AnyColumn,
    Area,
    BaseDate,
    CampaignCode,
    Constant,
    Drop,
    Flag,
    HasMember,
    HasSpouse,
    HouseholdAges,
    HouseholdBirthMonths,
    HouseholdCounts,
    Keep,
    Mask,
    Prefix,
    Suppress,
    Token,
    TopBottom,
    Truncate,
)

_TRUNCATED = {
    "month": ("年月まで", "to the month"),
    "year": ("年まで", "to the year"),
    "five_years": ("5年ごとに", "to five years"),
    "school_year": ("学年（4月2日〜翌年4月1日生まれ）に", "to the school year"),
}
_AREAS = {
    "chome": ("町丁目まで", "to the town block"),
    "oaza": ("大字まで", "to the town"),
    "ward": ("区まで", "to the ward"),
    "city": ("市区町村まで", "to the municipality"),
}


def said(column: AnyColumn) -> tuple[str, str]:  # noqa: C901, PLR0911, PLR0912 - one for each operation
    """Return how a column is made, in Japanese and English."""
    match column:
        case Token(of="household_head"):
            return "世帯主の符号に", "token of the household's head"
        case Token():
            return "送り先ごとの符号に", "token for this destination"
        case BaseDate():
            return "年齢基準日", "base date"
        case CampaignCode():
            return "庁内で判定した通知のコード", "code of the campaign, decided in the hall"
        case Constant(value=value):
            return f"固定値 {value}", f"always {value}"
        case Keep():
            return "そのまま", "as it is"
        case Truncate(to=to):
            return _TRUNCATED[to]
        case Prefix(length=length):
            return f"先頭{length}桁まで", f"first {length} characters"
        case Area(to=level):
            return _AREAS[level]
        case Mask(first=int(first)):
            return f"先頭{first}文字だけ", f"first {first} characters, the rest hidden"
        case Mask(last=last):
            return f"末尾{last}文字だけ", f"last {last} characters, the rest hidden"
        case TopBottom():
            return _limits(column)
        case Suppress(mark=mark):
            return f"伏せる（{mark}）", f"hidden ({mark})"
        case Drop():
            return "出さない", "dropped"
        case HasSpouse():
            return "配偶者の有無", "has a spouse"
        case HouseholdAges(top=top):
            return (
                f"世帯の年齢（{top}歳以上は{top}）",
                f"ages of the household, {top} and more as {top}",
            )
        case HouseholdCounts(bands=bands):
            listed = "、".join(map(str, bands))
            return (
                f"世帯の年齢別の人数（{listed}歳）",
                f"members by age ({', '.join(map(str, bands))})",
            )
        case HasMember(from_=low, to=high):
            to_ja, to_en = (f"{low}〜{high}歳", f"{low} to {high}")
            if high is None:
                to_ja, to_en = (f"{low}歳以上", f"{low} or older")
            return f"世帯に{to_ja}がいるか", f"whether a member is {to_en}"
        case HouseholdBirthMonths(under=under, to=to):
            unit_ja, unit_en = ("生年月", "months") if to == "month" else ("生年", "years")
            return f"世帯の{under}歳未満の{unit_ja}", f"birth {unit_en} of members under {under}"
        case Flag():
            return "有無", "flag"


def _limits(column: TopBottom) -> tuple[str, str]:
    ja, en = [], []
    if column.bottom is not None:
        ja.append(f"{column.bottom} 以下は {column.bottom}")
        en.append(f"{column.bottom} and less as {column.bottom}")
    if column.top is not None:
        ja.append(f"{column.top} 以上は {column.top}")
        en.append(f"{column.top} and more as {column.top}")
    return "、".join(ja), ", ".join(en)
