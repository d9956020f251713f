"""A desk that gives files and a mail room that gets them, in the fictional city."""

from pathlib import Path

from kumobashi.testing.city import City
from kumobashi.testing.town import Json, Town

HEADER = "宛名番号,氏,生年月日,番地号\n"
GOOD = HEADER + '0000000001,髙橋,1990-02-28,"1番,2号"\n0000000002,山﨑,2001-12-31,007\n'
LINK, REVERSE = "desk-to-mail-room", "residents-to-desk"
LAYOUT = """
kumobashi: 1
layout: addressees
version: "1"
name: 宛名の一覧
valid_from: "2026-04-01"
source: 架空市が定めた形
own_shape: true
key: [resident_no]
fields:
  - {name: resident_no, ja: 宛名番号, type: X, digits: 10, required: true, sensitivity: identifier}
  - {name: family_name, ja: 氏, type: "N", digits: 50, required: true, sensitivity: personal}
  - {name: birth_date, ja: 生年月日, type: DATE, required: true, sensitivity: personal}
  - {name: address_number, ja: 番地号, type: "N", digits: 50, sensitivity: personal}
"""
KINDS = """\
addressees,宛名,addressees,resident-registry,addressees,3B,core,no,no,2016-01-01,,未確認,見本
"""
MAY = (
    "resident-registry,tax-collection,addressees,tax-collection,mynumber,mynumber,yes,*,61,"
    "個人情報保護法 61条,art. 61,,,2023-04-01,,未確認,見本\n"
)
SYSTEM = """
kumobashi: 1
system: {name}
name: {ja}
site: hall-core
kind: local_policy
unit: tax-collection
contact: it-desk
store: {store}
datasets:
  addressees: {{layout: addressees, version: "1", table: addressees{file}}}
"""
RULE = """
kumobashi: 1
release: {name}
version: 1
name: 宛名をそのまま
datasets:
  rows: {source}
subject: {{dataset: rows, key: resident_no}}
columns:
  - {{name: resident_no, op: keep, of: resident_no}}
  - {{name: family_name, op: keep, of: family_name}}
  - {{name: birth_date, op: keep, of: birth_date}}
  - {{name: address_number, op: keep, of: address_number}}
"""
LINK_FILE = """
kumobashi: 1
link: {name}
name: 宛名の一覧
from: {source}
release: {name}
to: {{system: {to}, dataset: addressees}}
mode: {mode}
purpose: tax-collection
legal_basis:
  code: "61"
  note: 市税の賦課徴収
format: csv
characters: {{charset: {charset}, otherwise: quarantine}}
on_findings: quarantine
contact: tax-office
"""


DESK = "{kind: folder, charset: cp932, quiet_seconds: 0.3}"
MAIL_ROOM = "{kind: folder, quiet_seconds: 0.3}"


def found(
    folder: Path,
    city: City,
    *,
    desk: str = DESK,
    mail_room: str = MAIL_ROOM,
    desk_file: str | None = "名簿_{date}*.csv",
    mail_file: str | None = "発送_{date}_{sequence}.xlsx",
) -> Town:
    """Return a town with a desk that drops and fetches cp932, and a mail room that opens Excel."""

    def change(workspace: Path) -> None:
        def write(place: str, text: str) -> None:
            (workspace / place).write_text(text, encoding="utf-8")

        write("layouts/addressees.yaml", LAYOUT)
        for name, ja, store, file in (
            ("desk", "窓口", desk, desk_file),
            ("desk-inbox", "窓口の受け取り", DESK, "住民_{date}_{sequence}.csv"),
            ("mail-room", "発送", mail_room, mail_file),
        ):
            named = f', file: "{file}"' if file else ""
            text = SYSTEM.format(name=name, ja=ja, store=store, file=named)
            write(f"systems/{name}.yaml", text)
        kinds = (workspace / "policy/information_kinds.csv").read_text(encoding="utf-8")
        write("policy/information_kinds.csv", kinds + KINDS)
        rules = (workspace / "policy/who_may.csv").read_text(encoding="utf-8")
        write("policy/who_may.csv", rules + MAY)
        write(f"rules/{LINK}.yaml", RULE.format(name=LINK, source="desk.addressees"))
        write(f"rules/{REVERSE}.yaml", RULE.format(name=REVERSE, source="integrated-db.residents"))
        one = {"name": LINK, "source": "desk", "to": "mail-room", "mode": "full"}
        two = {"name": REVERSE, "source": "integrated-db", "to": "desk-inbox", "mode": "difference"}
        write(f"links/{LINK}.yaml", LINK_FILE.format(charset="utf-8", **one))
        write(f"links/{REVERSE}.yaml", LINK_FILE.format(charset="cp932", **two))

    return Town.found(folder, city, change=change)


def submit(town: Town) -> str:
    """Ask for the link of the desk and return the transfer, also where the gateway dies of it."""
    try:
        made: Json = town.submit(LINK)
        return str(made["transfer"])
    except OSError:
        return str(town.ledger("hall-core").outgoing()[-1].transfer)
