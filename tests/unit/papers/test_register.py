"""The draft of the register of personal information files, from the sample workspace."""

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from kumobashi.papers.assessed import Assessed
from kumobashi.papers.assessment import assessment_paper
from kumobashi.papers.printing import render
from kumobashi.papers.register import as_csv, holds_persons, register_of
from kumobashi.papers.sheet import Paper
from kumobashi.planning.plan import plan
from kumobashi.planning.sampling import write_sample
from kumobashi.planning.workspace import Workspace, load

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return load(write_sample(tmp_path_factory.mktemp("register") / "w"))


def text_of(paper: Paper, label: str) -> str:
    return next(
        line.text for section in paper.sections for line in section.lines if line.label == label
    )


def test_every_dataset_about_persons_has_one_sheet_and_no_other(workspace: Workspace) -> None:
    papers = register_of(workspace, now=NOW)
    datasets = [
        f"{name}.{dataset}" for name, s in workspace.systems.items() for dataset in s.datasets
    ]
    expected = sorted(one for one in datasets if holds_persons(workspace.layout(one)))
    assert sorted(paper.facts["dataset"] for paper in papers) == expected
    assert expected
    layout = workspace.layout("integrated-db.residents")
    harmless = tuple(f for f in layout.fields if f.sensitivity in {"public", "attribute"})
    assert harmless
    assert not holds_persons(replace(layout, fields=harmless))


def test_a_sheet_tells_items_receivers_and_special_care(workspace: Workspace) -> None:
    papers = {paper.facts["dataset"]: paper for paper in register_of(workspace, now=NOW)}
    residents = papers["integrated-db.residents"]
    assert "notice-attributes" in residents.facts["provided_by"]
    assert workspace.systems["notice-cloud"].name in text_of(residents, "経常的提供先")
    for field in workspace.layout("integrated-db.residents").fields:
        assert field.ja in text_of(residents, "記録項目")
    assistance = papers["integrated-db.public_assistance"]
    assert assistance.facts["special_items"]
    assert text_of(assistance, "要配慮個人情報").startswith("含む（")
    for paper in papers.values():
        assert any("請求を受け付ける" in one.what for one in paper.blanks)


@pytest.mark.parametrize(("count", "said"), [(999, "対象外"), (1000, "公表の対象")])
def test_a_thousand_persons_ask_for_a_sheet(workspace: Workspace, count: int, said: str) -> None:
    papers = register_of(workspace, now=NOW, counts={"integrated-db.residents": count})
    sheet = next(p for p in papers if p.facts["dataset"] == "integrated-db.residents")
    text = text_of(sheet, "本人の数")
    assert said in text
    assert "【未確認】" in text


def test_who_asks_a_system_online_is_named_beside_whom_it_sends_to(workspace: Workspace) -> None:
    papers = register_of(workspace, now=NOW)
    sheet = next(p for p in papers if p.facts["system"] == "collection")

    text = text_of(sheet, "経常的提供先")

    assert "照会する先: 滞納管理、財務会計" in text
    assert "要記入: 照会への回答に" in text
    assert sheet.facts["asked_by"] == ["arrears-payments", "finance-collection"]


def test_the_page_holds_all_sheets_and_csv_one_line_of_each(workspace: Workspace) -> None:
    papers = register_of(workspace, now=NOW)
    page = render(*papers)
    assert page.count("<main>") == len(papers)
    assert page.count("<mark>") == sum(len(paper.blanks) for paper in papers)
    rows = list(csv.reader(io.StringIO(as_csv(papers))))
    assert len(rows) == len(papers) + 1
    assert {len(row) for row in rows} == {len(rows[0])}


def test_the_assessment_says_that_there_are_no_individual_numbers(workspace: Workspace) -> None:
    for link in workspace.links:
        made = plan(workspace, None, link, on=NOW.date())
        known = Assessed(plan=made, workspace=workspace, approval=None, processors=None)
        paper = assessment_paper(known, now=NOW)
        assert paper.facts["individual_numbers"] == []
        assert "個人番号を扱いません" in text_of(paper, "個人番号")
        assert not any("個人番号" in item.ja for item in made.items)
        assert render(paper).count("<mark>") == len(paper.blanks) > 5
