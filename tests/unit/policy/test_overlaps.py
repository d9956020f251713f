"""Tables that contradict themselves are refused when they are loaded, with both rows named."""

import time
from datetime import date, timedelta
from pathlib import Path
from shutil import copytree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kumobashi.policy.errors import (
    PolicyContradicts,
    PolicyFailed,
    PolicyLoosened,
    PolicyTableUnknown,
    PolicyUnknownName,
    PolicyUnreadable,
)
from kumobashi.policy.linkage import load_linkage
from kumobashi.policy.overlaps import equally_exact, same_key
from kumobashi.policy.reading import Origin
from kumobashi.policy.row_index import RowIndex
from kumobashi.policy.tables import load_tables, mistakes_in
from kumobashi.policy.who_may import Ask, MayRow, WhoMay
from tests.unit.policy.slow_scan import SAMPLE, TABLES, Line, deciding

HEAD = (
    "from_unit,to_unit,kind,purpose,from_zone,to_zone,permit,forms,bases,article_ja,article_en,"
    "remedy_ja,remedy_en,valid_from,valid_to,verified,source"
)
NHI = "resident-registry,nhi,resident-record"
TODAY = date(2026, 11, 22)


def row(
    what: str, *, permit: str = "yes", forms: str = "*", bases: str = "", dates: str = "2026-04-01,"
) -> str:
    """Return a line of who_may.csv."""
    forms = "" if permit == "no" else forms
    return f"{what},mynumber,mynumber,{permit},{forms},{bases},条,art.,,,{dates},未確認,架空市"


def own(folder: Path, *rows: str) -> Path:
    """Write a municipality's own rows and return their folder."""
    folder.mkdir(exist_ok=True)
    (folder / "who_may.csv").write_text("\n".join((HEAD, *rows)) + "\n", encoding="utf-8")
    return folder


def test_two_rows_with_the_same_key_on_the_same_day_are_refused(tmp_path: Path) -> None:
    folder = own(
        tmp_path / "policy",
        row("vaccination,nhi,vaccinations,p", dates="2026-04-01,2027-03-31"),
        row("vaccination,nhi,vaccinations,p", permit="no", dates="2027-03-31,"),
    )

    with pytest.raises(PolicyContradicts) as caught:
        load_tables(own=folder)

    said = caught.value
    assert (said.file, said.row, said.other) == ("policy/who_may.csv", 3, "policy/who_may.csv:2")
    assert said.day == "2027-03-31"
    assert "policy/who_may.csv:2" in said.say("ja")
    assert "2027-03-31" in said.say("en")


def test_rows_that_follow_each_other_do_not_contradict(tmp_path: Path) -> None:
    folder = own(
        tmp_path / "policy",
        row("vaccination,nhi,vaccinations,p", dates="2026-04-01,2027-03-31"),
        row("vaccination,nhi,vaccinations,p", permit="no", dates="2027-04-01,"),
    )
    rules = load_tables(own=folder).who_may
    ask = Ask("vaccination", "nhi", "vaccinations", "p", "mynumber", "mynumber")

    assert rules.on(date(2026, 3, 31)).decide(ask).code == "policy.not_listed"
    assert rules.on(date(2027, 3, 31)).decide(ask).code == "policy.permitted"  # its last day
    assert rules.on(date(2027, 4, 1)).decide(ask).code == "policy.forbidden"


