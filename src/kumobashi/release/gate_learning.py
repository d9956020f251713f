"""What somebody who knows a neighbour learns from a release, in words, from the gate's figures."""

from dataclasses import dataclass
from enum import StrEnum

from kumobashi.release.gate_report import Figures, GateReport, Outcome
from kumobashi.release.gate_words import Said

_LEANS = 0.2  # t above which a guess becomes noticeably better


class Learning(StrEnum):
    """What a group of people who look alike tells of a sensitive column."""

    GIVEN_AWAY = "given_away"  # in some group everybody has the same value
    LEANS = "leans"  # no group has one value only, but shares differ much from group to group
    OPEN = "open"  # nobody can say which of the values


SIGNS = {Learning.GIVEN_AWAY: "!", Learning.LEANS: "△", Learning.OPEN: "✓"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """What is learnt of some sensitive columns by who finds a neighbour's group, not the row."""

    learning: Learning
    columns: tuple[str, ...]
    said: Said


def looked_at(report: GateReport) -> Figures | None:
    """Return the figures of what leaves, or of what would have left, had it not been refused."""
    return report.before if report.outcome is Outcome.REFUSED else report.after


def lessons(report: GateReport) -> tuple[Lesson, ...]:
    """Return what is learnt of the sensitive columns, the worst first; none: there are none."""
    figures = looked_at(report)
    if figures is None:
        return ()
    of: dict[Learning, list[str]] = {learning: [] for learning in Learning}
    for column in sorted(figures.l):
        of[_learning(figures.l[column], figures.t.get(column, 0.0))].append(column)
    return tuple(
        Lesson(
            learning=learning,
            columns=tuple(columns),
            said=_said(learning, columns, report, min(figures.l[column] for column in columns)),
        )
        for learning, columns in of.items()
        if columns
    )


def _learning(values: int, t: float) -> Learning:
    if values <= 1:
        return Learning.GIVEN_AWAY
    return Learning.LEANS if t > _LEANS else Learning.OPEN


def _said(learning: Learning, columns: list[str], report: GateReport, values: int) -> Said:
    named_ja = "".join(f"「{report.names.get(column, column)}」" for column in columns)
    named_en = ", ".join(columns)
    if learning is Learning.GIVEN_AWAY:
        return (
            (
                f"{named_ja}は、どの行か分からなくても知られることがあります。同じに見える人の全員が"
                "同じ値の組があり、組が値を語るからです（全員が「なし」の組も含みます）。"
            ),
            (
                f"{named_en}: may be learnt without finding the row. In some group of people alike"
                " everybody has the same value, and the group gives it away (also where all have"
                " none)."
            ),
        )
    ja = f"{named_ja}は、どの組にも {values:,} 種類以上の値の人がいるので、その人の値がどれかは"
    ja += "言えません。"
    en = f"{named_en}: every group holds at least {values:,} values; nobody can say which is the"
    en += " person's."
    if learning is Learning.LEANS:
        ja += "ただし、値の割合が全体と大きく違う組があり、あて推量は当たりやすくなります。"
        en += " Yet shares differ much between groups, so that a guess becomes better."
    return ja, en


def town(report: GateReport) -> Said | None:
    """Return what who does not know whether a neighbour is listed finds; None: not measured."""
    figures = looked_at(report)
    if figures is None or figures.k_map is None:
        return None
    if figures.k_map == 1:
        return (
            "出した人の中にいるかを知らない人でも、まち全体で1人に絞れることがあります。",
            "Even who does not know whether somebody is listed may find one in the whole town.",
        )
    return (
        (
            "出した人の中にいるかを知らない人は、まち全体で同じに見える"
            f" {figures.k_map:,} 人より少なくは絞れません。"
        ),
        (
            "Who does not know whether somebody is listed finds no fewer than"
            f" {figures.k_map:,} people alike in the whole town."
        ),
    )


def remedy(found: tuple[Lesson, ...]) -> Said | None:
    """Return how a rule keeps groups from giving values away; None: they do not."""
    given = [c for one in found if one.learning is Learning.GIVEN_AWAY for c in one.columns]
    if not given:
        return None
    example = f"l_diversity: {{{', '.join(f'{column}: 2' for column in given)}}}"
    return (
        f"組が値を語らないようにするには、提供ルールの gate に {example} と書きます。",
        f"To keep groups from telling values, write {example} into the rule's gate.",
    )


WAYS_OUT: tuple[tuple[Said, Said], ...] = (
    (
        ("粗くする段を足す", "More steps"),
        (
            "項目の ladder に、より粗い段（5年ごと、市区町村まで など）を足します。",
            "Add coarser steps to the ladders: five years, the municipality.",
        ),
    ),
    (
        ("項目を減らす", "Fewer columns"),
        (
            (
                "通知に要らない項目を外すか、op: drop にします。項目が減るほど、同じに見える人が"
                "増えます。"
            ),
            (
                "Leave out, or drop, what the notices do not need; with fewer columns more people"
                " look alike."
            ),
        ),
    ),
    (
        ("庁内で判定する", "Decide in the hall"),
        (
            "だれに知らせるかを庁内で判定し、符号と通知のコードだけを出します（predicate_only）。",
            (
                "Choose in the hall whom to tell, and send a token and the notice's code alone"
                " (predicate_only)."
            ),
        ),
    ),
)
"""What to do about a refusal: a title and a sentence for each of the three ways."""
