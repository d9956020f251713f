"""Standards as data: layouts of datasets and lists of codes, dated and with their source.

In go YAML and CSV files, shipped here or written by a municipality; out come frozen values, and in
``checking`` the findings of a table that was held against its layout. Nothing here is a copy of a
national standard: the layouts follow its shape where it is public, and say where they are our own.

``layouts`` and ``code_lists`` are light; only ``checking`` needs DuckDB.
"""

from kumobashi.catalogue.code_lists import CodeList, load_code_lists
from kumobashi.catalogue.layouts import Field, Layout, Layouts, load_layouts

__all__ = [
    "CodeList",
    "Field",
    "Layout",
    "Layouts",
    "load_code_lists",
    "load_layouts",
]