@pytest.mark.parametrize(
    ("first", "second", "is_refused"),
    [
        # equally exact, both match vaccination → nhi for p, and disagree
        (row("vaccination,*,vaccinations,p"), row("*,nhi,vaccinations,p", permit="no"), True),
        (row("vaccination,nhi,*,p"), row("vaccination,nhi,vaccinations,*", forms="flag"), True),
        (row("vaccination,*,vaccinations,p"), row("*,nhi,vaccinations,p", bases="61"), True),
        # they agree: both decide
        (row("vaccination,*,vaccinations,p"), row("*,nhi,vaccinations,p"), False),
        # one is more exact and goes first
        (row("*,*,vaccinations,p"), row("*,nhi,vaccinations,p", permit="no"), False),
        # no question that both match
        (row("vaccination,*,vaccinations,p"), row("*,nhi,vaccinations,q", permit="no"), False),
        # never on the same day
        (
            row("vaccination,*,vaccinations,p", dates="2026-04-01,2026-12-31"),
            row("*,nhi,vaccinations,p", permit="no", dates="2027-01-01,"),
            False,
        ),
    ],
)
def test_wildcards_that_are_equally_exact_must_agree(
    tmp_path: Path, first: str, second: str, *, is_refused: bool
) -> None:
    folder = own(tmp_path / "policy", first, second)

    if is_refused:
        with pytest.raises(PolicyContradicts, match="equally exact"):
            load_tables(own=folder)
    else:
        load_tables(own=folder)


@pytest.mark.parametrize(
    "loose",
    [
        row(f"{NHI},national-health-insurance", bases="69-2-2"),  # another basis than ours
        row(f"{NHI},national-health-insurance"),  # any basis
        row("resident-registry,*,*,*"),  # everything to everybody, support measures as well
        row("resident-registry,nhi,support-measures,p", forms="flag"),
        row("public-assistance,nhi,public-assistance,national-health-insurance",
            forms="kept+flag", bases="61"),
    ],
)  # fmt: skip
def test_a_municipality_cannot_permit_what_our_rows_deny(tmp_path: Path, loose: str) -> None:
    with pytest.raises(PolicyLoosened) as caught:
        load_tables(own=own(tmp_path / "policy", loose))

    assert caught.value.other.startswith("policy/tables/who_may.csv:")
    assert caught.value.row == 2


def test_a_municipality_can_forbid_what_our_rows_permit_however_exact(tmp_path: Path) -> None:
    ask = Ask("resident-registry", "nhi", "resident-record", "national-health-insurance",
              "mynumber", "mynumber")  # fmt: skip
    strict = load_tables(own=own(tmp_path / "policy", row("*,nhi,*,*", permit="no")))

    ruling = strict.who_may.on(TODAY).decide(ask)

    assert load_tables().who_may.on(TODAY).decide(ask).is_permitted
    assert (ruling.code, ruling.places) == ("policy.forbidden", ("policy/who_may.csv:2",))


def test_the_origin_of_a_municipalitys_row_is_its_own_file() -> None:
    tables = load_tables(own=SAMPLE)
    ask = Ask("resident-registry", "notice-service", "resident-record", "child-notices",
              "mynumber", "internet")  # fmt: skip

    assert tables.who_may.on(TODAY).decide(ask).places == ("policy/who_may.csv:2",)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (row("nowhere,nhi,resident-record,p"), PolicyUnknownName),
        (row("resident-registry,nobody,resident-record,p"), PolicyUnknownName),
        (row("resident-registry,nhi,secrets,p"), PolicyUnknownName),
        (row("vaccination,nhi,vaccinations,p", bases="69-9"), PolicyUnknownName),
        (row("vaccination,nhi,vaccinations,p", forms="blurred"), PolicyUnreadable),
        (row("vaccination,nhi,vaccinations,p", forms="flag+flag"), PolicyUnreadable),
        (row("vaccination,nhi,vaccinations,p", forms=""), PolicyUnreadable),
        (row("vaccination,nhi,vaccinations,p", permit="perhaps"), PolicyUnreadable),
        (row("vaccination,nhi,,p"), PolicyUnreadable),
        (row("vaccination,nhi,vaccinations,p", dates="2027-04-01,2027-03-31"), PolicyUnreadable),
        (row("vaccination,nhi,vaccinations,p") + ",more", PolicyUnreadable),
        ("vaccination,nhi", PolicyUnreadable),
        ('"vaccination,nhi', PolicyUnreadable),
        (row("vaccination,nhi,vaccinations,p").replace("mynumber", "somewhere"), PolicyUnreadable),
    ],
)
def test_a_row_that_cannot_be_right_stops_everything(
    tmp_path: Path, text: str, error: type[PolicyFailed]
) -> None:
    with pytest.raises(error) as caught:
        load_tables(own=own(tmp_path / "policy", text))

    assert caught.value.row == 2
    assert caught.value.file == "policy/who_may.csv"
    for lang in ("ja", "en"):
        assert "{" not in caught.value.say(lang) + caught.value.remedy(lang)


