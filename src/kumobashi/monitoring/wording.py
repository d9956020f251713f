"""The words around faults that terminal, pages and papers share."""

from datetime import datetime

from kumobashi.exchange.views import Words
from kumobashi.kernel import JST
from kumobashi.monitoring.alerts import Urgency
from kumobashi.monitoring.faults import EntryKind, Standing

STANDINGS: dict[Standing, tuple[Words, str]] = {  # and how a terminal colours them
    Standing.OPEN: (Words(ja="発生中", en="goes on"), "bold red"),
    Standing.TAKEN: (Words(ja="対応中", en="seen to"), "yellow"),
    Standing.ENDED: (Words(ja="復旧", en="over"), "green"),
    Standing.CLOSED: (Words(ja="完了", en="closed"), "dim"),
}

KINDS: dict[EntryKind, Words] = {
    EntryKind.OPENED: Words(ja="発生", en="began"),
    EntryKind.REOPENED: Words(ja="再発", en="came back"),
    EntryKind.WORSENED: Words(ja="拡大", en="worsened"),
    EntryKind.TOLD: Words(ja="連絡", en="told"),
    EntryKind.TAKEN: Words(ja="対応開始", en="taken"),
    EntryKind.ENQUIRY: Words(ja="問い合わせ", en="enquiry"),
    EntryKind.MEASURE: Words(ja="対応", en="measure"),
    EntryKind.CAUSE: Words(ja="原因", en="cause"),
    EntryKind.ENDED: Words(ja="復旧", en="over"),
    EntryKind.CLOSED: Words(ja="完了", en="closed"),
}

URGENCIES: dict[Urgency, Words] = {
    Urgency.NOW: Words(ja="至急", en="now"),
    Urgency.TODAY: Words(ja="当日", en="today"),
    Urgency.NOTE: Words(ja="参考", en="note"),
}


def moment(at: datetime) -> str:
    """Return a time as people of the office say it: month, day, hour, minute, in Japan.

    >>> from datetime import UTC
    >>> moment(datetime(2026, 11, 23, 17, 14, tzinfo=UTC))
    '11/24 2:14'
    """
    here = at.astimezone(JST)
    return f"{here.month}/{here.day} {here.hour}:{here.minute:02}"
