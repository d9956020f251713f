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
from kumobashi.testing.town import DAY, Town
from tests.scenario.desks import GOOD, HEADER, LINK, REVERSE, found, submit

pytestmark = [pytest.mark.scenario, pytest.mark.slow]


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
