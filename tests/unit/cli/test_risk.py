"""``kumobashi risk`` as people and programs use it."""

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import Result

from kumobashi.cli.risk_files import MEMORY, bounded_memory
from tests.unit.cli.conftest import Kumobashi

ROWS = ["生年,性別,地区,給付,金額", "1970,女,中央,なし,0", "1970,女,中央,児童,10"]
ROWS += ["1971,男,北,なし,0", "1971,男,北,なし,5", "1980,女,北,生活,7"]
QI = ("--qi", "生年,性別,地区")


def given_file(
    folder: Path, rows: list[str] | None = None, *, name: str = "名簿.csv", charset: str = "utf-8"
) -> Path:
    path = folder / name
    path.write_text("\r\n".join(rows or ROWS) + "\r\n", encoding=charset, newline="")
    return path


def told(said: Result) -> dict[str, Any]:
    assert said.exit_code in {0, 1}, said.output
    answer: dict[str, Any] = json.loads(said.stdout)
    return answer


def refused(said: Result) -> dict[str, Any]:
    assert said.exit_code not in {0, 1}
    answer: dict[str, Any] = json.loads(said.stdout)["error"]
    return answer


def test_machines_get_every_measure_by_its_name(kumobashi: Kumobashi, tmp_path: Path) -> None:
    found = told(kumobashi("risk", given_file(tmp_path), *QI, "--sensitive", "給付", "--json"))

    assert found["rows"] == 5
    assert found["classes"] == 3
    assert (found["k"], found["l"], found["entropy_l"]) == (1, 1, 1.0)
    assert found["t"] == pytest.approx(0.8)
    assert found["delta_disclosure"] == pytest.approx(1.6094379124341003)
    assert (found["unique_share"], found["prosecutor_max"]) == (0.2, 1.0)
    assert found["prosecutor_average"] == found["marketer"] == 0.6
    assert found["k_map"] is found["journalist_max"] is None
    assert found["rows_in_classes_below"] == {"2": 1, "3": 5, "5": 5, "10": 5, "20": 5}
    assert found["identifying"][1] == {
        "columns": ["性別"],
        "distinction": 0.4,
        "separation": 0.6,
    }


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "cp932"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_charset_and_delimiter_are_found(
    kumobashi: Kumobashi, tmp_path: Path, charset: str, delimiter: str
) -> None:
    rows = [row.replace(",", delimiter) for row in ROWS]

    found = told(kumobashi("risk", given_file(tmp_path, rows, charset=charset), *QI, "--json"))

    assert (found["classes"], found["k"], found["l"], found["t"]) == (3, 1, None, None)


def test_any_other_delimiter_is_found_or_named(kumobashi: Kumobashi, tmp_path: Path) -> None:
    path = given_file(tmp_path, [row.replace(",", "^") for row in ROWS])

    assert told(kumobashi("risk", path, *QI, "--delimiter", "^", "--json"))["classes"] == 3
    assert told(kumobashi("risk", path, *QI, "--json"))["classes"] == 3
    wrong = kumobashi("risk", path, *QI, "--delimiter", ",", "--json")
    assert refused(wrong)["code"] == "risk.column_unknown"
    assert (
        refused(kumobashi("risk", path, *QI, "--delimiter", "ab", "--json"))["code"] == "cli.usage"
    )


def test_names_that_differ_only_by_capitals_are_two_columns(
    kumobashi: Kumobashi, tmp_path: Path
) -> None:
    path = given_file(tmp_path, ["A,a,b", "1,2,3", "1,5,4"])

    assert told(kumobashi("risk", path, "--qi", "A", "--json"))["k"] == 2
    wrong = kumobashi("risk", path, "--qi", "a", "--json")
    assert "a (2列目)" in wrong.stdout


def test_parquet_with_nulls_is_measured_as_it_is(kumobashi: Kumobashi, tmp_path: Path) -> None:
    path = tmp_path / "rows"  # known by its first bytes
    with duckdb.connect() as work:
        work.execute(
            "copy (select * from (values (1, null, 3), (1, null, 4), (1, '', 5)) as t(a, b, s))"
            f" to '{path}' (format parquet)"
        )

    found = told(kumobashi("risk", path, "--qi", "a", "--qi", "b", "--sensitive", "s", "--json"))

    assert (found["classes"], found["k"]) == (2, 1)
    assert (found["rows_with_null"], found["rows_with_empty"]) == (2, 1)
    assert found["sensitive"]["s"]["distance"] == "ordered"


