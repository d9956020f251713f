"""No rule, campaign or count of a workspace reaches a protected person, however it is written."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

from kumobashi.cli.city import write_city
from kumobashi.kernel import SystemClock, business_date
from kumobashi.planning.errors import WorkspaceBroken
from kumobashi.planning.measuring import sources_of
from kumobashi.planning.sampling import write_sample
from kumobashi.planning.workspace import Workspace, load
from kumobashi.release.campaigns import Campaign
from kumobashi.release.releasing import Source, extract, release
from kumobashi.release.rules import ReleaseRule
from kumobashi.release.targeting import find_targets
from kumobashi.service.protecting import open_source
from kumobashi.storage.errors import StorageFailed

TODAY = business_date(SystemClock().now())
STORE = "var/hall-core/data/integrated-db.duckdb"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder = write_sample(tmp_path_factory.mktemp("protecting") / "city")
    write_city(folder, residents=3_000, seed=5)
    return load(folder)


def ask(workspace: Workspace, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(workspace.folder / STORE), read_only=True) as held:
        return held.execute(query).fetchall()


def change(workspace: Workspace, statement: str) -> None:
    with duckdb.connect(str(workspace.folder / STORE)) as held:
        held.execute(statement)


def protect(workspace: Workspace, number: str) -> None:
    change(
        workspace,
        f"insert into support_measures values ('8{number[1:]}', '{number}', '1', '1',"
        " date '2026-01-01', date '2099-12-31', null, '1')",
    )


def protected(workspace: Workspace) -> set[str]:
    query = (
        f"select resident_no from support_measures where date '{TODAY.isoformat()}' between"
        " support_from and support_to and (ended_on is null or ended_on >="
        f" date '{TODAY.isoformat()}')"
    )
    return {row[0] for row in ask(workspace, query)}


@contextmanager
def reading(workspace: Workspace, link: str) -> Iterator[Mapping[str, Source]]:
    rule = workspace.rules[workspace.link(link).release]
    systems = {workspace.dataset(reference)[0].system for reference in rule.datasets.values()}
    with ExitStack() as stack:
        readers = {
            name: stack.enter_context(open_source(workspace, workspace.systems[name]).reading())
            for name in systems
        }
        yield sources_of(workspace, link, readers)


def released(workspace: Workspace, link: str, rule: ReleaseRule) -> list[tuple[Any, ...]]:
    """Return resident number and household's ages of all rows that a rule lets leave."""
    with reading(workspace, link) as sources, duckdb.connect() as work:
        read = extract(rule, sources, work, purpose=workspace.link(link).purpose, on=TODAY)
        release(rule, work, read, on=TODAY, pads=None, on_findings="go_on")
        return work.execute("select * from released").fetchall()


def rule_of(workspace: Workspace, **wish: object) -> ReleaseRule:
    """Return a rule about the residents of notice-attributes, as somebody might write it."""
    written = workspace.rules["notice-attributes"].model_dump(mode="json", by_alias=True)
    columns = [
        {"name": "no", "op": "keep", "of": "resident_no"},
        {"name": "home", "op": "keep", "of": "household_no"},
        {"name": "ages", "op": "household_ages", "of": "birth_date", "top": 100},
        {"name": "spouse", "op": "has_spouse", "of": "relationship"},
    ]
    return ReleaseRule.model_validate(
        written | {"columns": columns, "gate": None, "consent": None} | wish
    )


WAYS: list[dict[str, object]] = [
    {},
    {"subject": {"dataset": "residents", "key": "resident_no", "household": "household_no"}},
    {"allow_empty": True},
]


@pytest.mark.parametrize("wish", WAYS)
def test_no_rule_reaches_them(workspace: Workspace, wish: Mapping[str, object]) -> None:
    held = protected(workspace)
    assert held, "the city has some"

    found = released(workspace, "notice-attributes", rule_of(workspace, **wish))

    assert len(found) > 2_000
    assert not {row[0] for row in found} & held


def test_who_lives_with_them_is_told_of_without_them(workspace: Workspace) -> None:
    rule = rule_of(workspace)
    before = {row[0]: row for row in released(workspace, "notice-attributes", rule)}
    home, number, partner = next(
        (home, head, wife)
        for home, head, wife in ask(
            workspace,
            "select household_no, min(resident_no) filter (relationship = '02'),"
            " min(resident_no) filter (relationship in ('11', '12')) from resident_registry"
            " where resident_status = '1' group by 1 having count(*) = 2 order by 1",
        )
        if head in before and wife in before
    )
    assert len(before[partner][2]) == 2

    protect(workspace, number)
    after = {row[0]: row for row in released(workspace, "notice-attributes", rule)}

    assert number not in after
    assert len(after[partner][2]) == 1
    assert after.keys() == before.keys() - {number}
    assert home


def test_no_campaign_means_them(workspace: Workspace) -> None:
    campaign = workspace.campaigns["health-check-40"]
    number = ask(
        workspace,
        "select min(resident_no) from resident_registry join national_health_insurance"
        " using (resident_no) where resident_status = '1' and birth_date < date '1980-01-01'"
        " and qualification_kind in ('1', '3')",
    )[0][0]
    assert number in meant_by(workspace, campaign)

    protect(workspace, number)

    left = meant_by(workspace, campaign)
    assert left
    assert not left & protected(workspace)


def meant_by(workspace: Workspace, campaign: Campaign) -> set[str]:
    references = set(campaign.datasets.values())
    with ExitStack() as stack, duckdb.connect() as work:
        hall = {}
        for reference in references:
            system, dataset = workspace.dataset(reference)
            reader = stack.enter_context(open_source(workspace, system).reading())
            hall[reference] = Source(reader, dataset.table)
        find_targets([campaign], hall, work, on=TODAY, on_findings="go_on")
        return {row[0] for row in work.execute("select key from targets").fetchall()}


def test_a_number_written_otherwise_is_the_same_person(workspace: Workspace) -> None:
    rule = rule_of(workspace)
    number = min(row[0] for row in released(workspace, "notice-attributes", rule))
    protect(workspace, number)
    change(
        workspace,
        "update support_measures set resident_no = ' ' || ltrim(resident_no, '0')"
        f" where resident_no = '{number}'",
    )

    assert number not in {row[0] for row in released(workspace, "notice-attributes", rule)}


def test_without_the_register_nothing_is_read(workspace: Workspace) -> None:
    change(workspace, "alter table support_measures rename to elsewhere")
    try:
        with pytest.raises(StorageFailed) as lost:
            released(workspace, "notice-attributes", rule_of(workspace))
    finally:
        change(workspace, "alter table elsewhere rename to support_measures")
    assert lost.value.code == "storage.table_missing"


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("integrated-db.support_measures", "integrated-db.measures", "dataset"),
        ("integrated-db.support_measures", "elsewhere.support_measures", "dataset"),
        ("first_day: support_from", "first_day: begins", "first_day"),
        ("key: resident_no", "key: number", "key"),
        ("contact: welfare-office\n", "contact: nobody\n", "contact"),
    ],
)
def test_a_register_that_is_named_wrongly_is_a_mistake_in_the_file(
    tmp_path: Path, old: str, new: str, key: str
) -> None:
    folder = write_sample(tmp_path / "city")
    main = folder / "kumobashi.yaml"
    text = main.read_text("utf-8")
    at = text.index("protective_measures:")
    assert old in text[at:]
    main.write_text(text[:at] + text[at:].replace(old, new, 1), "utf-8")

    with pytest.raises(WorkspaceBroken) as broken:
        load(folder)

    assert any(key in mistake.key for mistake in broken.value.mistakes)
