"""The plan as a story: an invented person before and after, doors, what others must do."""

import html
from dataclasses import replace
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from kumobashi.directory.entries import Directory
from kumobashi.kernel import Language
from kumobashi.planning.approval import approve
from kumobashi.planning.fictional import example_of
from kumobashi.planning.folding import cut, fold
from kumobashi.planning.gate_rendering import gate_lines
from kumobashi.planning.measured import Measured
from kumobashi.planning.overview import PlansView
from kumobashi.planning.page import page_of
from kumobashi.planning.plan import plan
from kumobashi.planning.plan_json import story_json
from kumobashi.planning.rendering import PlanView
from kumobashi.planning.story import Story, tell
from kumobashi.planning.timing import Past, expected
from kumobashi.planning.workspace import Workspace, load
from kumobashi.release.gate_learning import lessons
from kumobashi.release.gate_report import GateReport, Outcome
from kumobashi.release.gate_words import headline, limit_lines, neighbour
from kumobashi.testing import gates
from tests.unit.planning.test_plan import LINK, ON, edit

NIGHT = datetime(2026, 11, 21, 16, tzinfo=UTC)


def story(workspace: Workspace, directory: Directory, link: str = LINK) -> Story:
    made = plan(workspace, directory, link, on=ON)
    return tell(workspace, made, example=example_of(workspace, made.link, on=ON))


def said(view: PlanView | PlansView, width: int = 100) -> str:
    console = Console(width=width, force_terminal=False)
    with console.capture() as capture:
        console.print(view)
    return capture.get()


def test_what_is_shown_as_after_is_what_the_rule_makes(
    workspace: Workspace, directory: Directory
) -> None:
    items = {item.name: item for item in story(workspace, directory).items}

    assert (items["birth_ym"].before, items["birth_ym"].after) == ("1988-05-14", "198805")
    assert items["household_ages"].after == "6・9・38・41・76"
    assert items["has_spouse"].after == "1（該当）"
    assert items["public_assistance"].before == "01（生活扶助）"
    assert items["public_assistance"].after == "1（該当）"
    assert items["token"].before != items["token"].after
    assert items["token"].form == "token"


def test_the_example_follows_the_rule_when_it_changes(
    folder: Path, workspace: Workspace, directory: Directory
) -> None:
    edit(folder, f"rules/{LINK}.yaml", "length: 13, ladder: [10, 6]", "length: 6")
    edit(
        folder,
        f"rules/{LINK}.yaml",
        "of: birth_date, to: month, ladder: [year, five_years]",
        "of: birth_date, to: year",
    )

    items = {item.name: item for item in story(load(folder), directory).items}

    assert items["town_code"].after == "999997"
    assert items["birth_ym"].after == "1988"


@pytest.mark.parametrize(
    ("link", "age"),
    [
        ("vaccination-reminders", 9),
        ("resident-to-school", 9),
        ("resident-to-long-term-care", 76),
        ("resident-to-latter-stage", 76),
    ],
)
def test_the_person_is_of_the_age_that_the_rule_asks_for(
    workspace: Workspace, directory: Directory, link: str, age: int
) -> None:
    found = story(workspace, directory, link)

    assert f"（{age}歳）" in found.person
    assert all(item.after not in {"", "―"} for item in found.items)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # only read from
)
@given(on=st.dates(date(2026, 4, 1), date(2040, 12, 31)))
def test_every_day_of_the_year_has_its_example(workspace: Workspace, on: date) -> None:
    for link in ("vaccination-reminders", "resident-to-latter-stage"):
        made = plan(workspace, None, link, on=on)
        found = tell(workspace, made, example=example_of(workspace, made.link, on=on))

        assert all(item.after not in {"", "―"} for item in found.items)


def test_a_character_is_shown_as_the_receiver_will_have_it(
    workspace: Workspace, directory: Directory
) -> None:
    names = {item.name: item for item in story(workspace, directory, "resident-to-nhi").items}

    assert (names["family_name"].before, names["family_name"].after) == ("𠮷田", "吉田")


