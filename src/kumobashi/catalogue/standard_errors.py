"""The standard's errors E0001 to E0004 for our findings, with its sentences in Japanese.

Codes, names and templates are those of the API specification 住登外者宛名番号付番API v2.0
（デジタル庁, PDL 1.0, processed）; which of our findings stands under which code is our own
reading. E0003 speaks of exactly so many characters; where a field may hold fewer we say 以内.

>>> from kumobashi.catalogue.layouts import load_layouts
>>> layout = load_layouts().get("resident-registry", "2")
>>> print(standard_error("finding.required_missing", layout, "sex").message)
【性別】が設定されていません。
>>> print(standard_error("finding.wrong_length", layout, "address_town_id").message)
【住所_町字コード】は7桁で設定してください。
"""

from collections.abc import Mapping
from dataclasses import dataclass

from kumobashi.catalogue.code_lists import CodeList, load_code_lists
from kumobashi.catalogue.fields import Condition, Field, Layout

TEMPLATES: Mapping[str, tuple[str, str]] = {  # code → name and sentence
    "E0001": ("必須エラー", "【項目名】が設定されていません。"),
    "E0002": ("指定文字エラー", "【項目名】は【指定文字】で設定してください。"),
    "E0003": ("桁数エラー（固定項目）", "【項目名】はX桁で設定してください。"),
    "E0004": (
        "相関チェックエラー",
        "【項目名】が設定されている場合、【項目名】は設定必須です。",
    ),
}
_OURS: Mapping[str, str] = {
    "finding.column_missing": "E0001",
    "finding.required_missing": "E0001",
    "finding.wrong_type": "E0002",
    "finding.unknown_code": "E0002",
    "finding.wrong_characters": "E0002",
    "finding.too_long": "E0003",
    "finding.wrong_length": "E0003",
    "finding.required_together": "E0004",
}
_CHARACTERS: Mapping[str, str] = {
    "X": "半角文字",
    "N": "全角文字",
    "9": "半角数字",
    "S9": "半角数字（負の数は先頭に-）",
    "9V": "半角数字と小数点",
    "YEAR": "YYYY",
    "DATE": "YYYY-MM-DD",
    "TIME": "HH:MM:SS",
    "TIMESTAMP": "YYYY-MM-DD HH:MM:SS",
    "LIST9": "半角数字の並び",
}
_FEW = 6  # codes that are listed one by one


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardError:
    """One finding in the standard's words."""

    code: str  # E0001
    name: str
    message: str


def standard_error(
    finding: str,
    layout: Layout,
    item: str,
    code_lists: Mapping[str, CodeList] | None = None,
) -> StandardError | None:
    """Return what the standard calls a finding of a column; nothing where it has no such error."""
    code = _OURS.get(finding)
    if code is None or item not in layout.names:
        return None
    field = layout.field(item)
    name, template = TEMPLATES[code]
    match code:
        case "E0002":
            wanted = _CHARACTERS[field.type]
            if finding == "finding.unknown_code" and field.code_list is not None:
                lists = load_code_lists() if code_lists is None else code_lists
                wanted = _codes(lists[field.code_list])
            message = template.replace("項目名", field.ja).replace("指定文字", wanted)
        case "E0003":
            size = f"{_size(field)}桁" + ("" if finding == "finding.wrong_length" else "以内")
            message = template.replace("項目名", field.ja).replace("X桁", size)
        case "E0004" if field.condition is not None:
            other = _said(field.condition, layout)
            message = template.replace("項目名", other, 1).replace("【項目名】", f"【{field.ja}】")
        case _:
            message = template.replace("項目名", field.ja)
    return StandardError(code=code, name=name, message=message)


def _size(field: Field) -> str:
    return f"整数部{field.digits}桁・小数部{field.decimals}" if field.decimals else field.size


def _codes(codes: CodeList) -> str:
    if len(codes.values) <= _FEW and codes.chain == 1:
        return "・".join(f"{code.code}（{code.ja}）" for code in codes.codes)
    return f"コード表 {codes.name} の値"


def _said(condition: Condition, layout: Layout) -> str:
    other = layout.field(condition.field).ja
    return f"{other}（{'・'.join(condition.one_of)}）" if condition.one_of else other
