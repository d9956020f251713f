"""Import and export: what is written out comes in again the same; bad rows are left out."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kumobashi.consent.errors import ImportUnreadable
from kumobashi.consent.importing import Imported, export_all, import_all
from kumobashi.consent.incoming import Judged, incoming
from kumobashi.consent.ledger import ConsentLedger
from kumobashi.consent.reading import Reading
from kumobashi.consent.sql import records
from kumobashi.consent.states import Tier
from kumobashi.kernel import business_date
from tests.unit.consent.ledgers import NOW, fresh
from tests.unit.consent.texts_for_tests import PURPOSE

HEAD = "resident_no,purpose,tier,version,granted_on,withdrawn_on,given_by\n"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[ConsentLedger]:
    with fresh(tmp_path) as made:
        yield made


def bring(ledger: ConsentLedger, path: Path, lines: str) -> tuple[Judged, Imported]:
    path.write_text(HEAD + lines, encoding="utf-8")
    texts = {PURPOSE: ledger.text(PURPOSE)}
    with incoming(path, texts, today=business_date(NOW)) as rows:
        return rows.judged, import_all(ledger, rows, by="operator")


def standing(ledger: ConsentLedger, number: str, tier: Tier = Tier.REGISTER) -> str:
    found = Reading(ledger).standing(number, PURPOSE, tier)
    return found.state.value if found else "-"


def test_rows_come_in_with_their_history(ledger: ConsentLedger, tmp_path: Path) -> None:
    judged, made = bring(
        ledger,
        tmp_path / "c.csv",
        f"1,{PURPOSE},register,1,2026-05-01,,\n2,{PURPOSE},register,1,2026-05-01,2026-06-01,guardian\n"
        f"1,{PURPOSE},tax,1,2026-05-01,,self\n",
    )
    assert (judged.rows, judged.findings) == (3, ())
    assert (made.granted, made.withdrawn, made.known) == (2, 1, 0)
    assert [standing(ledger, n) for n in ("1", "2")] == ["granted", "withdrawn"]
    assert standing(ledger, "1", Tier.TAX) == "granted"
    assert Reading(ledger).verify() == []


def test_every_kind_of_bad_row_is_a_finding_and_left_out_and_no_finding_tells_a_number(
    ledger: ConsentLedger, tmp_path: Path
) -> None:
    judged, made = bring(
        ledger,
        tmp_path / "c.csv",
        f"９９,{PURPOSE},register,1,2026-05-01,,\n"
        "777,other,register,1,2026-05-01,,\n"
        f"777,{PURPOSE},register,9,2026-05-01,,\n"
        f"777,{PURPOSE},tax,1,2026-13-01,,\n"
        f"778,{PURPOSE},tax,1,2099-01-01,,\n"
        f"779,{PURPOSE},tax,1,2026-05-01,2026-04-01,\n"
        f"780,{PURPOSE},tax,1,2026-05-01,,neighbour\n"
        f"781,{PURPOSE},tax,1,2026-05-01,,\n781,{PURPOSE},tax,1,2026-05-02,,\n"
        f"5,{PURPOSE},tax,1,2026-05-01,,\n",
    )
    assert {one.code: (one.line, one.rows) for one in judged.findings} == {
        "finding.subject_unfit": (1, 1),
        "finding.consent_text_unknown": (2, 2),
        "finding.date_unfit": (4, 2),
        "finding.withdrawn_before_granted": (6, 1),
        "finding.given_by_unknown": (7, 1),
        "finding.consent_twice": (8, 2),
    }
    assert "77" not in repr(judged.findings)
    assert made.granted == 1
    assert standing(ledger, "5", Tier.TAX) == "granted"


def test_a_dry_run_writes_nothing(ledger: ConsentLedger, tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_text(HEAD + f"1,{PURPOSE},register,1,2026-05-01,,\n", encoding="utf-8")
    with incoming(path, {PURPOSE: ledger.text(PURPOSE)}, today=business_date(NOW)) as rows:
        assert rows.judged.good == 1
    assert ledger.store.read(lambda c: c.execute(sa.select(records)).all()) == []


@pytest.mark.parametrize("body", [b"", b"\xff\xfe\x00", b"a,b\n1,2\n", b"PAR1 and no more"])
def test_what_is_no_such_file_is_refused(
    ledger: ConsentLedger, tmp_path: Path, body: bytes
) -> None:
    path = tmp_path / "c.csv"
    path.write_bytes(body)
    texts = {PURPOSE: ledger.text(PURPOSE)}
    with pytest.raises(ImportUnreadable), incoming(path, texts, today=business_date(NOW)):
        pass


def test_the_same_file_again_changes_nothing(ledger: ConsentLedger, tmp_path: Path) -> None:
    lines = f"1,{PURPOSE},register,1,2026-05-01,,\n2,{PURPOSE},register,1,2026-05-01,2026-06-01,\n"
    bring(ledger, tmp_path / "c.csv", lines)
    before = ledger.store.read(lambda c: c.execute(sa.select(records)).all())
    assert bring(ledger, tmp_path / "c.csv", lines)[1].known == 2
    assert ledger.store.read(lambda c: c.execute(sa.select(records)).all()) == before


def test_a_withdrawal_that_stands_wins_over_an_imported_earlier_consent(
    ledger: ConsentLedger, tmp_path: Path
) -> None:
    ledger.withdraw("1", PURPOSE, stated_at=NOW, source="desk", by="operator")
    bring(ledger, tmp_path / "c.csv", f"1,{PURPOSE},register,1,2026-05-01,,\n")
    assert standing(ledger, "1") == "withdrawn"
    assert Reading(ledger).verify() == []


def test_who_died_stays_out_of_an_import(ledger: ConsentLedger, tmp_path: Path) -> None:
    ledger.died("1", at=NOW, by="operator")
    bring(ledger, tmp_path / "c.csv", f"1,{PURPOSE},register,1,2026-05-01,,\n")
    assert standing(ledger, "1") == "expired"


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.dictionaries(
        st.tuples(
            st.from_regex(r"[0-9A-Za-z-]{1,20}", fullmatch=True),
            st.sampled_from(["register", "tax"]),
        ),
        st.tuples(
            st.dates(NOW.date().replace(year=2026, month=1, day=1), NOW.date()), st.booleans()
        ),
        max_size=8,
    )
)
def test_what_is_exported_imports_to_the_same(
    tmp_path_factory: pytest.TempPathFactory,
    rows: dict[tuple[str, str], tuple[object, bool]],
) -> None:
    lines = "".join(
        f"{number},{PURPOSE},{tier},1,{day},{day if ended else ''},self\n"
        for (number, tier), (day, ended) in rows.items()
    )

    def through(text: str) -> list[list[str]]:
        folder = tmp_path_factory.mktemp("ledger")
        with fresh(folder) as ledger:
            bring(ledger, folder / "c.csv", text)
            out = io.StringIO()
            export_all(ledger, out)
        return [line[:7] for line in csv.reader(io.StringIO(out.getvalue()))][1:]

    once = through(lines)
    again = through("".join(",".join(line) + "\n" for line in once))
    assert sorted(once) == sorted(again)
    assert len(once) == len(rows)


def test_an_import_is_held_against_its_leaf_of_evidence(
    ledger: ConsentLedger, tmp_path: Path
) -> None:
    lines = "".join(
        f"{n},{PURPOSE},register,1,2026-05-01,{'2026-06-01' if n % 3 else ''},\n" for n in range(20)
    )
    bring(ledger, tmp_path / "c.csv", lines)
    ledger.withdraw("0", PURPOSE, stated_at=NOW, source="desk", by="operator")
    assert Reading(ledger).verify() == []
    first = sa.select(sa.func.min(records.c.record)).scalar_subquery()
    away = sa.update(records).where(records.c.record == first).values(batch="other")
    ledger.store.write(lambda connection: connection.execute(away))
    assert len(Reading(ledger).verify()) == 1


def test_numbers_are_taken_as_the_register_writes_them_and_unknown_ones_left_out(
    ledger: ConsentLedger, tmp_path: Path
) -> None:
    path = tmp_path / "c.csv"
    lines = [
        f"{n},{PURPOSE},register,1,2026-05-01,," for n in ("12", "００１３", "14", "77", "0012")
    ]
    path.write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")
    known = pa.chunked_array([["0012", "0013"], ["14", "0014", "0015"]])

    with incoming(
        path, {PURPOSE: ledger.text(PURPOSE)}, today=business_date(NOW), known=known
    ) as rows:
        found = {one.code: (one.line, one.rows) for one in rows.judged.findings}
        taken = {row.number for chunk in rows.chunks(10) for row in chunk}

    # 12 and 0012 are the same resident twice; of 14 and 0014, 14 is written so.
    assert found == {"finding.consent_twice": (1, 2), "finding.resident_unknown": (4, 1)}
    assert taken == {"0013", "14"}


def test_a_number_that_two_of_the_register_are_like_is_nobodys(
    ledger: ConsentLedger, tmp_path: Path
) -> None:
    path = tmp_path / "c.csv"
    path.write_text(HEAD + f"15,{PURPOSE},register,1,2026-05-01,,\n", encoding="utf-8")
    texts = {PURPOSE: ledger.text(PURPOSE)}
    known = pa.chunked_array([["0015", "015"]])
    with incoming(path, texts, today=business_date(NOW), known=known) as rows:
        assert [one.code for one in rows.judged.findings] == ["finding.resident_unknown"]