def test_what_stays_in_the_hall_is_named(workspace: Workspace, directory: Directory) -> None:
    found = story(workspace, directory)

    kept_back = {item.ja for item in found.dropped}
    assert {"氏", "名", "方書", "合計所得金額", "保護開始年月日"} <= kept_back
    assert not {item.ja for item in found.items} & kept_back
    assert found.forms["dropped"] == len(found.dropped)


def test_doors_name_port_rule_and_what_the_far_side_must_open(
    workspace: Workspace, directory: Directory
) -> None:
    found = story(workspace, directory)

    assert [(door.port, door.by.value, door.is_relay) for door in found.doors] == [
        (8741, "designated_communication", True),
        (8742, "lgwan", True),
        (8743, "ip_vpn", False),
    ]
    assert all(door.flow and door.flow.is_permitted for door in found.doors)
    cloud = next(ask for ask in found.asks if ask.whom == "公共クラウド")
    assert "TCP 8743 番" in cloud.ja
    assert "こちらへ開くものはない" in cloud.ja
    assert cloud.contact
    assert cloud.contact.phone == "000-000-0012"


def test_inside_one_site_nothing_is_opened(workspace: Workspace, directory: Directory) -> None:
    found = story(workspace, directory, "resident-to-school")

    assert found.doors == ()
    assert [ask.whom for ask in found.asks] == ["就学（学齢簿）"]
    assert "開ける扉はありません" in said(PlanView(found))


def test_the_time_is_that_of_the_last_runs_and_says_so() -> None:
    runs = [Past(seconds=seconds, rows=10) for seconds in (2.0, 9.0, 4.0)]

    told = expected(runs, subjects=400_000, size=0)
    stated = expected([], subjects=400_000, size=12_500_000)

    assert told
    assert told.said_ja == "4.0 秒（過去 3 回の中央値）"
    assert stated
    assert stated.seconds == 22.0
    assert "実績がないため目安" in stated.said_ja
    assert expected([], subjects=None, size=None) is None


@pytest.mark.parametrize("is_ja", [True, False])
@pytest.mark.parametrize("width", [72, 100, 140])
def test_no_line_is_too_long_or_begins_with_what_ends_a_sentence(
    workspace: Workspace, directory: Directory, is_ja: bool, width: int
) -> None:
    stories = [story(workspace, directory, link) for link in workspace.links]
    texts = [said(PlanView(held, lang="ja" if is_ja else "en"), width) for held in stories]
    texts.append(said(PlansView(stories, lang="ja" if is_ja else "en"), max(width, 100)))

    for line in "\n".join(texts).splitlines():
        assert cell_len(line) <= max(width, 100 if line in texts[-1] else 0)
        assert not line.strip().startswith(("。", "、", "）", "」"))
        assert not line.rstrip().endswith(("（", "「", "〔"))


def test_the_story_speaks_to_machines(workspace: Workspace, directory: Directory) -> None:
    found = story_json(story(workspace, directory))

    assert [door["port"] for door in found["doors"]] == [8741, 8742, 8743]
    assert found["items"][0]["form"] == "token"
    assert found["expected"] is None
    assert "架空" not in found["standing"]
    assert found["story"]["ja"].startswith(
        "庁内 基幹系の「統合DB」が、本人が同意した住民（支援措置の人は"
    )


