"""Where the Adult data lie, which are no part of this tree: beside it, in ``shared/reference``."""

from pathlib import Path

import pytest

_PLACE = Path("shared", "reference", "adult")
ADULT = next(
    (above / _PLACE for above in Path(__file__).resolve().parents if (above / _PLACE).is_dir()),
    None,
)
needs_adult = pytest.mark.skipif(
    ADULT is None, reason=f"no {_PLACE} beside this tree: published figures are not compared"
)
COLUMNS = (
    *("sex", "age", "race", "marital-status", "education"),
    *("native-country", "workclass", "occupation", "salary-class"),
)
