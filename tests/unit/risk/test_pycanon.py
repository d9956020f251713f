"""Our measures beside those of pyCANON, where it can be imported.

It is none of the tools of a developer: version 1.3.6 pins ``numpy==2.0.2`` (kumobashi needs 2.2)
and ``typing_extensions==4.15.0``. To run this, install it and pandas without their dependencies
into a folder (``uv pip install --target DIR --no-deps pycanon pandas python-dateutil pytz tzdata
six``) and put the folder last on PYTHONPATH. ``oracle`` says the same definitions without it.
"""

from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kumobashi.risk.measuring import Sensitive, measure

pandas: Any = pytest.importorskip("pandas", reason="pandas is not installed")
anonymity: Any = pytest.importorskip("pycanon.anonymity", reason="pyCANON is not installed")

ROW = st.tuples(
    st.sampled_from(["女", "男"]), st.integers(0, 2), st.sampled_from("xyz"), st.integers(-3, 9)
)


@settings(max_examples=60)
@given(rows=st.lists(ROW, min_size=2, max_size=40).filter(lambda r: len({x[3] for x in r}) > 1))
def test_small_tables_measure_as_pycanon_measures_them(
    shared: duckdb.DuckDBPyConnection, rows: list[tuple[Any, ...]]
) -> None:
    names = ["sex", "area", "tax", "income"]
    frame = pandas.DataFrame(rows, columns=names)
    columns = {name: frame[name].tolist() for name in names}
    told = ", ".join(f"unnest({columns[name]!r}) as {name}" for name in names)
    shared.execute(f"create or replace table r as select {told}")
    qi = ["sex", "area"]

    found = measure(shared, "r", qi, [Sensitive(column="tax"), Sensitive(column="income")])

    assert found.k == anonymity.k_anonymity(frame, qi)
    assert found.l == anonymity.l_diversity(frame, qi, ["tax", "income"])
    for name in ("tax", "income"):
        ours = found.sensitive[name]
        # pyCANON cuts its entropy l to a whole number, which may fall just below the real one.
        theirs = anonymity.entropy_l_diversity(frame, qi, [name])
        assert int(ours.entropy_l - 1e-9) <= theirs <= int(ours.entropy_l + 1e-9)
        assert ours.t == pytest.approx(anonymity.t_closeness(frame, qi, [name]), abs=1e-9)
        assert ours.delta == pytest.approx(anonymity.delta_disclosure(frame, qi, [name]), abs=1e-9)
