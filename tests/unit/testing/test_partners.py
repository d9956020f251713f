"""Fake partners of every kind, each with a link of the sample workspace."""

import json
import re
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest

from kumobashi.cli.entry import root
from kumobashi.planning.publishing import publish_directory
from kumobashi.planning.sampling import write_sample
from kumobashi.planning.workspace import Workspace, load
from kumobashi.release.holding import hold_back
from kumobashi.release.releasing import Source
from kumobashi.service.stores import open_store
from kumobashi.storage.tables import Query

DAY = date(2026, 11, 21)
TABLE = "vaccinations"
PEOPLE = ["--residents", "1500", "--date", DAY.isoformat()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_sample(tmp_path / "city")


def run(folder: Path, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    with pytest.raises(SystemExit) as ended:
        root.main(["--workspace", str(folder), "--json", "partner", *words])
    said = capsys.readouterr()
    assert ended.value.code == 0, said
    found: dict[str, object] = json.loads(said.out)
    return found


def let_it_say(folder: Path, system: str, store: str, **more: str) -> Workspace:
    """Give a system of the sample another store, and its dataset more keys."""
    path = folder / f"systems/{system}.yaml"
    text = re.sub(r"store: \{.*\}", f"store: {store}", path.read_text("utf-8"))
    keys = "".join(f", {key}: {value}" for key, value in more.items())
    path.write_text(re.sub(r"\}$", f"{keys}}}", text, flags=re.MULTILINE), encoding="utf-8")
    text = path.read_text("utf-8").replace(f"store: {store[:-1]}{keys}}}", f"store: {store}")
    path.write_text(text, encoding="utf-8")
    publish_directory(folder, now=datetime.now(UTC))
    return load(folder)


def read(workspace: Workspace, system: str, table: str) -> list[tuple[object, ...]]:
    """Return what the gateway reads of a system, which must have no findings."""
    store = open_store(workspace.folder, workspace.systems[system], workspace.layouts)
    layout = workspace.layouts.get(workspace.systems[system].datasets[table].layout, "1")
    with store.reading(DAY) as reader:
        held = reader.hold_back(table, leave_out=False)
        assert held.findings == ()
        with reader.stream(Query(table, layout.names)) as rows:
            return sorted(tuple(row.values()) for row in rows.read_all().to_pylist())


@pytest.fixture
def expected(folder: Path, capsys: pytest.CaptureFixture[str]) -> list[tuple[object, ...]]:
    """The same rows as a standard system gives them, in its tables."""
    found = run(folder, capsys, "fake", "vaccination", *PEOPLE)
    rows = read(load(folder), "vaccination", TABLE)
    assert found["offered"] == [{"table": TABLE, "file": "vaccination.duckdb", "rows": len(rows)}]
    assert len(rows) > 50
    return rows


def test_a_standard_system_has_the_city_in_its_tables_and_is_not_overwritten(
    folder: Path, expected: list[tuple[object, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    run(folder, capsys, "fake", "vaccination", *PEOPLE)
    assert read(load(folder), "vaccination", TABLE) == expected

    with duckdb.connect(str(folder / "var/hall-core/data/vaccination.duckdb")) as real:
        real.execute("drop table kumobashi_fake")
    with pytest.raises(SystemExit) as ended:
        root.main(["--workspace", str(folder), "partner", "fake", "vaccination", *PEOPLE])

    assert ended.value.code == 2
    assert "cli.partner_there" in capsys.readouterr().err
    assert read(load(folder), "vaccination", TABLE) == expected


@pytest.mark.parametrize("charset", ["cp932", "ibm930", "ibm939"])
def test_a_host_gives_the_same_rows_in_fixed_lengths(
    folder: Path,
    expected: list[tuple[object, ...]],
    charset: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    cut = run(folder, capsys, "records", "vaccination", "--charset", charset)[TABLE]
    workspace = let_it_say(
        folder,
        "vaccination",
        "{kind: folder, complete: done}",
        file='"HOST.D{date}.DAT"',
        records=json.dumps(cut),
    )

    run(folder, capsys, "fake", "vaccination", *PEOPLE)

    assert read(workspace, "vaccination", TABLE) == expected


def test_a_spreadsheet_with_titles_and_eras_gives_the_same_rows(
    folder: Path, expected: list[tuple[object, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    store = "{kind: folder, corrections: apply, quiet_seconds: 0.2}"
    workspace = let_it_say(folder, "vaccination", store, file='"接種_{date}.xlsx"')

    run(folder, capsys, "fake", "vaccination", *PEOPLE)

    assert read(workspace, "vaccination", TABLE) == expected


def test_a_link_of_the_sample_reads_its_flags_from_a_spreadsheet(
    folder: Path, expected: list[tuple[object, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    store = "{kind: folder, corrections: apply, quiet_seconds: 0.2}"
    workspace = let_it_say(folder, "vaccination", store, file='"接種_{date}.xlsx"')
    run(folder, capsys, "fake", "vaccination", *PEOPLE)
    rule = workspace.rules["vaccination-reminders"]

    opened = open_store(folder, workspace.systems["vaccination"], workspace.layouts)
    with opened.reading(DAY) as reader:
        sources = {name: Source(reader, TABLE) for name in rule.datasets}
        held = hold_back(rule, sources, "refuse")
        rows = reader.count(Query(TABLE, ("resident_no",)))

    assert (held.findings, rows) == ((), len(expected))


def test_a_receiver_fetches_what_was_delivered(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    let_it_say(folder, "collection", "{kind: folder}")
    files = folder / "var/hall-core/files/collection"
    files.mkdir(parents=True)
    header = "宛名番号,氏,名,氏 フリガナ,名 フリガナ,町字,番地号,方書,郵便番号,住民税の非課税"
    text = f"{header}\n0000000001,髙橋,花子,,,架空町,1,,0000000,1\n"
    (files / "collection_addressees_20261121.csv").write_text(text, encoding="utf-8-sig")

    found = run(folder, capsys, "fake", "collection")

    name = "collection_addressees_20261121.csv"
    table = "collection_addressees"
    assert found["fetched"] == [{"table": table, "file": name, "rows": 1, "findings": 0}]
    assert (files / "fetched" / name).exists()


def test_an_unknown_partner_is_told_with_those_there_are(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        root.main(["--workspace", str(folder), "--json", "partner", "fake", "nobody"])

    assert ended.value.code == 2
    assert "vaccination" in json.loads(capsys.readouterr().out)["error"]["what"]
