"""Files of people at both ends of a link, with real gateways: dropped, delivered, killed."""

import csv
import os
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from kumobashi.testing.city import City
from kumobashi.testing.crash_points import names
from kumobashi.testing.town import DAY, Json, Town

pytestmark = [pytest.mark.scenario, pytest.mark.slow]
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
  addressees: {{layout: addressees, version: "1", table: addressees, file: "{file}"}}
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


def found(folder: Path, city: City) -> Town:
    """Return a town with a desk that drops and fetches cp932, and a mail room that opens Excel."""

    def change(workspace: Path) -> None:
        def write(place: str, text: str) -> None:
            (workspace / place).write_text(text, encoding="utf-8")

        write("layouts/addressees.yaml", LAYOUT)
        desk = "{kind: folder, charset: cp932, quiet_seconds: 0.3}"
        mail = "{kind: folder, quiet_seconds: 0.3}"
        for name, ja, store, file in (
            ("desk", "窓口", desk, "名簿_{date}*.csv"),
            ("desk-inbox", "窓口の受け取り", desk, "住民_{date}_{sequence}.csv"),
            ("mail-room", "発送", mail, "発送_{date}_{sequence}.xlsx"),
        ):
            text = SYSTEM.format(name=name, ja=ja, store=store, file=file)
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


@pytest.fixture
def town(city: City, tmp_path: Path) -> Iterator[Town]:
    with found(tmp_path / "w", city) as made:
        made.start("hall-core")
        yield made


def files(town: Town, system: str) -> Path:
    folder = town.folder / "var/hall-core/files" / system
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def drop(
    town: Town, text: str, name: str = f"名簿_{DAY:%Y%m%d}.csv", charset: str = "cp932"
) -> Path:
    path = files(town, "desk") / name
    path.write_bytes(text.encode(charset))
    return path


HEADER = "宛名番号,氏,生年月日,番地号\n"
GOOD = HEADER + '0000000001,髙橋,1990-02-28,"1番,2号"\n0000000002,山﨑,2001-12-31,007\n'


def sheet(path: Path) -> list[list[object]]:
    with CalamineWorkbook.from_path(str(path)) as book:
        return [list(row) for row in book.get_sheet_by_index(0).iter_rows()]


def delivered(town: Town, system: str) -> list[Path]:
    return sorted(path for path in files(town, system).iterdir() if path.is_file())


def test_a_file_in_cp932_becomes_a_workbook_at_the_other_side(town: Town) -> None:
    dropped = drop(town, GOOD)

    run = town.run(LINK)

    assert (run["state"], run["rows_applied"]) == ("applied", 2), str(run["cause"])
    (file,) = delivered(town, "mail-room")
    assert file.name == f"発送_{DAY:%Y%m%d}_1.xlsx"
    assert sheet(file) == [
        ["宛名番号", "氏", "生年月日", "番地号"],
        ["0000000001", "髙橋", "1990-02-28", "1番,2号"],
        ["0000000002", "山﨑", "2001-12-31", "007"],
    ]
    assert not dropped.exists(), "what was taken has left the folder"


def test_a_link_waits_for_its_file_and_goes_on_by_itself(town: Town) -> None:
    transfer = town.submit(LINK)["transfer"]
    waiting = town.wait(transfer, lambda seen: seen["cause"] is not None)
    assert waiting["cause"]["code"] == "storage.file_awaited"

    drop(town, GOOD)

    assert town.wait(transfer)["state"] == "applied"


def test_a_run_again_sends_the_file_that_was_kept(town: Town) -> None:
    drop(town, GOOD)
    town.run(LINK)

    again = town.run(LINK, again=True)

    assert (again["state"], again["rows_applied"]) == ("applied", 2)
    first, second = delivered(town, "mail-room")
    assert sheet(first) == sheet(second)