def test_numbers_are_ordered_only_where_the_whole_column_is(
    kumobashi: Kumobashi, tmp_path: Path
) -> None:
    def distance(path: Path, *more: str) -> str:
        found = told(kumobashi("risk", path, *QI, "--sensitive", "金額", *more, "--json"))
        return str(found["sensitive"]["金額"]["distance"])

    assert distance(given_file(tmp_path)) == "ordered"
    assert distance(given_file(tmp_path), "--categorical", "金額") == "equal"
    for odd in ("", "不明", "nan", "inf", "1_000", "0x1F", "1e999", "１２"):
        path = given_file(tmp_path, [*ROWS, f"1980,女,北,生活,{odd}"])
        assert distance(path) == "equal", odd
        again = kumobashi("risk", path, *QI, "--sensitive", "金額", "--ordered", "金額", "--json")
        assert (refused(again)["code"], again.exit_code) == ("risk.not_ordered", 2)
    spaced = given_file(tmp_path, [row.replace(",なし,", ",なし, ") for row in ROWS])
    assert distance(spaced) == "ordered"
    many = [*ROWS, f"1980,女,北,生活,{2**70}", f"1980,女,北,生活,{2**70 + 1}"]
    path = given_file(tmp_path, many)
    found = told(kumobashi("risk", path, *QI, "--sensitive", "金額", "--json"))
    assert found["sensitive"]["金額"]["values"] == 6


def test_the_population_is_looked_up(kumobashi: Kumobashi, tmp_path: Path) -> None:
    path = given_file(tmp_path)
    everybody = given_file(tmp_path, [ROWS[0], *ROWS[1:] * 3], name="全員.csv", charset="cp932")

    found = told(kumobashi("risk", path, *QI, "--population", everybody, "--json"))

    assert (found["k_map"], found["population"]) == (3, 15)
    assert found["journalist_max"] == 1 / 3
    assert found["journalist_average"] == found["marketer"] == 0.2
    assert found["population_unique_share"] == 0


def test_a_smaller_population_is_refused(kumobashi: Kumobashi, tmp_path: Path) -> None:
    smaller = given_file(tmp_path, ROWS[:-1], name="全員.csv")

    said = kumobashi("risk", given_file(tmp_path), *QI, "--population", smaller, "--json")

    assert (refused(said)["code"], said.exit_code) == ("risk.population_smaller", 2)


def test_suppressed_rows_are_in_no_class(kumobashi: Kumobashi, tmp_path: Path) -> None:
    hidden = [*ROWS[:5], "*,*,*,生活,7"]

    found = told(kumobashi("risk", given_file(tmp_path, hidden), *QI, "--json"))
    assert (found["rows"], found["suppressed"], found["k"]) == (4, 1, 2)

    counted = told(
        kumobashi("risk", given_file(tmp_path, hidden), *QI, "--suppressed", "", "--json")
    )
    assert (counted["rows"], counted["suppressed"], counted["k"]) == (5, 0, 1)

    every = [ROWS[0], *["*,*,*,生活,7"] * 3]
    coarse = told(kumobashi("risk", given_file(tmp_path, every), *QI, "--json"))
    assert (coarse["rows"], coarse["suppressed"], coarse["k"]) == (3, 0, 3)


@pytest.mark.parametrize(
    ("rows", "code", "exit_code"),
    [
        ([ROWS[0]], "risk.no_rows", 2),
        (["氏名,住所", "甲,中央"], "risk.column_unknown", 64),
        ([*ROWS, "1980,女"], "risk.rows_broken", 2),
        ([*ROWS, '1980,女,"北'], "risk.rows_broken", 2),
    ],
)
def test_a_file_that_cannot_be_measured_is_refused(
    kumobashi: Kumobashi, tmp_path: Path, rows: list[str], code: str, exit_code: int
) -> None:
    said = kumobashi("risk", given_file(tmp_path, rows), *QI, "--json")

    assert (refused(said)["code"], said.exit_code) == (code, exit_code)


def test_a_broken_row_is_named_by_its_line(kumobashi: Kumobashi, tmp_path: Path) -> None:
    said = kumobashi("risk", given_file(tmp_path, [*ROWS[:3], "1980,女", *ROWS[3:]]), *QI)

    assert "4 行目は 2 列です（見出しは 5 列" in said.output.replace("\n", "")


def test_no_file_an_empty_one_and_a_damaged_one_are_refused(
    kumobashi: Kumobashi, tmp_path: Path
) -> None:
    (tmp_path / "empty.csv").touch()
    (tmp_path / "cut.parquet").write_bytes(b"PAR1\0\0PAR1")

    codes = [
        refused(kumobashi("risk", tmp_path / name, *QI, "--json"))["code"]
        for name in ("none.csv", "empty.csv", "cut.parquet")
    ]

    assert codes == ["conversion.file_absent", "conversion.file_empty", "risk.file_unreadable"]


def given_hierarchies(folder: Path, **files: str) -> Path:
    there = folder / "階層"
    there.mkdir(exist_ok=True)
    texts = {
        "list_hierarchy_生年": "1970;1970年代;*\n1971;1970年代;*\n1980;1980年代;*\n",
        "性別": "女,*\n男,*\n",
        "地区": "中央|*\n北|*\n",
        **files,
    }
    for name, text in texts.items():
        (there / f"{name}.csv").write_text(text, encoding="cp932")
    return there