class Tags(HTMLParser):
    """Collects tags and every address that a page points to."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in {"href", "src"}]


@pytest.mark.parametrize("links", [[LINK], ["resident-to-nhi"], None])
def test_a_page_stands_alone_without_scripts_and_for_all_has_the_picture(
    workspace: Workspace, directory: Directory, links: list[str] | None
) -> None:
    stories = [story(workspace, directory, link) for link in links or workspace.links]

    page = page_of(workspace, stories, at=NIGHT)

    seen = Tags()
    seen.feed(page)
    assert "script" not in seen.tags
    assert "link" not in seen.tags
    assert all(address.startswith("#") for address in seen.addresses)
    assert "@page{size:A4" in page
    assert ("svg" in seen.tags) == (links is None)
    assert seen.tags.count("article") == len(stories)
    assert "匿名" not in page
    for held in stories:
        assert held.plan.hash in page
        assert all(item.ja in page for item in held.items)


@pytest.mark.parametrize("lang", ["ja", "en"])
@pytest.mark.parametrize("report", [gates.climbed(left_out=1_204), gates.refused()])
def test_on_paper_the_gate_says_what_it_measured_and_which_step_leaves(
    workspace: Workspace, directory: Directory, report: GateReport, lang: Language
) -> None:
    told = story(workspace, directory, LINK)
    place = 0 if lang == "ja" else 1

    page = html.unescape(page_of(workspace, [with_gate(told, report)], at=NIGHT, lang=lang))
    without = page_of(workspace, [told], at=NIGHT, lang=lang)

    assert headline(report)[place] in page
    assert neighbour(report)[place] in page
    for line in limit_lines(report):
        assert line.name[place] in page
    for lesson in lessons(report):
        assert lesson.said[place] in page
    is_refused = report.outcome is Outcome.REFUSED
    assert page.count("◀</span>") == (0 if is_refused else len(report.climbs))
    assert page.count('<ol class="out">') == is_refused
    assert headline(report)[place] not in without


@pytest.mark.parametrize("lang", ["ja", "en"])
@pytest.mark.parametrize("width", [60, 100])
@pytest.mark.parametrize("report", [gates.climbed(left_out=1_204), gates.refused()])
def test_at_a_terminal_the_gate_says_what_groups_give_away(
    report: GateReport, width: int, lang: Language
) -> None:
    lines = [line.plain for line in gate_lines(report, width=width, lang=lang)]

    assert max(map(cell_len, lines)) <= width
    said = "".join("".join(lines).split())
    for lesson in lessons(report):
        assert "".join(lesson.said[0 if lang == "ja" else 1].split()) in said


def with_gate(told: Story, report: GateReport) -> Story:
    counted = Measured(
        on=ON,
        rows=report.after.rows if report.after else 0,
        extracted=500_000,
        without_consent=0,
        bytes=6_100_000,
        parts=4,
        smallest_class=report.after.k if report.after else None,
        rows_below_five=0,
        findings=(),
        losses=(),
        gate=report,
    )
    return replace(told, measured=counted)


def test_what_people_write_into_files_cannot_become_markup(
    folder: Path, directory: Directory
) -> None:
    edit(folder, "systems/notice-cloud.yaml", "name: お知らせ配信", 'name: "<script>x</script>"')
    workspace = load(folder)

    page = page_of(workspace, [story(workspace, directory, x) for x in workspace.links], at=NIGHT)

    assert "<script" not in page
    assert "&lt;script" in page


def test_the_table_puts_the_refused_first_and_counts(
    folder: Path, workspace: Workspace, directory: Directory
) -> None:
    for link in ("resident-to-school", LINK):
        found = plan(workspace, directory, link, on=ON)
        approve(folder, found, by="試験", at=NIGHT, measured=None)
    edit(folder, "rules/resident-to-school.yaml", "version: 1", "version: 2")
    workspace = load(folder)
    stories = [
        tell(
            workspace,
            plan(workspace, directory, link, on=ON),
            approval=workspace.approvals.get(link),
        )
        for link in workspace.links
    ]

    lines = said(PlansView(stories)).splitlines()

    assert lines[0] == "連携 11 のうち 送れます 9（承認待ち 8）、変更あり 1、送れません 1"
    assert "× 送れません" in lines[3]
    assert "≠ 変更あり" in lines[4]


# -- folding --------------------------------------------------------------------------------------

texts = st.text(st.sampled_from("雲橋の事前点検。、（）「」abc 12-"), max_size=60)


@given(text=texts, width=st.integers(min_value=8, max_value=40))
def test_folding_loses_nothing_but_spaces_and_keeps_the_width(text: str, width: int) -> None:
    lines = cut(text, width)

    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(cell_len(line) <= width for line in lines)


def test_a_line_never_begins_with_a_full_stop() -> None:
    for width in range(8, 30):
        for line in fold("送れます（承認が必要です）。庁内から「公共クラウド」へ渡します。", width):
            assert line[0] not in "。、）」"
            assert line[-1] not in "（「"