def test_a_row_with_findings_is_set_aside_and_given_back(town: Town) -> None:
    drop(town, GOOD + "0000000003,鈴木,平成12年4月1日,3\n0000000004,,2000-01-01,4\n1,2\n")

    run = town.run(LINK)

    assert (run["state"], run["rows_applied"], run["rows_quarantined"]) == ("applied", 2, 3), run
    listed = {
        (f["line"], f["item"])
        for f in town.call(f"/api/v1/transfers/{run['transfer']}")["transfer"]["findings"]
    }
    assert listed >= {(4, "birth_date"), (5, "family_name"), (6, "-")}
    returned = files(town, "desk") / "returned"
    corrected = sheet(returned / f"名簿_{DAY:%Y%m%d}_corrected.xlsx")
    assert ["0000000003", "鈴木", "2000-04-01", "3"] in corrected
    assert (returned / f"名簿_{DAY:%Y%m%d}_findings.xlsx").exists()


def test_a_file_in_two_charsets_is_refused_with_its_line(town: Town) -> None:
    path = drop(town, GOOD)
    path.write_bytes(path.read_bytes() + "0000000003,髙橋,2000-01-01,3\n".encode())

    run = town.run(LINK)

    assert (run["state"], run["cause"]["code"]) == ("refused", "conversion.charset_unclear")
    assert delivered(town, "mail-room") == []


def test_a_file_that_grows_is_not_touched(town: Town) -> None:
    path = drop(town, HEADER)
    transfer = town.submit(LINK)["transfer"]
    end = time.monotonic() + 3
    number = 0
    with path.open("ab") as growing:
        while time.monotonic() < end:
            number += 1
            growing.write(f"{number:010},鈴木,2000-01-01,1\n".encode("cp932"))
            growing.flush()
            os.fsync(growing.fileno())
            time.sleep(0.05)
            assert path.exists()
    run = town.wait(transfer)

    assert (run["state"], run["rows_applied"]) == ("applied", number)


def read_cp932(path: Path) -> list[list[str]]:
    with path.open(encoding="cp932", newline="") as lines:
        return list(csv.reader(lines))


def test_rows_of_a_system_become_a_file_and_a_difference_the_next_whole(town: Town) -> None:
    first = town.run(REVERSE)
    town.change(
        "integrated-db",
        "delete from resident_registry"
        " where resident_no = (select min(resident_no) from resident_registry)",
    )
    second = town.run(REVERSE, again=True)

    assert (first["state"], second["state"]) == ("applied", "applied"), (first, second)
    one, two = (read_cp932(path) for path in delivered(town, "desk-inbox"))
    assert one[0] == two[0] == ["宛名番号", "氏", "生年月日", "番地号"]
    assert len(one) - len(two) == 1
    assert {tuple(row) for row in two} < {tuple(row) for row in one}
    assert all(len(row[0]) == 10 and date.fromisoformat(row[2]) for row in two[1:])


@pytest.mark.parametrize("name", [name for name in names() if name.startswith("files.")])
def test_killed_at_each_point_a_file_is_sent_and_delivered_once(town: Town, name: str) -> None:
    drop(town, GOOD)
    town.restart("hall-core", crash=f"{name}:1")

    transfer = submit(town)
    assert town.running["hall-core"].wait_end(60) == -9
    between = delivered(town, "mail-room")
    for file in between:
        file.unlink()  # the partner fetches at once
    town.start("hall-core")
    run = town.wait(transfer)

    assert (run["state"], run["rows_applied"]) == ("applied", 2), str(run["cause"])
    after = delivered(town, "mail-room")
    assert len(between) + len(after) == 1, "exactly one file, whoever fetched it when"
    assert not list(files(town, "mail-room").glob(".kumobashi/*"))
    assert delivered(town, "desk") == []


def submit(town: Town) -> str:
    try:
        made: Json = town.submit(LINK)
        return str(made["transfer"])
    except OSError:
        return str(town.ledger("hall-core").outgoing()[-1].transfer)
