"""How many persons, which threshold, which clock: bounds that never say too little."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.kernel import JST
from kumobashi.papers.breach import breach_report
from kumobashi.papers.clocks import Level, clocks_of
from kumobashi.papers.errors import IncidentUnfit, PaperRulesMissing, PaperTemplateUnfit
from kumobashi.papers.exposure import (
    Exposed,
    Item,
    KeyState,
    ReceiverState,
    RecipientState,
    meets,
    must_report,
    persons_in,
)
from kumobashi.papers.incidents import Doubt, Incident, check_new
from kumobashi.papers.matter import Matter, facts_of
from kumobashi.papers.printing import render
from kumobashi.papers.rules import thresholds
from kumobashi.papers.sheet import blank, blanks_in, pieces
from tests.unit.papers.incidents import LEAK, NOW

ON = LEAK.noticed.date()
PLAIN = Item(name="sex", ja="性別", form="kept", sensitivity="attribute")
SPECIAL = Item(name="public_assistance", ja="生活保護", form="flag", sensitivity="special")


def sent(rows: int | None, *, items: tuple[Item, ...] | None = (PLAIN,)) -> Exposed:
    return Exposed(
        transfer="019aa8d1-5b7c-7000-8000-0123456789ab",
        business_date="2026-11-20",
        started=LEAK.noticed,
        state="applied",
        mode="full",
        attempt=1,
        to_site="public-cloud",
        rows=rows,
        deleted_rows=0,
        is_person_a_row=True,
        items=items,
        seal=None,
        recipient=None,
        recipient_state=RecipientState.UNKNOWN,
        key_at_sender=KeyState.GONE,
        parts_at_sender=KeyState.GONE,
        receiver=ReceiverState.HELD,
        deleted=None,
        receipt=None,
    )


def judged(incident: Incident, *exposed: Exposed) -> dict[str, Doubt]:
    persons = persons_in(exposed, incident.persons)
    return {row.code: meets(row, incident, persons, exposed) for row in thresholds(ON)}


@pytest.mark.parametrize(("rows", "many"), [(100, Doubt.NO), (101, Doubt.YES), (0, Doubt.NO)])
def test_more_than_a_hundred_persons_begin_with_101(rows: int, many: Doubt) -> None:
    assert judged(LEAK, sent(rows))["many"] is many


def test_several_transfers_may_be_the_same_persons() -> None:
    found = judged(LEAK, sent(60), sent(60))
    assert found["many"] is Doubt.UNKNOWN  # 60 to 120 persons
    assert judged(replace(LEAK, persons=60), sent(60), sent(60))["many"] is Doubt.NO


def test_one_special_item_of_one_person_is_enough() -> None:
    assert judged(LEAK, sent(1, items=(SPECIAL,)))["special"] is Doubt.YES
    assert judged(LEAK, sent(0, items=(SPECIAL,)))["special"] is Doubt.NO
    assert judged(LEAK, sent(5))["special"] is Doubt.NO


@pytest.mark.parametrize("exposed", [(), (sent(None),), (sent(5, items=None),)])
def test_what_is_not_known_is_never_no(exposed: tuple[Exposed, ...]) -> None:
    found = judged(LEAK, *exposed)
    assert Doubt.UNKNOWN in found.values()
    assert must_report(list(found.values())) is not Doubt.NO


@given(st.lists(st.one_of(st.none(), st.integers(0, 10_000)), max_size=6))
def test_the_bounds_hold_whatever_is_not_known(counts: list[int | None]) -> None:
    found = persons_in([sent(rows) for rows in counts], None)
    known = [rows for rows in counts if rows is not None]
    if found.most is not None:
        assert found.most == sum(known)
        assert found.least is not None
        assert found.least <= found.most
    else:
        assert not counts or None in counts


@given(st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)), st.integers(0, 90))  # noqa: DTZ001 - made aware below
def test_clocks_only_get_worse_and_end_where_they_say(at: datetime, days: int) -> None:
    noticed = at.replace(tzinfo=UTC)
    for one in clocks_of(noticed, improper="no", filed={}):
        levels = [one.level(noticed + timedelta(days=n)) for n in range(days + 1)]
        assert levels == sorted(levels)
        assert one.level(one.due_at) is Level.OVERDUE
        assert one.level(one.due_at - timedelta(microseconds=1)) is not Level.OVERDUE
        assert one.days_left(noticed) == one.row.days - 1
        assert one.due_at.astimezone(JST).time().isoformat() == "00:00:00"


def test_an_improper_purpose_has_sixty_days_and_a_doubt_has_thirty() -> None:
    days = {
        doubt: clocks_of(LEAK.noticed, improper=doubt.value, filed={})[1].row.days
        for doubt in Doubt
    }
    assert days == {Doubt.YES: 60, Doubt.NO: 30, Doubt.UNKNOWN: 30}


def test_a_day_before_the_law_has_no_rows() -> None:
    with pytest.raises(PaperRulesMissing):
        clocks_of(datetime(2020, 1, 1, tzinfo=UTC), improper="no", filed={})


@given(st.text(), st.text())
def test_blanks_are_found_again_and_nothing_is_lost(before: str, what: str) -> None:
    text = before + blank(what)
    assert "".join(piece for piece, _ in pieces(text)) == text
    if "【" not in before:
        assert len(blanks_in(text)) == 1


def matter(**more: object) -> Matter:
    incident = replace(LEAK, incident="019aa8d1-5b7c-7000-8000-0123456789ab", **more)  # type: ignore[arg-type]
    return Matter(
        incident=incident,
        exposed=(sent(3, items=(SPECIAL,)), sent(None, items=None)),
        link_name="お知らせ <b>",
        from_name="統合DB",
        to_name="お知らせ配信",
        section=None,
        has_household_items=True,
        town="架空市",
    )


def test_the_page_marks_counts_and_lists_every_blank_and_escapes_what_people_wrote() -> None:
    held = matter(note="<script>alert(1)</script> 委託先から")
    paper = breach_report(held, "prompt", now=NOW)
    page = render(paper)
    assert page.count("<mark>") == len(paper.blanks) > 10
    assert f"空欄 <b>{len(paper.blanks)}</b> か所" in page
    for number, one in enumerate(paper.blanks, 1):
        assert f"<sup>{number}</sup>" in page
        assert one.what in page
    assert "<script>" not in page
    assert "お知らせ <b>" not in page
    assert facts_of(held, NOW)["must_report"] == "yes"  # of special care, and of a person at least


def test_a_template_that_reaches_out_is_refused(tmp_path: Path) -> None:
    text = "{{ 書類.__class__.__mro__ }}"
    (tmp_path / "body.html").write_text(text, encoding="utf-8", newline="\n")
    with pytest.raises(PaperTemplateUnfit) as unfit:
        render(breach_report(matter(), "final", now=NOW), folder=tmp_path)
    assert unfit.value.facts["file"] == "body.html"


@given(st.integers(7, 20))
def test_notes_with_numbers_of_residents_are_refused_in_every_width(digits: int) -> None:
    for text in ("1" * digits, "１" * digits, " ".join("1" * digits)):
        with pytest.raises(IncidentUnfit):
            check_new(replace(LEAK, note=f"番号 {text} の人"), NOW)


def test_an_incident_reads_as_it_was_written() -> None:
    held = replace(LEAK, note="経緯\n二行目", filed={"prompt": NOW}, persons=3)
    assert Incident.decode("", 1, held.state, held.encode()) == held