def test_the_levels_for_k_are_found(kumobashi: Kumobashi, tmp_path: Path) -> None:
    wish = ("--hierarchies", given_hierarchies(tmp_path), "--target-k", "2", "--suppression", "0.2")

    found = told(kumobashi("risk", given_file(tmp_path), *QI, *wish, "--json"))

    assert found["levels"] == {"生年": 0, "性別": 0, "地区": 0}
    assert found["losses"]["discernibility"] == 2 * 2 + 2 * 2 + 1 * 5
    assert found["losses"]["precomputed_entropy"] == 0
    best = found["optimal"]["discernibility"]
    assert (best["suppressed"], best["measures"]["k"], best["nodes"]) == (1, 2, 12)

    strict = told(kumobashi("risk", given_file(tmp_path), *QI, *wish[:4], "--json"))
    assert strict["optimal"]["average_class_size"]["measures"]["k"] >= 2
    assert strict["optimal"]["average_class_size"]["suppressed"] == 0


def test_a_k_that_no_levels_reach_is_red_and_no_number(
    kumobashi: Kumobashi, tmp_path: Path
) -> None:
    wish = ("--hierarchies", given_hierarchies(tmp_path), "--target-k", "6")

    said = kumobashi("risk", given_file(tmp_path), *QI, *wish, "--json")

    assert said.exit_code == 1
    assert told(said)["levels"] is told(said)["losses"] is None
    assert "どの粗さでも届きません" in kumobashi("risk", given_file(tmp_path), *QI, *wish).output


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("性別", "女;*\n", "risk.hierarchy_gap"),
        ("性別", "女;*\n男\n", "risk.hierarchy_short"),
        ("性別", "女;*\n男;*\n女;-\n", "risk.hierarchy_twice"),
        ("性別", "女;x;*\n男;x;-\n", "risk.hierarchy_forked"),
        ("性別", "\n", "risk.hierarchy_empty"),
        ("性別", "", "risk.hierarchy_empty"),
        ("other_hierarchy_性別", "女;*\n男;*\n", "risk.hierarchy_missing"),  # a second one
    ],
)
def test_a_hierarchy_that_cannot_be_climbed_is_refused(
    kumobashi: Kumobashi, tmp_path: Path, name: str, text: str, code: str
) -> None:
    folder = given_hierarchies(tmp_path, **{name: text})

    said = kumobashi(
        "risk", given_file(tmp_path), *QI, "--hierarchies", folder, "--target-k", "2", "--json"
    )

    assert (refused(said)["code"], said.exit_code) == (code, 2)


def test_people_get_a_sentence_for_each_measure_and_a_histogram(
    kumobashi: Kumobashi, tmp_path: Path
) -> None:
    said = kumobashi("risk", given_file(tmp_path), *QI, "--sensitive", "給付")

    assert said.exit_code == 0
    for words in (
        "最少人数 k",
        "隣人が相手を何人まで絞れるか",
        "「給付」が何種類か",
        "█",
        "20.0 %",
    ):
        assert words in said.output, words
    english = kumobashi("risk", given_file(tmp_path), *QI, "--sensitive", "給付", "--lang", "en")
    assert "a neighbour" in english.output


def test_what_does_not_go_together_is_refused(kumobashi: Kumobashi, tmp_path: Path) -> None:
    path = given_file(tmp_path)

    for wrong in (("--target-k", "5"), ("--ordered", "金額"), ("--suppression", "2")):
        assert kumobashi("risk", path, *QI, *wrong).exit_code == 64
    twice = kumobashi("risk", path, *QI, "--sensitive", "性別", "--json")
    assert refused(twice)["code"] == "risk.column_twice"


def test_parquet_that_is_damaged_inside_is_refused(kumobashi: Kumobashi, tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    with duckdb.connect() as work:
        work.execute(
            "copy (select i % 97 as a, md5(i::varchar) as b from range(20_000) as t(i))"
            f" to '{path}' (format parquet)"
        )
    whole = path.read_bytes()
    middle = len(whole) // 2
    path.write_bytes(whole[:middle] + bytes(200) + whole[middle + 200 :])

    said = kumobashi("risk", path, "--qi", "b", "--json")

    assert refused(said)["code"] == "risk.file_unreadable"


def test_too_little_room_is_said_so(
    kumobashi: Kumobashi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kumobashi.cli.risk_files.MEMORY", "2MiB")
    rows = ["a,b", *(f"{n},{n * 7919 % 100_003}" for n in range(60_000))]

    said = kumobashi("risk", given_file(tmp_path, rows), "--qi", "a,b", "--json")

    assert refused(said)["code"] == "risk.workroom_full"


def test_memory_is_bounded_and_spills(tmp_path: Path) -> None:
    with bounded_memory() as work:
        ((limit, folder),) = work.execute(
            "select current_setting('memory_limit'), current_setting('temp_directory')"
        ).fetchall()
        assert limit == "768.0 MiB"
        assert Path(folder).parent.is_dir()
    assert MEMORY == "768MiB"
    assert not Path(folder).exists()