def test_what_is_no_table_to_add_to_is_refused(tmp_path: Path) -> None:
    folder = own(tmp_path / "policy")
    (folder / "zone_flows.csv").write_text("model\n", encoding="utf-8")

    with pytest.raises(PolicyTableUnknown) as caught:
        load_tables(own=folder)

    assert "who_may.csv" in caught.value.remedy("ja")


def test_a_name_in_capitals_is_no_table_either(tmp_path: Path) -> None:
    folder = own(tmp_path / "policy", row("vaccination,nhi,vaccinations,p"))
    (folder / "who_may.csv").rename(folder / "WHO_MAY.CSV")

    with pytest.raises(PolicyTableUnknown):
        load_tables(own=folder)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    folder = own(
        tmp_path / "policy",
        row("vaccination,nhi,vaccinations,p", forms="blurred"),
        row("nowhere,nhi,resident-record,p"),
        row("vaccination,nhi,vaccinations,q"),
        row("vaccination,nhi,vaccinations,q", permit="no"),
    )

    found = [(type(mistake), mistake.row) for mistake in mistakes_in(own=folder)]

    assert found == [(PolicyUnreadable, 2), (PolicyContradicts, 5), (PolicyUnknownName, 3)]


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("legal_bases.csv", "61,"),
        ("zone_flows.csv", "alpha,mynumber,mynumber,same_zone,"),
        ("forms.csv", "public,mynumber,kept,"),
        ("retention_classes.csv", "short,"),
        ("units.csv", "nhi,"),
        ("information_kinds.csv", "local-tax,"),
        ("level_masks.csv", "core,core,*,"),
        ("cloud_levels.csv", "3A,kept,0,JP,"),
        ("certification_levels.csv", "ISMAP,"),
    ],
)
def test_a_row_that_stands_twice_is_refused_in_every_table(
    tmp_path: Path, file: str, line: str
) -> None:
    folder = tmp_path / "tables"
    copytree(TABLES, folder)
    text = (folder / file).read_text(encoding="utf-8")
    twice = next(held for held in text.splitlines() if held.startswith(line))
    (folder / file).write_text(f"{text}{twice}\n", encoding="utf-8")

    with pytest.raises(PolicyContradicts) as caught:
        load_tables(folder)

    assert caught.value.row == len(text.splitlines()) + 1
    assert caught.value.file.endswith(file)


def added(folder: Path, file: str, line: str) -> int:
    """Copy our tables, add a line to one of them, and return its number."""
    copytree(TABLES, folder)
    text = (folder / file).read_text(encoding="utf-8")
    (folder / file).write_text(f"{text}{line}\n", encoding="utf-8")
    return len(text.splitlines()) + 1


def test_clouds_that_are_equally_exact_must_agree(tmp_path: Path) -> None:
    # as exact as our row on 3A,*,1,JP, open in another column, and with another answer
    line = "3A,kept,1,*,no,条,art.,,,2016-04-01,,未確認,試し"
    number = added(tmp_path / "tables", "cloud_levels.csv", line)

    with pytest.raises(PolicyContradicts, match="equally exact") as caught:
        load_tables(tmp_path / "tables")

    assert caught.value.row == number


