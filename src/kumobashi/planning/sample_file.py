"""The sample's file as people have them: Shift_JIS from a spreadsheet, 外字 and lost zeros."""

from pathlib import Path

NAME = "学齢簿の名簿.csv"
_FOLDER = "examples"
# Nobody lives behind these numbers. U+E000 is a character of somebody's own (cp932: F0 40).
_LINES = (
    "宛名番号,氏,名,氏 フリガナ,名 フリガナ,性別,生年月日,世帯番号,続柄,町字,番地号,方書,郵便番号",
    "0000000183,架空,花子,カクウ,ハナコ,2,2018-05-01,0000000901,20,雲橋町一丁目,1-2,,0000001",
    "184,\ue000橋,太郎,クモハシ,タロウ,１,平成30年5月1日,902,20,雲橋町二丁目,3,,0000002",
    "0000000191,髙﨑,一,タカサキ,ハジメ,1,2019-04-01,0000000903,20,架空町,4-5-6,架空荘２０１,0000003",
)


def write_sample_file(workspace: Path) -> Path:
    """Write the file into the workspace's ``examples`` and return it."""
    target = workspace / _FOLDER / NAME
    target.parent.mkdir(exist_ok=True)
    target.write_bytes("".join(f"{line}\r\n" for line in _LINES).encode("cp932"))
    return target
