"""A link under codes, from the hall to the cloud: the cloud's table tells nothing by its names."""

import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from subprocess import run

import pytest

from kumobashi.exchange.codebooks import Codebooks
from kumobashi.exchange.tokens import destination_key
from kumobashi.kernel import business_date
from kumobashi.testing.city import City
from kumobashi.testing.faults.converting import token_key
from kumobashi.testing.town import Refused, Town
from tests.scenario.expecting import NOTICES

pytestmark = [pytest.mark.scenario, pytest.mark.slow]
TODAY = business_date(datetime.now(UTC))
EPOCH = str(TODAY.year)


def kumobashi(folder: Path, *args: str) -> None:
    command = [sys.executable, "-m", "kumobashi", "--workspace", str(folder), *args]
    run(command, check=True, capture_output=True, timeout=120)


def put_under_codes(folder: Path) -> None:
    """Do what the how-to page says, before the directory is signed."""
    rule = folder / f"rules/{NOTICES}.yaml"
    coding = f"coding: {{columns: keyed, order: shuffled, epoch: '{EPOCH}', layout: {NOTICES}}}"
    rule.write_text(f"{rule.read_text('utf-8')}{coding}\n", encoding="utf-8")
    kumobashi(folder, "release", "codebook", NOTICES, "--make")
    system = folder / "systems/notice-cloud.yaml"
    system.write_text(
        system.read_text("utf-8").replace(
            'layout: notice-attributes, version: "1", table: notice_attributes',
            f'layout: {NOTICES}-{EPOCH}, version: "1", table: coded_{EPOCH}',
        ),
        encoding="utf-8",
    )


@pytest.fixture(scope="module")
def town(city: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("coded") / "w"
    with Town.found(folder, city, change=put_under_codes) as made:
        kumobashi(folder, "plan", NOTICES, "--approve", "--no-count")
        made.start_all()
        yield made


def test_the_cloud_holds_codes_and_the_hall_reads_them(town: Town) -> None:
    seen = town.run(NOTICES, TODAY)

    assert seen["state"] == "applied", (seen["cause"], seen["findings"])
    books = Codebooks(town.folder / "var/hall-core/codebooks")
    book = books.read("notice-cloud", "notice_attributes", EPOCH)
    table = f"coded_{EPOCH}"
    columns = town.sql(
        "notice-cloud",
        f"select column_name from duckdb_columns() where table_name = '{table}' order by all",
    )
    assert {name for (name,) in columns} == set(book.order)
    wanted = [book.codes[name] for name in ("token", "sex", "birth_ym")]
    got = Counter(town.sql("notice-cloud", f"select {', '.join(wanted)} from {table}"))
    secret = token_key(town.folder / "private/hall-core/token.key")
    key = destination_key(secret, "999997", "notice-cloud", EPOCH)
    residents = town.sql(
        "integrated-db",
        "select resident_no, sex, (year(birth_date) * 100 + month(birth_date))::int"
        " from resident_registry where resident_status = '1'",
    )
    assert got == Counter((key.token(number), *rest) for number, *rest in residents)


def test_only_the_hash_of_the_codebook_is_evidence(town: Town) -> None:
    books = Codebooks(town.folder / "var/hall-core/codebooks")
    book = books.read("notice-cloud", "notice_attributes", EPOCH)
    export = town.folder / "evidence.tar"
    kumobashi(town.folder, "evidence", "export", "--site", "hall-core", "--out", str(export))

    assert book.digest.encode() in export.read_bytes()
    assert book.order[0].encode() not in export.read_bytes()
    for path in (town.folder / "var/public-cloud").rglob("*"):
        if path.is_file():
            held = path.read_bytes()
            assert b"birth_ym" not in held, path
            assert b"public_assistance" not in held, path


def test_a_day_outside_the_epoch_is_refused_by_name(town: Town) -> None:
    seen = town.run(NOTICES, date(TODAY.year - 1, 12, 31))

    assert (seen["state"], seen["cause"]["code"]) == ("refused", "release.epoch_over")


def test_with_a_lost_codebook_nothing_leaves(town: Town) -> None:
    books = Codebooks(town.folder / "var/hall-core/codebooks")
    before = len(town.ledger("public-cloud").incoming())
    books.path("notice-cloud", "notice_attributes", EPOCH).unlink()

    with pytest.raises(Refused) as refusal:
        town.run(NOTICES, TODAY)

    assert refusal.value.problem["code"] == "release.codebook_lost"
    assert len(town.ledger("public-cloud").incoming()) == before
