"""Where a fault is seen: the four detection points of the report, and what lies beside them.

The points are those of the Chiba trial (report 001, item (6)); the parts of the network and the
nine patterns those of report 003, table 2-14.
"""

from collections.abc import Set as AbstractSet
from enum import IntEnum, StrEnum

from kumobashi.directory.monitor_models import PartKind
from kumobashi.exchange.views import Words


class Point(StrEnum):
    """Where a fault was detected."""

    RELAY = "relay"  # 検知①: the way through the relays
    INTERFACE = "interface"  # 検知②: the interface of the cloud has stopped
    IMPORT = "import"  # 検知③: what came of taking the rows in
    PROGRAM = "program"  # 検知④: logs of programs and their errors
    NETWORK = "network"  # lines and devices between hall and cloud
    GATEWAY = "gateway"  # the gateway beside the watch does not answer
    SENDER = "sender"  # before anything left: sources, keys, the disk
    CLOCK = "clock"
    OVERDUE = "overdue"  # nothing is known to be wrong, and it is not there in time
    SILENCE = "silence"  # a site that always asked does not ask any more


POINTS: dict[Point, Words] = {
    Point.RELAY: Words(ja="検知①（中継の経路）", en="point 1, the relay path"),
    Point.INTERFACE: Words(ja="検知②（クラウドの受け口）", en="point 2, the cloud's interface"),
    Point.IMPORT: Words(ja="検知③（取込の結果）", en="point 3, the result of the import"),
    Point.PROGRAM: Words(ja="検知④（プログラムの記録）", en="point 4, program logs"),
    Point.NETWORK: Words(ja="通信網と機器", en="network and devices"),
    Point.GATEWAY: Words(ja="自サイトのゲートウェイ", en="this site's gateway"),
    Point.SENDER: Words(ja="送り出す側", en="the sending side"),
    Point.CLOCK: Words(ja="時計", en="clocks"),
    Point.OVERDUE: Words(ja="期限", en="deadline"),
    Point.SILENCE: Words(ja="生存確認", en="pulse"),
}


CARRIER = frozenset({PartKind.CORE, PartKind.EXCHANGE, PartKind.ACCESS})
CLOUD = frozenset({PartKind.HARDWARE, PartKind.BASE, PartKind.APPLICATION})
HALL = frozenset({PartKind.DEVICE, PartKind.TERMINAL})


class Pattern(IntEnum):
    """One of the nine patterns of network failure (table 2-14)."""

    SINGLE_LINE = 1
    LARGE_LINE = 2
    CLOUD_HARDWARE = 3
    CLOUD_SOFTWARE = 4
    HALL_DEVICE = 5
    HALL_TERMINAL = 6
    LOCAL_POWER_CUT = 7
    DISASTER = 8
    DISASTER_POWER_CUT = 9


PATTERNS: dict[Pattern, Words] = {
    Pattern.SINGLE_LINE: Words(ja="単独の通信障害", en="single communication fault"),
    Pattern.LARGE_LINE: Words(ja="大規模通信障害", en="large communication fault"),
    Pattern.CLOUD_HARDWARE: Words(ja="クラウドのハードウェア障害", en="cloud hardware fault"),
    Pattern.CLOUD_SOFTWARE: Words(ja="クラウドのソフトウェア障害", en="cloud software fault"),
    Pattern.HALL_DEVICE: Words(ja="自治体の通信機器障害", en="fault of the hall's device"),
    Pattern.HALL_TERMINAL: Words(ja="自治体の端末障害", en="fault of the hall's terminal"),
    Pattern.LOCAL_POWER_CUT: Words(ja="局所的な停電", en="local power cut"),
    Pattern.DISASTER: Words(
        ja="大規模災害時の広域障害（停電なし）", en="wide-area fault in a disaster, power on"
    ),
    Pattern.DISASTER_POWER_CUT: Words(
        ja="大規模災害時の広域障害（停電あり）", en="wide-area fault in a disaster, power cut"
    ),
}

MEASURES: dict[Pattern, Words] = {  # table 2-15 and the text of section 2.4.2, for who has to act
    Pattern.SINGLE_LINE: Words(
        ja="予備の回線に切り替え、通信事業者に連絡してください。",
        en="Switch to the spare line and call the carrier.",
    ),
    Pattern.LARGE_LINE: Words(
        ja="通信事業者の復旧情報を確かめ、庁舎内の予備サーバーの業務に切り替えてください。",
        en="Look for news of the carrier; work with the backup server in the hall.",
    ),
    Pattern.CLOUD_HARDWARE: Words(
        ja="クラウド事業者に連絡し、SLAの復旧目標と代替環境を確かめてください。",
        en="Call the provider; ask for the recovery target and a substitute.",
    ),
    Pattern.CLOUD_SOFTWARE: Words(
        ja="クラウド事業者に連絡し、直前の更新を戻せるかを確かめてください。",
        en="Call the provider; ask whether the last update can be rolled back.",
    ),
    Pattern.HALL_DEVICE: Words(
        ja="予備の通信機器に交換してください。",
        en="Swap the device for the spare one.",
    ),
    Pattern.HALL_TERMINAL: Words(
        ja="予備の端末か、別のブラウザーを使ってください。",
        en="Use a spare terminal, or another browser.",
    ),
    Pattern.LOCAL_POWER_CUT: Words(
        ja="非常用発電機を動かし、電池のあるノート端末と代替回線を使ってください。",
        en="Start the generator; use notebooks on battery and a substitute line.",
    ),
    Pattern.DISASTER: Words(
        ja="業務継続計画により、庁舎内の予備サーバーで優先業務を続けてください。",
        en="Follow the continuity plan: priority work on the backup server in the hall.",
    ),
    Pattern.DISASTER_POWER_CUT: Words(
        ja="業務継続計画により、発電機と予備サーバーで優先業務を続けてください。",
        en="Follow the continuity plan: priority work on generator and backup server.",
    ),
}


def pattern_of(kinds: AbstractSet[PartKind]) -> Pattern | None:
    """Return the pattern of parts that have failed together; none for parts that fit none.

    >>> pattern_of({PartKind.ACCESS}).name, pattern_of({PartKind.BASE}).name
    ('SINGLE_LINE', 'CLOUD_SOFTWARE')
    >>> pattern_of({PartKind.CORE, PartKind.EXCHANGE, PartKind.ACCESS, PartKind.DEVICE}).name
    'DISASTER_POWER_CUT'
    """
    lines, clouds, halls = kinds & CARRIER, kinds & CLOUD, kinds & HALL
    if clouds:
        return None if lines or halls else _of_cloud(clouds)
    return _of_lines(lines, halls) if lines else _of_hall(halls)


def _of_cloud(clouds: AbstractSet[PartKind]) -> Pattern:
    is_hard = PartKind.HARDWARE in clouds
    return Pattern.CLOUD_HARDWARE if is_hard else Pattern.CLOUD_SOFTWARE


def _of_lines(lines: AbstractSet[PartKind], halls: AbstractSet[PartKind]) -> Pattern:
    if halls:
        return Pattern.DISASTER_POWER_CUT
    if lines == {PartKind.ACCESS}:
        return Pattern.SINGLE_LINE
    return Pattern.DISASTER if PartKind.ACCESS in lines else Pattern.LARGE_LINE


def _of_hall(halls: AbstractSet[PartKind]) -> Pattern | None:
    if halls == HALL:
        return Pattern.LOCAL_POWER_CUT
    if not halls:
        return None
    return Pattern.HALL_DEVICE if PartKind.DEVICE in halls else Pattern.HALL_TERMINAL
