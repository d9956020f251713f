"""The rows that every method carries: the columns of the report's link, of persons who are not."""

from typing import Final

import duckdb
import pyarrow as pa

from kumobashi.testing.jobs_cloud.settings import CloudSettings, Column, Table

TABLE: Final = "NoticeAttributes"
KEY: Final = "token"
_ROWS: Final = """
select
  md5('{seed}-' || n) as token,
  '2026-11-01' as base_date,
  case when draw(n, 1, 2) = 0 then '1' else '2' end as sex,
  cast(1930 + draw(n, 2, 96) as varchar) || lpad(cast(1 + draw(n, 3, 12) as varchar), 2, '0')
    as birth_ym,
  '9999' || lpad(cast(draw(n, 4, 40) as varchar), 2, '0') as town_code,
  cast(draw(n, 5, 2) as varchar) as has_spouse,
  array_to_string(list_transform(range(draw(n, 6, 5)), lambda i: 1 + draw(n, 60 + i, 99)), ' ')
    as household_ages,
  array_to_string(list_transform(range(draw(n, 7, 3)), lambda i: 200801 + draw(n, 70 + i, 12)), ' ')
    as child_birth_yms,
  cast(draw(n, 8, 2) as varchar) as tax_exempt,
  cast(draw(n, 9, 2) as varchar) as nhi_insured,
  cast(draw(n, 10, 2) as varchar) as child_allowance,
  cast(draw(n, 11, 2) as varchar) as child_support_allowance,
  cast(draw(n, 12, 2) as varchar) as public_assistance
from range({rows}) t(n)
"""


def make_rows(count: int, seed: int = 1) -> pa.Table:
    """Return so many rows, all texts; the same for the same seed."""
    with duckdb.connect() as work:
        work.execute(f"create macro draw(n, k, most) as cast(hash({seed}, n, k) % most as bigint)")
        return work.sql(_ROWS.format(rows=count, seed=seed)).to_arrow_table()


def settings_for(rows: pa.Table) -> CloudSettings:
    """Return a cloud that takes these rows, with the limits that large clouds publish."""
    columns = {name: Column() for name in rows.column_names}
    return CloudSettings(tables={TABLE: Table(key=KEY, columns=columns)})
