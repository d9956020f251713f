"""Training refuses whatever leads to another machine, before a gateway starts and before a run."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from kumobashi.cli.exits import Exit
from kumobashi.kernel import SystemClock
from kumobashi.planning.publishing import load_directory, publish_directory
from kumobashi.planning.sampling import write_sample
from kumobashi.planning.workspace import load
from kumobashi.service.errors import LeavesTraining
from kumobashi.service.gateway import Gateway
from kumobashi.service.settings import Settings, read_settings
from kumobashi.service.training import is_of_this_machine, refuse_outside
from kumobashi.service.wiring import Wiring


@pytest.fixture
def city(tmp_path: Path) -> Path:
    return write_sample(tmp_path / "city")


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def start(city: Path, **more: str) -> None:
    settings = read_settings(city, "hall-core", more, is_training=True)
    Gateway(settings)


def real_city(city: Path) -> None:
    change(city / "kumobashi.yaml", '"999997"', '"121002"')


def real_address(city: Path) -> None:
    change(city / "sites" / "asp-relay.yaml", "http://127.0.0.1", "http://192.0.2.1")


def address_by_name(city: Path) -> None:
    change(city / "sites" / "asp-relay.yaml", "http://127.0.0.1", "http://relay.example")


def real_database(city: Path) -> None:
    dsn = city / "private" / "public-cloud" / "childcare.dsn"
    dsn.write_text("postgresql://childcare@192.0.2.1/childcare\n", encoding="ascii")


def database_by_variable(city: Path) -> None:
    for path in (city / "systems").glob("*.yaml"):
        text = path.read_text("utf-8")
        place = "file:private/public-cloud/childcare.dsn"
        path.write_text(text.replace(place, "env:CHILDCARE_DSN"), encoding="utf-8")


def real_cloud(city: Path) -> None:
    cloud = (
        '{kind: jobs, url: "https://cloud.example.jp/v1", token_url: "http://127.0.0.1:1/t",'
        ' client_id: "env:ID", client_secret: "env:SECRET"}'
    )
    change(city / "systems" / "vaccination.yaml", "{kind: duckdb}", cloud)


@pytest.mark.parametrize(
    ("way_out", "place"),
    [
        (real_cloud, "systems/vaccination.yaml store.url"),
        (real_city, "municipality.code 121002"),
        (real_address, "sites/asp-relay.yaml url"),
        (address_by_name, "sites/asp-relay.yaml url"),
        (real_database, "store.dsn"),
        (database_by_variable, "store.dsn"),
    ],
)
def test_each_way_out_is_found_and_nothing_starts(
    city: Path, way_out: Callable[[Path], None], place: str
) -> None:
    directory = load_directory(city, now=SystemClock().now())
    refuse_outside(load(city), directory)
    way_out(city)

    with pytest.raises(LeavesTraining) as caught:
        refuse_outside(load(city), directory)

    assert place in str(caught.value)
    assert "192.0.2.1/childcare" not in str(caught.value)
    if place != "municipality.code 121002":  # the directory is another city's then
        with pytest.raises(LeavesTraining):
            start(city)
    assert not (city / "var" / "hall-core" / "state.db").exists()


def test_a_directory_that_leads_elsewhere_counts_though_the_files_do_not(city: Path) -> None:
    real_address(city)
    publish_directory(city, now=SystemClock().now())
    change(city / "sites" / "asp-relay.yaml", "http://192.0.2.1", "http://127.0.0.1")

    with pytest.raises(LeavesTraining, match=r"directory\.jws asp-relay"):
        start(city)


def test_it_listens_on_this_machine_alone(city: Path) -> None:
    with pytest.raises(LeavesTraining, match="KUMO_HOST"):
        start(city, KUMO_HOST="0.0.0.0")  # noqa: S104 - what must be refused


def test_a_way_out_that_is_made_later_stops_the_next_run(city: Path) -> None:
    directory = load_directory(city, now=SystemClock().now())
    wiring = Wiring(
        city,
        directory,
        today=lambda: date(2026, 11, 22),
        allow=lambda workspace: refuse_outside(workspace, directory),
    )
    wiring.reception("childcare-notices")

    real_database(city)

    with pytest.raises(LeavesTraining):
        wiring.reception("childcare-notices")
    with pytest.raises(LeavesTraining):
        wiring.order("childcare-notices")


def test_without_training_none_of_this_is_asked(city: Path) -> None:
    assert not Settings(workspace=city, site="hall-core").is_training
    assert not read_settings(city, "hall-core", {}).is_training


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://u@127.0.0.1:1/db?connect_timeout=2",
        "postgresql://u:p@localhost/db",
        "postgres://u@[::1]:5432/db",
    ],
)
def test_databases_of_this_machine_are_allowed(dsn: str) -> None:
    assert is_of_this_machine(dsn)


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://u@db.example/city",
        "postgresql://u@127.0.0.1/city?host=db.example",
        "postgresql://u@127.0.0.1/city?hostaddr=192.0.2.1",
        "postgresql://u@127.0.0.1/city?service=real",
        "postgresql://u@127.0.0.1,192.0.2.1/city",
        "postgresql://127.0.0.1@192.0.2.1/city",
        "postgresql:///city",
        "host=192.0.2.1 dbname=city",
        "service=real",
        "postgresql://[::1",
        "",
    ],
)
def test_databases_elsewhere_or_in_a_form_that_hides_it_are_not(dsn: str) -> None:
    assert not is_of_this_machine(dsn)


def test_a_refusal_has_an_exit_code_of_its_own() -> None:
    from kumobashi.cli.exits import exit_of

    assert exit_of(LeavesTraining.code) is Exit.REFUSED
