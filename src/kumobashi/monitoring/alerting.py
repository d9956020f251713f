"""The alert of a turn: one line of cause and side, then what a person needs. Pure."""

from datetime import datetime

from kumobashi.exchange.views import ContactView, Words
from kumobashi.kernel import new_id
from kumobashi.monitoring.alerts import Alert, Moment
from kumobashi.monitoring.faults import Fault
from kumobashi.monitoring.following import Turn
from kumobashi.monitoring.picture import Settled
from kumobashi.monitoring.points import POINTS
from kumobashi.monitoring.wording import moment as said_at

_MOST_LINKS = 20
_MOST_NAMED = 3
_MOMENTS = {
    Turn.OPENED: Moment.OPENED,
    Turn.REOPENED: Moment.OPENED,
    Turn.WORSENED: Moment.WORSENED,
    Turn.ENDED: Moment.ENDED,
}
_HEADS = {
    Moment.OPENED: Words(ja="発生", en="FAULT"),
    Moment.WORSENED: Words(ja="期限超過", en="OVERDUE"),
    Moment.ENDED: Words(ja="復旧", en="OVER"),
}


def alert_of(turn: Turn, fault: Fault, settled: Settled, now: datetime) -> Alert | None:
    """Return what people are told of a turn; nothing of one that only adds to what is known."""
    moment = _MOMENTS.get(turn)
    if moment is None:
        return None
    one, head = fault.seen, _HEADS[moment]
    whose = settled.municipality or fault.site
    links = sorted(one.links)
    lines = _lines(fault, settled, moment, now)
    return Alert(
        id=new_id(),
        fault=fault.id,
        moment=moment,
        urgency=one.urgency,
        code=one.code,
        side=one.side,
        title_ja=f"【{head.ja}】{one.what.ja}（{whose}）",
        title_en=f"[{head.en}] {one.what.en} ({whose})",
        lines_ja=tuple(line.ja for line in lines),
        lines_en=tuple(line.en for line in lines),
        links=tuple(links[:_MOST_LINKS]),
        more_links=max(0, len(links) - _MOST_LINKS),
        at=fault.began,
    )


def _lines(fault: Fault, settled: Settled, moment: Moment, now: datetime) -> list[Words]:
    """Return cause, effect, contact, what was tried and what to do, a line each."""
    one, is_over = fault.seen, moment is Moment.ENDED
    point = POINTS[one.point]
    began = said_at(fault.began)
    lines: list[Words | None] = [
        Words(
            ja=f"原因の側: {one.side_name}　検知: {point.ja}　コード: {one.code}",
            en=f"Side: {one.side_name}; seen at {point.en}; code {one.code}",
        ),
        _length(fault, now) if is_over else None,
        _effect(fault, settled),
        _overdue(len(one.overdue)),
        _contact(one.contact),
        None if is_over or not one.tried else _said("これまで", "So far", one.tried),
        None if is_over else _said("すること", "Do", one.remedy),
        Words(
            ja=f"障害票: {fault.number}　{began} から", en=f"Fault {fault.number}, since {began}"
        ),
    ]
    return [line for line in lines if line is not None]


def _effect(fault: Fault, settled: Settled) -> Words | None:
    known = settled.links
    names = [known[link].name for link in sorted(fault.seen.links) if link in known]
    if not names:
        return None
    count, more = f"{len(names):,}", len(names) > _MOST_NAMED
    return Words(
        ja=f"影響: {count}件の連携（{'、'.join(names[:_MOST_NAMED])}{' ほか' if more else ''}）",
        en=f"Stops {count} links: {', '.join(names[:_MOST_NAMED])}{' …' if more else ''}",
    )


def _overdue(count: int) -> Words | None:
    if not count:
        return None
    return Words(ja=f"期限を過ぎた連携: {count:,}件", en=f"Overdue links: {count:,}")


def _contact(who: ContactView | None) -> Words | None:
    if who is None:
        return None
    return Words(
        ja=f"連絡先: {who.name} {who.phone}（{who.hours}）",
        en=f"Call: {who.name} {who.phone} ({who.hours})",
    )


def _said(ja: str, en: str, words: Words) -> Words:
    return Words(ja=f"{ja}: {words.ja}", en=f"{en}: {words.en}")


def _length(fault: Fault, now: datetime) -> Words:
    minutes = max(1, round(((fault.ended or now) - fault.began).total_seconds() / 60))
    hours, rest = divmod(minutes, 60)
    ja = f"{hours:,}時間{rest}分" if hours > 1 else f"{minutes}分"
    return Words(ja=f"続いた時間: {ja}", en=f"Lasted: {minutes:,} min")
