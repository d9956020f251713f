"""The dry run counts what a real run would send."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import duckdb
import pytest
from rich.console import Console

from kumobashi.directory.entries import Directory
from kumobashi.planning.approval import Standing
from kumobashi.planning.fictional import example_of
from kumobashi.planning.measured import Measured
from kumobashi.planning.measuring import measure, sources_of
from kumobashi.planning.plan import plan
from kumobashi.planning.plan_json import as_json
from kumobashi.planning.rendering import PlanView
from kumobashi.planning.story import tell
from kumobashi.planning.workspace import Workspace
from kumobashi.storage.duckdb_tables import DuckDBTables
from kumobashi.storage.tables import TableReader
from kumobashi.testing.city import build, write_embedded
from tests.unit.planning.test_plan import LINK, ON

SYSTEMS = ("integrated-db", "vaccination", "consent-desk")


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("stores")
    paths = {system: folder / f"{system}.duckdb" for system in SYSTEMS}
    with build(6000, seed=7, on=ON) as city:
        write_embedded(city, paths)
    return paths


@contextmanager
def readers(stores: dict[str, Path]) -> Iterator[dict[str, TableReader]]:
    with ExitStack() as stack:
        yield {
            system: stack.enter_context(DuckDBTables(system, path).reading())
            for system, path in stores.items()
        }


def counted(
    workspace: Workspace, directory: Directory, stores: dict[str, Path], link: str
) -> Measured:
    made = plan(workspace, directory, link, on=ON)
    with readers(stores) as held:
        return measure(workspace, made, sources_of(workspace, link, held))


def test_who_consented_is_counted_at_the_source(
    workspace: Workspace, directory: Directory, stores: dict[str, Path]
) -> None:
    found = counted(workspace, directory, stores, LINK)

    with duckdb.connect(str(stores["consent-desk"]), read_only=True) as desk:
        row = desk.execute(
            "select count(*) from consents where purpose = 'child-notices' and granted_on <= ?"
            " and (withdrawn_on is null or withdrawn_on > ?)",
            [ON, ON],
        ).fetchone()
    assert row is not None
    assert found.extracted == 6000
    assert found.extracted - found.without_consent == row[0]
    assert found.gate is not None
    assert found.gate.before.rows == row[0] == found.rows + found.gate.suppressed
    assert found.parts == 1
    assert found.bytes > found.rows * 16  # a token holds sixteen bytes of chance
    assert found.smallest_class is not None
    assert found.losses == ()  # Parquet holds every character


def test_characters_that_the_receiver_lacks_are_counted_with_their_substitutes(
    workspace: Workspace, directory: Directory, stores: dict[str, Path]
) -> None:
    found = counted(workspace, directory, stores, "resident-to-nhi")

    told = {held.loss.code_point: held.loss for held in found.losses}
    with duckdb.connect(str(stores["integrated-db"]), read_only=True) as source:
        row = source.execute(
            "select count(*) from resident_registry where resident_status = '1'"
            " and contains(family_name, '\U00020bb7')"
        ).fetchone()
    assert row is not None
    assert told["U+20BB7"].rows == row[0] > 0
    assert told["U+20BB7"].substitute == "吉"
    assert found.rows_with_losses == 0


@pytest.mark.parametrize("lang", ["ja", "en"])
def test_a_plan_answers_first_and_then_shows_why(
    workspace: Workspace, directory: Directory, stores: dict[str, Path], lang: str
) -> None:
    console = Console(width=140, record=True, file=None, force_terminal=False)
    with console.capture() as capture:
        for link in ("welfare-to-citizen-app", "resident-to-nhi"):
            made = plan(workspace, directory, link, on=ON)
            with readers(stores) as held:
                found = measure(workspace, made, sources_of(workspace, link, held))
            story = tell(
                workspace,
                made,
                measured=found,
                example=example_of(workspace, made.link, on=ON),
            )
            console.print(PlanView(story, lang="ja" if lang == "ja" else "en"))
    text = capture.get()

    first = text.splitlines()[0]
    if lang == "ja":
        assert first.startswith("送れません：統合DB → 市民アプリ")
        assert "× 法的根拠がありません（links/welfare-to-citizen-app.yaml" in text
        assert "有無だけにするか（op: flag）" in text
        assert "送れます（承認が必要です）" in text
        assert "「𠮷」U+20BB7 →「吉」" in text
    else:
        assert first.startswith("Not sent: ")
        assert "There is no legal basis (links/welfare-to-citizen-app.yaml, line" in text
        assert "May be sent, once it is approved" in text


def test_a_plan_speaks_to_machines_too(workspace: Workspace, directory: Directory) -> None:
    found = as_json(plan(workspace, directory, "welfare-to-citizen-app", on=ON))

    assert found["standing"] == Standing.REFUSED.value
    assert [reason["code"] for reason in found["reasons"]] == [
        "policy.no_basis",
        "policy.item_forbidden",
    ]
    assert found["reasons"][0]["line"] > 0