def test_protection_levels_are_never_left_open(tmp_path: Path) -> None:
    line = "*,core,local-tax,flag,条,art.,,,2016-04-01,,未確認,試し"
    number = added(tmp_path / "tables", "level_masks.csv", line)

    with pytest.raises(PolicyUnreadable) as caught:
        load_tables(tmp_path / "tables")

    assert caught.value.row == number


def test_two_answers_of_the_linkage_table_for_one_question_are_refused(tmp_path: Path) -> None:
    copytree(TABLES / "samples", tmp_path / "own")
    path = tmp_path / "own" / "linkage.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(text + text.splitlines()[1].replace("1,", "121,", 1) + "\n", encoding="utf-8")

    with pytest.raises(PolicyContradicts):
        load_linkage(tmp_path / "own")


def test_tables_of_before_stay_readable(tmp_path: Path) -> None:
    folder = tmp_path / "tables"
    folder.mkdir()
    for name in ("zone_flows.csv", "forms.csv", "retention_classes.csv"):
        (folder / name).write_bytes((TABLES / name).read_bytes())
    (folder / "legal_bases.csv").write_text(
        "code,ja,en,article_ja,article_en,needs_consent,needs_note,needs_ordinance,in_hall_only,"
        "beyond_purpose,valid_from,valid_to,verified,source\n"
        "69-2-4,特別の理由,special,69条2項4号,69(2)(iv),no,yes,no,no,yes,2023-04-01,,未確認,団体\n"
        "61,利用目的,purpose,61条,art. 61,no,yes,no,no,no,2023-04-01,,未確認,団体\n"
        "69-1,法令,law,69条1項,art. 69(1),no,yes,no,no,no,2023-04-01,,未確認,団体\n"
        "69-2-1,同意,consent,69条2項1号,art. 69(2)(i),yes,no,no,no,yes,2023-04-01,,未確認,団体\n"
        "69-1-tax,税,tax,69条1項,art. 69(1),no,yes,no,no,no,2023-04-01,,未確認,団体\n"
        "number-19,番号法,number,19条,art. 19,no,yes,no,no,no,2016-01-01,,未確認,団体\n"
        "ordinance-9-2,条例,ordinance,9条2項,art. 9(2),no,no,yes,yes,no,2016-01-01,,未確認,団体\n",
        encoding="utf-8",
    )

    tables = load_tables(folder)
    row = tables.basis("69-2-4", on=TODAY)

    assert row is not None
    assert row.proviso == "refuse"  # what a table does not say is taken as the stricter
    assert not row.carries_specific
    assert not row.lifts_tax_secrecy
    assert tables.units == load_tables().units


CELLS = st.sampled_from(["*", "a", "b"])
DAYS = st.integers(0, 6).map(lambda n: date(2026, 11, 20) + timedelta(days=n))


@st.composite
def may_rows(draw: st.DrawFn) -> list[MayRow]:
    """Draw rows of a small table, ours and a municipality's."""
    made = []
    for number in range(draw(st.integers(0, 7))):
        begins, length = draw(DAYS), draw(st.none() | st.integers(0, 3))
        is_permitted, is_own = draw(st.booleans()), draw(st.booleans())
        made.append(
            MayRow(
                key=tuple(draw(CELLS) for _ in Ask._fields),
                is_permitted=is_permitted,
                forms=("flag",) if is_permitted else (),
                bases=(),
                article_ja="条",
                article_en="art.",
                remedy_ja="",
                remedy_en="",
                origin=Origin(
                    file="policy/who_may.csv" if is_own else "policy/tables/who_may.csv",
                    row=number + 2,
                    valid_from=begins,
                    valid_to=None if length is None else begins + timedelta(days=length),
                    source="",
                    is_verified=False,
                ),
            )
        )
    return made


