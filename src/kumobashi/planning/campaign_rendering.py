"""Campaigns in the story of a plan: the error table, what codes tell, and the three ways."""

from collections.abc import Iterator

from rich.text import Text

from kumobashi.kernel import Language
from kumobashi.planning.campaign_story import (
    WAYS,
    CampaignLine,
    first_to_end,
    of_which_moment,
    percent,
    tells,
    way_columns,
)
from kumobashi.planning.columns import hung, row_of
from kumobashi.planning.story import Story

_KIB = 1024
_NUMBER, _VERDICT, _WAY, _GAPS = 8, 16, 14, 2
_HEADS = {
    "ja": ("通知", "対象", "届く", "余分", "漏れ", "適合率", "再現率", "判定"),
    "en": ("Campaign", "meant", "told", "wrong", "missed", "prec.", "recall", "verdict"),
}
_WAY_HEADS = {
    "ja": ("送り方", "余分", "漏れ", "件数", "容量", "1人だけ", "出る項目"),
    "en": ("Way", "wrong", "missed", "rows", "KiB", "alone", "columns"),
}


def campaign_lines(story: Story, *, width: int, lang: Language) -> Iterator[Text]:
    """Give what a plan says of the campaigns that its link serves; nothing without any."""
    if not story.campaigns:
        return
    is_ja = lang == "ja"
    title = (
        "通知ごとの誤差（同意の有無によらず全員で）"
        if is_ja
        else "Errors by campaign, of everybody"
    )
    yield Text()
    yield Text(f"  {title}", "bold")
    name = width - 2 - 6 * (_NUMBER + _GAPS) - _VERDICT - _GAPS
    widths = (name, *[_NUMBER] * 6, _VERDICT)
    yield row_of(_HEADS[lang], widths, "dim")[0]
    for line in story.campaigns:
        yield from row_of(_cells(line, lang), widths)
    for line in story.campaigns:
        if line.stopped is not None:
            said = of_which_moment(line)[0 if is_ja else 1]
            yield from hung(Text("  × ", "red"), said, width, "red")
    if first := first_to_end(story.campaigns):
        said = of_which_moment(first)[0 if is_ja else 1]
        yield from hung(Text("  ", "dim"), f"{first.campaign.campaign}: {said}", width, "dim")
    if story.plan.is_predicate_only:
        for line in story.campaigns:
            style = "yellow" if line.is_small else ""
            yield from hung(Text("  ・", style), tells(line)[0 if is_ja else 1], width, style)
    if story.ways:
        yield from _ways(story, width, lang)


def _cells(line: CampaignLine, lang: Language) -> tuple[str, ...]:
    counts = line.counted.counts
    name = line.campaign.name if lang == "ja" else line.campaign.campaign
    verdict = line.verdict[0 if lang == "ja" else 1]
    if not line.has_coarsened:
        return (name, f"{counts.exact:,}", "―", "―", "―", "―", "―", verdict)
    numbers = (counts.exact, counts.coarsened, counts.wrong, counts.missed)
    shares = (percent(counts.precision), percent(counts.recall))
    return (name, *(f"{number:,}" for number in numbers), *shares, verdict)


def _ways(story: Story, width: int, lang: Language) -> Iterator[Text]:
    title = (
        "送り方を比べる（同意した人）" if lang == "ja" else "Ways compared, of those who consented"
    )
    yield Text()
    yield Text(f"  {title}", "bold")
    rest = width - 2 - _WAY - _GAPS - 5 * (_NUMBER + 1 + _GAPS)
    widths = (_WAY, *[_NUMBER + 1] * 5, rest)
    yield row_of(_WAY_HEADS[lang], widths, "dim")[0]
    for way in story.ways:
        size = f"{way.bytes / _KIB:,.0f} KiB"
        columns = way_columns(way, story.campaigns, lang)
        name = WAYS[way.kind][0 if lang == "ja" else 1]
        numbers = (f"{way.wrong:,}", f"{way.missed:,}", f"{way.rows:,}", size, f"{way.alone:,}")
        yield from row_of((name, *numbers, columns), widths)
