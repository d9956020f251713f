"""What the gate found and did, in words for people: no mathematics, both languages."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kumobashi.release.gate_report import Climb, GateReport, Limit, Outcome

Said = tuple[str, str]  # Japanese, English
TITLES: Mapping[Outcome, Said] = {
    Outcome.PASSED: ("そのまま通りました", "passed as written"),
    Outcome.LEFT_OUT: ("目立つ人を除いて通りました", "passed without those who stand out"),
    Outcome.CLIMBED: ("粗くして通りました", "passed, made coarser"),
    Outcome.REFUSED: ("出せません", "refused"),
}
_LIMITS: Mapping[str, Said] = {
    "k": ("同じに見える人の最少人数（出す人のうち）", "fewest people alike, of those sent"),
    "k_map": ("同じに見える人の最少人数（まち全体）", "fewest people alike, of the whole town"),
    "max_prosecutor": (
        "出したと知る人が1人を当てる確率の最大",
        "chance that who knows someone is listed finds him",
    ),
    "max_journalist": (
        "出したか知らない人が1人を当てる確率の最大",
        "chance that who does not know who is listed finds one",
    ),
    "max_marketer": ("全員を見比べて当たる人の割合", "share found by comparing everybody"),
    "max_unique_share": ("同じに見える人がいない人の割合", "share of people who are alone"),
    "max_suppressed": ("除いた行の割合", "share of rows left out"),
}
_OF_COLUMN: Mapping[str, Said] = {
    "l": ("{column}の値の種類（いちばん少ない組）", "values of {column} in the poorest group"),
    "t": ("{column}の偏りの最大（組の中と全体の差）", "how far {column} in a group is from all"),
}
_PEOPLE = {"k", "k_map", "l"}
_LEAST_SHOWN = 0.001  # a smaller share is said to be smaller


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitLine:
    """One limit as a row of a table: all but the name is text in both languages."""

    name: Said
    limit: Said
    before: Said
    after: Said
    is_kept_before: bool


def limit_lines(report: GateReport) -> Iterator[LimitLine]:
    """Give each limit with what was measured."""
    for one in report.limits:
        kind, _, column = one.name.partition(": ")
        if column:
            ja, en = _OF_COLUMN.get(kind, (kind, kind))
            title = (ja.format(column=report.names.get(column, column)), en.format(column=column))
        else:
            title = _LIMITS[kind]
        yield LimitLine(
            name=title,
            limit=_limit(kind, one),
            before=_value(kind, one.before),
            after=_value(kind, one.after),
            is_kept_before=one.is_kept_before,
        )


def _limit(kind: str, one: Limit) -> Said:
    ja, en = _value(kind, one.limit)
    if kind in _PEOPLE:
        return f"{ja}以上", f"at least {en}"
    return f"{ja}以下", f"at most {en}"


def _value(kind: str, got: float | None) -> Said:
    if got is None:
        return "―", "-"
    if kind == "l":
        return f"{got:,.0f}種類", f"{got:,.0f}"
    if kind in _PEOPLE:
        return f"{got:,.0f}人", f"{got:,.0f}"
    if kind == "t":
        return f"{got:.2f}", f"{got:.2f}"
    if 0 < got < _LEAST_SHOWN:
        return "0.1%未満", "under 0.1%"
    shown = f"{got * 100:.1f}".removesuffix(".0")
    return f"{shown}%", f"{shown}%"


def climbed(report: GateReport) -> tuple[Climb, ...]:
    """Return the columns that became coarser."""
    return tuple(one for one in report.climbs if one.level)


def headline(report: GateReport) -> Said:
    """Return in one sentence what the gate did."""
    ja, en = TITLES[report.outcome]
    before, after = report.before.k, report.after
    if report.outcome is Outcome.REFUSED:
        ja += f"。書かれたとおりでは同じに見える人が最少 {before:,} 人で、"
        ja += "許された粗さでは足りません。"
        en += f": as written, the fewest people alike are {before:,}, and no allowed coarseness"
        return ja, en + " is enough."
    more_ja, more_en = "", ""
    if raised := climbed(report):
        more_ja = "（" + "、".join(_raised_ja(one, report.names) for one in raised) + "）"
        more_en = " (" + "; ".join(_raised_en(one) for one in raised) + ")"
    if report.suppressed:
        more_ja += f"。{report.suppressed:,} 行を除きました"
        more_en += f"; {report.suppressed:,} rows left out"
    if report.differencing and report.differencing.left_out:
        beside = report.differencing.left_out
        more_ja += f"（うち {beside:,} 行は、前に送ったものと重ねると目立つため）"
        more_en += f", {beside:,} of them because they stand out beside what was sent before"
    k = after.k if after else 0
    ja = f"{ja}{more_ja}。同じに見える人は最少 {before:,} 人 → {k:,} 人。"
    return ja, f"{en}{more_en}; fewest people alike: {before:,} → {k:,}."


def _raised_ja(one: Climb, names: Mapping[str, str]) -> str:
    return f"{names.get(one.column, one.column)}: {one.steps[one.level].ja}"


def _raised_en(one: Climb) -> str:
    return f"{one.column}: {one.steps[one.level].en}"


def neighbour(report: GateReport) -> Said:
    """Return what somebody who knows a neighbour's birthday, street and family could learn."""
    if report.outcome is Outcome.REFUSED:
        ja, en = neighbour_of(report.before.k, report.before.below_five, report.before.rows)
        return f"そのまま出すと、{ja}だから出しません。", f"As written: {en} So nothing leaves."
    found = report.after
    if found is None or not report.columns:
        return (
            "人を見分ける項目は出ないので、だれのことかはわかりません。",
            "Nothing leaves that tells people apart.",
        )
    return neighbour_of(found.k, found.below_five, found.rows)


def neighbour_of(k: int, below_five: int, rows: int) -> Said:
    """Return what a neighbour could learn, from how many people look alike.

    >>> neighbour_of(5, 0, 400)[1]
    'Even who knows that finds no fewer than 5 people alike, and cannot say which is the one.'
    """
    if k == 1:
        ja = "誕生日や町丁目、家族を知る隣人は、その人の行を見つけられることがあります"
        ja += f"（{rows:,} 人のうち {below_five:,} 人は、5人未満まで絞れます）。"
        en = "Who knows a neighbour's birthday, street and family may find the row"
        return ja, f"{en} ({below_five:,} of {rows:,} people are narrowed down to under five)."
    ja = f"誕生日や町丁目、家族を知る隣人でも、同じに見える {k:,} 人より少なくは絞れず、"
    en = f"Even who knows that finds no fewer than {k:,} people alike, and cannot say which is"
    return f"{ja}どの行がその人かはわかりません。", f"{en} the one."