@settings(max_examples=300, deadline=None)
@given(may_rows(), DAYS, st.tuples(*[st.sampled_from(["a", "b", "c"])] * len(Ask._fields)))
def test_the_index_answers_as_a_reader_of_the_table_would(
    rows: list[MayRow], day: date, asked: tuple[str, ...]
) -> None:
    columns = Ask._fields
    read = [
        Line(
            row.origin.place,
            not row.origin.is_ours,
            dict(zip(columns, row.key, strict=True))
            | {
                "valid_from": row.origin.valid_from.isoformat(),
                "valid_to": row.origin.valid_to.isoformat() if row.origin.valid_to else "",
            },
        )
        for row in rows
    ]
    rules = WhoMay(rows).on(day)
    expected = deciding(read, columns, dict(zip(columns, asked, strict=True)), day)

    first, again = rules.decide(Ask(*asked)), rules.decide(Ask(*asked))

    assert set(first.places) == {line.place for line in expected}
    assert again is first
    is_clean = not [*same_key(rows, lambda r: [(r.origin.is_ours, r.key)]), *equally_exact(rows)]
    if is_clean:  # then the rows that decide agree, and their order says nothing
        assert len({row.asks for row in first.rows}) <= 1
        mirrored = WhoMay(reversed(rows)).on(day).decide(Ask(*asked))
        assert mirrored.is_permitted is first.is_permitted


def test_an_index_forgets_days_rather_than_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    index = RowIndex(load_tables().masks)
    begins = date(2026, 1, 1)
    found = {index.on(begins + timedelta(days=n)).find(("core", "core", "x")) for n in range(200)}

    assert len(found) == 1
    assert len(index._days) <= 64


@pytest.mark.parametrize(
    ("before", "after"),
    [("childcare-service,", "*,"), ("childcare-service,", "Care,"), (",,outside", ",9,outside"),
     (",,outside", ",００９,outside"), ("2016-01-01", "平成28年"), ("2016-01-01", "2016-13-01")],
)  # fmt: skip
def test_a_unit_has_a_plain_name_and_number(tmp_path: Path, before: str, after: str) -> None:
    folder = tmp_path / "policy"
    copytree(SAMPLE, folder)
    path = folder / "units.csv"
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")

    with pytest.raises(PolicyUnreadable) as caught:
        load_tables(own=folder)

    assert (caught.value.file, caught.value.row) == ("policy/units.csv", 2)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_files_from_spreadsheets_are_read(tmp_path: Path, end: str, mark: str) -> None:
    text = "\n".join((HEAD, row('vaccination,nhi,vaccinations,"p"'), "", "," * 16))
    folder = own(tmp_path / "policy")
    (folder / "who_may.csv").write_bytes((mark + text.replace("\n", end) + end).encode())

    ask = Ask("vaccination", "nhi", "vaccinations", "p", "mynumber", "mynumber")
    ruling = load_tables(own=folder).who_may.on(TODAY).decide(ask)

    assert (ruling.is_permitted, ruling.places) == (True, ("policy/who_may.csv:2",))


def test_a_table_in_another_charset_is_not_guessed_at(tmp_path: Path) -> None:
    folder = own(tmp_path / "policy")
    (folder / "who_may.csv").write_bytes(f"{HEAD}\n{row('a,b,c,p')}\n".encode("cp932"))

    with pytest.raises(PolicyUnreadable):
        load_tables(own=folder)


def test_ten_thousand_rows_of_a_municipality_are_checked_in_seconds(tmp_path: Path) -> None:
    kinds = [kind.kind for kind in load_tables().kinds if kind.kind != "support-measures"]
    rows = [row(f"*,nhi,{kinds[n % 15]},purpose-{n}") for n in range(10_000)]
    folder = own(tmp_path / "policy", *rows)

    began = time.process_time()
    tables = load_tables(own=folder)
    passed = time.process_time() - began

    ask = Ask("vaccination", "nhi", kinds[9_999 % 15], "purpose-9999", "mynumber", "mynumber")
    assert tables.who_may.on(TODAY).decide(ask).places == ("policy/who_may.csv:10001",)
    assert passed < 5
