"""Synthetic rows to measure the risk of: six quasi-identifiers and a sensitive column, seed 42.

``fine`` is what an abstraction by birth month and town leaves, most of them alone; ``coarse`` is
by decade and area. Nobody is described: every value is drawn.
"""

import duckdb
import numpy as np
import pyarrow as pa

COLUMNS = ("sex", "birth_ym", "chome", "spouse", "hh_size", "kids")
SENSITIVE = "benefit"
# Levels of each column, the finest first: 4 × 4 × 3 × 3 × 2 × 2 = 576 nodes.
LEVELS: dict[str, tuple[str, ...]] = {
    "birth_ym": ("birth_ym", "birth_ym // 100", "birth_ym // 1000", "'*'"),
    "chome": ("chome", "chome // 10", "chome // 80", "'*'"),
    "hh_size": ("hh_size", "least(hh_size, 4)", "'*'"),
    "kids": ("kids", "least(kids, 2)", "'*'"),
    "sex": ("sex", "'*'"),
    "spouse": ("spouse", "'*'"),
}
_BENEFITS = {"none": 0.72, "jidou": 0.16, "jifu": 0.03, "seiho": 0.03, "shougai": 0.06}
_TOWNS = 480


def make_rows(work: duckdb.DuckDBPyConnection, rows: int, *, seed: int = 42) -> None:
    """Make the tables ``fine`` and ``coarse``."""
    rng = np.random.default_rng(seed)
    ages = np.clip(rng.normal(47, 23, rows), 0, 103).astype(np.int32)
    made = pa.table(
        {
            "sex": rng.integers(0, 2, rows, dtype=np.int8),
            "birth_ym": (2026 - ages) * 100 + rng.integers(1, 13, rows, dtype=np.int32),
            "chome": (rng.zipf(1.3, rows) % _TOWNS).astype(np.int16),
            "spouse": rng.integers(0, 2, rows, dtype=np.int8),
            "hh_size": np.clip(rng.poisson(1.6, rows) + 1, 1, 9).astype(np.int8),
            "kids": np.clip(rng.poisson(0.4, rows), 0, 5).astype(np.int8),
            "benefit": rng.choice(list(_BENEFITS), rows, p=list(_BENEFITS.values())),
        }
    )
    work.register("·drawn", made)
    work.execute('create or replace table fine as from "·drawn"')
    work.unregister("·drawn")
    work.execute(
        "create or replace table coarse as select sex, birth_ym // 1000 as birth_ym,"
        " chome // 80 as chome, spouse, least(hh_size, 4) as hh_size, least(kids, 2) as kids,"
        " benefit from fine"
    )
