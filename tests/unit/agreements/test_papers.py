"""The papers: all placeholders filled, mistakes of the staff told with their line."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from kumobashi.agreements import Book, Processor, State
from kumobashi.agreements.acting import Wish
from kumobashi.agreements.errors import TemplateUnfit
from kumobashi.agreements.placeholders import MEANINGS, Around, placeholders
from kumobashi.agreements.printing import PAGES, SHEETS
from kumobashi.agreements.records import Agreement
from kumobashi.agreements.states import Act
from kumobashi.agreements.views import view_of
from kumobashi.identity.roles import Role
from kumobashi.kernel import business_date
from kumobashi.testing.clocks import HandClock
from tests.unit.agreements import people
from tests.unit.agreements.people import actor

AROUND = Around(
    town="架空市",
    code="999997",
    link_name="住民基本台帳ほか → お知らせ属性",
    from_name="統合DB",
    to_name="お知らせ配信サービス",
    basis_name="個人情報の保護に関する法律 第69条第2項第1号",
    names={"tanaka": "子育て支援課 主任 田中", "suzuki": "総務課 課長 鈴木", "kato": "加藤"},
    changes=None,
    digest=people.HASH,
)


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    made = people.file_book(tmp_path / "state", HandClock(people.NOW))
    yield made
    made.store.close()


def values(agreement: Agreement) -> dict[str, object]:
    view = view_of(agreement, people.OFFICES, people.NOW, business_date(people.NOW))
    return placeholders(view, AROUND, people.NOW)


def test_every_placeholder_is_explained_and_filled(book: Book) -> None:
    assert set(values(people.in_state(book, State.DRAFT))) == set(MEANINGS)


@pytest.mark.parametrize("state", State)
def test_an_application_can_be_printed_in_every_state(book: Book, state: State) -> None:
    page = SHEETS.render("application", values(people.in_state(book, state)))
    for part in (
        "児童手当のお知らせを、対象の世帯だけに届けるため", "第69条第2項第1号", "生年月",
        "令和8年11月22日" if state is State.EXPIRED else "令和9年3月31日",
        "受け取った日から30日で消去する", people.HASH,
    ):  # fmt: skip
        assert part in page
    assert "<script" not in page


def test_the_notice_says_what_was_decided_and_by_whom(book: Book) -> None:
    made = people.in_state(book, State.GENERAL_AFFAIRS_CONCUR)
    kato = actor("kato", instead_of="suzuki", instead_role=Role.APPROVER)
    wish = Wish(act=Act.APPROVE, note="年度末に見直す", conditions=("月に1度、件数を報告する",))
    page = SHEETS.render("notice", values(book.act(made.agreement, wish, kato)))

    for part in (
        "承認",
        "8架総第1号",
        "年度末に見直す",
        "月に1度、件数を報告する",
        "鈴木",
        "代",
        "加藤",
    ):
        assert part in page
    assert "不承認" not in page


def test_a_refusal_is_printed_as_one(book: Book) -> None:
    page = SHEETS.render("notice", values(people.in_state(book, State.REFUSED)))
    assert "<b>不承認</b>" in page


def test_what_people_wrote_is_text_and_never_markup(book: Book) -> None:
    from dataclasses import replace

    bad = replace(people.APPLICATION, purpose='<script>alert("x")</script>{{ 7 * 7 }}')
    page = SHEETS.render("application", values(people.in_state(book, State.DRAFT, bad)))
    assert "<script" not in page
    assert "{{ 7 * 7 }}" in page


def test_the_register_is_printed_with_what_is_wrong_with_it(book: Book) -> None:
    made = people.in_state(book, State.DRAFT)
    register = [
        Processor(name="甲社", address="架空市1", task="運用", place="東", jurisdiction="JP"),
        Processor(
            name="乙社", address="架空市2", task="監視", place="東", jurisdiction="US", under="甲社"
        ),
    ]
    done = book.register(made.agreement, register, people.TANAKA)
    page = SHEETS.render("application", values(done))
    assert "再委託の許可がありません" in page
    assert "乙社" in page


MISTAKES = {
    "unknown": ("<p>\n{{ 文書番号 }}\n{{ 文書番合 }}\n", 3, "文書番合"),
    "unknown_unused": ("{% if False %}\n\n{{ ない物 }}{% endif %}", 3, "ない物"),
    "unknown_part": ("{% for 一つ in 項目 %}\n{{ 一つ.名 }}{% endfor %}", 2, "名"),
    "syntax": ("<p>\n\n{% if 文書番号 %}", 3, ""),
    "filter": ("\n{{ 申請日|和歴 }}", 2, "和歴"),
    "include": ("\n{% include '../../private/hall-core/sign.key' %}", 2, ""),
    "climbing": ("\n{{ 団体名.__class__.__mro__ }}", 2, ""),
    "calling": ("\n{{ 目的.format.__globals__ }}", 2, ""),
    "arithmetic": ("\n{{ 1 / 0 }}", 2, "ZeroDivisionError"),
    "no_range": ("\n{{ range(9) }}", 2, "range"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_in_a_template_is_told_with_its_line(
    book: Book, tmp_path: Path, name: str
) -> None:
    text, line, said = MISTAKES[name]
    SHEETS.write(tmp_path / "own")
    (tmp_path / "own" / "notice.html").write_text(text, encoding="utf-8")
    with pytest.raises(TemplateUnfit) as refused:
        SHEETS.render(
            "notice", values(people.in_state(book, State.IN_FORCE)), folder=tmp_path / "own"
        )
    assert (refused.value.file, refused.value.line) == ("notice.html", line)
    assert said in refused.value.reason


def test_the_staffs_own_template_stands_in_and_is_never_overwritten(
    book: Book, tmp_path: Path
) -> None:
    folder = tmp_path / "own"
    assert {path.name for path in SHEETS.write(folder)} >= set(PAGES.values())
    (folder / "notice.html").write_text("<h1>{{ 団体名 }}の通知</h1>", encoding="utf-8")
    assert SHEETS.write(folder) == []
    page = SHEETS.render("notice", values(people.in_state(book, State.IN_FORCE)), folder=folder)
    assert page == "<h1>架空市の通知</h1>"


def test_days_are_written_as_offices_write_them(book: Book, tmp_path: Path) -> None:
    (tmp_path / "notice.html").write_text("{{ 期間始|日付 }} {{ 決定日|日付 }}|", "utf-8")
    made = values(people.in_state(book, State.DRAFT))
    assert SHEETS.render("notice", made, folder=tmp_path) == "令和8年11月1日 |"
    assert business_date(people.NOW) == date(2026, 11, 22)
