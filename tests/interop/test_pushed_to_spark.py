"""A rule computed by a real Spark gives the same rows as in the gateway and as in PostgreSQL."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.release.staged import ON

pytest.importorskip("pyspark")
from kumobashi.release.pushing import push_down
from tests.integration.test_pushed_to_postgresql import city
from tests.unit.release.test_pushing import (
    KINDS,
    Rows,
    climbed_to,
    expected,
    run_pushed,
    same,
    tables,
)

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java, which is not here"),
]
_TYPES = {"string": "string", "int64": "bigint", "date": "date"}


@pytest.fixture(scope="module")
def rows() -> Rows:
    return city(300)


@pytest.fixture(scope="module")
def source(rows: Rows, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from pyspark.sql import SparkSession

    session = (
        SparkSession.builder.master("local[1]")
        .appName("kumobashi")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.warehouse.dir", str(tmp_path_factory.mktemp("spark")))
        .getOrCreate()
    )
    try:
        for name, kinds in KINDS.items():
            held = [tuple(row[column] for column in kinds) for row in rows[name]]
            schema = ", ".join(f"{column} {_TYPES[kind]}" for column, kind in kinds.items())
            session.createDataFrame(held, schema).createOrReplaceTempView(name)

        def ask(sql: str) -> Any:
            return session.sql(sql).toArrow()

        yield ask
    finally:
        session.stop()


@pytest.mark.parametrize(("level", "how"), [(0, "go_on"), (1, "quarantine"), (2, "go_on")])
def test_every_row_is_the_same(source: Any, rows: Rows, level: int, how: Any) -> None:
    said = climbed_to(level)
    made = push_down(said, tables(), purpose="p", on=ON, dialect="pyspark")

    got = run_pushed(said, made, source, rows, how)

    assert got[0].rows > 20
    same(got, expected(said, rows, how))
