"""``kumobashi consent identify | documents``: whether the applicant is the resident."""

import click

from kumobashi.cli.command import command, option
from kumobashi.cli.consent.asking import SITE, ask, number_from
from kumobashi.cli.consent.telling import draw
from kumobashi.cli.exits import Exit
from kumobashi.cli.terminal import Terminal

_OUTCOMES = {
    "match": ("一致しました。", "They match."),
    "none": ("一致しません。", "No match."),
    "ambiguous": ("1人に決まりません。", "More than one."),
}
_ITEMS = {
    "kana": ("氏名のフリガナ", "Name in kana"),
    "sex": ("性別（1 男、2 女）", "Sex (1 male, 2 female)"),
    "birth_date": ("生年月日（例 1990-05-14）", "Date of birth (1990-05-14)"),
    "address": ("住所", "Address"),
}


@command(
    "identify",
    ja="4情報を住民基本台帳と照らします。一致すれば 0、しなければ 2。どの項目が違うかは示しません。"
    "標準入力から、フリガナ・性別・生年月日・住所を1行ずつ読みます。",
    en="Compare four items with the register; exit 0 match, 2 none or several, never which item."
    " Reads kana, sex, date of birth and address, a line each.",
    example="kumobashi consent identify 019aa8d1-5b7c-7000-8000-0123456789ab --way four-items",
)
@click.argument("record", required=False)
@SITE
@option(
    "--way",
    type=click.Choice(["four-items"]),
    default="four-items",
    ja="確かめ方",
    en="How it is found out",
)
def identify(terminal: Terminal, *, record: str | None, site: str | None, way: str) -> Exit:
    """Compare four items; without an application the number is read first."""
    said: dict[str, object] = {"way": way}
    said |= {"record": record} if record else {"resident_no": number_from(terminal)}
    said |= {name: number_from(terminal, words=words) for name, words in _ITEMS.items()}
    found = ask(terminal, site, "identify", said)
    if terminal.as_json:
        terminal.emit(found)
    else:
        terminal.out.print(terminal.t(*_OUTCOMES[found["outcome"]]))
        if found.get("records"):
            draw(terminal, found["records"])
    return Exit.OK if found["outcome"] == "match" else Exit.REFUSED


@command(
    "documents",
    ja="窓口で見る本人確認書類の種類（今日使えるもの）。",
    en="List the kinds of identity documents that count today.",
    example="kumobashi consent documents",
)
def documents(terminal: Terminal) -> None:
    """List kinds of documents."""
    from kumobashi.consent.documents import kinds
    from kumobashi.kernel import SystemClock, business_date

    found = kinds(business_date(SystemClock().now()))
    if terminal.as_json:
        terminal.emit([{"code": one.code, "ja": one.ja, "en": one.en} for one in found])
        return
    for one in found:
        terminal.out.print(f"{one.code:<28}{terminal.t(one.ja, one.en)}", soft_wrap=True)
