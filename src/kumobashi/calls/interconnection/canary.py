"""The record that a test sends: invented, and full of what gets lost between systems.

Every entry is a kind of mistake that has happened: characters beyond the basic plane cut in two,
variation selectors dropped, half-width kana widened, the wave dash turned into the full-width tilde
by a code page, marks composed or taken apart, leading zeros eaten.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

CANARY: Final[Mapping[str, str]] = MappingProxyType(
    {
        "文字情報基盤の異体字": "髙﨑濵邉󠄀葛󠄀城",
        "第3・第4水準": "𠮷野家𡈽屋𩸽彁",
        "半角カナ": "ﾔﾏﾀﾞ ﾊﾅｺ",
        "波ダッシュと全角チルダ": "〜～",
        "横線": "－−‐—ー―",
        "結合文字": "か゚が",
        "全角空白と空白": "架空　花子 様",
        "先頭の0": "0000012345",
        "記号": "\\¥~‖¦㈱№℡①Ⅳ",
        "引用符と区切り": "\"'，,、\t;",
    }
)
